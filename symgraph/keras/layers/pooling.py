"""Pooling layers: the largest element or the mean of windows, or of everything."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..engine.arguments import Argument
from ..engine.base_layer import InputSpec, Layer
from ..legacy import interfaces
from ..utils.conv_utils import conv_output_lengths, normalize_padding, normalize_tuple

Tensor = Any


class _Pooling(Layer):
    """Pooling over windows of any rank."""

    _rank = 2
    _mode = "max"
    pool_size = Argument()
    padding = Argument()
    strides = Argument()
    data_format = Argument()

    def __init__(
        self, pool_size: Any = 2, strides: Any = None, padding: str = "valid", data_format: str | None = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.pool_size = normalize_tuple(pool_size, self._rank, "pool_size")
        self.strides = self.pool_size if strides is None else normalize_tuple(strides, self._rank, "strides")
        self.padding = normalize_padding(padding)
        self.data_format = K.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def compute_output_shape(self, input_shape: Any) -> Any:
        first = self.data_format == "channels_first"
        space = input_shape[2:] if first else input_shape[1:-1]
        sizes = conv_output_lengths(space, self.pool_size, self.padding, self.strides)
        return (*input_shape[:2], *sizes) if first else (input_shape[0], *sizes, input_shape[-1])

    def call(self, inputs: Tensor) -> Tensor:
        pool = K.pool3d if self._rank == 3 else K.pool2d
        return pool(inputs, self.pool_size, self.strides, self.padding, self.data_format, self._mode)


class MaxPooling1D(_Pooling):
    """The largest element of windows of steps."""

    _rank = 1

    @interfaces.legacy_pooling1d_support
    def __init__(
        self, pool_size: Any = 2, strides: Any = None, padding: str = "valid",
        data_format: str | None = "channels_last", **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class AveragePooling1D(MaxPooling1D):
    """The mean of windows of steps."""

    _mode = "avg"


class MaxPooling2D(_Pooling):
    """The largest element of windows of images."""

    @interfaces.legacy_pooling2d_support
    def __init__(
        self, pool_size: Any = (2, 2), strides: Any = None, padding: str = "valid",
        data_format: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class AveragePooling2D(MaxPooling2D):
    """The mean of windows of images, over the positions inside."""

    _mode = "avg"


class MaxPooling3D(_Pooling):
    """The largest element of windows of volumes."""

    _rank = 3

    @interfaces.legacy_pooling3d_support
    def __init__(
        self, pool_size: Any = (2, 2, 2), strides: Any = None, padding: str = "valid",
        data_format: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class AveragePooling3D(MaxPooling3D):
    """The mean of windows of volumes, over the positions inside."""

    _mode = "avg"


class _GlobalPooling(Layer):
    """Pooling over all positions."""

    _rank = 2
    data_format = Argument()

    @interfaces.legacy_global_pooling_support
    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = K.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    @property
    def _space(self) -> list[int]:
        first = 2 if self.data_format == "channels_first" else 1
        return list(range(first, first + self._rank))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], input_shape[1 if self.data_format == "channels_first" else -1])


class GlobalMaxPooling2D(_GlobalPooling):
    """The largest element of each channel of an image."""

    def call(self, inputs: Tensor) -> Tensor:
        return K.max(inputs, axis=self._space)


class GlobalAveragePooling2D(_GlobalPooling):
    """The mean of each channel of an image."""

    def call(self, inputs: Tensor) -> Tensor:
        return K.mean(inputs, axis=self._space)


class GlobalMaxPooling3D(GlobalMaxPooling2D):
    """The largest element of each channel of a volume."""

    _rank = 3


class GlobalAveragePooling3D(GlobalAveragePooling2D):
    """The mean of each channel of a volume."""

    _rank = 3


class GlobalMaxPooling1D(_GlobalPooling):
    """The largest element of each feature over the steps."""

    _rank = 1

    def __init__(self, data_format: str | None = "channels_last", **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)

    def call(self, inputs: Tensor) -> Tensor:
        return K.max(inputs, axis=self._space)


class GlobalAveragePooling1D(_GlobalPooling):
    """The mean of each feature over the steps, those that a mask keeps."""

    _rank = 1

    def __init__(self, data_format: str | None = "channels_last", **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Tensor, mask: Any = None) -> Tensor:
        axis = self._space[0]
        if mask is None:
            return K.mean(inputs, axis=axis)
        kept = K.expand_dims(K.cast(mask, K.floatx()), 2 if axis == 1 else 1)
        return K.sum(inputs * kept, axis=axis) / K.sum(kept, axis=axis)

    def compute_mask(self, inputs: Tensor, mask: Any = None) -> Any:
        return None


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
