"""Steps of random programs that hold more than one op: loops, windows, linear algebra, Python, gradients, givens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import symgraph as sg
from symgraph.ir.dims import Dim
from symgraph.tensor import Tensor
from tests.property.drawing import Drawer, Maker
from tests.property.steps import anything, is_float, is_number, ranked

# -- loops and choices ------------------------------------------------------------------------------------------------


def looped(d: Drawer, x: Tensor) -> Tensor | Sequence[Tensor]:
    """A while loop that counts, and ends by its counter, by its data, or at once."""
    steps = d.rng.randint(0, 4)
    outside = d.like(x)
    factor = d.rng.choice((0.5, -1.0, 1.0))

    def body(k: Tensor, y: Tensor) -> list[Tensor]:
        new = sg.tanh(y * factor + x) if d_tanh else sg.where(x > 0, y * factor, x)
        return [k + 1, sg.cast(sg.broadcast_to(new, y.shape), y.dtype)]

    d_tanh = d.rng.random() < 0.5
    by_data = d.rng.random() < 0.4
    limit = d.rng.choice((None, 3))

    def go(k: Tensor, y: Tensor) -> Tensor:
        within = k < steps
        return sg.logical_and(within, sg.sum(sg.cast(outside, "float64")) < 3.0) if by_data else within

    count, last = sg.while_loop(go, body, [sg.constant(0), x], max_steps=limit)
    return [count, last]


def scanned(d: Drawer, x: Tensor) -> Sequence[Tensor] | Tensor:
    """A scan over the first axis: a carry, a row for each step, perhaps an end, perhaps inner products or draws."""
    shared = d.like(x)
    inside = d.rng.choice(INSIDE)

    def fn(row: Tensor, carry: Tensor, *_: Tensor) -> Any:
        new = sg.cast(inside(sg.tanh(row + carry * 0.5), row, shared), x.dtype)
        outputs = [new, new * row]
        return (outputs, sg.until(sg.sum(sg.cast(new, "float64")) > 1.5)) if ends else outputs

    ends = d.rng.random() < 0.2
    start = sg.zeros(x.shape[1:], x.dtype)
    backward, unroll = d.rng.random() < 0.3, d.rng.choice((False, False, 3))
    mask = sg.sum(sg.cast(x, "float64"), tuple(range(1, x.ndim))) > 0 if d.rng.random() < 0.2 else None
    (carries, rows), updates = sg.scan(fn, x, [start, None], go_backwards=backward, unroll=unroll, mask=mask)
    assert not updates  # random keys bring their own
    return d.rng.choice(([carries, rows], [carries[-1], rows], [rows]))


#: What a step of a scan does with the new value of its carry, beside the row and a value from outside.
INSIDE: tuple[Callable[[Tensor, Tensor, Tensor], Tensor], ...] = (
    lambda new, row, shared: new,
    lambda new, row, shared: new + sg.cast(sg.sum(shared), new.dtype) * 0.25,
    lambda new, row, shared: sg.cumsum(new, -1) * 0.5 if new.ndim else new * 0.5,
    lambda new, row, shared: new + sg.cast(sg.random.uniform(row.shape), new.dtype),
    lambda new, row, shared: sg.cond(sg.sum(row) > 0, lambda: sg.exp(-new * new), lambda: new - row),
    lambda new, row, shared: new + sg.foldl(lambda r, total: total * 0.5 + r, row, sg.zeros_like(row[0]))[0]
    if row.ndim else new,
    lambda new, row, shared: sg.while_loop(lambda y: sg.sum(y * y) < 2, lambda y: y * 2 + 0.25, new, max_steps=3),
    lambda new, row, shared: sg.sort(new, -1) - sg.flip(row, -1) if new.ndim else new,
    lambda new, row, shared: sg.dot(new, sg.outer(row, row)) * 0.1 if new.ndim == 1 else sg.dot(new, new.T) @ new
    if new.ndim == 2 else new,
    lambda new, row, shared: Doubled()(new) * 0.5,
    lambda new, row, shared: sg.set_subtensor(new[:1], row[:1] * 3) if new.ndim else new,
)  # fmt: skip


def tapped(d: Drawer, x: Tensor) -> Sequence[Tensor] | Tensor:
    """A scan that reads earlier rows, and earlier values of its carry."""

    def fn(before: Tensor, row: Tensor, older: Tensor, old: Tensor) -> Tensor:
        return sg.tanh(before - row) + older * 0.5 - old * 0.25

    start = sg.concatenate([x[:1], sg.zeros_like(x[:1])])
    taps = {"input": x, "taps": [-1, 0]}
    rows, _ = sg.scan(fn, [taps], [{"initial": start, "taps": [-2, -1]}], truncate_gradient=d.rng.choice((-1, -1, 2)))
    return rows


def mapped(d: Drawer, x: Tensor) -> Sequence[Tensor] | Tensor:
    """A function of every row; what it does not need the row for is outside."""
    other = d.like(x)
    rows, _ = sg.map(lambda row: sg.sum(row) * row + sg.cast(sg.sum(sg.exp(-other * other)), x.dtype), x)
    return rows


def branched(d: Drawer, x: Tensor) -> Tensor | Sequence[Tensor]:
    test = sg.sum(sg.cast(d.like(x), "float64")) > d.rng.choice((-1.0, 0.0, 1e9))
    return sg.cond(test, lambda: [x * 2, sg.sum(x)], lambda: [x, sg.cast(sg.prod(x), sg.sum(x).dtype)])


# -- windows ----------------------------------------------------------------------------------------------------------


def windowed(d: Drawer, x: Tensor) -> Tensor:
    """The largest or the mean of windows along one to three axes, of both formats."""
    rank = x.ndim - 2
    pool = d.rng.choice((sg.max_pool, sg.avg_pool))
    window = [d.rng.randint(1, 3) for _ in range(rank)]
    strides = d.rng.choice((None, [d.rng.randint(1, 3) for _ in range(rank)]))
    return pool(x, window, strides, d.rng.choice(("valid", "same")), d.rng.choice(("channels_last", "channels_first")))


def convolved(d: Drawer, x: Tensor) -> Tensor | None:
    rank = x.ndim - 2
    layout = d.rng.choice(("channels_last", "channels_first"))
    channels = x.shape[-1] if layout == "channels_last" else x.shape[1]
    if not isinstance(channels, int):
        return None
    window = [d.rng.randint(1, 2) for _ in range(rank)]
    shape = [*window, channels, d.rng.randint(1, 3)]
    taps = np.random.default_rng(d.rng.randrange(99)).standard_normal(shape)
    kernel = sg.constant(taps, x.dtype)
    chosen = d.rng.choice((sg.conv, sg.conv, sg.depthwise_conv))
    strides, dilation = d.rng.choice(((1, 1), (2, 1), (1, 2)))
    return chosen(x, kernel, strides, d.rng.choice(("valid", "same")), dilation, data_format=layout)


def resized(d: Drawer, x: Tensor) -> Tensor:
    layout = d.rng.choice(("channels_last", "channels_first"))
    first = 1 if layout == "channels_last" else 2
    how = d.rng.choice(("nearest", "bilinear"))
    if d.rng.random() < 0.5:
        return sg.upsample(x, d.rng.randint(1, 3), how, layout)
    old = x.shape[first : first + x.ndim - 2]
    sizes: list[Dim] = [d.rng.choice((1, 2, 3, 5)) if isinstance(n, int) else n * d.rng.choice((1, 2)) for n in old]
    return sg.resize_images(x, sizes, how, layout, d.rng.random() < 0.5)


# -- linear algebra ---------------------------------------------------------------------------------------------------


def _matrix(d: Drawer, x: Tensor) -> Tensor:
    """A well-conditioned matrix, or a stack of them: symmetric, with eigenvalues of 1 and more, not all alike."""
    wide = sg.tanh(sg.cast(x, d.rng.choice(("float64", "float32")) if x.dtype.itemsize != 8 else "float64"))
    n = x.shape[-2]
    eye = sg.eye(n, dtype=wide.dtype) * (1.0 + sg.arange(n, dtype=wide.dtype))
    return sg.matmul(wide, sg.swapaxes(wide, -1, -2)) * 0.5 + eye


def solved(d: Drawer, x: Tensor) -> Tensor | Sequence[Tensor]:
    a, la = _matrix(d, x), sg.linalg
    b = sg.cast(x, a.dtype)
    return d.rng.choice((
        lambda: la.cholesky(a, d.rng.random() < 0.3), lambda: la.solve(a, b), lambda: la.det(a), lambda: la.inv(a),
        lambda: list(la.slogdet(a)), lambda: list(la.eigh(a)), lambda: la.eigvalsh(a), lambda: list(la.qr(a)),
        lambda: la.svdvals(a), lambda: la.pinv(a), lambda: la.expm(a * 0.1), lambda: la.matrix_power(a, 3),
        lambda: la.solve_triangular(sg.tril(a), b, lower=True) if x.ndim == 2 else la.matrix_norm(a),
    ))()  # fmt: skip


# -- Python -----------------------------------------------------------------------------------------------------------


class Doubled(sg.Op):
    """Own op with a gradient; it writes to the array it gets, which is its own."""

    __props__ = ()

    def perform(self, x: Any) -> Any:
        x *= 2
        return x

    def grad(self, inputs: list[Tensor], output_grads: list[Tensor]) -> list[Tensor]:
        return [output_grads[0] * 2]


@sg.as_op(infer_shape=lambda a: [a[::-1], (a[-1], 2)], otypes=["float64", "int64"])
def swapped_and_sized(x: Any) -> Any:
    return [np.ascontiguousarray(x.T, "float64"), np.stack([np.arange(x.shape[-1])] * 2, 1)]


def python(d: Drawer, x: Tensor) -> Tensor | Sequence[Tensor]:
    return Doubled()(x) if x.ndim == 0 or d.rng.random() < 0.5 else swapped_and_sized(x)


# -- gradients and givens ---------------------------------------------------------------------------------------------


def differentiated(d: Drawer, x: Tensor) -> Sequence[Tensor]:
    """The gradient of the sum of ``x`` (or of its squares) by inputs and variables."""
    cost = sg.sum(x * x * 0.5 if d.rng.random() < 0.5 else x)
    wrt = [t for t in (*d.inputs, *d.variables) if t.dtype.is_float]
    found = sg.grad(cost, wrt, disconnected="none")
    return [g for g in found if g is not None]


def given(d: Drawer, x: Tensor) -> Tensor:
    """A placeholder that is no input: ``x`` is given for it."""
    stand_in = sg.placeholder(x.shape, x.dtype, name=f"given{len(d.given)}")
    d.given.append((stand_in, x))
    return stand_in


STRUCTURES = (
    Maker(looped, is_float), Maker(scanned, ranked(is_float, 1), 4), Maker(tapped, ranked(is_float, 1)),
    Maker(mapped, ranked(is_float, 1)), Maker(branched, is_number),
    Maker(windowed, ranked(is_number, 3, 5), 3), Maker(convolved, ranked(is_float, 3, 5), 2),
    Maker(resized, ranked(is_number, 3, 5), 2), Maker(solved, ranked(is_float, 2, 3), 3), Maker(python, is_number),
    Maker(differentiated, is_float, 4), Maker(given, anything),
)  # fmt: skip
