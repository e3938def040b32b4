"""What the builders of networks share: their request, its checks, the image, the head, the weights."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from .. import backend as K
from .. import layers
from ..models import Model
from ..utils import get_file, get_source_inputs
from .caution import warn_caller
from .imagenet_utils import _obtain_input_shape
from .injection import keras_modules_injection

Tensor = Any
_POOLINGS: dict[str, Callable[..., Any]] = {"avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}


@dataclass(frozen=True)
class WeightFile:
    """A published file of weights; ``md5`` is None where none is published."""

    name: str
    origin: str
    md5: str | None = None

    def path(self) -> str:
        """The file in the cache, downloaded if it is not there.

        Raises:
            OSError: if it cannot be downloaded.
        """
        return get_file(self.name, self.origin, cache_subdir="models", file_hash=self.md5)


@dataclass(frozen=True)
class Weights:
    """The published files of a network: of all of it, and of what is below the classifier."""

    top: WeightFile
    no_top: WeightFile

    @classmethod
    def tf_kernels(cls, network: str, folder: str, md5_top: str, md5_no_top: str) -> Weights:
        """Files named the usual way, both in the folder at a URL."""
        stem = f"{network}_weights_tf_dim_ordering_tf_kernels"
        names = (stem + ".h5", stem + "_notop.h5")
        top, no_top = (WeightFile(n, folder + n, md5) for n, md5 in zip(names, (md5_top, md5_no_top), strict=True))
        return cls(top, no_top)


@dataclass(frozen=True)
class Request:
    """The arguments that all builders have; see :mod:`symgraph.keras.applications`.

    Raises:
        ValueError: for weights that are neither None, 'imagenet' nor a file, for the published classifier with another
            number of classes, and for an unknown pooling.
    """

    include_top: bool
    weights: Any
    input_tensor: Tensor
    input_shape: Any
    pooling: str | None
    classes: int

    def __post_init__(self) -> None:
        weights = self.weights
        if not (
            weights is None or (isinstance(weights, (str, os.PathLike)) and (self.published or os.path.exists(weights)))
        ):
            raise ValueError(
                "The `weights` argument should be either `None` (random initialization), `imagenet` (pre-training on "
                f"ImageNet), or the path to the weights file to be loaded. Got: {weights!r}"
            )
        if self.published and self.include_top and self.classes != 1000:
            raise ValueError(
                'If using `weights` as `"imagenet"` with `include_top` as true, `classes` should be 1000. Got: '
                f"{self.classes}"
            )
        if self.pooling is not None and self.pooling not in _POOLINGS:
            raise ValueError(f"`pooling` should be None, 'avg' or 'max'. Got: {self.pooling!r}")

    @property
    def published(self) -> bool:
        """Whether the published weights are asked for."""
        return bool(isinstance(self.weights, str) and self.weights == "imagenet")

    def shape(self, default_size: int, min_size: int, require_flatten: bool | None = None) -> tuple[int | None, ...]:
        """The shape of one image; its sizes are needed with the top, or as ``require_flatten`` says."""
        needed = self.include_top if require_flatten is None else require_flatten
        return _obtain_input_shape(
            self.input_shape, default_size, min_size, K.image_data_format(), needed, weights=self.weights
        )

    def image(self, shape: tuple[int | None, ...]) -> Tensor:
        """The tensor that the network starts from."""
        if self.input_tensor is None:
            return layers.Input(shape=shape)
        if K.is_keras_tensor(self.input_tensor):
            return self.input_tensor
        return layers.Input(tensor=self.input_tensor, shape=shape)

    def head(
        self, x: Tensor, dense: str, top_pool: str | None = "avg_pool", pools: dict[str, str | None] | None = None
    ) -> Tensor:
        """The averages of the channels and a classifier named ``dense``; without the top, what ``pooling`` says.

        Args:
            top_pool: name of the pooling below the classifier.
            pools: names of the other poolings, by kind.
        """
        if not self.include_top:
            return self.pooled(x, pools or {})
        x = layers.GlobalAveragePooling2D(name=top_pool)(x)
        return layers.Dense(self.classes, activation="softmax", name=dense)(x)

    def pooled(self, x: Tensor, names: dict[str, str | None]) -> Tensor:
        """``x`` reduced as ``pooling`` says."""
        return x if self.pooling is None else _POOLINGS[self.pooling](name=names.get(self.pooling))(x)

    def model(self, image: Tensor, outputs: Tensor, name: str, published: Weights | None) -> Any:
        """The network, with the weights that are asked for.

        Raises:
            ValueError: if the published weights are asked for and there are none, or a file does not fit.
            OSError: if they cannot be downloaded.
        """
        model = Model(image if self.input_tensor is None else get_source_inputs(image), outputs, name=name)
        if self.published:
            if published is None:
                raise ValueError(f"no ImageNet weights are published for this {name}; give `weights=None` or a file")
            model.load_weights((published.top if self.include_top else published.no_top).path())
        elif self.weights is not None:
            model.load_weights(self.weights)
        return model


class NetworkFunction(Protocol):
    """A function of ``keras.applications`` with the arguments that nearly all of them have."""

    def __call__(
        self,
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
    ) -> Any: ...


def network(build: Callable[[Request], Any]) -> NetworkFunction:
    """The public function of a network, of what builds it for a request."""

    def make(
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
    ) -> Any:
        return build(Request(include_top, weights, input_tensor, input_shape, pooling, classes))

    make.__module__, make.__name__, make.__qualname__ = build.__module__, build.__name__, build.__qualname__
    make.__doc__ = f"{build.__doc__}\n\n    The arguments are those of :mod:`symgraph.keras.applications`.\n    "
    return cast(NetworkFunction, keras_modules_injection(make))


def channel_axis() -> int:
    """The axis of channels in a batch of images."""
    return 1 if K.image_data_format() == "channels_first" else 3


def channels_of(x: Tensor) -> int:
    """The number of channels of images.

    Raises:
        ValueError: if it is open.
    """
    count = K.int_shape(x)[channel_axis()]
    if count is None:
        raise ValueError(f"the number of channels has to be known; the shape is {K.int_shape(x)}")
    return count


def correct_pad(x: Tensor, kernel_size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The padding before a convolution of stride 2 that makes it what TensorFlow's ``same`` is for the image's size."""
    start = 2 if K.image_data_format() == "channels_first" else 1
    half = kernel_size // 2
    rows, columns = K.int_shape(x)[start : start + 2]
    even = (1, 1) if rows is None or columns is None else (1 - rows % 2, 1 - columns % 2)
    return (half - even[0], half), (half - even[1], half)


def default_rows(input_shape: Any, sizes: Sequence[int]) -> int:
    """The rows of images: those given, if the image is square and weights are published for ``sizes`` with them."""
    if input_shape is None or len(input_shape) != 3:
        return 224
    rows, columns = _sizes(input_shape)
    return rows if rows == columns and rows in sizes else 224


def published_rows(shape: Sequence[int | None], sizes: Sequence[int]) -> int:
    """The rows of the images that the weights for images of ``shape`` were trained on. Warns where there are none."""
    rows, columns = _sizes(shape)
    if rows is not None and rows == columns and rows in sizes:
        return rows
    warn_caller(
        f"`input_shape` is undefined or non-square, or `rows` is not in {list(sizes)}. Weights for input shape (224, "
        "224) will be loaded as the default."
    )
    return 224


def _sizes(shape: Any) -> tuple[Any, Any]:
    rows, columns = shape[1:] if channel_axis() == 1 else shape[:-1]
    return rows, columns


@contextlib.contextmanager
def channels_last_only(family: str) -> Iterator[None]:
    """Within, the data format is ``channels_last``: there is no other for this family. Warns where it was another."""
    before = K.image_data_format()
    if before != "channels_last":
        warn_caller(
            f'The {family} family of models is only available for the input data format "channels_last" (width, '
            f'height, channels). However your settings specify the default data format "{before}". You should set '
            '`image_data_format="channels_last"` in your Keras config located at ~/.keras/keras.json. The model being '
            'returned right now will expect inputs to follow the "channels_last" data format.'
        )
    K.set_image_data_format("channels_last")
    try:
        yield
    finally:
        K.set_image_data_format(before)
