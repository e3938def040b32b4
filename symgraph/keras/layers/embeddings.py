"""Integers to vectors."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from .. import constraints, initializers, regularizers
from ..engine.arguments import Argument
from ..engine.base_layer import Layer
from ..legacy import interfaces
from ..utils.generic_utils import to_list  # noqa: F401 - a name that Keras has here, too

Tensor = Any


class Embedding(Layer):
    """The row of a matrix for each integer below ``input_dim``; with ``mask_zero``, zeros are masked.

    Raises:
        BoundsError: in a call, for an integer that is no row.
    """

    input_dim = Argument()
    output_dim = Argument()
    embeddings_initializer = Argument(initializers)
    embeddings_regularizer = Argument(regularizers)
    activity_regularizer = Argument(regularizers)
    embeddings_constraint = Argument(constraints)
    mask_zero = Argument()
    input_length = Argument()

    @interfaces.legacy_embedding_support
    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        activity_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        input_length: Any = None,
        **kwargs: Any,
    ) -> None:
        if "input_shape" not in kwargs and "batch_input_shape" not in kwargs:
            lengths = input_length if isinstance(input_length, (list, tuple)) else (input_length,)
            kwargs["input_shape"] = tuple(lengths)
        super().__init__(**kwargs)
        self.input_dim = input_dim
        self.output_dim = output_dim
        self.embeddings_initializer = embeddings_initializer
        self.embeddings_regularizer = embeddings_regularizer
        self.activity_regularizer = activity_regularizer
        self.embeddings_constraint = embeddings_constraint
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.input_length = input_length

    def build(self, input_shape: Any) -> None:
        self.embeddings = self.add_weight(
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            name="embeddings",
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )
        self.built = True

    def compute_mask(self, inputs: Tensor, mask: Any = None) -> Any:
        return K.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self.input_length is None:
            return (*input_shape, self.output_dim)
        lengths = list(self.input_length) if isinstance(self.input_length, (list, tuple)) else [self.input_length]
        if len(lengths) != len(input_shape) - 1 or any(
            a is not None and b is not None and a != b for a, b in zip(lengths, input_shape[1:], strict=True)
        ):
            raise ValueError(
                f'"input_length" is {self.input_length}, but received input has shape {tuple(input_shape)}'
            )
        known = [b if a is None else a for a, b in zip(lengths, input_shape[1:], strict=True)]
        return (input_shape[0], *known, self.output_dim)

    def call(self, inputs: Tensor) -> Tensor:
        return K.gather(self.embeddings, inputs if K.dtype(inputs).startswith("int") else K.cast(inputs, "int32"))
