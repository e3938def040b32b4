"""Optimizers with TensorFlow's protocol as Keras optimizers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import backend as K
from ..legacy import interfaces
from .base import Optimizer

Tensor = Any


class TFOptimizer(Optimizer):
    """An optimizer that has ``compute_gradients(loss, params)``, which gives pairs of gradient and parameter, and
    ``apply_gradients(pairs, global_step)``, which gives updates.

    What it computes with are tensors of this package: optimizers of TensorFlow itself are refused.

    Raises:
        TypeError: for an object without this protocol.
    """

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer
        self.updates: list[Any] = []
        if type(optimizer).__module__.partition(".")[0] in ("tensorflow", "tf_keras", "keras"):
            raise TypeError(
                f"TFOptimizer got {type(optimizer).__name__} of TensorFlow, which does not compute with tensors of "
                "this package. Use an optimizer of `keras.optimizers`."
            )
        missing = [m for m in ("compute_gradients", "apply_gradients") if not callable(getattr(optimizer, m, None))]
        if missing:
            raise TypeError(f"TFOptimizer: {type(optimizer).__name__} has no {' and no '.join(missing)}.")
        self.iterations = K.variable(0, dtype="int64", name="iterations")

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Tensor, params: Sequence[Tensor]) -> list[Any]:
        pairs = self.optimizer.compute_gradients(loss, list(params))
        updates = self.optimizer.apply_gradients(pairs, global_step=self.iterations)
        self.updates = list(updates) if isinstance(updates, list) else [updates]
        if not any(u[0] is self.iterations for u in self.updates):
            self.updates.insert(0, K.update_add(self.iterations, 1))
        return self.updates

    @property
    def weights(self) -> list[Tensor]:  # type: ignore[override]
        """Not known.

        Raises:
            NotImplementedError: always, as in Keras.
        """
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        raise NotImplementedError
