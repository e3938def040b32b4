"""Training for TensorBoard to show."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import backend as K
from ..engine.network_graph import node_key
from ..engine.training_utils import standardize_input_data
from ..layers import Embedding
from .base import Callback
from .event_file import EventFile
from .event_messages import histogram, image, scalar
from .model_graph import model_graph
from .monitor import Logs

__all__ = ["TensorBoard", "standardize_input_data"]


class TensorBoard(Callback):
    """Writes event files, as ``keras.callbacks.tensorboard_v1.TensorBoard``; no TensorFlow is needed to write them.

    Args:
        log_dir: the folder.
        histogram_freq: epochs between two histograms of all weights, and, where there are validation arrays, of what
            the layers make of the first batch of them; 0 for none.
        batch_size: samples of the validation arrays that histograms and embeddings see at once.
        write_graph: draw the layers.
        write_grads: histograms of the gradients on that batch, too.
        write_images: weights as pictures, too.
        embeddings_freq: epochs between two writings of embeddings; 0 for none.
        embeddings_layer_names: the layers whose outputs on ``embeddings_data`` are shown; None: all ``Embedding``s.
        embeddings_metadata: a file (in ``log_dir``) with a line for each sample, or one for each layer by its name.
        embeddings_data: what the model is given for that.
        update_freq: ``'epoch'``, ``'batch'``, or a number of samples between two writings.

    Embeddings are written as tables (``.tsv``), which TensorBoard's projector reads, not as TensorFlow's checkpoints.
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
        self._look: Any = None
        self._embed: Any = None

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        self._look = self._embed = None
        if self.writer is None:
            self.writer = EventFile(self.log_dir)
            if self.write_graph and model.inputs:
                self.writer.add_graph(model_graph(model))

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
            self.writer.add([*self._weights(), *self._activity()], epoch)
        if self.embeddings_freq and self.embeddings_data is not None and epoch % self.embeddings_freq == 0:
            self._write_embeddings()

    def on_train_end(self, _: Any = None) -> None:
        if self.writer is not None:
            self.writer.close()
            self.writer = None

    def _write(self, logs: dict[str, Any], step: int, prefix: str = "") -> None:
        values = [scalar(prefix + name, float(v)) for name, v in logs.items() if name not in ("batch", "size")]
        if self.writer is not None and values:
            self.writer.add(values, step)

    # -- histograms and pictures ------------------------------------------------------------------------------------
    def _weights(self) -> Iterator[bytes]:
        for layer in self.model.layers:
            for weight in layer.weights:
                value = K.get_value(weight)
                yield histogram(weight.name, value)
                if self.write_images:
                    pictures = _pictures(value)
                    for i, picture in enumerate(pictures):
                        number = f"/{i}" if len(pictures) > 1 else ""
                        yield image(f"{weight.name}/image{number}", picture)

    def _activity(self) -> Iterator[bytes]:
        """Histograms of the outputs of layers, and of gradients, on the first batch of the validation arrays."""
        if not isinstance(self.validation_data, list) or not self.validation_data or not self.model.inputs:
            return
        model = self.model
        data = [x[: self.batch_size] for x in self.validation_data]
        count = len(model.inputs) + len(model.targets)
        if len(data) == count:  # no sample weights: all are one
            pairs = zip(model.sample_weights, data[len(model.inputs) :], strict=True)
            data += [np.ones(target.shape[: K.ndim(weight)], K.floatx()) for weight, target in pairs]
        weights = list(model.trainable_weights) if self.write_grads else []
        if self._look is None:
            outputs = [(f"{layer.name}_out", x) for layer in model.layers for x in _outputs(model, layer)]
            gradients = K.gradients(model.total_loss, weights) if weights else []
            inputs = [*model.inputs, *model.targets, *model.sample_weights, K.learning_phase()]
            names = [name for name, _ in outputs] + [f"{w.name}_grad" for w in weights]
            self._look = names, K.function(inputs, [*(x for _, x in outputs), *gradients])
        names, function = self._look
        for name, value in zip(names, function([*data, 0]), strict=True):
            yield histogram(name, value)

    # -- embeddings -------------------------------------------------------------------------------------------------
    def _write_embeddings(self) -> None:
        names = self.embeddings_layer_names or [
            layer.name for layer in self.model.layers if isinstance(layer, Embedding)
        ]
        if self._embed is None:
            self._embed = K.function(
                [*self.model.inputs, K.learning_phase()], [self.model.get_layer(name).output for name in names]
            )
        data = self.embeddings_data if isinstance(self.embeddings_data, list) else [self.embeddings_data]
        count, at = len(data[0]), range(0, len(data[0]), self.batch_size)
        parts = [self._embed([*(np.asarray(x)[i : i + self.batch_size] for x in data), 0]) for i in at]
        config = []
        for name, rows in zip(names, map(np.concatenate, zip(*parts, strict=True)), strict=True):
            file = f"{name.replace('/', '_')}_embedding.tsv"
            np.savetxt(os.path.join(self.log_dir, file), rows.reshape(count, -1), fmt="%.7g", delimiter="\t")
            of_all = self.embeddings_metadata
            metadata = of_all.get(name) if isinstance(of_all, dict) else of_all
            lines = [f'  tensor_name: "{name}_embedding"', f'  tensor_path: "{file}"']
            lines += [f'  metadata_path: "{metadata}"'] if metadata else []
            config.append("\n".join(["embeddings {", *lines, "}"]))
        with open(os.path.join(self.log_dir, "projector_config.pbtxt"), "w", encoding="utf-8") as stream:
            stream.write("\n".join(config) + "\n")


def _outputs(model: Any, layer: Any) -> list[Any]:
    """What the first call of a layer in a model gives."""
    inside = (n for i, n in enumerate(layer._inbound_nodes) if node_key(layer, i) in model._network_nodes)
    return list(next(inside).output_tensors)


def _pictures(weight: Any) -> list[Any]:
    """A weight as at most three pictures: vectors and matrices lying, arrays of three axes by their last one."""
    weight = np.squeeze(weight)
    if weight.ndim == 3:
        return list(np.moveaxis(weight, -1, 0)[:3])
    if weight.ndim == 2:
        return [weight.T if weight.shape[0] > weight.shape[1] else weight]
    return [weight[None]] if weight.ndim == 1 else []
