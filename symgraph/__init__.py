"""symgraph: a define-then-run graph compiler for Python.

Build a graph of symbolic tensors, compile it with :func:`function`, call it on NumPy arrays. ``symgraph.keras`` is
the Keras 2 front.
"""

from typing import TYPE_CHECKING, Any

from .arguments import In
from .arrangement import (
    append,
    array_split,
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_arrays,
    dstack,
    flatten,
    flip,
    fliplr,
    flipud,
    hstack,
    matrix_transpose,
    moveaxis,
    pad,
    repeat,
    resize,
    roll,
    split,
    swapaxes,
    tile,
    unstack,
    vstack,
)
from .bfloat import from_bfloat16, round_to_bfloat16, to_bfloat16
from .cloning import clone
from .convolution import avg_pool, conv, conv_transpose, depthwise_conv, local_conv, max_pool, separable_conv
from .creation import (
    arange,
    diag,
    diagonal,
    eye,
    identity,
    linspace,
    logspace,
    meshgrid,
    trace,
    tri,
    tril,
    triu,
)
from .differentiation import (
    Lop,
    Rop,
    custom_gradient,
    grad_clip,
    hessian,
    hessian_vector_product,
    jacobian,
    jvp,
    vjp,
)
from .display import draw_with
from .dtypes import DType
from .effects import assert_op, breakpoint_op, print_tensor
from .einsum import einsum
from .elementwise import (
    allclose,
    arctan2,
    bitwise_count,
    cbrt,
    copysign,
    deg2rad,
    digamma,
    divmod,
    erfinv,
    float_power,
    fmax,
    fmin,
    fmod,
    gammaln,
    heaviside,
    hypot,
    isclose,
    isneginf,
    isposinf,
    logaddexp,
    logaddexp2,
    logit,
    nan_to_num,
    polygamma,
    positive,
    rad2deg,
    signbit,
    sinc,
    xlogy,
)
from .errors import (
    ArgumentError,
    BoundsError,
    DTypeError,
    GradientError,
    GraphError,
    InternalError,
    LinAlgError,
    NonFiniteError,
    OutOfMemoryError,
    ShapeError,
    SymgraphError,
    TargetError,
)
from .function import Function, function
from .generators import set_random_seed
from .gradient import grad
from .inspection import debugprint, svg_of, to_networkx
from .ir.types import TensorType
from .loops import cond, foldl, foldr, map, scan, until, while_loop
from .nn import (
    celu,
    elu,
    gelu,
    hard_sigmoid,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    softmax,
    softplus,
    softsign,
    swish,
)
from .numeric import (
    abs,
    add,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctanh,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    cast,
    ceil,
    clip,
    cos,
    cosh,
    divide,
    equal,
    erf,
    exp,
    exp2,
    expm1,
    floor,
    floor_divide,
    greater,
    greater_equal,
    invert,
    isfinite,
    isinf,
    isnan,
    left_shift,
    less,
    less_equal,
    log,
    log1p,
    log2,
    log10,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    mod,
    multiply,
    negative,
    not_equal,
    power,
    reciprocal,
    right_shift,
    rint,
    round,
    rsqrt,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
    trunc,
    where,
)
from .options import Options
from .ordering import (
    argsort,
    digitize,
    median,
    percentile,
    quantile,
    searchsorted,
    sort,
    top_k,
)
from .own_ops import Op, as_op
from .picking import bincount, choose, compress, cov, fill_diagonal
from .products import batched_dot, dot, matmul, outer, tensordot
from .provenance import name_scope
from .reducing import (
    all,
    any,
    argmax,
    argmin,
    average,
    count_nonzero,
    cumprod,
    cumsum,
    diff,
    linear_recurrence,
    logsumexp,
    max,
    mean,
    min,
    norm,
    prod,
    ptp,
    std,
    sum,
    var,
    vecdot,
)
from .resizing import resize_images, upsample
from .shaping import (
    broadcast_to,
    concatenate,
    dimshuffle,
    expand_dims,
    full,
    full_like,
    one_hot,
    ones,
    ones_like,
    reshape,
    shape,
    size,
    squeeze,
    stack,
    stop_gradient,
    transpose,
    zeros,
    zeros_like,
)
from .subscripts import (
    gather_nd,
    inc_subtensor,
    put_along_axis,
    scatter_nd,
    set_subtensor,
    take,
    take_along_axis,
)
from .tensor import Tensor, as_tensor, constant, placeholder
from .variable import Variable, variable
from .verification import verify_grad
from .version import VERSION as __version__

draw_with(svg_of)

if TYPE_CHECKING:
    from . import linalg, random

__all__ = [
    "ArgumentError", "BoundsError", "DType", "DTypeError", "Function", "GradientError", "GraphError", "In",
    "InternalError", "LinAlgError",
    "Lop", "NonFiniteError", "Op", "Options", "OutOfMemoryError", "Rop", "ShapeError",
    "SymgraphError", "TargetError", "Tensor", "TensorType", "Variable", "__version__", "abs", "add", "all",
    "allclose", "any", "append", "arange", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2",
    "arctanh", "argmax", "argmin", "argsort", "array_split", "as_op", "as_tensor", "assert_op", "atleast_1d",
    "atleast_2d", "atleast_3d", "average", "avg_pool", "batched_dot", "bincount", "bitwise_and",
    "bitwise_count", "bitwise_or", "bitwise_xor", "breakpoint_op", "broadcast_arrays", "broadcast_to", "cast",
    "cbrt", "ceil", "celu", "choose", "clip", "clone", "compress", "concatenate", "cond", "constant", "conv",
    "conv_transpose", "copysign", "cos", "cosh", "count_nonzero", "cov", "cumprod", "cumsum",
    "custom_gradient", "debugprint", "deg2rad", "depthwise_conv", "diag", "diagonal", "diff", "digamma",
    "digitize", "dimshuffle", "divide", "divmod", "dot", "dstack", "einsum", "elu", "equal", "erf", "erfinv",
    "exp", "exp2", "expand_dims", "expm1", "eye", "fill_diagonal", "flatten", "flip", "fliplr", "flipud",
    "float_power", "floor", "floor_divide", "fmax", "fmin", "fmod", "foldl", "foldr", "from_bfloat16", "full",
    "full_like", "function", "gammaln", "gather_nd", "gelu", "grad", "grad_clip", "greater", "greater_equal",
    "hard_sigmoid", "hard_swish", "hard_tanh", "heaviside", "hessian", "hessian_vector_product", "hstack",
    "hypot", "identity", "inc_subtensor", "invert", "isclose", "isfinite", "isinf", "isnan", "isneginf",
    "isposinf", "jacobian", "jvp", "leaky_relu", "left_shift", "less", "less_equal", "linalg",
    "linear_recurrence",
    "linspace", "local_conv", "log", "log1p", "log2", "log10", "log_sigmoid", "log_softmax", "logaddexp",
    "logaddexp2", "logical_and", "logical_not", "logical_or", "logical_xor", "logit", "logspace", "logsumexp",
    "map", "matmul", "matrix_transpose", "max", "max_pool", "maximum", "mean", "median", "meshgrid", "min",
    "minimum", "mish", "mod", "moveaxis", "multiply", "name_scope", "nan_to_num", "negative", "norm",
    "not_equal", "one_hot", "ones", "ones_like", "outer", "pad", "percentile", "placeholder", "polygamma",
    "positive", "power", "print_tensor", "prod", "ptp", "put_along_axis", "quantile", "rad2deg", "random",
    "reciprocal", "relu", "relu6", "repeat", "reshape", "resize", "resize_images", "right_shift", "rint",
    "roll", "round", "round_to_bfloat16", "rsqrt", "scan", "scatter_nd", "searchsorted", "selu",
    "separable_conv", "set_random_seed", "set_subtensor", "shape", "sigmoid", "sign", "signbit", "sin", "sinc",
    "sinh", "size", "softmax", "softplus", "softsign", "sort", "split", "sqrt", "square", "squeeze", "stack",
    "std", "stop_gradient", "subtract", "sum", "swapaxes", "swish", "take", "take_along_axis", "tan", "tanh",
    "tensordot", "tile", "to_bfloat16", "to_networkx", "top_k", "trace", "transpose", "tri", "tril", "triu",
    "trunc", "unstack", "until", "upsample", "var", "variable", "vecdot", "verify_grad", "vjp", "vstack",
    "where", "while_loop", "xlogy", "zeros", "zeros_like",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """The distributions and linear algebra are loaded when they are first asked for."""
    if name in ("linalg", "random"):
        from importlib import import_module

        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
