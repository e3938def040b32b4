"""More ops for random graphs: lookups, scatters, running sums, loops, choices, convolutions, pools; and gradients."""

from __future__ import annotations

import random
from collections.abc import Sequence

from symgraph.dtypes import int64
from symgraph.errors import GradientError
from symgraph.ir.builder import Builder, rebuild
from symgraph.ir.dims import Dim
from symgraph.ir.graph import Graph, Value
from symgraph.ir.ops.branching import Cond
from symgraph.ir.ops.control import Scan
from symgraph.ir.ops.convolution import Conv
from symgraph.ir.ops.cumulative import CumProd, CumSum
from symgraph.ir.ops.elementary import Tanh
from symgraph.ir.ops.gathering import Take
from symgraph.ir.ops.indexing import Iota
from symgraph.ir.ops.scatter import ScatterAdd, ScatterSet
from symgraph.ir.region import write_region
from symgraph.ir.reverse import cotangents_in
from symgraph.ir.types import Facts


def running(rng: random.Random, b: Builder, x: Value) -> Value:
    """A running sum or product along some axis."""
    return b.apply(rng.choice((CumSum, CumProd))(rng.randrange(x.type.ndim)), x)


def lookup(rng: random.Random, b: Builder, x: Value) -> Value | None:
    """Rows of ``x`` at places known when run, or scattered there again."""
    axis = rng.randrange(x.type.ndim)
    if x.shape[axis] == 0:
        return None
    size: Dim = rng.choice((2, x.shape[axis]))
    # 0 is in every axis that is not empty; from the end, so is -1.
    at = b.mul(b.apply(Iota(size, int64)), 0) if rng.random() < 0.5 else b.sub(b.mul(b.apply(Iota(size, int64)), 0), 1)
    if size == x.shape[axis] and rng.random() < 0.5:
        at = b.apply(Iota(size, int64))
    rows = b.apply(Take(axis), x, at)
    if rng.random() < 0.5:
        return rows
    return b.apply(rng.choice((ScatterAdd, ScatterSet))(Take.name, axis), x, rows, at)


def loop(rng: random.Random, b: Builder, x: Value) -> Value:
    """A scan over the first axis with a carry of a row's shape; its last carry, or what every step gives."""
    row = x.type.with_shape(x.shape[1:])
    factor = rng.choice((0.5, 1.0, -0.25))

    def body(e: Builder, values: list[Value]) -> Sequence[Value]:
        item, carry = values
        mixed = e.add(e.mul(carry, factor), item)
        new = e.apply(Tanh(), mixed) if rng.random() < 0.5 else mixed
        return [new, e.mul(new, item)]

    region = write_region([row, row], body)
    backward = rng.random() < 0.5
    op = Scan(region, x.shape[0], (0,), (backward,), (rng.random() < 0.5,), (rng.random() < 0.5,))
    start = b.full(row.shape, rng.choice((0, 1)), row.dtype)
    return rng.choice(b.apply_all(op, x, start))


def choice(rng: random.Random, b: Builder, x: Value) -> Value:
    """A cond on the sum of ``x``."""
    then = write_region([x.type], lambda e, v: [e.apply(Tanh(), v[0])])
    otherwise = write_region([x.type], lambda e, v: [e.mul(v[0], v[0])])
    return b.apply(Cond(then, otherwise), b.gt(b.sum(x), rng.choice((-1.0, 0.0, 1e9))), x)


def convolved(rng: random.Random, b: Builder, x: Value) -> Value | None:
    """A one-dimensional convolution along the middle axis of three, with a kernel made of ``x``."""
    width = x.shape[1]
    kernel = b.slice(x, (0, 0, 0), (1, 1, x.shape[2]))
    taps = b.reshape(b.concatenate([kernel, b.mul(kernel, 0.5)], 1), (2, x.shape[2], 1))
    low, stride = rng.choice(((0, 1), (1, 1), (1, 2)))
    sizes: Dim = width - 1 if low == 0 else width if stride == 1 else (width + 1) // 2
    if (isinstance(sizes, int) and sizes < 1) or not isinstance(width, int):
        return None
    return b.apply(Conv("n0c,0cf->n0f", (stride,), (1,), (1,), (low,), (sizes,)), x, taps)


MAKERS = (running, lookup, loop, choice, convolved)
#: The least number of axes that each needs, and the largest.
RANKS = {running: (1, 4), lookup: (1, 3), loop: (1, 4), choice: (0, 4), convolved: (3, 3)}


def with_gradients(graph: Graph) -> Graph | None:
    """The graph, and the gradients of the sum of its float results by its float inputs; None where an op has none."""
    b = Builder(Facts(graph.facts), fold=False)
    copy = rebuild(graph, b)
    costs = [v for v in copy.outputs if v.dtype.is_float]
    wrt = [v for v in (*copy.inputs, *copy.states) if v.dtype.is_float]
    try:
        found = cotangents_in(b, [(v, b.full(v.shape, 1, v.dtype)) for v in costs], wrt)
    except GradientError:
        return None
    outputs = [*copy.outputs, *(g for g in found if g is not None)]
    return b.finish(copy.name, copy.inputs, copy.states, outputs, copy.updates)


__all__ = ["MAKERS", "RANKS", "with_gradients"]
