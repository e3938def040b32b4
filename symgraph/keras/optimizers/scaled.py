"""Optimizers that scale each step by the size of past gradients: RMSprop, Adagrad, Adadelta."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import backend as K
from ..legacy import interfaces
from .base import Optimizer, Tensor
from .other_versions import Slot


class _Scaled(Optimizer):
    """The arguments that the three share: ``lr``, ``epsilon`` and ``decay`` among the keywords."""

    def __init__(self, learning_rate: float, **kwargs: Any) -> None:
        learning_rate = kwargs.pop("lr", learning_rate)
        self.initial_decay = kwargs.pop("decay", 0.0)
        epsilon = kwargs.pop("epsilon", None)
        self.epsilon = K.epsilon() if epsilon is None else epsilon
        super().__init__(**kwargs)
        self.learning_rate = K.variable(learning_rate, name="learning_rate")
        self.decay = K.variable(self.initial_decay, name="decay")
        self.iterations = K.variable(0, dtype="int64", name="iterations")

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Write the values of ``weights``; a list from before Keras 2.3 lacks ``iterations``, which then stays."""
        if len(weights) == len(self.weights) - 1:
            weights = [K.get_value(self.weights[0]), *weights]
        super().set_weights(weights)


class RMSprop(_Scaled):
    """Steps divided by a running root mean square of gradients."""

    slot_kinds = (Slot(("velocity", "rms")),)

    def __init__(self, learning_rate: float = 0.001, rho: float = 0.9, **kwargs: Any) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho = K.variable(rho, name="rho")

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Tensor, params: Sequence[Tensor]) -> list[Any]:
        grads = self.get_gradients(loss, params)
        accumulators = self._slots(params, "accumulator")
        self.weights = [self.iterations, *accumulators]
        self._begin()
        rate = self._rate()
        for p, g, a in zip(params, grads, accumulators, strict=True):
            new_a = self.rho * a + (1.0 - self.rho) * K.square(g)
            self.updates.append(K.update(a, new_a))
            self._move(p, p - rate * g / (K.sqrt(new_a) + self.epsilon))
        return self.updates

    def get_config(self) -> dict[str, Any]:
        return {**self._values("learning_rate", "rho", "decay"), "epsilon": self.epsilon}


class Adagrad(_Scaled):
    """Steps divided by the root of the sum of squared gradients (Duchi et al. 2011)."""

    slot_kinds = (Slot(("accumulator",)),)

    def __init__(self, learning_rate: float = 0.01, **kwargs: Any) -> None:
        super().__init__(learning_rate, **kwargs)

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Tensor, params: Sequence[Tensor]) -> list[Any]:
        grads = self.get_gradients(loss, params)
        accumulators = self._slots(params, "accumulator")
        self.weights = [self.iterations, *accumulators]
        self._begin()
        rate = self._rate()
        for p, g, a in zip(params, grads, accumulators, strict=True):
            new_a = a + K.square(g)
            self.updates.append(K.update(a, new_a))
            self._move(p, p - rate * g / (K.sqrt(new_a) + self.epsilon))
        return self.updates

    def get_config(self) -> dict[str, Any]:
        return {**self._values("learning_rate", "decay"), "epsilon": self.epsilon}


class Adadelta(_Scaled):
    """Steps in units of past steps (Zeiler 2012)."""

    slot_kinds = (Slot(("accumulated_grad", "accum_grad")), Slot(("accumulated_delta_var", "accum_var")))

    def __init__(self, learning_rate: float = 1.0, rho: float = 0.95, **kwargs: Any) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho = rho

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Tensor, params: Sequence[Tensor]) -> list[Any]:
        grads = self.get_gradients(loss, params)
        accumulators = self._slots(params, "accumulator")
        delta_accumulators = self._slots(params, "delta_accumulator")
        self.weights = [self.iterations, *accumulators, *delta_accumulators]
        self._begin()
        rate = self._rate()
        for p, g, a, d in zip(params, grads, accumulators, delta_accumulators, strict=True):
            new_a = self.rho * a + (1.0 - self.rho) * K.square(g)
            self.updates.append(K.update(a, new_a))
            step = g * K.sqrt(d + self.epsilon) / K.sqrt(new_a + self.epsilon)
            self._move(p, p - rate * step)
            self.updates.append(K.update(d, self.rho * d + (1.0 - self.rho) * K.square(step)))
        return self.updates

    def get_config(self) -> dict[str, Any]:
        return {**self._values("learning_rate", "decay"), "rho": self.rho, "epsilon": self.epsilon}
