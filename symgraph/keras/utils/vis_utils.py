"""Pictures of models, as ``keras.utils.vis_utils``: DOT, SVG, PNG, PDF and what else graphviz writes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ...plotting.diagram import Arrow, Box, Cluster, Diagram, Item
from ...plotting.dot import to_cluster, to_dot
from ...plotting.output import write
from ..engine.input_layer import InputLayer
from ..engine.training import Model
from ..layers.wrappers import Wrapper

if TYPE_CHECKING:
    import pydot


def is_model(layer: Any) -> bool:
    """Whether a layer is itself a model."""
    return isinstance(layer, Model)


def is_wrapped_model(layer: Any) -> bool:
    """Whether a layer wraps a model (``TimeDistributed(model)``)."""
    return isinstance(layer, Wrapper) and is_model(layer.layer)


def add_edge(dot: Any, src: str, dst: str) -> None:
    """Add an edge to a ``pydot`` graph that has none between these nodes."""
    import pydot

    if not dot.get_edge(src, dst):
        dot.add_edge(pydot.Edge(src, dst))


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 96,
    subgraph: bool = False,
) -> pydot.Dot | pydot.Cluster:
    """The model as a ``pydot.Dot``, or as a ``pydot.Cluster`` with ``subgraph``.

    Args:
        show_shapes: show the input and output shapes of each layer.
        show_layer_names: show names beside classes.
        rankdir: ``"TB"`` draws downwards, ``"LR"`` to the right.
        expand_nested: draw the layers of models inside the model.
        dpi: dots per inch of a bitmap.
    """
    diagram = model_diagram(model, show_shapes, show_layer_names, rankdir, expand_nested)
    return to_cluster(diagram, model.name) if subgraph else to_dot(diagram, dpi)


def plot_model(
    model: Any,
    to_file: str | os.PathLike[str] = "model.png",
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 96,
) -> Any:
    """Draw a model to a file; its ending says how (``.png``, ``.svg``, ``.pdf``, ``.dot`` ...).

    Without graphviz's ``dot`` on this machine, ``.svg`` and ``.dot`` work still.

    Returns:
        An image for the notebook where there is IPython and a bitmap was written, else None.

    Raises:
        ValueError: for a model that is not built yet, a direction or an ending that is unknown.
        TargetError: for a format that needs ``dot`` where there is none.
    """
    diagram = model_diagram(model, show_shapes, show_layer_names, rankdir, expand_nested)
    path = write(diagram, to_file, dpi)
    try:
        from IPython import display
    except ImportError:
        return None
    return display.Image(filename=str(path)) if path.suffix in (".png", ".jpg", ".jpeg", ".gif") else None


def model_diagram(
    model: Any,
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
) -> Diagram:
    """The layers of a model as boxes, its nodes as arrows."""
    drawing = _Drawing(show_shapes, show_layer_names, expand_nested)
    items = drawing.draw(model, prefix="")
    return Diagram(items, tuple(dict.fromkeys(drawing.arrows)), rankdir, title=model.name)


class _Drawing:
    """Collects the items and arrows of one diagram.

    A model drawn with its layers has several boxes where arrows enter and leave it; any other layer has one.
    """

    def __init__(self, show_shapes: bool, show_layer_names: bool, expand_nested: bool) -> None:
        self.show_shapes = show_shapes
        self.show_layer_names = show_layer_names
        self.expand_nested = expand_nested
        self.arrows: list[Arrow] = []

    def draw(self, model: Any, prefix: str) -> tuple[Item, ...]:
        if not model.built:
            model.build()
        if not model.built:
            raise ValueError(
                "This model has not yet been built. Build the model first by calling build() or calling fit() with "
                "some data. Or specify input_shape or batch_input_shape in the first layer for automatic build. "
            )
        layers = list(getattr(model, "_layers", model.layers))
        entries: dict[int, list[str]] = {}
        exits: dict[int, list[list[str]]] = {}  # for each output of the layer
        items: list[Item] = []
        for layer in layers:
            key = prefix + layer.name
            inner = layer.layer if is_wrapped_model(layer) else layer
            if self.expand_nested and is_model(inner):
                items.append(Cluster(key, self._title(layer), self.draw(inner, key + "/")))
                entries[id(layer)] = [f"{key}/{x._keras_history[0].name}" for x in inner.inputs]
                exits[id(layer)] = [self._exits(f"{key}/", x) for x in inner.outputs]
            else:
                items.append(Box(key, self._title(layer), self._fields(layer), _kind(layer)))
                entries[id(layer)] = [key]
                exits[id(layer)] = [[key]]
        own = model._network_nodes
        for layer in layers:
            for index, node in enumerate(layer._inbound_nodes):
                if f"{layer.name}_ib-{index}" in own:
                    self._connect(node, entries[id(layer)], exits)
        return tuple(items)

    def _exits(self, prefix: str, tensor: Any) -> list[str]:
        """The boxes in which an output of a drawn model is made."""
        layer, _, tensor_index = tensor._keras_history
        inner = layer.layer if is_wrapped_model(layer) else layer
        if not is_model(inner):
            return [prefix + layer.name]
        outputs = inner.outputs[tensor_index : tensor_index + 1] or inner.outputs
        return [key for x in outputs for key in self._exits(f"{prefix}{layer.name}/", x)]

    def _connect(self, node: Any, entries: list[str], exits: dict[int, list[list[str]]]) -> None:
        for i, (source, tensor_index) in enumerate(zip(node.inbound_layers, node.tensor_indices, strict=True)):
            if id(source) not in exits:
                continue
            made_by = exits[id(source)][min(tensor_index, len(exits[id(source)]) - 1)]
            self.arrows.extend(Arrow(key, entries[min(i, len(entries) - 1)]) for key in made_by)

    def _title(self, layer: Any) -> str:
        name, kind = layer.name, type(layer).__name__
        if hasattr(layer, "layer"):
            if self.show_layer_names:
                name = f"{name}({layer.layer.name})"
            kind = f"{kind}({type(layer.layer).__name__})"
        return f"{name}: {kind}" if self.show_layer_names else kind

    def _fields(self, layer: Any) -> tuple[tuple[str, str], ...]:
        if not self.show_shapes:
            return ()
        return ("input:", _shape(layer, "input")), ("output:", _shape(layer, "output"))


def _kind(layer: Any) -> str:
    return "input" if isinstance(layer, InputLayer) else "plain"


def _shape(layer: Any, side: str) -> str:
    """The one shape at a side of a layer; ``multiple`` where its calls differ."""
    try:
        return str(getattr(layer, f"{side}_shape"))
    except AttributeError:
        return "multiple"
