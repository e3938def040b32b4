"""A smaller learning rate where training stands still."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .. import backend as K
from .base import Callback
from .monitor import Logs


class ReduceLROnPlateau(Callback):
    """Multiplies the learning rate by ``factor`` when a quantity has not improved for ``patience`` epochs.

    Args:
        min_delta: the least change that counts as an improvement (``epsilon`` is its older name).
        cooldown: epochs after a reduction in which nothing is counted.
        min_lr: the rate does not go below it.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        if factor >= 1.0:
            raise ValueError("ReduceLROnPlateau does not support a factor >= 1.0.")
        if "epsilon" in kwargs:
            warnings.warn(
                "`epsilon` argument is deprecated and will be removed, use `min_delta` instead.", stacklevel=2
            )
            min_delta = kwargs.pop("epsilon")
        if kwargs:
            raise TypeError(f"Unexpected keyword arguments: {sorted(kwargs)}")
        self.monitor = monitor
        self.factor = factor
        self.min_lr = min_lr
        self.min_delta = min_delta
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.mode = mode
        self._reset()

    def _reset(self) -> None:
        if self.mode not in ("auto", "min", "max"):
            warnings.warn(
                f"Learning Rate Plateau Reducing mode {self.mode} is unknown, fallback to auto mode.",
                RuntimeWarning,
                stacklevel=3,
            )
            self.mode = "auto"
        self._smaller_is_better = self.mode == "min" or (self.mode == "auto" and "acc" not in self.monitor)
        self.best = np.inf if self._smaller_is_better else -np.inf
        self.cooldown_counter = 0
        self.wait = 0

    def monitor_op(self, current: float, best: float) -> bool:
        """Whether ``current`` is better than ``best`` by ``min_delta`` at least."""
        if self._smaller_is_better:
            return bool(current < best - self.min_delta)
        return bool(current > best + self.min_delta)

    def in_cooldown(self) -> bool:
        """Whether a reduction was less than ``cooldown`` epochs ago."""
        return self.cooldown_counter > 0

    def on_train_begin(self, logs: Logs = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = {} if logs is None else logs
        logs["lr"] = float(K.get_value(self.model.optimizer.lr))
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(
                f"Reduce LR on plateau conditioned on metric `{self.monitor}` which is not available. Available "
                f"metrics are: {','.join(logs)}",
                RuntimeWarning,
                stacklevel=2,
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.monitor_op(current, self.best):
            self.best = current
            self.wait = 0
            return
        if self.in_cooldown():
            return
        self.wait += 1
        old = float(K.get_value(self.model.optimizer.lr))
        if self.wait >= self.patience and old > self.min_lr:
            new = max(old * self.factor, self.min_lr)
            K.set_value(self.model.optimizer.lr, new)
            if self.verbose > 0:
                print(f"\nEpoch {epoch + 1:05d}: ReduceLROnPlateau reducing learning rate to {new}.")
            self.cooldown_counter = self.cooldown
            self.wait = 0
