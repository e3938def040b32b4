"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import backend as K
from ..legacy import interfaces
from .base import Optimizer, Tensor
from .other_versions import Slot


class SGD(Optimizer):
    """Gradient descent with momentum (Nesterov's where asked for) and decay of the learning rate.

    Args:
        learning_rate: step size.
        momentum: the share of the last step that is repeated.
        nesterov: look ahead along the momentum.
        decay: the rate of step t is ``learning_rate / (1 + decay * t)``.
    """

    slot_kinds = (Slot(("m", "momentum"), optional=True),)

    def __init__(
        self, learning_rate: float = 0.01, momentum: float = 0.0, nesterov: bool = False, **kwargs: Any
    ) -> None:
        learning_rate = kwargs.pop("lr", learning_rate)
        self.initial_decay = kwargs.pop("decay", 0.0)
        super().__init__(**kwargs)
        self.iterations = K.variable(0, dtype="int64", name="iterations")
        self.learning_rate = K.variable(learning_rate, name="learning_rate")
        self.momentum = K.variable(momentum, name="momentum")
        self.decay = K.variable(self.initial_decay, name="decay")
        self.nesterov = nesterov

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Tensor, params: Sequence[Tensor]) -> list[Any]:
        grads = self.get_gradients(loss, params)
        self._begin()
        rate = self._rate()
        moments = self._slots(params, "moment")
        self.weights = [self.iterations, *moments]
        for p, g, m in zip(params, grads, moments, strict=True):
            v = self.momentum * m - rate * g
            self.updates.append(K.update(m, v))
            self._move(p, p + self.momentum * v - rate * g if self.nesterov else p + v)
        return self.updates

    def get_config(self) -> dict[str, Any]:
        return {**self._values("learning_rate", "momentum", "decay"), "nesterov": self.nesterov}
