"""``plot_model`` and ``model_to_dot``."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from symgraph.keras.layers import Activation, Dense, Dropout, Input
from symgraph.keras.models import Model, Sequential
from symgraph.keras.utils import model_to_dot, plot_model
from symgraph.keras.utils.vis_utils import model_diagram
from symgraph.plotting import output
from symgraph.plotting.diagram import Box, Cluster, Diagram, boxes_of


def arrows(diagram: Diagram) -> set[tuple[str, str]]:
    return {(a.source, a.target) for a in diagram.arrows}


def sequential() -> Sequential:
    layers = [
        Dense(8, activation="relu", input_shape=(4,), name="first"),
        Dropout(0.2, name="drop"),
        Dense(2, name="last"),
    ]
    return Sequential(layers, name="stack")


def test_a_sequential_model_is_a_chain_that_starts_with_its_input() -> None:
    diagram = model_diagram(sequential())
    boxes = list(boxes_of(diagram.items))
    assert [b.key for b in boxes] == ["first_input", "first", "drop", "last"]
    assert [b.title for b in boxes][:2] == ["first_input: InputLayer", "first: Dense"]
    assert arrows(diagram) == {("first_input", "first"), ("first", "drop"), ("drop", "last")}


def test_shapes_and_names_can_be_shown_or_not() -> None:
    shown = {b.key: b for b in boxes_of(model_diagram(sequential(), show_shapes=True).items)}
    assert shown["first"].fields == (("input:", "(None, 4)"), ("output:", "(None, 8)"))
    assert [b.title for b in boxes_of(model_diagram(sequential(), show_layer_names=False).items)] == [
        "InputLayer", "Dense", "Dropout", "Dense",
    ]  # fmt: skip


def functional() -> Model:
    """Two inputs, a shared layer, two outputs."""
    a, b = Input((4,), name="a"), Input((4,), name="b")
    shared = Dense(3, name="shared")
    x, y = shared(a), shared(b)
    return Model([a, b], [Activation("relu", name="relu")(x), Dense(2, name="out")(y)], name="functional")


def test_a_shared_layer_is_one_box_with_all_its_arrows() -> None:
    diagram = model_diagram(functional(), show_shapes=True)
    assert arrows(diagram) == {("a", "shared"), ("b", "shared"), ("shared", "relu"), ("shared", "out")}
    boxes = {b.key: b for b in boxes_of(diagram.items)}
    assert boxes["shared"].fields[1] == ("output:", "(None, 3)")


def test_calls_outside_the_model_are_not_drawn() -> None:
    a = Input((4,), name="a")
    layer = Dense(3, name="layer")
    inside = Model(a, layer(a))
    layer(Input((4,), name="elsewhere"))
    assert arrows(model_diagram(inside)) == {("a", "layer")}


def nested() -> Model:
    inner_input = Input((4,), name="inner_input")
    inner = Model(inner_input, Dense(4, name="inner_dense")(inner_input), name="inner")
    outer_input = Input((4,), name="outer_input")
    return Model(outer_input, Dense(2, name="head")(inner(Dense(4, name="stem")(outer_input))), name="outer")


def test_a_nested_model_is_one_box_unless_it_is_expanded() -> None:
    closed = model_diagram(nested())
    assert arrows(closed) == {("outer_input", "stem"), ("stem", "inner"), ("inner", "head")}
    opened = model_diagram(nested(), expand_nested=True)
    (cluster,) = (item for item in opened.items if isinstance(item, Cluster))
    assert cluster.title == "inner: Model"
    assert [b.key for b in cluster.items if isinstance(b, Box)] == ["inner/inner_input", "inner/inner_dense"]
    assert arrows(opened) == {
        ("outer_input", "stem"),
        ("stem", "inner/inner_input"),
        ("inner/inner_input", "inner/inner_dense"),
        ("inner/inner_dense", "head"),
    }


def test_models_in_models_in_models() -> None:
    inner = nested()
    x = Input((4,), name="x")
    diagram = model_diagram(Model(x, inner(x)), expand_nested=True)
    assert ("x", "outer/outer_input") in arrows(diagram)
    assert ("outer/inner/inner_dense", "outer/head") in arrows(diagram)


def test_an_unbuilt_model_says_so() -> None:
    with pytest.raises(ValueError, match="not yet been built"):
        plot_model(Sequential([Dense(3)]))


def test_model_to_dot_gives_pydot_objects() -> None:
    import pydot

    dot = model_to_dot(functional(), show_shapes=True, rankdir="LR", dpi=50)
    assert isinstance(dot, pydot.Dot) and dot.get_rankdir() == "LR"
    assert {(e.get_source(), e.get_destination()) for e in dot.get_edges()} >= {('"a"', '"shared"')}
    labels = [n.get_label() for n in dot.get_nodes() if n.get_name() == '"shared"']
    assert "input:" in labels[0] and "3" in labels[0]
    cluster = model_to_dot(functional(), subgraph=True)
    assert isinstance(cluster, pydot.Cluster)
    whole = pydot.Dot(graph_type="digraph")
    whole.add_subgraph(cluster)
    assert "subgraph" in whole.to_string()


def test_plot_model_writes_svg_without_graphviz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output.shutil, "which", lambda name: None)
    assert plot_model(nested(), tmp_path / "model.svg", show_shapes=True, expand_nested=True) is None
    root = ET.parse(tmp_path / "model.svg").getroot()
    texts = {t.text for t in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"inner: Model", "stem: Dense", "(None, 2)", "input:"} <= texts
    plot_model(nested(), tmp_path / "model.dot")
    assert '"stem" -> "inner"' in (tmp_path / "model.dot").read_text()
