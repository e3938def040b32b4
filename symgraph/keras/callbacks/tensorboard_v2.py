"""``keras.callbacks.tensorboard_v2``: the callback under the arguments that Keras takes beside TensorFlow 2."""

from __future__ import annotations

import warnings
from typing import Any

from . import tensorboard_v1


class TensorBoard(tensorboard_v1.TensorBoard):
    """Writes what :class:`tensorboard_v1.TensorBoard` writes."""

    def __init__(
        self, log_dir: str = "./logs", histogram_freq: int = 0, batch_size: int | None = None, write_graph: bool = True,
        write_grads: bool = False, write_images: bool = False, embeddings_freq: int = 0,
        embeddings_layer_names: Any = None, embeddings_metadata: Any = None, embeddings_data: Any = None,
        update_freq: Any = "epoch", **kwargs: Any,
    ) -> None:  # fmt: skip
        if kwargs:
            warnings.warn(f"TensorBoard: these arguments change nothing here: {', '.join(kwargs)}", stacklevel=2)
        super().__init__(
            log_dir, histogram_freq, batch_size or 32, write_graph, write_grads, write_images, embeddings_freq,
            embeddings_layer_names, embeddings_metadata, embeddings_data, update_freq,
        )  # fmt: skip
