"""Configs of layers from other Keras versions: other names of keys, and keys that say nothing here."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .base_layer import ALLOWED_KEYWORDS, Layer

Config = dict[str, Any]

#: Keys that Keras 2.3.1 does not have, and the values at which they change nothing.
_NO_OPS: dict[str, tuple[Any, ...]] = {
    "autocast": (True,),
    "build_config": (None,),
    "conv_op": (None,),
    "force_generator": (False,),
    "groups": (1,),
    "keepdims": (False,),
    "dropout": (0, 0.0),
    "lora_rank": (None,),
    "mode": (0,),
    "optional": (False,),
    "quantization_config": (None,),
    "ragged": (False,),
    "rank": (1, 2, 3),
    "renorm": (False,),
    "renorm_clipping": (None,),
    "renorm_momentum": (0.99,),
    "seed": (None,),
    "sparse": (False,),
    "synchronized": (False,),
    "time_major": (False,),
    "use_legacy_config": (None,),
    "virtual_batch_size": (None,),
    "zero_output_for_mask": (False,),
    "input_dim": (None,),
    "input_length": (None,),
}


def compatible_config(cls: type[Layer], config: Config) -> Config:
    """The config of a layer with the keys that ``cls`` takes.

    Raises:
        ValueError: for a key that is not known, unless its value changes nothing.
    """
    config = dict(cls.renewed_config(config))
    if "batch_shape" in config:
        config["batch_input_shape"] = config.pop("batch_shape")
    if isinstance(config.get("dtype"), dict):
        config["dtype"] = _policy(config)
    accepted = _accepted(cls)
    if config.get("batch_input_shape") and "input_dim" not in accepted:  # Keras 1 wrote both
        config.pop("input_dim", None)
    own_reading = cls.from_config.__func__ is not Layer.from_config.__func__  # type: ignore[attr-defined]
    for key in [k for k in config if k not in accepted]:
        value = config[key]
        if value in _NO_OPS.get(key, ()):
            del config[key]
        elif not own_reading:
            raise ValueError(
                f'Layer "{config.get("name")}" of class {cls.__name__}: the config has {key!r} with the value '
                f"{value!r}, which is not known here."
            )
    return config


def _policy(config: Config) -> str:
    inner = config["dtype"].get("config")
    name = inner.get("name") if isinstance(inner, dict) else None
    if name not in ("float16", "float32", "float64"):
        raise ValueError(f'Layer "{config.get("name")}": the dtype policy {config["dtype"]!r} is not known here.')
    return str(name)


def _accepted(cls: type) -> set[str]:
    """The keywords that a layer's constructors take, their own reading of configs and Keras 1's names included."""
    found = set(ALLOWED_KEYWORDS)
    for base in cls.__mro__:
        init: Callable[..., Any] | None = vars(base).get("__init__")
        if init is not None and issubclass(base, Layer):
            found |= set(inspect.signature(init).parameters) | set(getattr(init, "old_names", ()))
    return found - {"self", "kwargs", "args"}
