"""Linear algebra on stacks of matrices: the last two axes are rows and columns, those before are walked over.

Names are those of NumPy and of the array API standard's extension, with Theano's beside them where they differ.
Factorizations are computed by NumPy's LAPACK, in float32 or float64, integers in float64; all have gradients of any
order where they exist. A singular matrix is a :class:`symgraph.LinAlgError` when the function runs; it names the op,
the layer and the line.
"""

from .factors import (
    EighResult,
    QrResult,
    SvdResult,
    cholesky,
    cond,
    eigh,
    eigvalsh,
    matrix_rank,
    qr,
    svd,
    svdvals,
)
from .norms import matrix_norm, norm, vector_norm
from .products import (
    cross,
    diagonal,
    kron,
    matmul,
    matrix_dot,
    matrix_power,
    matrix_transpose,
    multi_dot,
    outer,
    tensordot,
    trace,
    vecdot,
)
from .systems import (
    LstsqResult,
    SlogdetResult,
    cho_solve,
    det,
    expm,
    inv,
    lstsq,
    matrix_inverse,
    pinv,
    slogdet,
    solve,
    solve_lower_triangular,
    solve_triangular,
    solve_upper_triangular,
    tensorinv,
    tensorsolve,
)

__all__ = [
    "EighResult", "LstsqResult", "QrResult", "SlogdetResult", "SvdResult", "cho_solve", "cholesky", "cond", "cross",
    "det", "diagonal", "eigh", "eigvalsh", "expm", "inv", "kron", "lstsq", "matmul", "matrix_dot",
    "matrix_inverse", "matrix_norm", "matrix_power", "matrix_rank", "matrix_transpose", "multi_dot", "norm", "outer",
    "pinv", "qr", "slogdet", "solve", "solve_lower_triangular", "solve_triangular", "solve_upper_triangular", "svd",
    "svdvals", "tensordot", "tensorinv", "tensorsolve", "trace", "vecdot", "vector_norm",
]  # fmt: skip
