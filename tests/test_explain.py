"""``fn.explain()`` shows every stage."""

from __future__ import annotations

import re

import numpy as np
import pytest

import symgraph as sg
from symgraph.ir.compare import equal_graphs
from symgraph.ir.parser import parse_graph


@pytest.fixture(params=["numpy", "llvm"])
def fn(request: pytest.FixtureRequest) -> sg.Function:
    x = sg.placeholder((None, 4), name="x")
    w = sg.variable(np.ones((4, 3), "float32"), name="w")
    with sg.name_scope("dense_1"):
        p = sg.softmax(sg.dot(x, w))
    return sg.function([x], [sg.log(p)], updates=[(w, w * 0.5)], target=request.param, name="step")


def section(text: str, title: str) -> str:
    found = re.search(rf"^== {title} =+\n(.*?)(?=^== |\Z)", text, re.S | re.M)
    assert found is not None, f"no section {title}"
    return found[1]


def test_every_stage_is_shown(fn: sg.Function) -> None:
    text = fn.explain()
    assert "log_softmax" not in section(text, "graph as built")
    assert "1 x log_of_softmax [inexact] log(softmax(x)) = log_softmax(x)" in section(text, "passes")
    assert "contract" in section(text, "clusters and memory")
    assert "kernel " in section(text, "kernels")
    assert "# called by 1 step(s)" in section(text, "kernels")
    plan = section(text, "plan")
    assert plan.startswith("plan @step dims(N) {")
    assert "state[0], 48 bytes" in plan
    assert "dense_1" in plan
    assert len(section(text, f"target {fn.options.target}")) > 100


def test_the_graphs_shown_read_back(fn: sg.Function) -> None:
    text = fn.explain()
    assert equal_graphs(parse_graph(section(text, "graph as built")), fn.stages.imported)
    assert equal_graphs(parse_graph(section(text, "graph after the passes")), fn.stages.optimized)
    assert equal_graphs(parse_graph(fn.debugprint()), fn.stages.optimized)
