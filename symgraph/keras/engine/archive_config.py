"""Configs of Keras 3's ``.keras`` archives in the form of Keras 2.

Keras 3 wraps every object as ``{"module", "class_name", "config", "registered_name"}``, and writes the calls of layers
as arguments in which tensors stand as ``__keras_tensor__``. Modules are not looked at: nothing is imported by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Config = dict[str, Any]

_MODELS = ("Functional", "Model", "Sequential")
_NEW_KEYS = ("input_axes", "output_axes")  # of initializers; None changes nothing
#: What ``compile`` takes in Keras 3 alone, and does not change results.
_TRAINING = ("optimizer", "loss", "metrics", "loss_weights", "weighted_metrics")


def keras_2_model(described: Mapping[str, Any]) -> Config:
    """``{'class_name', 'config'}`` of a model, with all inside as Keras 2 writes it.

    Raises:
        ValueError: for code, and for calls that Keras 2 cannot write.
    """
    found = _value(described)
    if not isinstance(found, dict) or described.get("class_name") not in _MODELS:
        raise ValueError("The archive's config describes no Sequential and no functional model.")
    return found


def keras_2_training(described: Config) -> Config:
    """A ``training_config`` from the archive's ``compile_config``."""
    found = {key: _value(described.get(key)) for key in _TRAINING}
    optimizer = found.pop("optimizer")
    if isinstance(optimizer, str):
        optimizer = {"class_name": optimizer, "config": {}}
    if isinstance(found["metrics"], list) and len(found["metrics"]) == 1 and isinstance(found["metrics"][0], list):
        found["metrics"] = found["metrics"][0]
    return {"optimizer_config": optimizer, **found}


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return [_value(v) for v in value]
    if not isinstance(value, dict):
        return value
    if "class_name" not in value or "config" not in value:
        return {k: _value(v) for k, v in value.items()}
    name, config = value["class_name"], value["config"]
    if isinstance(name, str) and name in _PLAIN:
        return _PLAIN[name](value)
    if isinstance(config, dict):
        config = {k: v for k, v in config.items() if k not in _NEW_KEYS or v is not None}
        if "hard_sigmoid" in (config.get("activation"), config.get("recurrent_activation")):
            raise ValueError(
                f'Layer "{config.get("name")}": the hard_sigmoid of Keras 3 is x / 6 + 0.5 between 0 and 1, that of '
                "Keras 2 is 0.2 x + 0.5: the model would give other results here."
            )
        config = _network(config) if name in _MODELS and "layers" in config else _value(config)
    kept = {k: value[k] for k in ("name", "inbound_nodes") if k in value}
    return {"class_name": name, "config": config, **kept}


def _code(value: Config) -> Any:
    raise ValueError("The archive holds Python code of a lambda, which is not run: it could do anything.")


#: What stands in configs for values that JSON does not have, by how it is marked.
_PLAIN: dict[str, Callable[[Config], Any]] = {
    "__lambda__": _code,
    "__numpy__": lambda value: value["config"]["value"],
    "__tensor__": lambda value: value["config"]["value"],
    "__tuple__": lambda value: tuple(_value(v) for v in value.get("items") or value["config"] or ()),
    "function": lambda value: value["config"],
}


def _network(config: Config) -> Config:
    """The config of a model: its layers, their calls, and where inputs and outputs are."""
    found = {k: _value(v) for k, v in config.items() if k in ("name", "trainable", "build_input_shape")}
    found["layers"] = [_value(layer) for layer in config["layers"]]
    for layer in found["layers"]:
        if "inbound_nodes" in layer:
            layer["inbound_nodes"] = [_node(node, layer["name"]) for node in layer["inbound_nodes"]]
    for key in ("input_layers", "output_layers"):
        if key in config:
            found[key] = _coordinates(config[key])
    return found


def _coordinates(value: Any) -> list[Any]:
    """``[layer, node, tensor]`` of each tensor, in whatever they are nested."""
    if isinstance(value, dict):
        value = list(value.values())
    if len(value) == 3 and isinstance(value[0], str):
        return [value]
    return [place for v in value for place in _coordinates(v)]


def _tensors(value: Any) -> list[list[Any]] | None:
    """The places of a tensor, or of a list of them; None for anything else."""
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        return [list(value["config"]["keras_history"])]
    if isinstance(value, list) and value:
        parts = [_tensors(v) for v in value]
        return None if None in parts else [place for part in parts for place in part or []]
    return None


def _node(node: Any, layer: str) -> list[Any]:
    """A call as ``[[layer, node, tensor, arguments], ...]``."""
    args, kwargs = list(node["args"]), dict(node["kwargs"])
    if not args and kwargs:
        args = [kwargs.pop(next(iter(kwargs)))]
    tensors = _tensors(args[0]) if args else None
    if tensors is None:
        raise ValueError(f'Layer "{layer}": the archive has a call of it without an input tensor.')
    states = kwargs.pop("initial_state", None)
    if states is not None:
        tensors += _tensors(states) or []
    arguments = {k: v for k, v in kwargs.items() if v is not None}
    rest = [v for v in args[1:] if v is not None]
    if rest or any(_tensors(v) is not None for v in arguments.values()):
        raise ValueError(f'Layer "{layer}": the archive has a call of it with arguments that Keras 2 has no place for.')
    return [[*place, arguments] for place in tensors]
