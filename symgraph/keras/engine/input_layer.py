"""Where data enters a network."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..legacy import interfaces
from ..utils.generic_utils import unpack_singleton  # noqa: F401 - a name that Keras has here, too
from .base_layer import Layer
from .nodes import Node

Tensor = Any


class InputLayer(Layer):
    """The source of a network: a placeholder, or a tensor that is given."""

    @interfaces.legacy_input_support
    def __init__(
        self,
        input_shape: Any = None,
        batch_size: int | None = None,
        batch_input_shape: Any = None,
        dtype: str | None = None,
        input_tensor: Tensor = None,
        sparse: bool = False,
        name: str | None = None,
    ) -> None:
        if not name:
            name = f"input_{K.get_uid('input')}"
        super().__init__(dtype=dtype, name=name)
        self.trainable = False
        self.built = True
        self.sparse = sparse
        self.supports_masking = True
        if input_shape and batch_input_shape:
            raise ValueError(
                "Only provide the input_shape OR batch_input_shape argument to InputLayer, not both at the same time."
            )
        if input_tensor is not None and batch_input_shape is None:
            batch_input_shape = K.int_shape(input_tensor)
        if batch_input_shape is None:
            if input_shape is None:
                raise ValueError("An Input layer should be passed either a `batch_input_shape` or an `input_shape`.")
            batch_input_shape = (batch_size, *tuple(input_shape))
        self.batch_input_shape = tuple(batch_input_shape)
        self.dtype = dtype or (K.floatx() if input_tensor is None else K.dtype(input_tensor))
        self.is_placeholder = input_tensor is None
        if input_tensor is None:
            input_tensor = K.placeholder(shape=self.batch_input_shape, dtype=self.dtype, sparse=sparse, name=self.name)
        shapes = [self.batch_input_shape]
        Node(self, [], [], [], [input_tensor], [input_tensor], [None], [None], shapes, shapes)
        input_tensor._keras_shape = self.batch_input_shape
        input_tensor._keras_history = (self, 0, 0)

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_input_shape": self.batch_input_shape,
            "dtype": self.dtype,
            "sparse": self.sparse,
            "name": self.name,
        }


def Input(
    shape: Any = None,
    batch_shape: Any = None,
    name: str | None = None,
    dtype: str | None = None,
    sparse: bool = False,
    tensor: Tensor = None,
) -> Tensor:
    """The tensor at the entry of a network.

    Args:
        shape: sizes without the batch axis (None where open).
        batch_shape: sizes with the batch axis.
        tensor: a tensor to use in place of a placeholder.
    """
    if not batch_shape and tensor is None and shape is None:
        raise ValueError(
            "Please provide to Input either a `shape` or a `batch_shape` argument. Note that `shape` does not include "
            "the batch dimension."
        )
    if shape is not None and not batch_shape:
        batch_shape = (None, *(tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)))
    layer = InputLayer(
        batch_input_shape=batch_shape,
        name=name,
        dtype=dtype or (K.floatx() if tensor is None else None),
        sparse=sparse,
        input_tensor=tensor,
    )
    outputs = layer._inbound_nodes[0].output_tensors
    return outputs[0] if len(outputs) == 1 else outputs
