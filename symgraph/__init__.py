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
from .checkpointing import checkpoint
from .cloning import clone
from .convolution import avg_pool, conv, conv_transpose, depthwise_conv, local_conv, max_pool, separable_conv
from .covariance import cov
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
from .inspection import debugprint, to_networkx
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
from .options import Options, default_options
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
from .picking import bincount, choose, compress, fill_diagonal
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

if TYPE_CHECKING:
    from . import linalg, random

#: Public names, by theme.
__all__ = ["__version__", "linalg", "random"]  # the package
__all__ += [  # graphs and functions
    "DType", "Function", "In", "Options", "Tensor", "TensorType", "Variable", "as_tensor", "clone", "constant",
    "default_options", "function", "name_scope", "placeholder", "variable",
]  # fmt: skip
__all__ += [  # errors
    "ArgumentError", "BoundsError", "DTypeError", "GradientError", "GraphError", "InternalError", "LinAlgError",
    "NonFiniteError", "OutOfMemoryError", "ShapeError", "SymgraphError", "TargetError",
]  # fmt: skip
__all__ += [  # gradients
    "Lop", "Rop", "checkpoint", "custom_gradient", "grad", "grad_clip", "hessian", "hessian_vector_product", "jacobian",
    "jvp", "verify_grad", "vjp",
]  # fmt: skip
__all__ += ["cond", "foldl", "foldr", "map", "scan", "until", "while_loop"]  # loops and choices
__all__ += [  # own ops, effects, looking inside
    "Op", "as_op", "assert_op", "breakpoint_op", "debugprint", "print_tensor", "to_networkx",
]  # fmt: skip
__all__ += ["set_random_seed"]  # random numbers
__all__ += [  # creation
    "arange", "diag", "diagonal", "eye", "identity", "linspace", "logspace", "meshgrid", "trace", "tri", "tril", "triu",
]  # fmt: skip
__all__ += [  # shapes and arrangement
    "append", "array_split", "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_arrays", "broadcast_to",
    "concatenate", "dimshuffle", "dstack", "expand_dims", "flatten", "flip", "fliplr", "flipud", "full", "full_like",
    "hstack", "matrix_transpose", "moveaxis", "one_hot", "ones", "ones_like", "pad", "repeat", "reshape", "resize",
    "roll", "shape", "size", "split", "squeeze", "stack", "stop_gradient", "swapaxes", "tile", "transpose", "unstack",
    "vstack", "zeros", "zeros_like",
]  # fmt: skip
__all__ += [  # elementwise
    "abs", "add", "allclose", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "bitwise_and",
    "bitwise_count", "bitwise_or", "bitwise_xor", "cast", "cbrt", "ceil", "clip", "copysign", "cos", "cosh", "deg2rad",
    "digamma", "divide", "divmod", "equal", "erf", "erfinv", "exp", "exp2", "expm1", "float_power", "floor",
    "floor_divide", "fmax", "fmin", "fmod", "gammaln", "greater", "greater_equal", "heaviside", "hypot", "invert",
    "isclose", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "left_shift", "less", "less_equal", "log", "log1p",
    "log2", "log10", "logaddexp", "logaddexp2", "logical_and", "logical_not", "logical_or", "logical_xor", "logit",
    "maximum", "minimum", "mod", "multiply", "nan_to_num", "negative", "not_equal", "polygamma", "positive", "power",
    "rad2deg", "reciprocal", "right_shift", "rint", "round", "rsqrt", "sign", "signbit", "sin", "sinc", "sinh", "sqrt",
    "square", "subtract", "tan", "tanh", "trunc", "where", "xlogy",
]  # fmt: skip
__all__ += ["from_bfloat16", "round_to_bfloat16", "to_bfloat16"]  # storage in 16 bits
__all__ += [  # reductions
    "all", "any", "argmax", "argmin", "average", "count_nonzero", "cov", "cumprod", "cumsum", "diff",
    "linear_recurrence", "logsumexp", "max", "mean", "min", "norm", "prod", "ptp", "std", "sum", "var", "vecdot",
]  # fmt: skip
__all__ += ["argsort", "digitize", "median", "percentile", "quantile", "searchsorted", "sort", "top_k"]  # order
__all__ += [  # indexing
    "bincount", "choose", "compress", "fill_diagonal", "gather_nd", "inc_subtensor", "put_along_axis",
    "scatter_nd", "set_subtensor", "take", "take_along_axis",
]  # fmt: skip
__all__ += ["batched_dot", "dot", "einsum", "matmul", "outer", "tensordot"]  # products
__all__ += [  # neural networks
    "celu", "elu", "gelu", "hard_sigmoid", "hard_swish", "hard_tanh", "leaky_relu", "log_sigmoid", "log_softmax",
    "mish", "relu", "relu6", "selu", "sigmoid", "softmax", "softplus", "softsign", "swish",
]  # fmt: skip
__all__ += [  # convolution and images
    "avg_pool", "conv", "conv_transpose", "depthwise_conv", "local_conv", "max_pool", "resize_images", "separable_conv",
    "upsample",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """The distributions and linear algebra are loaded when they are first asked for."""
    if name in ("linalg", "random"):
        from importlib import import_module

        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
