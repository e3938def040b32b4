"""symgraph: a define-then-run graph compiler for Python.

Build a graph of symbolic tensors, compile it with :func:`function`, call it on NumPy arrays. ``symgraph.keras`` is the Keras 2
front.
"""

from . import random
from .dtypes import DType
from .errors import (
    ArgumentError,
    BoundsError,
    DTypeError,
    GradientError,
    GraphError,
    InternalError,
    ShapeError,
    SymgraphError,
    TargetError,
)
from .function import Function, function
from .gradient import grad
from .nn import elu, hard_sigmoid, leaky_relu, log_softmax, relu, sigmoid, softmax, softplus, softsign
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
from .products import batched_dot, dot, einsum, matmul, outer, tensordot
from .provenance import name_scope
from .random import set_random_seed
from .reducing import all, any, argmax, argmin, logsumexp, max, mean, min, prod, std, sum, var
from .shaping import (
    arange,
    broadcast_to,
    concatenate,
    dimshuffle,
    expand_dims,
    eye,
    full,
    one_hot,
    ones,
    ones_like,
    reshape,
    shape,
    size,
    squeeze,
    stack,
    stop_gradient,
    take,
    transpose,
    zeros,
    zeros_like,
)
from .tensor import Tensor, as_tensor, constant, placeholder
from .variable import Variable, variable
from .version import VERSION as __version__

__all__ = [name for name in dir() if not name.startswith("_")]
