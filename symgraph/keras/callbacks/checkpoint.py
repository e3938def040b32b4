"""Saving the model while it trains."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .base import Callback
from .monitor import Logs, monitor_operation


class ModelCheckpoint(Callback):
    """Saves the model after epochs.

    Args:
        filepath: a path; may have fields of the epoch's results, as in ``w.{epoch:02d}-{val_loss:.2f}.hdf5``.
        save_best_only: keep the file of the best ``monitor`` so far.
        save_weights_only: weights, without architecture and training state.
        period: epochs between two files.
    """

    def __init__(
        self,
        filepath: str,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        period: int = 1,
    ) -> None:
        super().__init__()
        self.monitor = monitor
        self.verbose = verbose
        self.filepath = filepath
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.period = period
        self.epochs_since_last_save = 0
        self.monitor_op = monitor_operation(type(self).__name__, mode, monitor)
        self.best = np.inf if self.monitor_op is np.less else -np.inf

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = logs or {}
        self.epochs_since_last_save += 1
        if self.epochs_since_last_save < self.period:
            return
        self.epochs_since_last_save = 0
        try:
            path = str(self.filepath).format(epoch=epoch + 1, **logs)
        except KeyError as error:
            raise KeyError(
                f"Failed to format this callback filepath: {str(self.filepath)!r}. There is no {error}; there are: "
                f"{['epoch', *logs]}"
            ) from None
        if not self.save_best_only:
            self._say(f"\nEpoch {epoch + 1:05d}: saving model to {path}")
            self._save(path)
            return
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(
                f"Can save best model only with {self.monitor} available, skipping.", RuntimeWarning, stacklevel=2
            )
        elif self.monitor_op(current, self.best):
            self._say(
                f"\nEpoch {epoch + 1:05d}: {self.monitor} improved from {self.best:0.5f} to {current:0.5f}, saving "
                f"model to {path}"
            )
            self.best = current
            self._save(path)
        else:
            self._say(f"\nEpoch {epoch + 1:05d}: {self.monitor} did not improve from {self.best:0.5f}")

    def _say(self, line: str) -> None:
        if self.verbose > 0:
            print(line)

    def _save(self, path: Any) -> None:
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(path, overwrite=True)
