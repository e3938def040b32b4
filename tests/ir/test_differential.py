"""The finder of wrong rules finds them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from symgraph.ir.compare import same_bits
from symgraph.ir.differential import Difference, Differential, random_arguments
from symgraph.ir.emitter import Emitter
from symgraph.ir.graph import Value
from symgraph.ir.interp import interpret
from symgraph.ir.op import Op
from symgraph.ir.ops.arithmetic import Add, Mul
from symgraph.ir.ops.elementary import Exp
from symgraph.ir.parser import parse_graph
from symgraph.ir.passes import PIPELINE, Pass, sweep_rules
from symgraph.ir.pattern import is_number
from symgraph.ir.rewrites import algebra, views
from symgraph.ir.rewrites.rule import rule

GRAPH = parse_graph("""
graph @g dims(N, M) facts(M = 2*N) {
  %x = input[slot=0, label="x"] : f32[N,3]
  %y = input[slot=1, label="y"] : f32[2*N,3]
  %i = input[slot=2, label="i"] : i32[M]
  %b = input[slot=3, label="b"] : bool[4]
  %s = state[slot=0, label="s"] : f32[N,3]
  %0 = constant[f32[]{0.0}] : f32[]
  %1 = broadcast[shape=[N, 3], axes=[]] %0 : f32[N,3]
  %2 = mul %x, %1 : f32[N,3]
  %3 = exp %x : f32[N,3]
  %4 = add %3, %1 : f32[N,3]
  return %2, %4
  update state 0 = %4
}
""")


@rule(Mul, exact=True, example=lambda s: s.mul(s.input("f32[N]"), 0.0))
def forget_nan(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x * 0 = 0, which is wrong for NaN."""
    return operands[1] if is_number(operands[1], 0.0) else None


@rule(Exp, exact=False, example=lambda s: s.exp(s.input("f32[N]")))
def double_the_exponent(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """exp(x) = exp(x) + x, which is plainly wrong."""
    return e.add(operands[0], 1.0)


@rule(Add, exact=True, example=lambda s: s.add(s.input("f32[N]"), 0.0))
def lose_sign(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x + 0 = x, which is not exact."""
    return operands[0] if is_number(operands[1], 0.0) else None


def test_right_passes_show_no_difference() -> None:
    assert Differential().find(GRAPH) is None


def test_an_exact_rule_that_forgets_nan_is_named() -> None:
    passes = (PIPELINE[0], Pass("wrong", (*algebra.EXACT, forget_nan)))
    found = Differential().find(GRAPH, passes)
    assert found is not None
    assert (found.stage, found.rule, found.result) == ("wrong", "forget_nan", "output 0")
    assert "pass wrong, rule forget_nan changes output 0" in str(found)


def test_an_inexact_rule_is_held_to_closeness() -> None:
    found = Differential().find(GRAPH, (Pass("wrong", (double_the_exponent,)),))
    assert found is not None
    assert (found.rule, found.result) == ("double_the_exponent", "output 1")


@pytest.mark.parametrize("axes", ["0", "1", "0, 1"])
def test_the_layout_of_operands_changes_no_bit(axes: str) -> None:
    """NumPy lays the sum of a repeated scalar and repeated rows out in another order than the repeated sum."""
    kept = "" if "," in axes else "NM"[1 - int(axes)]
    graph = parse_graph(f"""
graph @g dims(N, M) {{
  %s = input[slot=0, label="s"] : f32[N,M]
  %x = input[slot=1, label="x"] : f32[M]
  %c = input[slot=2, label="c"] : f32[]
  %0 = broadcast[shape=[N, M], axes=[]] %c : f32[N,M]
  %1 = broadcast[shape=[N, M], axes=[1]] %x : f32[N,M]
  %2 = add %0, %1 : f32[N,M]
  %3 = sum[[{axes}]] %2 : f32[{kept}]
  return %3
}}
""")
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape).astype("f4") for shape in ((40, 33), (33,), ())]
    swept, fired = sweep_rules(graph, views.RULES)
    assert fired == {"compute_before_broadcast": 1}
    assert same_bits(interpret(graph, arrays).outputs[0], interpret(swept, arrays).outputs[0])


def test_a_difference_says_what_and_where() -> None:
    before, after = np.array([[1.0, np.nan], [2.0, 3.0]]), np.array([[1.0, np.nan], [2.5, 0.0]])
    text = str(Difference("simplify", "some_rule", "state 1", before, after))
    assert text == "pass simplify, rule some_rule changes state 1: 2.0 became 2.5 at (1, 0) (2 of 4 elements)"


def test_signs_of_zeros_are_seen() -> None:
    graph = parse_graph("""
graph @g dims(N) {
  %x = input[slot=0, label="x"] : f32[N]
  %0 = constant[f32[]{0.0}] : f32[]
  %1 = broadcast[shape=[N], axes=[]] %0 : f32[N]
  %2 = add %x, %1 : f32[N]
  return %2
}""")
    found = Differential(runs=40).find(graph, (Pass("wrong", (lose_sign,)),))
    assert found is not None
    assert found.rule == "lose_sign"
    assert "signs of zeros differ" in str(found)


def test_arguments_satisfy_facts() -> None:
    for seed in range(10):
        (x, y, i, b), _ = random_arguments(GRAPH, seed)
        assert len(y) == len(i) == 2 * len(x)
        assert (x.dtype, i.dtype, b.dtype) == (np.float32, np.int32, np.bool_)
