"""NASNet-A (Zoph et al. 2018, https://arxiv.org/abs/1707.07012), whose cells a search found."""

from __future__ import annotations

import sys
from typing import Any

from .. import layers
from .building import Request, WeightFile, Weights, channels_last_only
from .imagenet_utils import decode_predictions, preparation
from .injection import keras_modules_injection
from .nasnet_cells import normal_cell, normalized, reduction_cell

__all__ = ["NASNet", "NASNetLarge", "NASNetMobile", "decode_predictions", "keras_modules_injection", "preprocess_input"]

_FOLDER = "https://github.com/titu1994/Keras-NASNet/releases/download/v1.2/"
#: By the size of images.
_WEIGHTS = {
    224: Weights(
        WeightFile("nasnet_mobile.h5", _FOLDER + "NASNet-mobile.h5", "020fb642bf7360b370c678b08e0adf61"),
        WeightFile("nasnet_mobile_no_top.h5", _FOLDER + "NASNet-mobile-no-top.h5", "1ed92395b5b598bdda52abe5c0dbfd63"),
    ),
    331: Weights(
        WeightFile("nasnet_large.h5", _FOLDER + "NASNet-large.h5", "11577c9a518f0070763c2b964a382f17"),
        WeightFile("nasnet_large_no_top.h5", _FOLDER + "NASNet-large-no-top.h5", "d81d89dc07e6e56530c4e77faddd61b5"),
    ),
}


@keras_modules_injection
def NASNet(
    input_shape: Any = None,
    penultimate_filters: int = 4032,
    num_blocks: int = 6,
    stem_block_filters: int = 96,
    skip_reduction: bool = True,
    filter_multiplier: int = 2,
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    default_size: int | None = None,
) -> Any:
    """Three runs of normal cells with reduction cells before each; mode ``tf``. ``channels_last`` only.

    The other arguments are those of :mod:`symgraph.keras.applications`.

    Args:
        penultimate_filters: channels of the last cell; a multiple of ``24 * filter_multiplier ** 2``.
        num_blocks: normal cells of one run.
        stem_block_filters: filters of the first convolution.
        skip_reduction: whether the cell behind a reduction cell sees what came before it.
        filter_multiplier: filters of a run, over those of the run before.
        default_size: rows and columns of images, 331 for None; 224 and 331 name the published weights.
    """
    request = Request(include_top, weights, input_tensor, input_shape, pooling, classes)
    if request.published and input_shape is not None and None in tuple(input_shape):
        raise ValueError(
            "When specifying the input shape of a NASNet and loading `ImageNet` weights, the input_shape argument must "
            f"be static (no None entries). Got: `input_shape={tuple(input_shape)}`."
        )
    if penultimate_filters % (24 * filter_multiplier**2):
        raise ValueError(
            "For NASNet-A models, the `penultimate_filters` must be a multiple of 24 * (`filter_multiplier` ** 2). "
            f"Current value: {penultimate_filters}"
        )
    size = 331 if default_size is None else default_size
    if request.published and size not in _WEIGHTS:
        raise ValueError("ImageNet weights can only be loaded with NASNetLarge or NASNetMobile")
    filters = penultimate_filters // 24
    with channels_last_only("NASNet"):
        image = request.image(request.shape(size, 32, require_flatten=True))
        x = layers.Conv2D(
            stem_block_filters, 3, strides=2, use_bias=False, name="stem_conv1", kernel_initializer="he_normal"
        )(image)
        x = normalized(x, "stem_bn1")
        x, before = reduction_cell(x, None, filters // filter_multiplier**2, "stem_1")
        x, before = reduction_cell(x, before, filters // filter_multiplier, "stem_2")
        for run in range(3):
            width = filters * filter_multiplier**run
            if run:
                x, reduced = reduction_cell(x, before, width, f"reduce_{run * num_blocks}")
                before = before if skip_reduction else reduced
            for i in range(num_blocks):
                x, before = normal_cell(x, before, width, str(run * num_blocks + i + (1 if run else 0)))
        x = layers.Activation("relu")(x)
        x = request.head(x, "predictions", top_pool=None)
        return request.model(image, x, "NASNet", _WEIGHTS.get(size))


@keras_modules_injection
def NASNetLarge(
    input_shape: Any = None,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Any:
    """NASNet-A (6 @ 4032); images of 331 x 331, prepared by mode ``tf``. ``channels_last`` only.

    The arguments are those of :mod:`symgraph.keras.applications`.
    """
    return NASNet(
        input_shape,
        include_top=include_top,
        weights=weights,
        input_tensor=input_tensor,
        pooling=pooling,
        classes=classes,
        default_size=331,
    )


@keras_modules_injection
def NASNetMobile(
    input_shape: Any = None,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Any:
    """NASNet-A (4 @ 1056); images of 224 x 224, prepared by mode ``tf``. ``channels_last`` only.

    The arguments are those of :mod:`symgraph.keras.applications`.
    """
    return NASNet(
        input_shape,
        penultimate_filters=1056,
        num_blocks=4,
        stem_block_filters=32,
        skip_reduction=False,
        include_top=include_top,
        weights=weights,
        input_tensor=input_tensor,
        pooling=pooling,
        classes=classes,
        default_size=224,
    )


preprocess_input = preparation("tf", __name__)
nasnet = sys.modules[__name__]  # in Keras, the module that this one took its code from
