"""Dropout of whole feature maps (Tompson et al. 2015)."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..engine.base_layer import InputSpec
from ..legacy import interfaces
from .core import Dropout

Tensor = Any


class SpatialDropout1D(Dropout):
    """In training, sets whole features of ``(samples, steps, features)`` to zero."""

    @interfaces.legacy_spatialdropout1d_support
    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(rate, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def _get_noise_shape(self, inputs: Tensor) -> Any:
        samples, _, features = K.shape(inputs)
        return samples, 1, features


class SpatialDropout2D(Dropout):
    """In training, sets whole maps of images to zero."""

    _spatial = 2

    @interfaces.legacy_spatialdropoutNd_support
    def __init__(self, rate: float, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(rate, **kwargs)
        self.data_format = K.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=2 + self._spatial)

    def _get_noise_shape(self, inputs: Tensor) -> Any:
        shape = K.shape(inputs)
        ones = (1,) * self._spatial
        return (*shape[:2], *ones) if self.data_format == "channels_first" else (shape[0], *ones, shape[-1])


class SpatialDropout3D(SpatialDropout2D):
    """In training, sets whole maps of volumes to zero."""

    _spatial = 3
