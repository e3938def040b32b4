"""Steps of random programs: elementwise ops, reductions, views, products, orders, lookups, scatters, random draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import symgraph as sg
from symgraph.dtypes import ALL, DType
from symgraph.generators import bits
from symgraph.ir.dims import Dim
from symgraph.tensor import Tensor
from tests.property.drawing import Drawer, Maker

# -- what fits --------------------------------------------------------------------------------------------------------


def anything(x: Tensor) -> bool:
    return True


def is_number(x: Tensor) -> bool:
    return not x.dtype.is_bool


def is_float(x: Tensor) -> bool:
    return x.dtype.is_float


def is_integer(x: Tensor) -> bool:
    return x.dtype.is_integer


def ranked(fits: Callable[[Tensor], bool], low: int, high: int = 4) -> Callable[[Tensor], bool]:
    return lambda x: fits(x) and low <= x.ndim <= high


# -- elementwise ------------------------------------------------------------------------------------------------------
Unary = Callable[[Tensor], Tensor]
Binary = Callable[[Tensor, Tensor], Tensor]
FLOATS: tuple[Unary, ...] = (
    sg.exp, sg.log, sg.sqrt, sg.tanh, sg.sin, sg.cos, sg.tan, sg.arctan, sg.sigmoid, sg.softplus, sg.erf, sg.expm1,
    sg.log1p, sg.exp2, sg.log2, sg.log10, sg.cbrt, sg.sinh, sg.cosh, sg.arcsinh, sg.reciprocal, sg.rsqrt, sg.relu,
    sg.elu, sg.gelu, sg.selu, sg.swish, sg.mish, sg.hard_sigmoid, sg.log_sigmoid, sg.softsign, sg.sinc, sg.arcsin,
    sg.arccosh, sg.arctanh, sg.gammaln, sg.digamma, sg.erfinv, sg.logit, sg.nan_to_num,
)  # fmt: skip
NUMBERS: tuple[Unary, ...] = (
    sg.negative, sg.abs, sg.sign, sg.square, sg.floor, sg.ceil, sg.trunc, sg.rint, sg.isnan, sg.isfinite, sg.positive,
    sg.signbit, sg.bitwise_count, sg.invert, sg.logical_not, sg.zeros_like, sg.ones_like,
)  # fmt: skip
BINARY: tuple[Binary, ...] = (
    sg.add, sg.subtract, sg.multiply, sg.divide, sg.maximum, sg.minimum, sg.add, sg.multiply, sg.subtract,
    sg.floor_divide, sg.mod, sg.fmod, sg.arctan2, sg.copysign, sg.hypot, sg.logaddexp, sg.fmax, sg.fmin, sg.heaviside,
    sg.xlogy, sg.bitwise_and, sg.bitwise_or, sg.bitwise_xor,
)  # fmt: skip
COMPARE: tuple[Binary, ...] = (
    sg.equal, sg.not_equal, sg.less, sg.less_equal, sg.greater, sg.greater_equal, sg.logical_and, sg.logical_or,
    sg.logical_xor, sg.isclose,
)  # fmt: skip


def unary(d: Drawer, x: Tensor) -> Tensor:
    return d.rng.choice(FLOATS if d.rng.random() < 0.5 else NUMBERS)(x)


def binary(d: Drawer, x: Tensor) -> Tensor:
    pair = [x, d.like(x)]
    d.rng.shuffle(pair)
    return d.rng.choice(BINARY)(*pair)


def compared(d: Drawer, x: Tensor) -> Tensor:
    return d.rng.choice(COMPARE)(x, d.like(x))


def shifted(d: Drawer, x: Tensor) -> Tensor:
    """By fewer bits than there are: what more would give is not defined."""
    by = sg.bitwise_and(sg.cast(d.like(x), x.dtype), sg.constant(x.dtype.itemsize * 8 - 1, x.dtype))
    return d.rng.choice((sg.left_shift, sg.right_shift))(x, by)


def powered(d: Drawer, x: Tensor) -> Tensor:
    if x.dtype.is_float and d.rng.random() < 0.5:
        return sg.power(x, d.like(x))
    return x ** d.rng.choice((0, 1, 2, 3, 5))


def chosen(d: Drawer, x: Tensor) -> Tensor:
    condition = d.value(lambda v: v.dtype.is_bool and len(v.shape) <= max(x.ndim, 1))
    test = d.like(x) > 0 if condition is None else condition
    return sg.where(test, x, d.like(x))


def clipped(d: Drawer, x: Tensor) -> Tensor:
    return sg.clip(x, 0 if x.dtype.kind == "u" else -1, d.rng.choice((1, 2)))


def converted(d: Drawer, x: Tensor) -> Tensor:
    """To any dtype that has the value: floats out of an integer's range convert to anything."""
    to: DType = d.rng.choice(ALL)
    if x.dtype.is_float and to.is_integer:
        x = sg.clip(sg.nan_to_num(x), 0 if to.kind == "u" else -100, 100)
    return sg.cast(x, to)


# -- reductions -------------------------------------------------------------------------------------------------------
FOLDS = (sg.sum, sg.sum, sg.mean, sg.prod, sg.max, sg.min, sg.any, sg.all, sg.count_nonzero)
FLOAT_FOLDS = (sg.logsumexp, sg.var, sg.std, sg.norm, sg.ptp)


def reduced(d: Drawer, x: Tensor) -> Tensor:
    axes = tuple(k - d.rng.choice((0, x.ndim)) for k in d.rng.sample(range(x.ndim), d.rng.randint(1, x.ndim)))
    fold = d.rng.choice(FLOAT_FOLDS if x.dtype.is_float and d.rng.random() < 0.3 else FOLDS)
    return fold(x, axis=None if d.rng.random() < 0.2 else axes, keepdims=d.rng.random() < 0.3)


def searched(d: Drawer, x: Tensor) -> Tensor:
    return d.rng.choice((sg.argmax, sg.argmin))(x, d.rng.choice((None, d.axis(x))))


def normalized(d: Drawer, x: Tensor) -> Tensor:
    return d.rng.choice((sg.softmax, sg.log_softmax))(x, d.axis(x))


def running(d: Drawer, x: Tensor) -> Tensor:
    return d.rng.choice((sg.cumsum, sg.cumprod))(x, d.rng.choice((None, d.axis(x), d.axis(x))))


def recurrent(d: Drawer, x: Tensor) -> Tensor:
    return sg.linear_recurrence(sg.sigmoid(x), x, d.axis(x))


def differences(d: Drawer, x: Tensor) -> Tensor:
    return sg.diff(x, d.rng.randint(1, 2), d.axis(x))


# -- views ------------------------------------------------------------------------------------------------------------


def reshaped(d: Drawer, x: Tensor) -> Tensor:
    shapes: list[Sequence[Dim]] = [(-1,), (1, *x.shape), (*x.shape, 1), tuple(s for s in x.shape if s != 1)]
    if x.ndim > 1:
        shapes += [(x.shape[0] * x.shape[1], *x.shape[2:]), (*x.shape[:-2], x.shape[-2] * x.shape[-1])]
    return sg.reshape(x, d.rng.choice([s for s in shapes if len(s) <= 5]))


def transposed(d: Drawer, x: Tensor) -> Tensor:
    return sg.transpose(x, d.rng.sample(range(x.ndim), x.ndim))


def broadcast(d: Drawer, x: Tensor) -> Tensor:
    stretched = [d.size() if s == 1 and d.rng.random() < 0.5 else s for s in x.shape]
    return sg.broadcast_to(x, [*d.shape(d.rng.randint(0, 4 - x.ndim)), *stretched])


def sliced(d: Drawer, x: Tensor) -> Tensor:
    """Basic indexing: slices of every sign, numbers, new axes, an ellipsis."""
    keys: list[object] = []
    for size in x.shape[: d.rng.randint(1, x.ndim)]:
        n = size if isinstance(size, int) else None
        step = d.rng.choice((1, 1, 2, 3, -1, -2))
        low = d.rng.choice((None, 0, 1, -1, -2, *((3, -4) if n is None else ()))) if n is None or n > 1 else None
        high = d.rng.choice((None, -1, 2, *((5, -3) if n is None else ()))) if n is None or n > 2 else None
        number = d.rng.randrange(-n, n) if n else d.rng.choice((0, -1))
        keys.append(number if d.rng.random() < 0.25 else slice(low, high, step))
        if d.rng.random() < 0.1:
            keys.append(None)
    if d.rng.random() < 0.2:
        keys.insert(0, ...) if len(keys) == x.ndim else keys.append(...)
    return x[tuple(keys)]


def moved(d: Drawer, x: Tensor) -> Tensor:
    axis = d.axis(x)
    return d.rng.choice((
        lambda: sg.flip(x, axis), lambda: sg.roll(x, d.rng.randint(-3, 3), axis), lambda: sg.swapaxes(x, 0, axis),
        lambda: sg.repeat(x, d.rng.randint(1, 3), axis), lambda: sg.tile(x, [d.rng.randint(1, 2) for _ in x.shape]),
    ))()  # fmt: skip


def padded(d: Drawer, x: Tensor) -> Tensor:
    width = [(d.rng.randint(0, 2), d.rng.randint(0, 2)) for _ in x.shape]
    mode = d.rng.choice(("constant", "constant", "edge", "reflect", "symmetric"))
    return sg.pad(x, width, mode)


def joined(d: Drawer, x: Tensor) -> Tensor:
    axis = d.rng.randrange(x.ndim)
    others = [
        v for v in d.values
        if v.ndim == x.ndim and all(a == b for k, (a, b) in enumerate(zip(v.shape, x.shape, strict=True)) if k != axis)
    ]  # fmt: skip
    parts = [x, *(d.rng.choice(others) for _ in range(d.rng.randint(1, 2)))]
    d.rng.shuffle(parts)
    alike = [v for v in parts if v.shape == x.shape]
    return sg.stack(alike, axis) if d.rng.random() < 0.3 else sg.concatenate(parts, axis)


def parted(d: Drawer, x: Tensor) -> Sequence[Tensor]:
    return sg.array_split(x, d.rng.randint(1, 3), d.axis(x))


def triangular(d: Drawer, x: Tensor) -> Tensor:
    return d.rng.choice((sg.tril, sg.triu, sg.diagonal, sg.trace))(x, d.rng.randint(-1, 1))


# -- products ---------------------------------------------------------------------------------------------------------


def product(d: Drawer, x: Tensor) -> Tensor | None:
    y = d.value(lambda v: v.ndim > 0 and v.shape[-2 if v.ndim > 1 else -1] == x.shape[-1])
    if y is None:
        return sg.dot(x, sg.swapaxes(x, -1, -2)) if x.ndim == 2 else None
    return d.rng.choice((sg.dot, sg.matmul))(x, y)


def contracted(d: Drawer, x: Tensor) -> Tensor | None:
    """An einsum of two operands over an axis that they share."""
    pairs = [(v, i, j) for v in d.values for i, a in enumerate(x.shape) for j, b in enumerate(v.shape) if a == b]
    if not pairs:
        return None
    y, i, j = d.rng.choice(pairs)
    left, right = list("abcde"[: x.ndim]), list("uvwxy"[: y.ndim])
    left[i] = right[j] = "k"
    kept = [c for c in left + right if c != "k"] + ["k"] * (d.rng.random() < 0.3)
    d.rng.shuffle(kept)
    return sg.einsum(f"{''.join(left)},{''.join(right)}->{''.join(dict.fromkeys(kept))}", x, y)


# -- orders, lookups, scatters ----------------------------------------------------------------------------------------


def ordered(d: Drawer, x: Tensor) -> Tensor:
    return d.rng.choice((sg.sort, sg.argsort))(x, d.rng.choice((None, d.axis(x), -1)), d.rng.random() < 0.4)


def largest(d: Drawer, x: Tensor) -> Sequence[Tensor]:
    return sg.top_k(x, d.rng.randint(1, 3), d.axis(x))


def placed(d: Drawer, x: Tensor) -> Tensor:
    row = sg.sort(x if x.ndim == 1 else x.reshape((-1,)))
    return sg.searchsorted(row, sg.cast(d.like(x), x.dtype), d.rng.choice(("left", "right")))


def middle(d: Drawer, x: Tensor) -> Tensor:
    return sg.quantile(x, d.rng.choice((0.0, 0.3, 0.5, 1.0)), d.rng.choice((None, d.axis(x))))


def positions(d: Drawer, size: Dim, rank: int) -> Tensor:
    """Indices into an axis that are data: of any integer dtype, from both ends where signed."""
    found = d.value(lambda v: v.dtype.is_integer and v.ndim == rank)
    index = sg.arange(d.size()) if found is None and rank == 1 else sg.constant(3) if found is None else found
    wide = sg.cast(index, "int64")
    count = size if isinstance(size, int) else sg.size(sg.zeros((size,)))
    inside = sg.mod(wide, sg.maximum(count, 1))
    shift = count if d.rng.random() < 0.3 else 0
    kinds = ("int8", "int16", "int32", "int64") if isinstance(size, int) and size < 100 else ("int64",)
    return sg.cast(inside - shift, d.rng.choice(kinds))


def taken(d: Drawer, x: Tensor) -> Tensor:
    axis = d.rng.randrange(x.ndim)
    return sg.take(x, positions(d, x.shape[axis], d.rng.randint(0, 2)), axis)


def taken_along(d: Drawer, x: Tensor) -> Tensor:
    axis = d.axis(x)
    order = sg.argsort(x, axis, d.rng.random() < 0.5)
    return sg.take_along_axis(x, order, axis) if d.rng.random() < 0.6 else sg.put_along_axis(x, order, d.like(x), axis)


def put(d: Drawer, x: Tensor) -> Tensor:
    """Values put into, or added to, a part of ``x``: by slices, by positions that repeat."""
    key = d.rng.choice((slice(0, 1), slice(None, None, -1), slice(1, None), positions(d, x.shape[0], 1)))
    part = x[key]
    value = d.rng.choice((part * 2, sg.cast(d.rng.choice((0, 1, 3)), x.dtype)))
    return d.rng.choice((sg.set_subtensor, sg.inc_subtensor))(part, value)


def one_hot(d: Drawer, x: Tensor) -> Tensor:
    return sg.one_hot(x, d.rng.randint(1, 4), d.rng.choice(ALL))


def counted(d: Drawer, x: Tensor) -> Tensor:
    return sg.bincount(sg.mod(sg.cast(x.reshape((-1,)), "int64"), 4), minlength=4)


# -- what is made of nothing ------------------------------------------------------------------------------------------


def made(d: Drawer, x: Tensor) -> Tensor:
    dtype = d.dtype()
    number = sg.constant(d.rng.choice((0, 1, 2)), dtype)
    return d.rng.choice((
        lambda: sg.full(d.shape(), number, dtype), lambda: sg.arange(d.size(), dtype=d.rng.choice(ALL[1:])),
        lambda: sg.eye(d.size(), d.size(), d.rng.randint(-1, 1), dtype), lambda: sg.shape(x),
        lambda: sg.linspace(0.0, 1.0, d.size(), dtype=d.rng.choice(("float32", "float64"))),
    ))()  # fmt: skip


def drawn(d: Drawer, x: Tensor) -> Tensor:
    """Random numbers; their bits are integers, so they are compared to the last one."""
    r, shape = sg.random, d.shape(d.rng.randint(0, 3))
    kind = d.rng.choice(("float16", "float32", "float64"))
    return d.rng.choice((
        lambda: Tensor(bits(shape, None)), lambda: r.uniform(shape, dtype=kind), lambda: r.normal(shape, dtype=kind),
        lambda: r.randint(shape, -3, 9, d.rng.choice(("int8", "int32", "int64"))), lambda: r.bernoulli(shape, 0.3),
        lambda: r.truncated_normal(shape), lambda: r.permutation(d.size()), lambda: r.gamma(shape, 0.7),
        lambda: r.poisson(shape, 3.0), lambda: r.categorical(sg.zeros((3,)), shape=shape),
        lambda: r.binomial(shape, 5, 0.4), lambda: r.uniform(shape, seed=d.rng.randrange(5)),
    ))()  # fmt: skip


def shuffled(d: Drawer, x: Tensor) -> Tensor:
    return sg.random.shuffle(x, d.rng.randrange(x.ndim))


STEPS = (
    Maker(unary, anything, 10), Maker(binary, anything, 16), Maker(compared, anything, 3), Maker(shifted, is_integer),
    Maker(powered, is_number, 2), Maker(chosen, anything, 3), Maker(clipped, is_number),
    Maker(converted, anything, 3), Maker(reduced, ranked(anything, 1), 6), Maker(searched, ranked(anything, 1)),
    Maker(normalized, ranked(is_float, 1)), Maker(running, ranked(is_number, 1), 2),
    Maker(recurrent, ranked(is_float, 1)), Maker(differences, ranked(is_number, 1)), Maker(reshaped, anything, 2),
    Maker(transposed, ranked(anything, 2), 2), Maker(broadcast, ranked(anything, 0, 3), 2),
    Maker(sliced, ranked(anything, 1), 4), Maker(moved, ranked(anything, 1), 2),
    Maker(padded, ranked(anything, 1, 3)), Maker(joined, ranked(anything, 1), 2), Maker(parted, ranked(anything, 1)),
    Maker(triangular, ranked(anything, 2, 2)), Maker(product, ranked(is_number, 1), 3),
    Maker(contracted, ranked(is_number, 1, 3), 3), Maker(ordered, ranked(anything, 1), 2),
    Maker(largest, ranked(is_number, 1)), Maker(placed, ranked(is_number, 1)), Maker(middle, ranked(is_float, 1)),
    Maker(taken, ranked(anything, 1), 2), Maker(taken_along, ranked(is_number, 1)),
    Maker(put, ranked(is_number, 1), 2), Maker(one_hot, ranked(is_integer, 0, 2)),
    Maker(counted, ranked(is_integer, 1)), Maker(made, anything), Maker(drawn, anything, 2),
    Maker(shuffled, ranked(anything, 1)),
)  # fmt: skip
