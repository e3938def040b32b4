"""What optimizers say about themselves in files of tf.keras and of Keras 3: their arguments, and their state."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

Config = dict[str, Any]

#: Arguments of other versions, and the values at which they change nothing. The name never does.
_IDLE: dict[str, tuple[Any, ...]] = {
    "weight_decay": (None, 0.0),
    "clipnorm": (None,),
    "global_clipnorm": (None,),
    "clipvalue": (None,),
    "use_ema": (False,),
    "ema_momentum": (0.99,),
    "ema_overwrite_frequency": (None, 100),
    "initial_accumulator_value": (0.0, 0.1),  # the state that is read with it begins with it
    "jit_compile": (True, False),
    "is_legacy_optimizer": (True, False),
    "centered": (False,),
    "loss_scale_factor": (None,),
    "gradient_accumulation_steps": (None,),
    "beta": (0.0,),  # of Ftrl
    "momentum": (0.0,),
}


@dataclass(frozen=True, slots=True)
class Slot:
    """A kind of array that an optimizer keeps for each weight.

    Attributes:
        names: what tf.keras calls it.
        optional: whether optimizers that do not use it store none; here it is zeros then.
    """

    names: tuple[str, ...]
    optional: bool = False


def without_idle(config: Config, accepted: Container[str]) -> Config:
    """The config without the arguments of other versions that change nothing, unless they are ``accepted``."""
    return {
        key: value
        for key, value in config.items()
        if key in accepted or not (key == "name" or value in _IDLE.get(key, ()))
    }
