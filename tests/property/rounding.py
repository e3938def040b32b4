"""How far a correct result may be from the interpreter's: the interpreter itself, with rounding errors added on
purpose.

A graph runs several times with every inexact node's results (and what functions, sums and factorizations get) moved by
about one unit in the last place of their own dtype, and with sums in another order (random arithmetic, as in CESTAC).
Where the results then scatter, so may those of a target, which rounds in other places; where they do not, a target has
to agree to the last bits. Nothing is tuned by hand: half precision, a sum over many elements, a cancellation or a jump
at a boundary widen exactly the elements they reach, and so do infinities and NaN, which become anything. Where only
exact rules apply (``strict``), infinities and NaN have to be where they are in all runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from symgraph.errors import SymgraphError
from symgraph.ir import interp
from symgraph.ir.dims import Dim, Symbol
from symgraph.ir.graph import Graph, Node
from symgraph.ir.interp import interpret
from symgraph.ir.op import REGISTRY, Elementwise, Indexed, Leaf, Op, Reduction
from symgraph.ir.ops.elementary import FloatFunction
from symgraph.ir.ops.matrices import MatrixOp
from symgraph.ir.ops.reductions import Prod, Sum
from symgraph.ir.passes import PIPELINE, run_pass

Array = np.ndarray[Any, Any]
#: Units in the last place that a target may be off beside the scatter; elementary functions are good to a few.
UNITS = 8
#: Room over the largest deviation seen in a few runs.
ROOM = 16
RUNS = 6
#: What infinities and NaN become: rules that are not exact promise nothing about them (0/0 is 1 where x/x is).
ANYTHING = (np.nan, -np.nan, np.inf, -np.inf, 1.0, 0.0)
#: Ops beside indexed ones whose float results are operands' elements, unchanged.
_MOVING = "where any all argmax argmin max min maximum minimum neg abs copysign cond while scan scatter_set argsort"
_EXACT: set[type[Op]] = {REGISTRY[name] for name in _MOVING.split()}
#: Indexed, and yet computed with.
_COMPUTED = {REGISTRY["resample"]}


def is_exact(op: Op) -> bool:
    """Whether an op rounds nothing (loops and choices do, but inside)."""
    kind = type(op)
    return kind in _EXACT or isinstance(op, Leaf) or (isinstance(op, Indexed) and kind not in _COMPUTED)


@contextmanager
def rounding(rng: np.random.Generator, strict: bool = False) -> Iterator[None]:
    """Nodes that the interpreter runs inside round at random, in bodies of loops too."""
    plain = interp.run_node

    def shaken(array: Array) -> Array:
        if array.dtype.kind != "f":
            return array
        step = np.finfo(array.dtype).eps * rng.uniform(-1, 1, array.shape)
        with np.errstate(all="ignore"):
            moved = np.asarray(array + array * step, array.dtype)
        lost = anything(array.shape, array.dtype)
        if strict:  # NaN has any sign
            lost = np.where(np.isnan(array), np.copysign(array, lost), array)
        return np.where(np.isfinite(array), moved, lost)

    def anything(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return np.asarray(rng.choice(ANYTHING, shape)).astype(dtype)

    def reordered(op: Reduction, array: Array) -> Array:
        """The operand with its elements along the reduced axes in another order; all of them anything, where a part of
        a product may leave the range of numbers though the product does not."""
        axes = tuple(range(array.ndim - len(op.axes), array.ndim))
        last = np.moveaxis(array, op.axes, axes)
        flat = rng.permutation(last.reshape(*last.shape[: axes[0]], math.prod(last.shape[axes[0] :])), axis=-1)
        if isinstance(op, Prod) and array.dtype.kind == "f":
            size = np.abs(flat)
            with np.errstate(all="ignore"):
                large = np.prod(np.fmax(size, 1), axis=-1, keepdims=True)
                small = np.prod(np.where(size > 0, np.fmin(size, 1), 1), axis=-1, keepdims=True)
            lost = np.isinf(large) | ((small < np.finfo(array.dtype).tiny) & (large > 1))
            flat = np.where(lost, anything(lost.shape, array.dtype), flat)
        return np.moveaxis(flat.reshape(last.shape), axes, op.axes)

    def run_node(node: Node, operands: Sequence[Array], replace: dict[Symbol, Dim]) -> tuple[Array, ...]:
        if is_exact(node.op):
            return plain(node, operands, replace)
        # Sums in another order, functions by another formula: as if the operands were others.
        plainly = isinstance(node.op, Elementwise) and not isinstance(node.op, FloatFunction)
        moved = operands if plainly else [shaken(a) for a in operands]
        if isinstance(node.op, (Sum, Prod)) and node.op.axes:
            moved = [reordered(node.op, moved[0])]
        results = [shaken(r) for r in plain(node, moved, replace)]
        if plainly:
            return tuple(results)
        if isinstance(node.op, MatrixOp):  # LAPACK promises nothing about matrices that are not finite
            lost = np.any([~np.isfinite(a).all((-2, -1)) for a in operands], axis=0)
            for r in results:
                r[lost] = anything(r[lost].shape, r.dtype)
        # Sums begin with 0 or with their first term, which makes another zero of terms that are all -0.
        return tuple(
            np.where(r == 0, rng.choice((0.0, -0.0), r.shape).astype(r.dtype), r) if r.dtype.kind == "f" else r
            for r in results
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interp, "run_node", run_node)
        yield


def expanded(graph: Graph) -> Graph:
    """The graph without composites: each of their parts rounds."""
    one = next(p for p in PIPELINE if p.name == "expand")
    return run_pass(graph, one, one.chosen(False), False)[0]


class Expected:
    """The interpreter's results for one set of arguments, and how far others may be from them. ``parts`` is the graph
    :func:`expanded`."""

    def __init__(
        self, graph: Graph, parts: Graph, inputs: Sequence[Array], states: Sequence[Array], strict: bool = False
    ) -> None:
        self.arguments = parts, inputs, states
        self.strict = strict
        self.results = interpret(graph, inputs, states).all
        self._spread = [np.zeros(r.shape) for r in self.results]
        self._alike = [np.ones(r.shape, bool) for r in self.results]
        self._runs = 0

    def difference(self, got: Sequence[Array]) -> str:
        """What is wrong with the results of a target; empty where nothing is."""
        for runs in (RUNS, 10 * RUNS):  # rounding at random may miss a jump: look again before complaining
            self._run_until(runs)
            found = next((text for k, g in enumerate(got) if (text := self._one(k, g))), "")
            if not found:
                return ""
        return found

    def _run_until(self, runs: int) -> None:
        graph, inputs, states = self.arguments
        while self._runs < runs:
            self._runs += 1
            try:
                with rounding(np.random.default_rng(self._runs), self.strict):
                    moved = interpret(graph, inputs, states).all
            except (SymgraphError, ValueError):  # a rounding error away from where there is no result
                self._alike = [np.zeros(r.shape, bool) for r in self.results]
                return
            for k, (a, b) in enumerate(zip(self.results, moved, strict=True)):
                with np.errstate(all="ignore"):
                    if a.dtype.kind == "f":
                        apart = np.abs(a.astype(float) - b.astype(float))
                        same = (np.isnan(a) & np.isnan(b)) | (np.isinf(a) & (a == b)) if self.strict else False
                        self._alike[k] &= (np.isfinite(a) & np.isfinite(b)) | same
                        self._spread[k] = np.fmax(self._spread[k], apart)
                    else:
                        self._alike[k] &= a == b

    def _one(self, k: int, got: Array) -> str:
        want, known = self.results[k], self._alike[k]
        if got.dtype != want.dtype or got.shape != want.shape:
            return f"result {k} is a {got.dtype}{got.shape}, expected {want.dtype}{want.shape}"
        if want.dtype.kind != "f":
            wrong = known & (got != want)
        else:
            info = np.finfo(want.dtype)
            with np.errstate(all="ignore"):
                a, b = want.astype(float), got.astype(float)
                room = ROOM * self._spread[k] + UNITS * (float(info.eps) * np.abs(a) + float(info.smallest_subnormal))
                wrong = known & ~((np.abs(a - b) <= room) | (a == b) | (np.isnan(a) & np.isnan(b)))
        if not np.any(wrong):
            return ""
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        near = f", spread {self._spread[k][at]:.3g}" if want.dtype.kind == "f" else ""
        return f"result {k} at {at} is {got[at]}, expected {want[at]}{near} ({wrong.sum()} of {wrong.size} wrong)"
