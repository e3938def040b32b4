"""Random small graphs of elementwise, view, reduction and product nodes, with states that are updated."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from symgraph.dtypes import float64
from symgraph.ir.builder import Builder
from symgraph.ir.dims import Dim, Shape, product, symbol
from symgraph.ir.graph import Graph, Value
from symgraph.ir.ops.elementary import Tanh
from symgraph.ir.ops.gathering import Take
from symgraph.ir.ops.indexing import OneHot
from symgraph.ir.ops.leaves import Input, State
from symgraph.ir.ops.reductions import ArgMax
from symgraph.ir.types import TensorType

Array = np.ndarray[Any, Any]
N = symbol("N")
INPUTS: list[Shape] = [(N, 4), (N, 3, 4), (3, 4), (N,)]
STATES: list[Shape] = [(3, 4), (3, 4), (4,), ()]


@st.composite
def graphs(draw: st.DrawFn, nodes: int = 12) -> Graph:
    """A closed graph with up to ``nodes`` applications, float64, over the symbol N."""
    b = Builder()
    inputs = [b.apply(Input(k, f"x{k}", TensorType(float64, s))) for k, s in enumerate(INPUTS)]
    states = [b.apply(State(k, f"s{k}", TensorType(float64, s))) for k, s in enumerate(STATES)]
    pool = [*inputs, *states]
    for _ in range(draw(st.integers(1, nodes))):
        # Recent values are more likely: chains as well as bushes.
        at = draw(st.integers(0, len(pool) - 1)) if draw(st.booleans()) else len(pool) - 1
        made = _apply(draw, b, pool, pool[at])
        if made is not None:
            pool.append(made)
    results = [pool[draw(st.integers(0, len(pool) - 1))] for _ in range(draw(st.integers(1, 3)))]
    updates = []
    for slot, state in enumerate(states):
        fits = [v for v in pool if v.shape == state.shape and v.dtype == float64]
        if draw(st.booleans()):
            updates.append((slot, fits[draw(st.integers(0, len(fits) - 1))]))
    return b.finish("random", inputs, states, [pool[-1], *results], updates)


def _apply(draw: st.DrawFn, b: Builder, pool: list[Value], x: Value) -> Value | None:
    kind = draw(st.integers(0, 14))
    rank = x.type.ndim
    if kind == 0:
        return b.apply(Tanh(), x)
    if kind in (1, 2):
        others = [v for v in pool if _fits(v.shape, x.shape)]
        y = others[draw(st.integers(0, len(others) - 1))]
        return (b.add, b.mul, b.maximum)[draw(st.integers(0, 2))](x, y)
    if kind == 3 and rank:
        axes = draw(st.sets(st.integers(0, rank - 1), min_size=1))
        return (b.sum, b.max)[draw(st.integers(0, 1))](x, axes, draw(st.booleans()))
    if kind == 4 and rank:
        return b.cast(b.apply(ArgMax((draw(st.integers(0, rank - 1)),)), x), float64)
    if kind == 5 and rank > 1:
        return b.transpose(x, draw(st.permutations(range(rank))))
    if kind == 6 and rank > 1:
        k = draw(st.integers(0, rank - 2))
        return b.reshape(x, (*x.shape[:k], x.shape[k] * x.shape[k + 1], *x.shape[k + 2 :]))
    if kind == 7 and rank:
        return b.concatenate([x, x], draw(st.integers(0, rank - 1)))
    if kind == 8 and rank:
        axis = draw(st.integers(0, rank - 1))
        size: list[Dim] = list(x.shape)
        start: list[Dim] = [0] * rank
        if isinstance(size[axis], int) and size[axis] > 1:  # type: ignore[operator]
            size[axis], start[axis] = size[axis] - 1, 1
            return b.slice(x, start, size)
        return None
    if kind in (9, 10):
        return _product(draw, b, pool, x)
    if kind == 11:
        return b.where(b.gt(x, 0.25), x, b.mul(x, 0.5))
    if kind == 12 and rank:
        at = b.apply(ArgMax((rank - 1,)), x)
        return b.apply(OneHot(4, float64), at) if rank < 4 else None
    if kind == 13 and rank:
        table = pool[draw(st.integers(0, len(pool) - 1))]
        if table.shape[-1:] == x.shape[-1:]:
            return b.apply(Take(table.type.ndim - 1), table, b.apply(ArgMax((rank - 1,)), x))
        return None
    if kind == 14 and rank and product(x.shape) != 0:
        shape = [1, *x.shape, 1] if draw(st.booleans()) else [d for d in x.shape if d != 1]
        return b.reshape(x, shape) if len(shape) < 5 else None
    return None


def _product(draw: st.DrawFn, b: Builder, pool: list[Value], x: Value) -> Value | None:
    """A contraction over one shared axis (sometimes with a batch axis)."""
    if x.type.ndim == 0 or x.type.ndim > 3:
        return None
    axis = draw(st.integers(0, x.type.ndim - 1))
    found = [(v, k) for v in pool for k, d in enumerate(v.shape) if d == x.shape[axis] and v.type.ndim <= 2]
    if not found:
        return None
    y, other = found[draw(st.integers(0, len(found) - 1))]
    left = "abc"[: x.type.ndim].replace("abc"[axis], "k")
    right = "xy"[: y.type.ndim].replace("xy"[other], "k")
    out = [c for c in left + right if c != "k"]
    if draw(st.booleans()):
        out = out[::-1]
    value = b.contract(f"{left},{right}->{''.join(out)}", x, y)
    return b.apply(Tanh(), value) if draw(st.booleans()) else value


def _fits(small: Shape, big: Shape) -> bool:
    return len(small) <= len(big) and all(a in (1, c) for a, c in zip(small[::-1], big[::-1], strict=False))


def arrays_for(graph: Graph, n: int, seed: int = 0) -> tuple[list[Array], list[Array]]:
    """Inputs and states for N = ``n``."""
    rng = np.random.default_rng(seed)

    def array(shape: Shape) -> Array:
        return rng.uniform(-1, 1, [n if d == N else int(d) for d in shape])  # type: ignore[arg-type]

    return [array(v.shape) for v in graph.inputs], [array(v.shape) for v in graph.states]


__all__ = ["arrays_for", "graphs"]
