"""The algebra that builds loop expressions: sharing, exact simplification, index arithmetic, checks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgraph.codegen.algebra import LoopAlgebra
from symgraph.codegen.loop.grammar import Bounds, Buffer, Call, Const, Expr, Kernel, Load, Loop, Size, Store
from symgraph.codegen.loop.interp import interpret
from symgraph.codegen.loop.walk import expressions
from symgraph.dtypes import bool_, float32, float64, int32, int64, uint32
from symgraph.errors import InternalError
from symgraph.ir.algebra import Algebra
from symgraph.ir.dims import symbol
from symgraph.ir.ops.views import Reshape
from symgraph.ir.types import TensorType

N, M = symbol("N"), symbol("M")


@pytest.fixture
def s() -> LoopAlgebra:
    return LoopAlgebra()


def test_equal_expressions_are_one(s: LoopAlgebra) -> None:
    x = Buffer("x", float32, (N,))
    i = s.loop_var("i", N)
    a = s.intrinsic("exp", s.add(s.load(x, [i]), s.const(1, float32)))
    b = s.intrinsic("exp", s.add(s.load(x, [s.loop_var("i", N)]), s.const(1.0, float32)))
    assert a is b
    assert s.const(0.0, float32) is not s.const(-0.0, float32)
    assert s.const(1, int32) is not s.const(1, int64)


def test_division_of_indices(s: LoopAlgebra) -> None:
    i, j, k = s.loop_var("i", N), s.loop_var("j", 10), s.loop_var("k", M)
    flat = s.add(s.mul(i, s.index(10)), j)
    assert s.floordiv(flat, s.index(10)) is i and s.mod(flat, s.index(10)) is j
    flat = s.add(s.mul(i, s.size(M)), k)
    assert s.floordiv(flat, s.size(M)) is i and s.mod(flat, s.size(M)) is k
    flat = s.add(s.mul(flat, s.index(10)), j)
    assert s.floordiv(s.mod(flat, s.size(10 * M)), s.index(10)) is k
    assert s.floordiv(flat, s.size(10 * M)) is i


def test_quotient_and_remainder_recombine(s: LoopAlgebra) -> None:
    i = s.loop_var("i", N)
    three = s.index(3)
    assert s.add(s.mul(s.floordiv(i, three), three), s.mod(i, three)) is i
    assert s.floordiv(s.floordiv(i, three), s.index(2)) is s.floordiv(i, s.index(6))
    assert s.mod(s.mod(i, s.index(6)), three) is s.mod(i, three)


def test_loops_of_one_iteration_vanish(s: LoopAlgebra) -> None:
    i, one = s.loop_var("i", N), s.loop_var("z", 1)
    assert s.add(i, one) is i
    load = s.load(Buffer("x", float32, (1, N)), [one, i])
    assert isinstance(load, Load) and load.index[0] is s.index(0)


def test_comparisons_that_ranges_decide(s: LoopAlgebra) -> None:
    i, j = s.loop_var("i", N), s.loop_var("j", 10)
    true, false = s.const(True, bool_), s.const(False, bool_)
    assert s.lt(i, s.size(N)) is true and s.ge(i, s.size(N)) is false
    assert s.ge(j, s.index(0)) is true and s.gt(j, s.index(9)) is false and s.eq(j, s.index(10)) is false
    assert isinstance(s.lt(j, s.index(9)), Call)
    assert s.maximum(j, s.index(0)) is j and s.minimum(j, s.index(9)) is j
    assert s.select(s.lt(j, s.index(10)), i, j) is i


def test_data_is_not_assumed_to_be_an_index(s: LoopAlgebra) -> None:
    x = s.load(Buffer("x", int64, ()), [])
    ten = s.index(10)
    assert isinstance(s.floordiv(s.mul(x, ten), ten), Call)  # the product may wrap
    assert isinstance(s.ge(x, s.index(0)), Call)


def test_float_identities_are_exact(s: LoopAlgebra) -> None:
    x = s.load(Buffer("x", float32, ()), [])
    zero, minus_zero, one = s.const(0.0, float32), s.const(-0.0, float32), s.const(1.0, float32)
    assert s.mul(x, one) is x and s.mul(one, x) is x and s.div(x, one) is x
    assert s.add(x, minus_zero) is x and s.sub(x, zero) is x
    for changed in (s.add(x, zero), s.sub(x, minus_zero), s.mul(x, zero), s.sub(zero, x), s.div(one, x), s.sub(x, x)):
        assert isinstance(changed, Call)
    assert s.neg(s.neg(x)) is x
    assert s.maximum(x, x) is x


def test_constants_fold(s: LoopAlgebra) -> None:
    third = float(np.float32(0.1) + np.float32(0.2))
    assert s.add(s.const(0.1, float32), s.const(0.2, float32)) is s.const(third, float32)
    assert s.add(s.const(2**32 - 1, uint32), s.const(1, uint32)) is s.const(0, uint32)
    assert s.intrinsic("mulhi", s.const(2**31, uint32), s.const(6, uint32)) is s.const(3, uint32)
    assert s.cast(s.const(2.75, float64), int32) is s.const(2, int32)
    assert s.cast(s.const(3, int64), float32) is s.const(3.0, float32)
    assert s.bitcast(s.const(1.0, float32), uint32) is s.const(0x3F800000, uint32)
    assert not isinstance(s.cast(s.const(1e30, float64), int32), Const)
    assert isinstance(s.intrinsic("exp", s.const(1.0, float32)), Call)


def test_bool_identities(s: LoopAlgebra) -> None:
    x = s.load(Buffer("x", bool_, ()), [])
    true, false = s.const(True, bool_), s.const(False, bool_)
    assert s.both(x, true) is x and s.both(false, x) is false
    assert s.either(x, false) is x and s.either(true, x) is true


def test_bounds_are_numbered_and_dropped_where_proved(s: LoopAlgebra) -> None:
    index = s.load(Buffer("index", int64, (N,)), [s.loop_var("i", N)])
    s.site = "take"
    a = s.bounds(index, s.size(M), 0)
    s.site = "other"
    b = s.bounds(s.add(index, s.index(1)), s.size(M), 1)
    assert isinstance(a, Bounds) and isinstance(b, Bounds)
    assert (a.check, b.check) == (0, 1) and s.checks == [("take", 0), ("other", 1)]
    assert s.bounds(index, s.size(M), 0) is a
    j = s.loop_var("j", M)
    assert s.bounds(j, s.size(M), 0) is j and s.bounds(a, s.size(M), 0) is a
    assert len(s.checks) == 2


def test_mixed_dtypes_are_a_fault(s: LoopAlgebra) -> None:
    with pytest.raises(InternalError, match="float32, float64"):
        s.add(s.const(1, float32), s.load(Buffer("x", float64, ()), []))


def test_fresh_names_are_fresh(s: LoopAlgebra) -> None:
    assert [s.fresh("i"), s.fresh("i"), s.fresh("v")] == ["i", "i1", "v"]


def test_sizes_merge(s: LoopAlgebra) -> None:
    total = s.add(s.size(N), s.sub(s.size(M), s.index(2)))
    assert isinstance(total, Size) and total.dim == N + M - 2
    assert s.sub(s.size(N), s.size(N - 3)) is s.index(3)


@pytest.mark.parametrize(
    ("source", "target", "clean"),
    [
        ((N, 28, 28), (N, 784), False),
        ((N, 784), (N, 28, 28), True),
        ((N * M, 4), (N, M, 4), True),
        ((N, 4), (N, 1, 4, 1), True),
        ((6, N), (2, 3, N), True),
    ],
)
def test_reshapes(s: LoopAlgebra, source: tuple[Any, ...], target: tuple[Any, ...], clean: bool) -> None:
    x = Buffer("x", float32, source)
    index = [s.loop_var(s.fresh("i"), d) for d in target]
    types = TensorType(float32, source), TensorType(float32, target)
    element = Reshape(target).element(s, index, [lambda at: s.load(x, at)], types[:1], types[1])
    calls = [e.name for e in expressions([Store("y", tuple(index), element)]) if isinstance(e, Call)]
    assert ("floordiv" in calls or "mod" in calls) != clean
    # There and back is where one started.
    back = [s.loop_var(s.fresh("b"), d) for d in source]
    to = Reshape(target)

    def read(at: Any) -> Expr:
        return to.element(s, at, [lambda i: s.load(x, i)], types[:1], types[1])

    round_trip = Reshape(source).element(s, back, [read], types[1:], types[0])
    assert round_trip is s.load(x, back)


class _Plain(LoopAlgebra):
    """The same algebra without any simplification: the reference of the next test."""

    def intrinsic(self, name: str, *args: Expr) -> Expr:
        return self._make.call(name, args, bool_ if name in ("lt", "ge", "eq") else args[0].dtype)


def _index_expression(draw: Any, algebras: list[Algebra[Expr]], variables: list[list[Expr]], depth: int) -> list[Expr]:
    """The same random index expression in several algebras."""
    if depth == 0:
        which = draw(st.integers(0, len(variables) + 1))
        if which < len(variables):
            return variables[which]
        if which == len(variables):
            return [a.size(N) for a in algebras]
        constant = draw(st.integers(-3, 12))
        return [a.index(constant) for a in algebras]
    x = _index_expression(draw, algebras, variables, depth - 1)
    how = draw(st.sampled_from(["add", "sub", "scale", "floordiv", "mod", "select", "minimum", "symbolic", "maximum"]))
    if how in ("scale", "floordiv", "mod"):
        by = draw(st.sampled_from([1, 2, 3, 4, 6, 10, 12]))
        return [a.intrinsic(how if how != "scale" else "mul", e, a.index(by)) for a, e in zip(algebras, x, strict=True)]
    if how == "symbolic":
        name = draw(st.sampled_from(["floordiv", "mod", "mul"]))
        by_n = draw(st.sampled_from([N, 2 * N, M * N, M]))
        return [a.intrinsic(name, e, a.size(by_n)) for a, e in zip(algebras, x, strict=True)]
    y = _index_expression(draw, algebras, variables, depth - 1)
    if how == "select":
        pick = draw(st.sampled_from(["lt", "ge", "eq"]))
        return [a.select(a.intrinsic(pick, e, f), e, f) for a, e, f in zip(algebras, x, y, strict=True)]
    return [a.intrinsic(how, e, f) for a, e, f in zip(algebras, x, y, strict=True)]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_simplified_indices_have_the_same_values(data: st.DataObject) -> None:
    extents = [("i", N), ("j", 3), ("k", M), ("l", 4), ("z", 1)]
    algebras: list[Any] = [LoopAlgebra(), _Plain()]
    variables = [[a.loop_var(name, d) for a in algebras] for name, d in extents]
    pair = _index_expression(data.draw, algebras, variables, data.draw(st.integers(1, 5)))
    for sizes in ({"N": 2, "M": 3}, {"N": 1, "M": 5}):
        out = Buffer("y", int64, tuple(d for _, d in extents), "out")
        results = []
        for algebra, expr, column in zip(algebras, pair, (0, 1), strict=True):
            index = tuple(v[column] for v in variables)
            body: Any = (Store("y", index, expr),)
            for name, extent in reversed(extents):
                body = (Loop(name, extent, "seq", body),)
            shape = tuple(sizes.get(str(d), d) for _, d in extents)
            arrays = {"y": np.zeros(shape, np.int64)}  # type: ignore[arg-type]
            assert interpret(Kernel("k", (out,), ("N", "M"), body), arrays, sizes) is None
            results.append(arrays["y"])
            del algebra
        np.testing.assert_array_equal(results[0], results[1])
