"""Every rewrite rule fires on its example and keeps the value, to the bit where it says so."""

from __future__ import annotations

import numpy as np
import pytest

from symgraph.errors import DTypeError
from symgraph.ir.compare import is_close, same_bits
from symgraph.ir.graph import Graph, Value
from symgraph.ir.interp import interpret
from symgraph.ir.passes import PIPELINE, check_settled, sweep_rules
from symgraph.ir.rewrites.rule import Rule, Sketch
from symgraph.ir.verify import broken_invariants, has_same_signature

RULES = list(dict.fromkeys(rule for one in PIPELINE for rule in one.rules))
SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-40, 1e30, -1e30, 0.1]


def example(rule: Rule) -> tuple[Sketch, Graph]:
    sketch = Sketch()
    return sketch, sketch.graph_of(rule.example(sketch))


def arguments(sketch: Sketch, seed: int, special: bool) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    arrays = []
    for value, (low, high) in zip(sketch.arguments, sketch.ranges, strict=True):
        shape = [d if isinstance(d, int) else 4 + seed for d in value.shape]
        kind = value.dtype.kind
        array = rng.uniform(low, high, shape) if kind == "f" else rng.integers(0 if kind == "b" else low, 2, shape)
        if special and kind == "f":
            array = np.where(rng.random(shape) < 0.7, rng.choice(SPECIAL, shape), array)
        with np.errstate(over="ignore"):  # half precision has no 1e30
            arrays.append(array.astype(value.dtype.np))
    return arrays


def test_names_are_distinct_and_every_rule_says_why() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.why.endswith(".") for rule in RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_a_rule_keeps_the_value_of_its_example(rule: Rule) -> None:
    sketch, graph = example(rule)
    after, fired = sweep_rules(graph, (rule,))
    assert fired.get(rule.name), "the rule does not fire on its example"
    assert broken_invariants(after) == []
    assert has_same_signature(graph, after)
    for seed in range(20 if rule.exact else 5):
        arrays = arguments(sketch, seed, special=rule.exact)
        (old,), (new,) = interpret(graph, arrays).outputs, interpret(after, arrays).outputs
        assert same_bits(old, new) if rule.exact else is_close(old, new, 64 * 1.2e-7), (old, new)


class OtherDType(Sketch):
    """Draws examples with another dtype in place of float32."""

    def __init__(self, short: str) -> None:
        super().__init__()
        self.short = short

    def input(self, text: str, low: float = -3.0, high: float = 3.0) -> Value:
        return super().input(text.replace("f32", self.short), low, high)


@pytest.mark.parametrize("short", ["f64", "f16", "i32", "i8", "u8", "u32", "bool"])
@pytest.mark.parametrize("rule", [r for r in RULES if r.exact], ids=lambda r: r.name)
def test_exact_rules_keep_bits_of_other_dtypes(rule: Rule, short: str) -> None:
    sketch = OtherDType(short)
    try:
        graph = sketch.graph_of(rule.example(sketch))
    except DTypeError:
        return  # the ops do not take it
    after, _ = sweep_rules(graph, (rule,))
    for seed in range(5):
        rng = np.random.default_rng(seed)
        arrays = [
            a if a.dtype.kind == "f" else rng.integers(0, 256, a.shape).astype(a.dtype)
            for a in arguments(sketch, seed, special=True)
        ]
        assert same_bits(interpret(graph, arrays).outputs[0], interpret(after, arrays).outputs[0])


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_every_pass_settles_on_the_example(rule: Rule) -> None:
    _, graph = example(rule)
    for one in PIPELINE:
        graph, _ = sweep_rules(graph, one.rules)
        check_settled(graph, one.rules, one.name)
        assert broken_invariants(graph) == []
