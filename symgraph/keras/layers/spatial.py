"""Layers that change spatial sizes without weights: padding with zeros, cropping, repeating or interpolating."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..engine.arguments import Argument
from ..engine.base_layer import InputSpec, Layer
from ..legacy import interfaces
from ..utils.conv_utils import normalize_tuple

Tensor = Any
Sides = tuple[tuple[int, int], ...]


def _both_sides(value: Any, rank: int, name: str) -> Sides:
    """A pair of numbers for each axis, from one number, one for each axis, or such pairs.

    Raises:
        ValueError: for anything else, and for negative numbers.
    """
    if rank == 1:
        sides = [normalize_tuple(value, 2, name)]
    elif isinstance(value, int):
        sides = [(value, value)] * rank
    elif not hasattr(value, "__len__"):
        raise ValueError(
            f"`{name}` should be either an int, a tuple of {rank} ints, or a tuple of {rank} tuples of 2 ints. "
            f"Found: {value}"
        )
    elif len(value) != rank:
        raise ValueError(f"`{name}` should have {rank} elements. Found: {value}")
    else:
        sides = [normalize_tuple(v, 2, f"entry {i + 1} of `{name}`") for i, v in enumerate(value)]
    if any(n < 0 for pair in sides for n in pair):
        raise ValueError(f"`{name}` should not be negative. Found: {value}")
    return tuple((before, after) for before, after in sides)


class _Spatial(Layer):
    """Layers that keep samples and channels and change the sizes between them."""

    _rank = 2

    def __init__(self, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = K.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    @property
    def _first(self) -> int:
        """The first spatial axis."""
        return 2 if self.data_format == "channels_first" else 1

    def _lengths(self, space: Any) -> list[Any]:
        """The spatial sizes of the output."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> Any:
        first, last = self._first, self._first + self._rank
        return (*input_shape[:first], *self._lengths(input_shape[first:last]), *input_shape[last:])

    def _config(self, **own: Any) -> dict[str, Any]:
        layout = {} if self._rank == 1 else {"data_format": self.data_format}
        return {**super().get_config(), **own, **layout}


class _ZeroPadding(_Spatial):
    def __init__(self, padding: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.padding = _both_sides(padding, self._rank, "padding")

    def _lengths(self, space: Any) -> list[Any]:
        return [None if d is None else d + sum(pair) for d, pair in zip(space, self.padding, strict=True)]

    def get_config(self) -> dict[str, Any]:
        return self._config(padding=self.padding[0] if self._rank == 1 else self.padding)


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after the steps; ``padding``: a number, or one for each end."""

    _rank = 1

    def __init__(self, padding: Any = 1, **kwargs: Any) -> None:
        super().__init__(padding, "channels_last", **kwargs)

    def call(self, inputs: Tensor) -> Tensor:
        return K.temporal_padding(inputs, self.padding[0])

    @classmethod
    def renewed_config(cls, config: dict[str, Any]) -> dict[str, Any]:
        """Keras 3 has a data format, which is the one here."""
        return {k: v for k, v in config.items() if (k, v) != ("data_format", "channels_last")}


class ZeroPadding2D(_ZeroPadding):
    """Zeros around images; ``padding``: a number, one for rows and one for columns, or a pair for each."""

    @interfaces.legacy_zeropadding2d_support
    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)

    def call(self, inputs: Tensor) -> Tensor:
        return K.spatial_2d_padding(inputs, self.padding, self.data_format)


class ZeroPadding3D(_ZeroPadding):
    """Zeros around volumes; ``padding``: a number, one for each axis, or a pair for each."""

    _rank = 3

    @interfaces.legacy_zeropadding3d_support
    def __init__(self, padding: Any = (1, 1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)

    def call(self, inputs: Tensor) -> Tensor:
        return K.spatial_3d_padding(inputs, self.padding, self.data_format)


class _Cropping(_Spatial):
    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.cropping = _both_sides(cropping, self._rank, "cropping")

    def _lengths(self, space: Any) -> list[Any]:
        for size, pair in zip(space, self.cropping, strict=True):
            if size is not None and sum(pair) >= size:
                raise ValueError(
                    f"Layer {self.name} takes {self.cropping} off the spatial sizes {tuple(space)}: nothing is left."
                )
        return [None if d is None else d - sum(pair) for d, pair in zip(space, self.cropping, strict=True)]

    def call(self, inputs: Tensor) -> Tensor:
        self.compute_output_shape(K.int_shape(inputs))
        kept = tuple(slice(before, -after or None) for before, after in self.cropping)
        return inputs[(slice(None),) * self._first + kept]

    def get_config(self) -> dict[str, Any]:
        return self._config(cropping=self.cropping[0] if self._rank == 1 else self.cropping)


class Cropping1D(_Cropping):
    """Without some steps at both ends; ``cropping``: a number, or one for each end."""

    _rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, "channels_last", **kwargs)


class Cropping2D(_Cropping):
    """Without some rows and columns at the edges; ``cropping``: as ``padding`` of :class:`ZeroPadding2D`."""

    @interfaces.legacy_cropping2d_support
    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(_Cropping):
    """Without the outer parts of volumes; ``cropping``: as ``padding`` of :class:`ZeroPadding3D`."""

    _rank = 3

    @interfaces.legacy_cropping3d_support
    def __init__(self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


class _UpSampling(_Spatial):
    def __init__(self, size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.size = normalize_tuple(size, self._rank, "size")

    def _lengths(self, space: Any) -> list[Any]:
        return [None if d is None else d * factor for d, factor in zip(space, self.size, strict=True)]

    def get_config(self) -> dict[str, Any]:
        return self._config(size=self.size[0] if self._rank == 1 else self.size)


class UpSampling1D(_UpSampling):
    """Each step ``size`` times in a row."""

    _rank = 1

    @interfaces.legacy_upsampling1d_support
    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__((int(size),), "channels_last", **kwargs)

    def call(self, inputs: Tensor) -> Tensor:
        return K.repeat_elements(inputs, self.size[0], axis=1)


class UpSampling2D(_UpSampling):
    """Images enlarged by whole factors: pixels repeated (``nearest``), or ``bilinear`` between them."""

    interpolation = Argument()

    @interfaces.legacy_upsampling2d_support
    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(size, data_format, **kwargs)
        if interpolation not in ("nearest", "bilinear"):
            raise ValueError('`interpolation` argument should be one of `"nearest"` or `"bilinear"`.')
        self.interpolation = interpolation

    def call(self, inputs: Tensor) -> Tensor:
        return K.resize_images(inputs, self.size[0], self.size[1], self.data_format, self.interpolation)


class UpSampling3D(_UpSampling):
    """Every voxel repeated along each axis."""

    _rank = 3

    @interfaces.legacy_upsampling3d_support
    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(size, data_format, **kwargs)

    def call(self, inputs: Tensor) -> Tensor:
        depth, height, width = self.size
        return K.resize_volumes(inputs, depth, height, width, self.data_format)
