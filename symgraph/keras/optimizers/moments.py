"""Optimizers that keep running moments of gradients: Adam, Adamax, Nadam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend as K
from ..legacy import interfaces
from .base import Optimizer, Tensor
from .other_versions import Slot


class _Moments(Optimizer):
    """The arguments that the three share."""

    def __init__(self, learning_rate: float, beta_1: float, beta_2: float, **kwargs: Any) -> None:
        learning_rate = kwargs.pop("lr", learning_rate)
        epsilon = kwargs.pop("epsilon", None)
        self.epsilon = K.epsilon() if epsilon is None else epsilon
        super().__init__(**kwargs)
        self.iterations = K.variable(0, dtype="int64", name="iterations")
        self.learning_rate = K.variable(learning_rate, name="learning_rate")
        self.beta_1 = K.variable(beta_1, name="beta_1")
        self.beta_2 = K.variable(beta_2, name="beta_2")


class Adam(_Moments):
    """First and second moments with bias correction (Kingma and Ba 2015); ``amsgrad`` keeps the largest second one."""

    slot_kinds = (Slot(("m",)), Slot(("v",)), Slot(("vhat",), optional=True))

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        self.initial_decay = kwargs.pop("decay", 0.0)
        super().__init__(learning_rate, beta_1, beta_2, **kwargs)
        self.decay = K.variable(self.initial_decay, name="decay")
        self.amsgrad = amsgrad

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Tensor, params: Sequence[Tensor]) -> list[Any]:
        grads = self.get_gradients(loss, params)
        self._begin()
        t = self._step()
        rate = self._rate() * (K.sqrt(1.0 - K.pow(self.beta_2, t)) / (1.0 - K.pow(self.beta_1, t)))
        ms, vs = self._slots(params, "m"), self._slots(params, "v")
        if self.amsgrad:
            vhats = self._slots(params, "vhat")
        else:
            vhats = [K.zeros((1,), name=f"vhat_{i}") for i in range(len(params))]
        self.weights = [self.iterations, *ms, *vs, *vhats]
        for p, g, m, v, vhat in zip(params, grads, ms, vs, vhats, strict=True):
            m_t = self.beta_1 * m + (1.0 - self.beta_1) * g
            v_t = self.beta_2 * v + (1.0 - self.beta_2) * K.square(g)
            self.updates += [K.update(m, m_t), K.update(v, v_t)]
            scale = v_t
            if self.amsgrad:
                scale = K.maximum(vhat, v_t)
                self.updates.append(K.update(vhat, scale))
            self._move(p, p - rate * m_t / (K.sqrt(scale) + self.epsilon))
        return self.updates

    def get_config(self) -> dict[str, Any]:
        values = self._values("learning_rate", "beta_1", "beta_2", "decay")
        return {**values, "epsilon": self.epsilon, "amsgrad": self.amsgrad}


class Adamax(_Moments):
    """Adam with the infinity norm."""

    slot_kinds = (Slot(("m",)), Slot(("u", "v")))

    def __init__(self, learning_rate: float = 0.002, beta_1: float = 0.9, beta_2: float = 0.999, **kwargs: Any) -> None:
        self.initial_decay = kwargs.pop("decay", 0.0)
        super().__init__(learning_rate, beta_1, beta_2, **kwargs)
        self.decay = K.variable(self.initial_decay, name="decay")

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Tensor, params: Sequence[Tensor]) -> list[Any]:
        grads = self.get_gradients(loss, params)
        self._begin()
        rate = self._rate() / (1.0 - K.pow(self.beta_1, self._step()))
        ms, us = self._slots(params, "m"), self._slots(params, "u")
        self.weights = [self.iterations, *ms, *us]
        for p, g, m, u in zip(params, grads, ms, us, strict=True):
            m_t = self.beta_1 * m + (1.0 - self.beta_1) * g
            u_t = K.maximum(self.beta_2 * u, K.abs(g))
            self.updates += [K.update(m, m_t), K.update(u, u_t)]
            self._move(p, p - rate * m_t / (u_t + self.epsilon))
        return self.updates

    def get_config(self) -> dict[str, Any]:
        return {**self._values("learning_rate", "beta_1", "beta_2", "decay"), "epsilon": self.epsilon}


class Nadam(_Moments):
    """Adam with Nesterov's momentum (Dozat 2015); the momentum follows a schedule."""

    slot_kinds = (Slot(("m",)), Slot(("v",)))

    def __init__(self, learning_rate: float = 0.002, beta_1: float = 0.9, beta_2: float = 0.999, **kwargs: Any) -> None:
        self.schedule_decay = kwargs.pop("schedule_decay", 0.004)
        super().__init__(learning_rate, beta_1, beta_2, **kwargs)
        self.m_schedule = K.variable(1.0, name="m_schedule")

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Tensor, params: Sequence[Tensor]) -> list[Any]:
        grads = self.get_gradients(loss, params)
        self._begin()
        t = self._step()
        momentum = self.beta_1 * (1.0 - 0.5 * K.pow(K.constant(0.96), t * self.schedule_decay))
        momentum_next = self.beta_1 * (1.0 - 0.5 * K.pow(K.constant(0.96), (t + 1.0) * self.schedule_decay))
        schedule = self.m_schedule * momentum
        schedule_next = schedule * momentum_next
        self.updates.append(K.update(self.m_schedule, schedule))
        ms, vs = self._slots(params, "m"), self._slots(params, "v")
        self.weights = [self.iterations, self.m_schedule, *ms, *vs]
        for p, g, m, v in zip(params, grads, ms, vs, strict=True):
            m_t = self.beta_1 * m + (1.0 - self.beta_1) * g
            v_t = self.beta_2 * v + (1.0 - self.beta_2) * K.square(g)
            self.updates += [K.update(m, m_t), K.update(v, v_t)]
            bar = (1.0 - momentum) * (g / (1.0 - schedule)) + momentum_next * (m_t / (1.0 - schedule_next))
            root = K.sqrt(v_t / (1.0 - K.pow(self.beta_2, t)))
            self._move(p, p - self.learning_rate * bar / (root + self.epsilon))
        return self.updates

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Write the values of ``weights``; a list from before Keras 2.3 lacks ``m_schedule``, which then stays."""
        if len(weights) == len(self.weights) - 1:
            weights = [weights[0], K.get_value(self.m_schedule), *weights[1:]]
        super().set_weights(weights)

    def numbers_after(self, steps: int) -> list[np.ndarray[Any, Any]]:
        """The product of the momenta of the steps."""
        momenta = K.get_value(self.beta_1) * (1 - 0.5 * 0.96 ** (np.arange(1, steps + 1) * self.schedule_decay))
        return [np.asarray(np.prod(momenta), "float32")]

    def get_config(self) -> dict[str, Any]:
        values = self._values("learning_rate", "beta_1", "beta_2")
        return {**values, "epsilon": self.epsilon, "schedule_decay": self.schedule_decay}

    @classmethod
    def compatible_config(cls, config: dict[str, Any]) -> dict[str, Any]:
        """tf.keras has the schedule without an argument; its old optimizer class calls its exponent ``decay``."""
        config = super().compatible_config(config)
        return config if "schedule_decay" in config else {"schedule_decay": config.pop("decay", 1.0), **config}
