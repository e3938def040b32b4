"""One model run on several devices at once, each with a part of the batch, as ``keras.utils.multi_gpu_utils``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..engine.training import Model
from ..layers.core import Lambda
from ..layers.merge import concatenate
from ..models import clone_model
from .generic_utils import to_list

__all__ = ["Lambda", "Model", "clone_model", "concatenate", "multi_gpu_model", "to_list"]
#: What this engine compiles for.
_DEVICES = ("/cpu:0",)


def multi_gpu_model(
    model: Any, gpus: int | Sequence[int | str] | None = None, cpu_merge: bool = True, cpu_relocation: bool = False
) -> Any:
    """A model that cuts each batch into parts, runs ``model`` on each, and joins the outputs in order.

    The weights are those of ``model``: save that one. This engine has no GPUs yet, so that numbers of GPUs are refused
    as Keras refuses them on such a machine; devices can be given by name too, and ``'cpu:0'`` may be among them more
    than once.

    Args:
        model: a built model with fixed inputs; every sample's output must depend on that sample only.
        gpus: number of GPUs (at least two; by default all), or a list of their numbers, or of names of devices.
        cpu_merge, cpu_relocation: where outputs are joined and weights live; both are always on the CPU here.

    Raises:
        ValueError: for fewer than two devices, or devices that this machine does not have.

    Example:
        >>> from symgraph.keras.layers import Dense
        >>> from symgraph.keras.models import Sequential
        >>> parallel = multi_gpu_model(Sequential([Dense(3, input_shape=(2,))]), gpus=["cpu:0", "cpu:0"])
        >>> parallel.output_shape
        (None, 3)
    """
    targets = _targets(gpus)
    asked = gpus if gpus else len(targets)
    needed = list(dict.fromkeys(["/cpu:0", *targets]))
    for device in needed:
        if device not in _DEVICES:
            raise ValueError(
                f"To call `multi_gpu_model` with `gpus={asked}`, we expect the following devices to be available: "
                f"{needed}. However this machine only has: {list(_DEVICES)}. Try reducing `gpus`."
            )
    parts = len(targets)
    replicas = []
    for i in range(parts):
        sliced = [Lambda(get_slice, arguments={"i": i, "parts": parts})(x) for x in model.inputs]
        replicas.append(to_list(model(sliced if len(sliced) > 1 else sliced[0])))
    names = model.output_names
    merged = [concatenate(list(pieces), axis=0, name=name) for name, *pieces in zip(names, *replicas, strict=True)]
    return Model(model.inputs, merged)


def get_slice(data: Any, i: int, parts: int) -> Any:
    """Part ``i`` of a batch; the last one has what is left over."""
    size = data.shape[0] // parts
    return data[i * size :] if i == parts - 1 else data[i * size : (i + 1) * size]


def _targets(gpus: Any) -> list[str]:
    """The devices that are asked for, by name."""
    if isinstance(gpus, (list, tuple)):
        if len(gpus) <= 1:
            raise ValueError(
                "For multi-gpu usage to be effective, call `multi_gpu_model` with `len(gpus) >= 2`. Received: "
                f"`gpus={gpus}`"
            )
        return [_device(name) for name in gpus]
    count = gpus or sum(device.startswith("/gpu:") for device in _DEVICES)
    if count <= 1:
        raise ValueError(
            f"For multi-gpu usage to be effective, call `multi_gpu_model` with `gpus >= 2`. Received: `gpus={count}`"
        )
    return [f"/gpu:{i}" for i in range(count)]


def _device(name: int | str) -> str:
    """``1`` and ``'gpu:1'`` as ``'/gpu:1'``, ``'cpu'`` and ``'/device:CPU:0'`` as ``'/cpu:0'``."""
    if isinstance(name, int):
        return f"/gpu:{name}"
    found = re.fullmatch(r"/?(?:device:)?([a-z]+)(?::(\d+))?", name.lower())
    return f"/{found[1]}:{found[2] or 0}" if found else name
