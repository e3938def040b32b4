"""The optimizer: gradients, clipping, and the weights that it keeps."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from .. import backend as K
from .other_versions import Slot, without_idle

Tensor = Any


def clip_norm(g: Tensor, c: float, n: Tensor) -> Tensor:
    """``g`` scaled to the norm ``c`` where its norm ``n`` is larger."""
    if c <= 0:
        return g
    return K.switch(K.greater_equal(n, c), g * (c / n), g)


class Optimizer:
    """Base of optimizers. ``get_updates`` gives the updates of one step; ``weights`` are the variables behind it.

    These are the number of steps, numbers that belong to no weight, then one kind of slot after the other.
    ``slot_kinds`` lists the kinds for files of other versions; an optimizer without them reads only its own.
    """

    slot_kinds: ClassVar[tuple[Slot, ...]] = ()

    def __init__(self, **kwargs: Any) -> None:
        for name in kwargs:
            if name not in ("clipnorm", "clipvalue"):
                raise TypeError("Unexpected keyword argument passed to optimizer: " + str(name))
        self.__dict__.update(kwargs)
        self.updates: list[Any] = []
        self.weights: list[Tensor] = []

    def get_updates(self, loss: Tensor, params: Sequence[Tensor]) -> list[Any]:
        """The updates that one step of training makes."""
        raise NotImplementedError

    def get_gradients(self, loss: Tensor, params: Sequence[Tensor]) -> list[Tensor]:
        """Gradients, clipped where ``clipnorm`` (of all together) or ``clipvalue`` say so.

        Raises:
            ValueError: for a parameter on which the loss does not depend.
        """
        grads = K.gradients(loss, list(params))
        if any(g is None for g in grads):
            raise ValueError(
                "An operation has `None` for gradient. Please make sure that all of your ops have a gradient defined "
                "(i.e. are differentiable). Common ops without gradient: K.argmax, K.round, K.eval."
            )
        norm = getattr(self, "clipnorm", None)
        if norm is not None and norm > 0:
            total: Any = 0.0
            for g in grads:
                total = total + K.sum(K.square(g))
            grads = [clip_norm(g, norm, K.sqrt(total)) for g in grads]
        value = getattr(self, "clipvalue", None)
        if value is not None and value > 0:
            grads = [K.clip(g, -value, value) for g in grads]
        return grads

    # -- parts of get_updates ---------------------------------------------------------------------------------------
    def _slots(self, params: Sequence[Tensor], name: str) -> list[Tensor]:
        """A variable of zeros for each parameter."""
        return [K.zeros(K.int_shape(p), dtype=K.dtype(p), name=f"{name}_{i}") for i, p in enumerate(params)]

    def _rate(self) -> Tensor:
        """The learning rate of this step: decayed where ``decay`` was given."""
        rate = self.learning_rate
        if self.initial_decay > 0:  # type: ignore[attr-defined]
            steps = K.cast(self.iterations, K.dtype(self.decay))  # type: ignore[attr-defined]
            rate = rate * (1.0 / (1.0 + self.decay * steps))  # type: ignore[attr-defined]
        return rate

    def _step(self) -> Tensor:
        """The number of this step, from 1, as a float."""
        return K.cast(self.iterations, K.floatx()) + 1.0  # type: ignore[attr-defined]

    def _begin(self) -> None:
        self.updates = [K.update_add(self.iterations, 1)]  # type: ignore[attr-defined]

    def _move(self, param: Tensor, new: Tensor) -> None:
        """Update a parameter, after its constraint."""
        constraint = getattr(param, "constraint", None)
        self.updates.append(K.update(param, new if constraint is None else constraint(new)))

    # -- state ------------------------------------------------------------------------------------------------------
    def set_weights(self, weights: Sequence[Any]) -> None:
        """Write the values of ``weights``.

        Raises:
            ValueError: for another number of weights, or another shape.
        """
        if len(self.weights) != len(weights):
            raise ValueError(
                "Length of the specified weight list ("
                + str(len(weights))
                + ") does not match the number of weights of "
                "the optimizer (" + str(len(self.weights)) + ")"
            )
        for param, value in zip(self.weights, weights, strict=True):
            if K.int_shape(param) != np.shape(value):
                raise ValueError(
                    f"Optimizer weight shape {K.int_shape(param)} not compatible with provided weight shape "
                    f"{np.shape(value)}"
                )
        K.batch_set_value(zip(self.weights, weights, strict=True))

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """Copies of the values of ``weights``."""
        return K.batch_get_value(self.weights)

    @property
    def lr(self) -> Tensor:
        """The learning rate's variable, under its old name; setting it to a number writes the variable."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        if K.is_tensor(value):
            self.learning_rate = value
        else:
            K.set_value(self.learning_rate, value)

    def numbers_after(self, steps: int) -> list[np.ndarray[Any, Any]]:
        """What of ``weights`` belongs to no weight, after so many steps: files of other versions do not have it."""
        return []

    def get_config(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("clipnorm", "clipvalue") if hasattr(self, name)}

    def _values(self, *names: str) -> dict[str, Any]:
        """Hyperparameters as numbers, with the clipping."""
        found = {}
        for name in names:
            value = getattr(self, name)
            found[name] = float(K.get_value(value)) if K.is_variable(value) else value
        return {**Optimizer.get_config(self), **found}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    @classmethod
    def compatible_config(cls, config: dict[str, Any]) -> dict[str, Any]:
        """A config that another version wrote, without what changes nothing here."""
        return without_idle(config, inspect.signature(cls.__init__).parameters)
