"""Layered layouts, SVG, DOT, and pictures of graphs."""

from __future__ import annotations

import itertools
import random
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import symgraph as sg
from symgraph.plot import diagram_of, graph_diagram, plot
from symgraph.plotting import output
from symgraph.plotting.coordinates import nearest_in_order
from symgraph.plotting.diagram import Arrow, Box, Cluster, Diagram, boxes_of
from symgraph.plotting.dot import to_dot
from symgraph.plotting.layout import Layout, lay_out
from symgraph.plotting.levels import Rect
from symgraph.plotting.ordering import Ranking, crossings, order
from symgraph.plotting.ranks import acyclic, assign
from symgraph.plotting.svg import measure, to_svg
from symgraph.plotting.text import text_width

SVG = "{http://www.w3.org/2000/svg}"


def random_diagram(seed: int, direction: str = "TB") -> Diagram:
    """Some forty boxes, one cluster of six, and arrows from earlier to later boxes."""
    rng = random.Random(seed)
    boxes = [
        Box(f"b{i}", f"layer number {i}: {'X' * rng.randrange(8)}", (("in:", "(None, 3)"),) * (i % 3))
        for i in range(40)
    ]
    arrows = [Arrow(f"b{rng.randrange(max(0, i - 9), i)}", f"b{i}") for i in range(1, 40) for _ in range(1 + i % 2)]
    return Diagram((*boxes[:17], Cluster("c", "inner", tuple(boxes[17:23])), *boxes[23:]), tuple(arrows), direction)


def overlap(a: Rect, b: Rect) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.bottom and b.y < a.bottom


def contains(outer: Rect, inner: Rect) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.x + inner.width <= outer.x + outer.width
        and inner.bottom <= outer.bottom
    )


@pytest.mark.parametrize("direction", ["TB", "BT", "LR", "RL"])
@pytest.mark.parametrize("seed", range(4))
def test_boxes_never_overlap_and_stay_in_the_picture(seed: int, direction: str) -> None:
    diagram = random_diagram(seed, direction)
    layout = lay_out(diagram, measure)
    picture = Rect(0, 0, layout.width, layout.height)
    for a, b in itertools.combinations(layout.boxes.values(), 2):
        assert not overlap(a, b)
    inside = {f"b{i}" for i in range(17, 23)}
    frame = layout.frames["c"]
    for key, rect in layout.boxes.items():
        assert contains(picture, rect)
        assert contains(frame, rect) if key in inside else not overlap(frame, rect)
    for box in boxes_of(diagram.items):
        assert (layout.boxes[box.key].width, layout.boxes[box.key].height) == pytest.approx(measure(box))


def border(layout: Layout, key: str, x: float, y: float) -> bool:
    """Whether a point lies on the border of a box."""
    r = layout.boxes[key]
    on_side = min(abs(x - r.x), abs(x - r.x - r.width)) < 0.01 and r.y - 0.01 <= y <= r.bottom + 0.01
    on_edge = min(abs(y - r.y), abs(y - r.bottom)) < 0.01 and r.x - 0.01 <= x <= r.x + r.width + 0.01
    return on_side or on_edge


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_arrows_join_borders_and_point_forward(direction: str) -> None:
    diagram = random_diagram(7, direction)
    layout = lay_out(diagram, measure)
    along = 1 if direction == "TB" else 0
    for arrow, route in zip(diagram.arrows, layout.routes, strict=True):
        assert border(layout, arrow.source, *route[0]) and border(layout, arrow.target, *route[-1])
        steps = [point[along] for point in route]
        assert all(after >= before - 1e-6 for before, after in itertools.pairwise(steps))


def test_arrows_pass_between_boxes() -> None:
    diagram = Diagram(
        tuple(Box(k, k * 8) for k in "abcd"), (Arrow("a", "b"), Arrow("b", "c"), Arrow("c", "d"), Arrow("a", "d"))
    )
    layout = lay_out(diagram, measure)
    for x, y in layout.routes[3][1:-1]:
        assert not any(r.x < x < r.x + r.width and r.y < y < r.bottom for r in layout.boxes.values())
    xs = {round(x, 3) for x, _ in layout.routes[3][2:-2]}
    assert len(xs) == 1  # a long arrow is straight


def test_cycles_and_loops_are_drawn() -> None:
    diagram = Diagram(tuple(Box(k, k) for k in "abc"), tuple(Arrow(*p) for p in ("ab", "bc", "ca", "bb")))
    layout = lay_out(diagram, measure)
    assert all(len(route) >= 2 for route in layout.routes)
    assert layout.boxes["a"].y < layout.boxes["b"].y < layout.boxes["c"].y
    start, end = layout.routes[2][0], layout.routes[2][-1]
    assert start[1] > end[1]  # from c up to a


@pytest.mark.parametrize("seed", range(5))
def test_ranks_put_every_edge_forward(seed: int) -> None:
    rng = random.Random(seed)
    edges = [(rng.randrange(20), rng.randrange(20)) for _ in range(40)]
    turned = acyclic(20, edges)
    assert [sorted(e) for e in turned] == [sorted(e) for e in edges]
    rank = assign(20, turned)
    assert min(rank) == 0
    assert all(rank[s] < rank[t] for s, t in turned if s != t)


def test_ranks_shorten_edges() -> None:
    # 0 -> 1 -> 2 -> 3, and a source 4 needed by 3 only: it stands just above 3.
    assert assign(5, [(0, 1), (1, 2), (2, 3), (4, 3)]) == [0, 1, 2, 3, 2]


def test_order_untangles_a_planar_graph() -> None:
    rank = [0] * 6 + [1] * 6
    ranking = Ranking(rank, [(i, 6 + (5 * i) % 6) for i in range(6)] + [(i, 6 + (5 * (i + 1)) % 6) for i in range(5)])
    order(ranking)
    assert crossings(ranking) == 0


def test_crossings_are_counted() -> None:
    ranking = Ranking([0, 0, 0, 1, 1, 1], [])
    ranking.rows = [[0, 1, 2], [3, 4, 5]]
    ranking.renumber()
    ranking.below = [[5], [4], [3], [], [], []]
    assert crossings(ranking) == 3


@pytest.mark.parametrize("seed", range(5))
def test_nearest_in_order_is_the_constrained_least_squares_answer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    wishes, weights, distances = rng.normal(size=6) * 9, rng.uniform(0.2, 3, 6), rng.uniform(1, 4, 5)
    found = np.array(nearest_in_order(list(wishes), list(weights), list(distances)))
    assert (np.diff(found) >= distances - 1e-9).all()
    best = float(np.sum(weights * (found - wishes) ** 2))
    for _ in range(500):  # no feasible neighbour is better
        other = found + rng.normal(size=6) * 0.1
        other = np.array(nearest_in_order(list(other), [1.0] * 6, list(distances)))
        assert float(np.sum(weights * (other - wishes) ** 2)) >= best - 1e-9


def test_svg_keeps_text_inside_its_box() -> None:
    diagram = random_diagram(3)
    root = ET.fromstring(to_svg(diagram))
    groups = root.findall(f"{SVG}g")
    assert len(groups) == 40
    for group in groups:
        rect = group.find(f"{SVG}rect")
        assert rect is not None
        left, width = float(rect.attrib["x"]), float(rect.attrib["width"])
        for text in group.findall(f"{SVG}text"):
            half = text_width(text.text or "", float(text.attrib["font-size"])) / 2
            assert left < float(text.attrib["x"]) - half and float(text.attrib["x"]) + half < left + width


def test_svg_escapes_text_and_scales_with_dpi() -> None:
    diagram = Diagram((Box("a", 'x < "y" & z', (("<in>", "a>b"),)),), (), title="<model>")
    root = ET.fromstring(to_svg(diagram))
    assert [t.text for t in root.iter(f"{SVG}text")] == ['x < "y" & z', "<in>", "a>b"]
    large = ET.fromstring(to_svg(diagram, dpi=192))
    assert float(large.attrib["width"]) == pytest.approx(2 * float(root.attrib["width"]))
    assert large.attrib["viewBox"] == root.attrib["viewBox"]


def test_an_empty_diagram_is_a_picture() -> None:
    assert ET.fromstring(to_svg(Diagram((), ()))).tag == f"{SVG}svg"


def test_dot_text_names_boxes_clusters_and_arrows() -> None:
    inner = Cluster("m", "inner model", (Box("x/1", "a|b {c}"),))
    text = to_dot(Diagram((Box("in", "in", (("input:", "(3,)"),)), inner), (Arrow("in", "x/1"),), "LR"), 72).to_string()
    assert "rankdir=LR" in text and "dpi=72" in text
    assert '"in" -> "x/1"' in text
    assert 'label="inner\\ model"' in text or 'label="inner model"' in text
    assert r"a\|b\ \{c\}" in text and "{input:}|{(3,)}" in text


def test_diagrams_check_directions_and_arrows() -> None:
    with pytest.raises(ValueError, match="rankdir is 'UP'; it is one of TB, BT, LR, RL"):
        Diagram((), (), "UP")
    with pytest.raises(ValueError, match="one of them is no box"):
        Diagram((Box("a", "a"),), (Arrow("a", "b"),))


def test_without_graphviz_svg_and_dot_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output.shutil, "which", lambda name: None)
    diagram = Diagram((Box("a", "a"),), ())
    assert output.write(diagram, tmp_path / "g.svg").read_text().startswith("<svg")
    assert "digraph" in output.write(diagram, tmp_path / "g.dot").read_text()
    with pytest.raises(sg.TargetError, match=r"'g.png' needs graphviz's program `dot`.*\.svg"):
        output.write(diagram, tmp_path / "g")
    with pytest.raises(sg.ArgumentError, match="no format 'xyz'"):
        output.write(diagram, tmp_path / "g.xyz")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["g.dot", "g.svg"]


def test_graphviz_is_used_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "dot"
    program.write_text('#!/bin/sh\necho "$1"; cat\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    text = output.write(Diagram((Box("a", "a"),), ()), tmp_path / "g.pdf").read_text()
    assert text.startswith("-Tpdf\ndigraph")
    program.write_text('#!/bin/sh\necho "syntax error" >&2; exit 3\n')
    with pytest.raises(sg.TargetError, match=r"graphviz could not draw 'g\.pdf': syntax error"):
        output.write(Diagram((Box("a", "a"),), ()), tmp_path / "g.pdf")


def test_graph_of_tensors() -> None:
    x = sg.placeholder((None, 3), name="pixels")
    w = sg.variable(np.ones((3, 2), np.float32), name="kernel")
    with sg.name_scope("dense_1"):
        y = sg.tanh(sg.dot(x, w)) * 2.0
    diagram = graph_diagram(y)
    boxes = {box.title.split(" [")[0]: box for box in boxes_of(diagram.items)}
    assert boxes["pixels"].kind == "input" and boxes["kernel"].kind == "state"
    assert boxes["2.0"].kind == "constant" and boxes["mul"].kind == "output"
    assert ("", "dense_1") in boxes["tanh"].fields
    joined = {(a.source, a.target) for a in diagram.arrows}
    assert (boxes["pixels"].key, boxes["contract"].key) in joined and (
        boxes["kernel"].key,
        boxes["contract"].key,
    ) in joined


def test_each_use_of_a_scalar_has_its_own_box() -> None:
    x = sg.placeholder((3,), name="x")
    diagram = graph_diagram([(x + 2.0) * 2.0, x - 2.0])
    assert sum(box.kind == "constant" for box in boxes_of(diagram.items)) >= 2


def test_plot_writes_functions(tmp_path: Path) -> None:
    x = sg.placeholder((None,), name="x")
    function = sg.function([x], sg.exp(x) + 1.0)
    path = plot(function, tmp_path / "f.dot")
    assert '"x' in path.read_text()
    with pytest.raises(sg.ArgumentError, match="plot takes a function, a graph or tensors, got int"):
        plot(3, tmp_path / "f.dot")  # type: ignore[arg-type]


@pytest.mark.parametrize("direction", ["TB", "RL"])
def test_arrows_out_of_a_cluster_pass_what_stands_in_the_way(direction: str) -> None:
    inside = Cluster("c", "inner", tuple(Box(k, k * 9) for k in "bcd"))
    pairs = ("ab", "bc", "cd", "be", "de", "ac")
    diagram = Diagram((Box("a", "a"), inside, Box("e", "e")), tuple(Arrow(*p) for p in pairs), direction)
    layout = lay_out(diagram, measure)
    for (source, target), route in zip(pairs, layout.routes, strict=True):
        assert border(layout, source, *route[0]) and border(layout, target, *route[-1])
        others = [rect for key, rect in layout.boxes.items() if key not in (source, target)]
        assert not any(r.x < x < r.x + r.width and r.y < y < r.bottom for x, y in route for r in others)


@pytest.mark.parametrize("target", ["llvm", "numpy"])
def test_levels_of_a_function(target: str, tmp_path: Path) -> None:
    x = sg.placeholder((None, 3), name="x")
    w = sg.variable(np.ones((3, 3), "float32"), name="w")
    with sg.name_scope("rnn"):
        states, _ = sg.scan(lambda row, h: sg.tanh(row + sg.dot(h, w)), sequences=[x], outputs_info=[sg.ones((3,))])
    fn = sg.function([x], [states[-1], x.sum()], updates=[(w, w * 0.5)], target=target)
    clusters = diagram_of(fn, level="cluster")
    frames = [item for item in clusters.items if isinstance(item, Cluster)]
    assert len(frames) == len(fn.stages.lowering.clusters.clusters)
    assert len(list(boxes_of(clusters.items))) == len(list(boxes_of(graph_diagram(fn).items)))
    kernels = diagram_of(fn, level="kernel")
    titles = [box.title for box in boxes_of(kernels.items)]
    assert sum(": " in title for title in titles) == sum(1 for _ in fn.stages.plan.calls())
    assert {"input 0", "state 0", "output 0", "output 1"} <= set(titles)
    (loop,) = [item for item in kernels.items if isinstance(item, Cluster)]
    assert loop.title.startswith("loop ")
    into = {arrow.target for arrow in kernels.arrows}
    assert {"result0", "result1"} <= into
    for level in ("cluster", "kernel"):
        ET.parse(plot(fn, tmp_path / f"{level}.svg", level=level))
        assert "digraph" in plot(fn, tmp_path / f"{level}.dot", level=level).read_text()


def test_levels_that_there_are_not(tmp_path: Path) -> None:
    x = sg.placeholder((3,), name="x")
    with pytest.raises(sg.ArgumentError, match="the levels are: graph, cluster, kernel"):
        plot(sg.function([x], x + 1), tmp_path / "a.svg", level="atom")
    with pytest.raises(sg.ArgumentError, match="only compiled functions have a kernel level"):
        plot(x + 1, tmp_path / "a.svg", level="kernel")
