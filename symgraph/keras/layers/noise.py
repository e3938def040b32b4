"""Layers that add noise in training."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend as K
from ..engine.arguments import Argument
from ..engine.base_layer import Layer
from ..legacy import interfaces

Tensor = Any


class GaussianNoise(Layer):
    """Adds normal noise of deviation ``stddev``."""

    stddev = Argument()

    @interfaces.legacy_gaussiannoise_support
    def __init__(self, stddev: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.stddev = stddev

    def call(self, inputs: Tensor, training: Any = None) -> Tensor:
        def noised() -> Tensor:
            return inputs + K.random_normal(K.shape(inputs), mean=0.0, stddev=self.stddev)

        return K.in_train_phase(noised, inputs, training=training)


class GaussianDropout(Layer):
    """Multiplies by normal noise of mean one and variance ``rate / (1 - rate)``."""

    rate = Argument()

    @interfaces.legacy_gaussiandropout_support
    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.rate = rate

    def call(self, inputs: Tensor, training: Any = None) -> Tensor:
        if not 0 < self.rate < 1:
            return inputs

        def noised() -> Tensor:
            deviation = float(np.sqrt(self.rate / (1.0 - self.rate)))
            return inputs * K.random_normal(K.shape(inputs), mean=1.0, stddev=deviation)

        return K.in_train_phase(noised, inputs, training=training)


class AlphaDropout(Layer):
    """Dropout that keeps mean and variance of SELU activations (Klambauer et al. 2017)."""

    rate = Argument()
    noise_shape = Argument()
    seed = Argument()

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed
        self.supports_masking = True

    def _get_noise_shape(self, inputs: Tensor) -> Any:
        return self.noise_shape if self.noise_shape else K.shape(inputs)

    def call(self, inputs: Tensor, training: Any = None) -> Tensor:
        if not 0.0 < self.rate < 1.0:
            return inputs
        saturated = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946
        noise_shape = self._get_noise_shape(inputs)

        def dropped() -> Tensor:
            kept = K.cast(K.greater_equal(K.random_uniform(noise_shape, seed=self.seed), self.rate), K.dtype(inputs))
            scale = ((1 - self.rate) * (1 + self.rate * saturated**2)) ** -0.5
            return scale * (inputs * kept + saturated * (1.0 - kept)) - scale * saturated * self.rate

        return K.in_train_phase(dropped, inputs, training=training)
