"""What the cells of recurrent layers share: arguments, weights, dropout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import activations, constraints, initializers, regularizers
from ... import backend as K
from ...engine.arguments import Argument
from ...engine.base_layer import Layer
from ...utils.generic_utils import has_arg

Tensor = Any


class Cell(Layer):
    """One step of a recurrent layer: ``call(inputs, states)`` gives an output and new states.

    The kernels and the bias hold a block of columns for each of the ``gates``, which have letters. In training,
    ``dropout`` sets inputs to zero and ``recurrent_dropout`` the state; a mask is made on first use and kept until
    :meth:`reset_dropout_masks`, so that all steps of a sequence have the same.
    """

    gates = ""
    activation = Argument(activations)
    use_bias = Argument()
    kernel_initializer = Argument(initializers)
    recurrent_initializer = Argument(initializers)
    bias_initializer = Argument(initializers)
    kernel_regularizer = Argument(regularizers)
    recurrent_regularizer = Argument(regularizers)
    bias_regularizer = Argument(regularizers)
    kernel_constraint = Argument(constraints)
    recurrent_constraint = Argument(constraints)
    bias_constraint = Argument(constraints)
    dropout = Argument()
    recurrent_dropout = Argument()

    def __init__(
        self, activation: Any, use_bias: bool, kernel_initializer: Any, recurrent_initializer: Any,
        bias_initializer: Any, kernel_regularizer: Any, recurrent_regularizer: Any, bias_regularizer: Any,
        kernel_constraint: Any, recurrent_constraint: Any, bias_constraint: Any, dropout: float,
        recurrent_dropout: float, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.activation = activation
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.recurrent_initializer = recurrent_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.recurrent_regularizer = recurrent_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint = kernel_constraint
        self.recurrent_constraint = recurrent_constraint
        self.bias_constraint = bias_constraint
        self.dropout = min(1.0, max(0.0, dropout))
        self.recurrent_dropout = min(1.0, max(0.0, recurrent_dropout))
        self.kernel: Tensor = None
        self.recurrent_kernel: Tensor = None
        self.bias: Tensor = None
        self.reset_dropout_masks()

    def make_weights(
        self, kernel: tuple[int, ...], recurrent: tuple[int, ...], bias: tuple[int, ...], bias_initializer: Any = None
    ) -> None:
        """Make the two kernels, and the bias where there is one, of the given shapes."""
        self.kernel = self.add_weight(
            shape=kernel,
            name="kernel",
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            shape=recurrent,
            name="recurrent_kernel",
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=bias,
                name="bias",
                initializer=bias_initializer or self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def name_blocks(self, **weights: Tensor) -> None:
        """Show the blocks of weights by the letters of their gates: ``kernel_i``."""
        for name, whole in weights.items():
            blocks = [None] * len(self.gates) if whole is None else columns(whole, len(self.gates))
            for letter, block in zip(self.gates, blocks, strict=True):
                setattr(self, f"{name}_{letter}", block)

    # -- dropout ----------------------------------------------------------------------------------------------------
    def reset_dropout_masks(self) -> None:
        """Forget the masks: the next step makes others."""
        self._dropout_mask: list[Tensor] | None = None
        self._recurrent_dropout_mask: list[Tensor] | None = None

    def input_masks(self, x: Tensor, training: Any, count: int = 1) -> list[Tensor] | None:
        """``count`` masks for inputs like ``x``; None where nothing is dropped."""
        if self._dropout_mask is None:
            self._dropout_mask = _masks(x, self.dropout, training, count)
        return self._dropout_mask

    def state_masks(self, x: Tensor, training: Any, count: int = 1) -> list[Tensor] | None:
        """``count`` masks for states like ``x``; None where nothing is dropped."""
        if self._recurrent_dropout_mask is None:
            self._recurrent_dropout_mask = _masks(x, self.recurrent_dropout, training, count)
        return self._recurrent_dropout_mask

    def mark_phase(self, output: Tensor, training: Any) -> None:
        """Note that an output differs between training and test, where dropout makes it."""
        if training is None and self.dropout + self.recurrent_dropout > 0:
            output._uses_learning_phase = True


def forgetful_bias(initializer: Any, before: int, ones: int, after: int) -> Callable[..., Any]:
    """An initializer of biases: ``before`` and ``after`` numbers of another one, and ones between them."""

    def initial(shape: Any, dtype: Any = None) -> Any:
        sizes = ((initializer, before), (initializers.Ones(), ones), (initializer, after))
        return np.concatenate([K.eval(start_of(make, (size,), dtype)) for make, size in sizes])

    return initial


def start_of(initializer: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """What an initializer gives; one that is a plain function need not take a dtype."""
    return initializer(shape, dtype=dtype) if has_arg(initializer, "dtype", True) else initializer(shape)


def _masks(x: Tensor, rate: float, training: Any, count: int) -> list[Tensor] | None:
    if not 0.0 < rate < 1.0:
        return None
    ones = K.ones_like(x)
    return [K.in_train_phase(lambda: K.dropout(ones, rate), ones, training=training) for _ in range(count)]


def product(x: Tensor, kernel: Tensor, masks: list[Tensor] | None) -> Tensor:
    """``x . kernel``; with one mask, of ``x`` under it; with several, each block of columns has a mask of its own."""
    if masks is None:
        return K.dot(x, kernel)
    if len(masks) == 1:
        return K.dot(x * masks[0], kernel)
    blocks = columns(kernel, len(masks))
    return K.concatenate([K.dot(x * mask, block) for mask, block in zip(masks, blocks, strict=True)])


def columns(x: Tensor, count: int) -> list[Tensor]:
    """``count`` equal blocks of the last axis."""
    width = K.int_shape(x)[-1] // count  # type: ignore[operator]
    return [x[..., i * width : (i + 1) * width] for i in range(count)]


def known_implementation(implementation: int) -> int:
    """1 or 2; Keras 2.0's 0 is 1 now.

    Raises:
        ValueError: for other values.
    """
    if implementation not in (0, 1, 2):
        raise ValueError(f"`implementation` is 1 or 2, got {implementation!r}.")
    return implementation or 1
