"""Which pass, and which rule of it, changes a value: the graph runs before and after each on the same inputs.

    >>> from symgraph.ir.parser import parse_graph
    >>> graph = parse_graph('''graph @g dims(N) {
    ...   %x = input[slot=0, label="x"] : f32[N]
    ...   %0 = exp %x : f32[N]
    ...   %1 = log %0 : f32[N]
    ...   return %1
    ... }''')
    >>> Differential().find(graph) is None
    True
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .compare import is_close, same_bits
from .dims import evaluate, symbols
from .graph import Graph, Value
from .interp import Results, interpret
from .op import Array
from .passes import PIPELINE, Pass, run_pass, sweep_rules
from .rewrites.rule import Rule

#: Floats that exact rules must get right; mixed into the inputs of every second run.
SPECIAL = (0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-40, 1e30, -1e30)
_SIZES = (3, 1, 2, 5, 8)


@dataclass(frozen=True)
class Difference:
    """The first pass that breaks its promise, the rule to blame (empty if only their combination does it), and what
    differs."""

    stage: str
    rule: str
    result: str
    before: Array
    after: Array

    def __str__(self) -> str:
        blame = f", rule {self.rule}" if self.rule else ""
        differs = ~((self.before == self.after) | ((self.before != self.before) & (self.after != self.after)))
        where = np.argwhere(differs)
        place = tuple(int(i) for i in where[0]) if len(where) else ()
        shown = f"{self.before[place]} became {self.after[place]} at {place}" if len(where) else "signs of zeros differ"
        return f"pass {self.stage}{blame} changes {self.result}: {shown} ({len(where)} of {self.before.size} elements)"


@dataclass(frozen=True)
class Differential:
    """Compares graphs before and after passes.

    Attributes:
        runs: how many sets of random inputs are tried.
        seed: of the random inputs.
        steps: how far inexact results may be apart, in units of the coarsest precision of the graph.
        scale: standard deviation of the random floats.
    """

    runs: int = 4
    seed: int = 0
    steps: float = 1e4
    scale: float = 1.0

    def find(self, graph: Graph, passes: Sequence[Pass] = PIPELINE, inexact: bool = True) -> Difference | None:
        """The first difference, or None where every pass keeps its promise."""
        for one in passes:
            rules = one.chosen(inexact)
            after, fired = run_pass(graph, one, rules, inexact)
            exact = self._promise(rules, fired) and fired.keys() <= {rule.name for rule in rules}
            found = self.compare(graph, after, exact)
            if found is not None:
                return Difference(one.name, self._blame(graph, rules, fired), *found)
            graph = after
        return None

    def compare(self, before: Graph, after: Graph, exact: bool) -> tuple[str, Array, Array] | None:
        """The first result that differs: its name and its values before and after."""
        tolerance = self.steps * _precision(before)
        for run in range(self.runs):
            # Infinities and NaN tell exact rules apart; inexact ones promise nothing about them.
            inputs = random_arguments(before, self.seed + run, self.scale, special=exact and run % 2 == 1)
            old, new = (interpret(g, *inputs) for g in (before, after))
            for name, a, b in zip(_result_names(before, old), old.all, new.all, strict=True):
                if not (same_bits(a, b) if exact else is_close(a, b, tolerance)):
                    return name, a, b
        return None

    def _promise(self, rules: Sequence[Rule], fired: dict[str, int]) -> bool:
        return all(rule.exact for rule in rules if rule.name in fired)

    def _blame(self, graph: Graph, rules: tuple[Rule, ...], fired: dict[str, int]) -> str:
        """The first rule that breaks its promise alone, or else the one that completes a set that does."""
        active = tuple(rule for rule in rules if rule.name in fired)
        for rule in active:
            after, _ = sweep_rules(graph, (rule,))
            if self.compare(graph, after, rule.exact) is not None:
                return rule.name
        for n in range(1, len(active) + 1):
            after, some = sweep_rules(graph, active[:n])
            if self.compare(graph, after, self._promise(active[:n], some)) is not None:
                return active[n - 1].name
        return ""


def _precision(graph: Graph) -> float:
    """The unit of the last place at 1 of the coarsest float in a graph."""
    floats = {v.dtype for node in graph.nodes for v in node.outputs if v.dtype.is_float}
    return max((float(np.finfo(d.np).eps) for d in floats), default=0.0)


def _result_names(graph: Graph, results: Results) -> list[str]:
    outputs = [f"output {i}" for i in range(len(results.outputs))]
    return outputs + [f"state {i}" for i in range(len(results.states))]


def random_arguments(
    graph: Graph, seed: int, scale: float = 1.0, special: bool = False
) -> tuple[list[Array], list[Array]]:
    """Random inputs and states for a graph, with sizes that satisfy its facts.

    Floats are normal with deviation ``scale`` (with ``special``, some are NaN, infinite, denormal or zeros), integers
    small, bools fair.
    """
    rng = np.random.default_rng(seed)
    sizes = random_sizes(graph, rng)

    def array(value: Value) -> Array:
        shape = tuple(evaluate(d, sizes) for d in value.shape)
        if value.dtype.is_float:
            data = np.asarray(rng.standard_normal(shape) * scale)
            if special:
                data = np.where(rng.random(shape) < 0.3, rng.choice(SPECIAL, shape), data)
            with np.errstate(all="ignore"):
                return data.astype(value.dtype.np)
        return np.asarray(rng.integers(0, 2 if value.dtype.is_bool else 4, shape)).astype(value.dtype.np)

    return [array(v) for v in graph.inputs], [array(v) for v in graph.states]


def random_sizes(graph: Graph, rng: np.random.Generator) -> dict[str, int]:
    """Small sizes for all symbols that satisfy the facts.

    Raises:
        ValueError: where a thousand random choices do not.
    """
    names = [s.name for s in symbols(d for v in graph.inputs for d in v.shape)]
    for _ in range(1000):
        sizes = {name: int(rng.choice(_SIZES)) for name in names}
        shapes = [tuple(evaluate(d, sizes) for d in v.shape) for v in graph.inputs]
        if all(n >= 0 for shape in shapes for n in shape) and all(
            evaluate(a, sizes) == evaluate(b, sizes) for a, b in graph.facts
        ):
            return sizes
    raise ValueError(f"no small sizes satisfy the facts of graph {graph.name}")


