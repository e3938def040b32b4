"""What layers share that have a kernel, a bias and an activation."""

from __future__ import annotations

from typing import Any

from .. import activations, constraints, initializers, regularizers
from .. import backend as K
from ..engine.arguments import Argument
from ..engine.base_layer import Layer

Tensor = Any


class KernelAndBias(Layer):
    """Base of layers that give ``activation(product + bias)``, the product being of the inputs and a kernel."""

    activation = Argument(activations)
    use_bias = Argument()
    kernel_initializer = Argument(initializers)
    bias_initializer = Argument(initializers)
    kernel_regularizer = Argument(regularizers)
    bias_regularizer = Argument(regularizers)
    activity_regularizer = Argument(regularizers)
    kernel_constraint = Argument(constraints)
    bias_constraint = Argument(constraints)

    def __init__(
        self, activation: Any, use_bias: bool, kernel_initializer: Any, bias_initializer: Any, kernel_regularizer: Any,
        bias_regularizer: Any, activity_regularizer: Any, kernel_constraint: Any, bias_constraint: Any, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.activation = activation
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self.activity_regularizer = activity_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_constraint = bias_constraint
        self.kernel: Tensor = None
        self.bias: Tensor = None

    def _add_kernel(self, shape: tuple[int, ...]) -> None:
        self.kernel = self.add_weight(
            shape=shape,
            initializer=self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )

    def _add_bias(self, shape: tuple[int, ...]) -> None:
        """Make the bias, if there is one."""
        if self.use_bias:
            self.bias = self.add_weight(
                shape=shape,
                initializer=self.bias_initializer,
                name="bias",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _finish(self, product: Tensor, data_format: str | None = None) -> Tensor:
        """The output; where channels lie, for the bias, as in ``K.bias_add``."""
        if self.use_bias:
            product = K.bias_add(product, self.bias, data_format=data_format)
        return self.activation(product)
