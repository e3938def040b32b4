"""Training for TensorBoard to show."""

from __future__ import annotations

import warnings
from typing import Any

from .. import backend as K
from .base import Callback
from .event_file import EventFile, histogram, scalar
from .monitor import Logs

__all__ = ["TensorBoard"]


class TensorBoard(Callback):
    """Writes event files: results of epochs (or batches), and histograms of weights.

    Args:
        log_dir: the folder.
        histogram_freq: epochs between two histograms of all weights; 0 for none.
        update_freq: ``'epoch'``, ``'batch'``, or a number of samples between two writings.

    Graphs, images of weights, gradients and embeddings are not written; asking for one of them gives a warning.
    """

    def __init__(
        self,
        log_dir: str = "./logs",
        histogram_freq: int = 0,
        batch_size: int = 32,
        write_graph: bool = True,
        write_grads: bool = False,
        write_images: bool = False,
        embeddings_freq: int = 0,
        embeddings_layer_names: Any = None,
        embeddings_metadata: Any = None,
        embeddings_data: Any = None,
        update_freq: Any = "epoch",
    ) -> None:
        super().__init__()
        asked = {"write_grads": write_grads, "write_images": write_images, "embeddings_freq": embeddings_freq}
        for name, value in asked.items():
            if value:
                warnings.warn(f"TensorBoard: `{name}` is not written here.", stacklevel=2)
        self.log_dir = str(log_dir)
        self.histogram_freq = histogram_freq
        self.batch_size = batch_size
        self.write_graph = write_graph
        self.write_grads = write_grads
        self.write_images = write_images
        self.embeddings_freq = embeddings_freq
        self.embeddings_layer_names = embeddings_layer_names
        self.embeddings_metadata = embeddings_metadata
        self.embeddings_data = embeddings_data
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self.samples_seen = 0
        self.samples_seen_at_last_write = 0
        self.writer: EventFile | None = None

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        if self.writer is None:
            self.writer = EventFile(self.log_dir)

    def _write(self, logs: dict[str, Any], step: int, prefix: str = "") -> None:
        values = [scalar(prefix + name, float(v)) for name, v in logs.items() if name not in ("batch", "size")]
        if self.writer is not None and values:
            self.writer.add(values, step)

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.update_freq == "epoch":
            return
        self.samples_seen += (logs or {}).get("size", 0)
        if self.samples_seen - self.samples_seen_at_last_write >= self.update_freq:
            self._write(logs or {}, self.samples_seen, "batch_")
            self.samples_seen_at_last_write = self.samples_seen

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._write(logs or {}, epoch, "" if self.update_freq == "epoch" else "epoch_")
        if self.writer is not None and self.histogram_freq and epoch % self.histogram_freq == 0:
            weights = [w for layer in self.model.layers for w in layer.weights]
            self.writer.add([histogram(w.name, K.get_value(w)) for w in weights], epoch)

    def on_train_end(self, _: Any = None) -> None:
        if self.writer is not None:
            self.writer.close()
            self.writer = None
