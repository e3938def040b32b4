"""Batch normalisation (Ioffe and Szegedy 2015)."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from .. import constraints, initializers, regularizers
from ..engine.arguments import Argument
from ..engine.base_layer import InputSpec, Layer
from ..legacy import interfaces

Tensor = Any


class BatchNormalization(Layer):
    """Zero mean and unit variance for each entry of ``axis``: of the batch in training, of moving averages in test.

    The moving variance takes the batch's variance times ``n / (n - 1 - epsilon)``, ``n`` being the elements averaged.
    """

    axis = Argument()
    momentum = Argument()
    epsilon = Argument()
    center = Argument()
    scale = Argument()
    beta_initializer = Argument(initializers)
    gamma_initializer = Argument(initializers)
    moving_mean_initializer = Argument(initializers)
    moving_variance_initializer = Argument(initializers)
    beta_regularizer = Argument(regularizers)
    gamma_regularizer = Argument(regularizers)
    beta_constraint = Argument(constraints)
    gamma_constraint = Argument(constraints)

    @interfaces.legacy_batchnorm_support
    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.axis = axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = beta_initializer
        self.gamma_initializer = gamma_initializer
        self.moving_mean_initializer = moving_mean_initializer
        self.moving_variance_initializer = moving_variance_initializer
        self.beta_regularizer = beta_regularizer
        self.gamma_regularizer = gamma_regularizer
        self.beta_constraint = beta_constraint
        self.gamma_constraint = gamma_constraint
        self.gamma: Tensor = None
        self.beta: Tensor = None

    def build(self, input_shape: Any) -> None:
        size = input_shape[self.axis]
        if size is None:
            raise ValueError(
                f"Axis {self.axis} of input tensor should have a defined dimension but the layer received an input "
                f"with shape {input_shape}."
            )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=(size,),
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=(size,),
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )
        self.moving_mean = self.add_weight(
            name="moving_mean", shape=(size,), initializer=self.moving_mean_initializer, trainable=False
        )
        self.moving_variance = self.add_weight(
            name="moving_variance", shape=(size,), initializer=self.moving_variance_initializer, trainable=False
        )
        self.built = True

    def call(self, inputs: Tensor, training: Any = None) -> Tensor:
        rank = K.ndim(inputs)
        averaged = [i for i in range(rank) if i != self.axis % rank]

        def with_moving_averages() -> Tensor:
            return K.batch_normalization(
                inputs, self.moving_mean, self.moving_variance, self.beta, self.gamma, self.axis, self.epsilon
            )

        if training is not None and not K.is_tensor(training) and not training:
            return with_moving_averages()
        normed, mean, variance = K.normalize_batch_in_training(
            inputs, self.gamma, self.beta, averaged, epsilon=self.epsilon
        )
        shape = K.shape(inputs)
        count: Any = 1.0
        for axis in averaged:
            count = count * K.cast(K.as_tensor(shape[axis]), K.dtype(inputs))
        variance = variance * (count / (count - (1.0 + self.epsilon)))
        self.add_update(
            [
                K.moving_average_update(self.moving_mean, mean, self.momentum),
                K.moving_average_update(self.moving_variance, variance, self.momentum),
            ],
            inputs,
        )
        return K.in_train_phase(normed, with_moving_averages, training=training)
