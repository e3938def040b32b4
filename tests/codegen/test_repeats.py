"""Equal clusters are lowered once, and the plan is the one that lowering each by itself gives."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from symgraph.codegen import compile as compiling
from symgraph.codegen.compile import make_plan
from symgraph.codegen.lower import Lowered, lower_cluster
from symgraph.codegen.plan_text import print_plan
from symgraph.codegen.repeats import Lowerer
from symgraph.explain import kernels_text
from symgraph.ir.graph import Graph
from tests.codegen.models import mlp_step
from tests.codegen.random_graphs import graphs


class Plain(Lowerer):
    """Lowers every cluster by itself."""

    def lower(self, cluster):  # type: ignore[no-untyped-def]
        return lower_cluster(cluster, self._is_array)


def texts(graph: Graph) -> tuple[str, str]:
    plan = make_plan(graph, check=True).plan
    return print_plan(plan), kernels_text(plan)


def check(graph: Graph) -> None:
    together = texts(graph)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "Lowerer", Plain)
        assert texts(graph) == together


@pytest.mark.parametrize("widths", [(784, 512, 512, 10), (6, 6, 6, 6, 6, 6), (4, 9, 4, 9, 4)])
def test_plans_of_networks_stay_the_same(widths: tuple[int, ...]) -> None:
    check(mlp_step(widths))


@settings(max_examples=40, deadline=None)
@given(graphs(nodes=16))
def test_plans_of_random_graphs_stay_the_same(graph: Graph) -> None:
    check(graph)


def test_the_number_of_kernels_does_not_grow_with_the_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def counted(*arguments: object) -> list[Lowered]:
        calls.append(1)
        return lower_cluster(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("symgraph.codegen.repeats.lower_cluster", counted)
    found = []
    for layers in (6, 24):
        calls.clear()
        plan = make_plan(mlp_step((8,) * layers, dropout=0)).plan
        found.append((len(plan.kernels), len(calls)))
        assert len(plan.steps) > 3 * layers
    assert found[0] == found[1]
    assert found[1][1] < 24
