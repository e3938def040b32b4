"""Follow the regularized leader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import backend as K
from ..legacy import interfaces
from .base import Optimizer, Tensor
from .other_versions import Slot


class Ftrl(Optimizer):
    """FTRL-Proximal with L1 and L2 penalties (McMahan et al., "Ad click prediction", 2013), as TensorFlow has it.

    Args:
        learning_rate: step size.
        learning_rate_power: how steps shrink with the sum of squared gradients, zero or less; -0.5 is the paper's.
        initial_accumulator_value: what that sum starts as.
        l1_regularization_strength: weights whose gradients stay below it become zero.
        l2_regularization_strength: pulls weights towards zero.
        l2_shrinkage_regularization_strength: a penalty on the weights themselves, in the gradient only.
        decay: the rate of step t is ``learning_rate / (1 + decay * t)``.

    Raises:
        ValueError: for a power above zero, or strengths below it.
    """

    slot_kinds = (Slot(("accumulator",)), Slot(("linear",)))

    def __init__(
        self, learning_rate: float = 0.001, learning_rate_power: float = -0.5, initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0, l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0, **kwargs: Any,
    ) -> None:  # fmt: skip
        learning_rate = kwargs.pop("lr", learning_rate)
        self.initial_decay = kwargs.pop("decay", 0.0)
        super().__init__(**kwargs)
        if learning_rate_power > 0:
            raise ValueError(f"Ftrl: `learning_rate_power` is {learning_rate_power}, it must be zero or less.")
        self._numbers = {
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
        }
        for name, value in self._numbers.items():
            if value < 0:
                raise ValueError(f"Ftrl: `{name}` is {value}, it must not be negative.")
        self.iterations = K.variable(0, dtype="int64", name="iterations")
        self.learning_rate = K.variable(learning_rate, name="learning_rate")
        self.decay = K.variable(self.initial_decay, name="decay")
        self.learning_rate_power = learning_rate_power

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Tensor, params: Sequence[Tensor]) -> list[Any]:
        grads = self.get_gradients(loss, params)
        self._begin()
        rate = self._rate()
        start, l1, l2, shrinkage = self._numbers.values()
        sums, linears = self._slots(params, "accumulator"), self._slots(params, "linear")
        for a in sums:
            K.set_value(a, K.get_value(a) + start)
        self.weights = [self.iterations, *sums, *linears]
        power = -self.learning_rate_power
        for p, g, a, z in zip(params, grads, sums, linears, strict=True):
            new_a = a + K.square(g)
            sigma = (K.pow(new_a, power) - K.pow(a, power)) / rate
            new_z = z + g + 2.0 * shrinkage * p - sigma * p
            self.updates += [K.update(a, new_a), K.update(z, new_z)]
            curvature = K.pow(new_a, power) / rate + 2.0 * l2
            self._move(p, (K.clip(new_z, -l1, l1) - new_z) / curvature)
        return self.updates

    def get_config(self) -> dict[str, Any]:
        own = {"learning_rate_power": self.learning_rate_power, **self._numbers}
        return {**self._values("learning_rate", "decay"), **own}
