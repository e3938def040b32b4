"""Trees of text, networkx graphs, and the pictures that notebooks show."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import symgraph as sg
from symgraph.keras import layers, models


def function_of_two() -> sg.Function:
    x = sg.placeholder((None, 3), name="x")
    w = sg.variable(np.ones((3, 2), "float32"), name="w")
    with sg.name_scope("dense"):
        y = sg.tanh(sg.dot(x, w))
    return sg.function([x], [y, y.sum()], updates=[(w, w * 0.5)], name="two")


def test_a_tree_names_repeated_nodes() -> None:
    x = sg.placeholder((3,), name="x")
    e = sg.exp(x)
    assert sg.debugprint(e * e + 1, file="str").splitlines() == [
        "add [id A] f32[3]",
        " |mul [id B] f32[3]",
        " | |exp [id C] f32[3]",
        " | | |x [id D] f32[3]",
        " | |exp [id C] f32[3] ...",
        " |broadcast [id E] f32[3]",
        " | |1.0 [id F] f32[]",
    ]
    assert sg.debugprint(e * e, depth=2, file="str").count("\n") == 2


def test_a_function_prints_its_outputs_and_updates(capsys: pytest.CaptureFixture[str]) -> None:
    fn = function_of_two()
    sg.debugprint(fn)
    text = capsys.readouterr().out
    assert "tanh [id A] f32[N,2]  <- output 0" in text
    assert "<- output 1" in text and "<- new value of w" in text
    stream = io.StringIO()
    sg.debugprint(fn.stages.imported, file=stream)
    assert "<- output 1" in stream.getvalue()


def test_deep_graphs_print() -> None:
    x = sg.placeholder((), name="x")
    y = x
    for _ in range(3000):
        y = sg.sin(y)
    assert sg.debugprint(y, file="str").count("\n") == 3000


def test_networkx_of_all_kinds() -> None:
    fn = function_of_two()
    graph = fn.to_networkx()
    assert len(graph) == len(fn.stages.optimized.nodes)
    assert {data["op"] for _, data in graph.nodes(data=True)} >= {"input", "state", "contract", "tanh"}
    x = sg.placeholder((3,), name="x")
    small = sg.to_networkx(sg.exp(x) * 2)
    assert sorted(data["op"] for _, data in small.nodes(data=True)) == ["broadcast", "constant", "exp", "input", "mul"]
    assert small.number_of_edges() == 4


def test_wrong_things() -> None:
    for look in (sg.debugprint, sg.to_networkx):
        with pytest.raises(sg.ArgumentError, match="got int"):
            look(3)  # type: ignore[arg-type]


def test_pictures_for_notebooks() -> None:
    fn = function_of_two()
    x = sg.placeholder((3,), name="x")
    for what in (fn, fn.stages.optimized, sg.exp(x)):
        picture = what._repr_svg_()
        assert picture is not None and ET.fromstring(picture).tag.endswith("svg")
    y = x
    for _ in range(300):
        y = sg.sin(y)
    assert y._repr_svg_() is None


def test_pictures_of_models() -> None:
    model = models.Sequential([layers.Dense(4, input_shape=(3,), name="first"), layers.Dense(2, name="second")])
    picture = model._repr_svg_()
    assert picture is not None and "first" in picture and "(None, 2)" in picture
    assert models.Sequential()._repr_svg_() is None


def test_profiling_and_guarding_models(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")
    model = models.Sequential([layers.Dense(4, input_shape=(3,), name="first"), layers.Dense(1, name="second")])
    model.compile("sgd", "mse")
    with model.train_function.profile() as report:
        model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    assert report.calls == 4
    assert {"first", "second"} <= {row.layer for row in report.layers}
    assert "backward+update" in report.phases
    monkeypatch.setenv("SYMGRAPH_NAN_GUARD", "1")
    guarded = models.Sequential([layers.Dense(1, input_shape=(3,), name="only")])
    guarded.compile("sgd", "mse")
    guarded.fit(x, y, verbose=0)
    with pytest.raises(sg.NonFiniteError, match=r"_train: .* NaN in what step(.|\n)* of only"):
        guarded.fit(x * np.nan, y, verbose=0)
