"""Images made ready for networks, as ``keras.preprocessing.image``; files are read through Pillow."""

from __future__ import annotations

import sys

from .dataframe_iterator import DataFrameIterator
from .directory_iterator import DirectoryIterator
from .files import array_to_img, img_to_array, list_pictures, load_img, save_img, validate_filename
from .image_data_generator import ImageDataGenerator
from .iterator import BatchFromFilesMixin, Iterator
from .numpy_array_iterator import NumpyArrayIterator
from .transformations import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    flip_axis,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
    transform_matrix_offset_center,
)

__all__ = [
    "BatchFromFilesMixin",
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "array_to_img",
    "flip_axis",
    "image",
    "img_to_array",
    "list_pictures",
    "load_img",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
    "save_img",
    "transform_matrix_offset_center",
    "validate_filename",
]

image = sys.modules[__name__]  # in Keras, the package that this one took its code from
