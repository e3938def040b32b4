"""``fn.explain()`` shows every stage."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

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
    assert plan.startswith("plan @step(in0; state0) dims(N) {")
    assert "state[0]  # 48 bytes" in plan
    assert "dense_1" in plan
    assert len(section(text, f"target {fn.options.target}")) > 100


def test_the_graphs_shown_read_back(fn: sg.Function) -> None:
    text = fn.explain()
    assert equal_graphs(parse_graph(section(text, "graph as built")), fn.stages.imported)
    assert equal_graphs(parse_graph(section(text, "graph after the passes")), fn.stages.optimized)
    assert equal_graphs(parse_graph(fn.debugprint()), fn.stages.optimized)


class Page(HTMLParser):
    """Counts the tags of a page, checks that they are closed in order, and keeps what it refers to."""

    VOID = ("meta", "rect", "path", "polygon", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.links: list[str] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.links += [v or "" for k, v in attrs if k in ("href", "src")]
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_is_whole_and_needs_nothing_else(fn: sg.Function, tmp_path: Path) -> None:
    path = fn.explain().save(tmp_path / "report.html")
    page = Page(path.read_text())
    ids = ["overview", "passes", "graphs", "clusters", "plan", "memory", "kernels", "drawings"]
    assert page.links == [f"#{name}" for name in ids]
    assert page.tags["script"] == page.tags["link"] == page.tags["img"] == 0
    assert page.tags["section"] == len(ids)
    assert page.tags["svg"] >= 4
    text = "".join(page.text)
    assert "log_of_softmax" in text and "inexact" in text and "dense_1" in text
    for kernel in fn.stages.plan.kernels.values():
        assert f"kernel {kernel.name}" in text
    if fn.options.target == "llvm":
        assert "define void @sg_" in text and ".globl" in text
    else:
        assert "def kernel(" in text
    assert "<iframe" in fn.explain()._repr_html_()


def test_the_text_can_be_saved_too(fn: sg.Function, tmp_path: Path) -> None:
    assert fn.explain().save(tmp_path / "report.txt").read_text() == fn.explain()


def test_loops_have_a_memory_of_their_own_in_the_page() -> None:
    x = sg.placeholder((None, 3), name="x")
    with sg.name_scope("rnn"):
        states, _ = sg.scan(lambda row, h: sg.softmax(row + h * h.sum()), sequences=[x], outputs_info=[sg.ones((3,))])
    page = sg.function([x], states.sum()).explain().html()
    assert "the plan: " in page and "loop N times" in page
