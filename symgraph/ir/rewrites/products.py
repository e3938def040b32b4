"""Products of tensors: what is known about an operand makes the product smaller, or another op."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...dtypes import int64
from ..dims import Dim
from ..emitter import Emitter
from ..graph import Value
from ..op import Op
from ..ops.arithmetic import Mul, Neg
from ..ops.contraction import Contraction
from ..ops.indexing import Iota, OneHot
from ..ops.logical import Cast, Equal, Where
from ..ops.reductions import Sum
from ..ops.views import Broadcast, Reshape, Transpose
from ..pattern import both_ways, constant_of, is_number, operand_of, operands_of, spread_of
from .rule import Sketch, rule

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@rule(
    Contraction,
    exact=False,
    example=lambda s: s.contract("ik,kj->ij", s.transpose(s.input("f32[4,N]"), (1, 0)), s.input("f32[4,3]")),
)
def transpose_inside_product(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A product of a transposed operand reads the operand with its axes exchanged; terms may be added in another
    order."""
    assert isinstance(op, Contraction)
    labels = list(op.labels[:2])
    found = list(operands)
    for i, value in enumerate(operands):
        inner = operand_of(value, Transpose)
        if inner is not None:
            assert isinstance(value.op, Transpose)
            labels[i] = "".join(labels[i][value.op.permutation.index(k)] for k in range(len(labels[i])))
            found[i] = inner
    if found == list(operands):
        return None
    return e.contract(f"{labels[0]},{labels[1]}->{op.labels[2]}", *found)


@rule(
    Contraction,
    exact=False,
    example=lambda s: s.contract("ik,kj->ij", s.input("f32[N,1]"), s.input("f32[1,3]")),
)
def product_over_one_term(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A sum of products over axes of size 1 is a product; a sum starts at 0.0, so the sign of a zero may differ."""
    assert isinstance(op, Contraction)
    sizes = op.sizes(*(v.shape for v in operands))
    if not op.summed or any(sizes[c] != 1 for c in op.summed):
        return None
    return _elementwise(e, op, operands)


@rule(Contraction, exact=False, example=lambda s: s.contract("i,j->ij", s.input("f32[N]"), s.input("f32[3]")))
def product_without_sum(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """An outer product is a product of repeated operands, which joins the loops around it; only the sign of a zero
    may differ."""
    assert isinstance(op, Contraction)
    return None if op.summed else _elementwise(e, op, operands)


def _elementwise(e: Emitter, op: Contraction, operands: Sequence[Value]) -> Value:
    (result,) = op.infer(e.facts, *(v.type for v in operands))
    out = op.labels[2]
    return e.mul(*(_aligned(e, v, of, out, result.shape) for v, of in zip(operands, op.labels, strict=False)))


def _aligned(e: Emitter, value: Value, labels: str, out: str, shape: tuple[Dim, ...]) -> Value:
    """``value`` with its axes in the order of ``out``, repeated to ``shape``."""
    order = sorted((k for k, c in enumerate(labels) if c in out), key=lambda k: out.index(labels[k]))
    kept = [k for k, c in enumerate(labels) if c in out]
    squeezed = e.reshape(value, [value.shape[k] for k in kept])
    turned = e.transpose(squeezed, [kept.index(k) for k in order])
    return e.broadcast(turned, shape, [out.index(labels[k]) for k in order])


def _other_way_round(op: Contraction, operands: Sequence[Value]) -> list[tuple[str, str, Value, Value]]:
    """Labels and operands, seen from each of the two."""
    a, b, _ = op.labels
    x, y = operands
    return [(a, b, x, y), (b, a, y, x)]


@rule(
    Contraction,
    exact=False,
    example=lambda s: s.contract("ik,kj->ij", s.input("f32[N,4]"), s.broadcast(s.input("f32[3]"), (4, 3), (1,))),
)
def product_with_repeats(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A product with an operand that repeats along an axis (of ones, say) is smaller by that axis: a sum of the other
    operand, or a repeated result."""
    assert isinstance(op, Contraction)
    out = op.labels[2]
    for a, b, x, y in _other_way_round(op, operands):
        spread = spread_of(y)
        if spread is None or len(spread.axes) == len(b):
            continue
        kept = "".join(b[k] for k in spread.axes)
        gone = [k for k, c in enumerate(a) if c in op.summed and c not in kept]
        left = "".join(c for k, c in enumerate(a) if k not in gone)
        smaller = e.sum(x, gone) if gone else x
        new_out = "".join(c for c in out if c in left or c in kept)
        (result,) = op.infer(e.facts, *(v.type for v in operands))
        inner = e.contract(f"{left},{kept}->{new_out}", smaller, spread.inner)
        return e.broadcast(inner, result.shape, [out.index(c) for c in new_out])
    return None


@rule(
    Contraction,
    exact=False,
    example=lambda s: s.contract("ik,kj->ij", s.mul(s.input("f32[N,4]"), 0.5), s.input("f32[4,3]")),
)
def scale_after_product(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """(x * c) @ y = (x @ y) * c where c repeats along the summed axes: the product reads an array that exists, and its
    epilogue scales."""
    assert isinstance(op, Contraction)
    out = op.labels[2]
    for a, b, x, y in _other_way_round(op, operands):
        negated = operand_of(x, Neg)
        if negated is not None:
            return e.neg(_contract(e, a, b, out, negated, y))
        for scaled, factor in both_ways(operands_of(x, Mul)):
            spread = spread_of(factor)
            if spread is None or any(a[k] in op.summed for k in spread.axes):
                continue
            (result,) = op.infer(e.facts, *(v.type for v in operands))
            found = _contract(e, a, b, out, scaled, y)
            places = "".join(a[k] for k in spread.axes)
            return e.mul(found, _aligned(e, spread.inner, places, out, result.shape))
    return None


def _contract(e: Emitter, a: str, b: str, out: str, x: Value, y: Value) -> Value:
    return e.contract(f"{a},{b}->{out}", x, y)


@rule(
    Contraction,
    exact=False,
    example=lambda s: s.contract("ik,kj->ij", s.input("f32[N,3]"), _diagonal_matrix(s, s.input("f32[3]"))),
)
def product_with_diagonal(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A product with a diagonal matrix scales rows or columns; with the identity it is the other operand. NaN and
    infinities of the other operand do not spread."""
    assert isinstance(op, Contraction)
    out = op.labels[2]
    for a, b, x, y in _other_way_round(op, operands):
        if len(b) != 2 or sum(c in op.summed for c in b) != 1:
            continue
        diagonal = diagonal_of(e, y)
        if diagonal is None:
            continue
        inside = next(c for c in b if c in op.summed)
        outside = b[1 - b.index(inside)]
        if outside in a:
            continue
        (result,) = op.infer(e.facts, *(v.type for v in operands))
        renamed = a.replace(inside, outside)
        moved = _aligned(e, x, renamed, out, result.shape)
        if is_number(diagonal, 1):
            return moved
        return e.mul(moved, e.broadcast(diagonal, result.shape, (out.index(outside),)))
    return None


def diagonal_of(e: Emitter, value: Value) -> Value | None:
    """The vector on the diagonal of a square matrix whose other elements are known to be 0."""
    n, m = value.shape
    if n != m:
        return None
    op = value.op
    if isinstance(op, OneHot):
        at = operand_of(value, OneHot)
        return e.full((n,), 1, value.dtype) if at is not None and _is_count(at, 0) else None
    if isinstance(op, Cast):
        return e.full((n,), 1, value.dtype) if _is_main_diagonal(value.node.inputs[0]) else None
    if isinstance(op, Where):
        on, inside, outside = value.node.inputs
        spread = spread_of(inside)
        if is_number(outside, 0.0) and spread is not None and len(spread.axes) <= 1 and _is_main_diagonal(on):
            return e.broadcast(spread.inner, (n,), (0,) * len(spread.axes))
        return None
    array = constant_of(value)
    if array is None or not array.any() or np.any(array[~np.eye(len(array), dtype=bool)]):
        return None
    return e.constant(np.diagonal(array), value.dtype)


def _is_main_diagonal(mask: Value) -> bool:
    """True for ``rows == columns``."""
    pair = operands_of(mask, Equal)
    found = sorted(axis for v in pair for axis in (0, 1) if _is_count(v, axis))
    return found == [0, 1]


def _is_count(value: Value, axis: int) -> bool:
    """True for ``0, 1, 2, ...`` along ``axis``, repeated along others."""
    while isinstance(value.op, (Broadcast, Reshape)):
        if isinstance(value.op, Broadcast):
            spread = spread_of(value)
            if spread is None or spread.axes != (axis,):
                return False
            value, axis = spread.inner, 0
        else:
            value, axis = value.node.inputs[0], 0
    return isinstance(value.op, Iota) and axis == 0


def _diagonal_matrix(s: Sketch, v: Value) -> Value:
    shape = (v.shape[0], v.shape[0])
    count = s.iota(v.shape[0], int64)
    on = s.eq(s.broadcast(count, shape, (0,)), s.broadcast(count, shape, (1,)))
    return s.where(on, s.broadcast(v, shape, (1,)), 0.0)


@rule(
    Sum,
    exact=False,
    example=lambda s: _sum_of_products(s, s.input("f32[N,4]"), s.input("f32[4,3]")),
)
def sum_of_products(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """sum(x * y) of operands repeated along different axes is a matrix product; sums of other products stay, for a
    product of arrays without rows or columns is the same loop."""
    assert isinstance(op, Sum)
    pair = operands_of(operands[0], Mul)
    spreads = [spread_of(v) for v in pair]
    if len(spreads) != 2 or spreads[0] is None or spreads[1] is None or pair[0] is pair[1]:
        return None
    if pair[0].dtype.is_bool:
        return None
    first, second = (set(s.axes) for s in spreads if s is not None)
    kept = set(range(pair[0].type.ndim)) - set(op.axes)
    if not set(op.axes) <= first & second or not (first - second) & kept or not (second - first) & kept:
        return None
    if not kept <= first | second or len(pair[0].shape) > len(_LETTERS):
        return None
    a, b = ("".join(_LETTERS[k] for k in s.axes) for s in spreads if s is not None)
    out = "".join(_LETTERS[k] for k in sorted(kept))
    return e.contract(f"{a},{b}->{out}", *(s.inner for s in spreads if s is not None))


def _sum_of_products(s: Sketch, x: Value, y: Value) -> Value:
    shape = (x.shape[0], 4, 3)
    return s.sum(s.mul(s.broadcast(x, shape, (0, 1)), s.broadcast(y, shape, (1, 2))), [1])


@rule(
    Contraction,
    exact=True,
    example=lambda s: s.contract("ik,kj->ij", s.full((2, 3), 0, s.input("i32[3,N]").dtype), s.arguments[0]),
)
def product_with_integer_zeros(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A product of integers with zeros is zeros; NaN and infinities forbid it for floats."""
    if not operands[0].dtype.is_integer or not any(is_number(v, 0) for v in operands):
        return None
    (result,) = op.infer(e.facts, *(v.type for v in operands))
    return e.full(result.shape, 0, result.dtype)


RULES = (
    transpose_inside_product, product_over_one_term, product_without_sum, product_with_repeats, scale_after_product,
    product_with_diagonal, sum_of_products, product_with_integer_zeros,
)  # fmt: skip
