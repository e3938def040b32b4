"""The callback, and the list of callbacks that training talks to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

Logs = dict[str, Any] | None


class Callback:
    """Base of callbacks. ``model``, ``params`` and ``validation_data`` are set before training."""

    def __init__(self) -> None:
        self.validation_data: Any = None
        self.model: Any = None
        self.params: dict[str, Any] = {}

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self.model = model

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """An epoch of training begins."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """An epoch of training (and its validation) has ended."""

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """A training batch begins."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """A training batch has ended."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """A training batch begins."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """A training batch has ended."""
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """A batch of ``evaluate`` or of a validation begins."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """A batch of ``evaluate`` or of a validation has ended."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """A batch of ``predict`` begins."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """A batch of ``predict`` has ended."""

    def on_train_begin(self, logs: Logs = None) -> None:
        """Training begins."""

    def on_train_end(self, logs: Logs = None) -> None:
        """Training has ended."""

    def on_test_begin(self, logs: Logs = None) -> None:
        """``evaluate`` or a validation begins."""

    def on_test_end(self, logs: Logs = None) -> None:
        """``evaluate`` or a validation has ended."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """``predict`` begins."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """``predict`` has ended."""


class CallbackList:
    """Callbacks as one. Those that do nothing at a batch are not called there."""

    def __init__(self, callbacks: Iterable[Any] | None = None, queue_length: int = 10) -> None:
        self.callbacks = list(callbacks or [])
        self.queue_length = queue_length
        self.params: dict[str, Any] = {}
        self.model: Any = None
        self._at_batch: dict[tuple[str, str], list[Any]] = {}

    def append(self, callback: Any) -> None:
        """Add a callback."""
        self.callbacks.append(callback)
        self._at_batch.clear()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.callbacks)

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)

    def call_batch(self, mode: str, hook: str, batch: int, logs: Logs = None) -> None:
        """Tell of a batch: ``mode`` train, test or predict; ``hook`` begin or end."""
        listeners = self._at_batch.get((mode, hook))
        if listeners is None:
            name = f"on_{mode}_batch_{hook}"
            listeners = [
                getattr(c, name) for c in self.callbacks if _listens(c, name, f"on_batch_{hook}" * (mode == "train"))
            ]
            self._at_batch[mode, hook] = listeners
        for listener in listeners:
            listener(batch, logs)

    def call_begin(self, mode: str) -> None:
        """Tell that training, testing or predicting begins."""
        for callback in self.callbacks:
            getattr(callback, f"on_{mode}_begin")({})

    def call_end(self, mode: str) -> None:
        """Tell that training, testing or predicting has ended."""
        for callback in self.callbacks:
            getattr(callback, f"on_{mode}_end")({})

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch, {} if logs is None else logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_epoch_end(epoch, logs)

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self.call_batch("train", "begin", batch, logs)

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.call_batch("train", "end", batch, logs)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self.call_batch("train", "begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.call_batch("train", "end", batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self.call_batch("test", "begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.call_batch("test", "end", batch, logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self.call_batch("predict", "begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.call_batch("predict", "end", batch, logs)

    def on_train_begin(self, logs: Logs = None) -> None:
        self.call_begin("train")

    def on_train_end(self, logs: Logs = None) -> None:
        self.call_end("train")

    def on_test_begin(self, logs: Logs = None) -> None:
        self.call_begin("test")

    def on_test_end(self, logs: Logs = None) -> None:
        self.call_end("test")

    def on_predict_begin(self, logs: Logs = None) -> None:
        self.call_begin("predict")

    def on_predict_end(self, logs: Logs = None) -> None:
        self.call_end("predict")


def _listens(callback: Any, *names: str) -> bool:
    """Whether a callback has its own method (or attribute) of one of the names."""
    return any(
        name and (name in vars(callback) or getattr(type(callback), name, None) is not getattr(Callback, name, None))
        for name in names
    )
