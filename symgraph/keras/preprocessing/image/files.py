"""Images in files, through Pillow (which is imported where it is used), and images as arrays."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection
from typing import Any

import numpy as np

from ...backend import floatx, image_data_format
from .transformations import as_bytes

Array = np.ndarray[Any, Any]

#: What Pillow may take a file for. Others of its formats start programs (EPS does) or are no pictures.
_FORMATS = ("PNG", "JPEG", "BMP", "DIB", "PPM", "TIFF", "GIF", "WEBP", "JPEG2000", "TGA", "ICO")
_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos", "box", "hamming")


def pillow() -> Any:
    """The module ``PIL.Image``.

    Raises:
        ImportError: with what to install, if there is no Pillow.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("Reading and writing image files needs Pillow: pip install symgraph[image]") from error
    return Image


def load_img(
    path: Any,
    grayscale: bool = False,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
) -> Any:
    """The image of a file, as a Pillow image.

    Args:
        path: the file, or an open binary one.
        color_mode: ``'grayscale'`` (8, 16 or 32 bits, as the file has), ``'rgb'`` or ``'rgba'``.
        target_size: (height, width) to which it is resized.
        interpolation: ``'nearest'``, ``'bilinear'``, ``'bicubic'``, ``'lanczos'``, ``'box'`` or ``'hamming'``.

    Raises:
        ImportError: without Pillow.
        OSError: if there is no such file or it holds no image.
        ValueError: for another ``color_mode`` or ``interpolation``.
    """
    if grayscale:
        warnings.warn('grayscale is deprecated. Please use color_mode = "grayscale"', stacklevel=2)
        color_mode = "grayscale"
    if color_mode not in _MODES:
        raise ValueError(f'color_mode must be "grayscale", "rgb", or "rgba"; it is {color_mode!r}')
    if interpolation not in _INTERPOLATIONS:
        raise ValueError(
            f"Invalid interpolation method {interpolation} specified. Supported methods are "
            + ", ".join(_INTERPOLATIONS)
        )
    library = pillow()
    library.init()
    with library.open(path, formats=[name for name in _FORMATS if name in library.OPEN]) as opened:
        opened.load()
        mode = _MODES[color_mode]
        keeps = opened.mode == mode or (mode == "L" and opened.mode in ("I", "I;16"))
        image = opened.copy() if keeps else opened.convert(mode)
    if target_size is not None and image.size != (target_size[1], target_size[0]):
        image = image.resize((target_size[1], target_size[0]), getattr(library.Resampling, interpolation.upper()))
    return image


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> Array:
    """A Pillow image (or an array with two or three axes) as an array of rank 3.

    Args:
        data_format: ``'channels_last'`` or ``'channels_first'`` (by default, of the session).
        dtype: of the result (by default ``floatx()``).

    Raises:
        ValueError: for another data format or rank.
    """
    is_first = channels_first(data_format)
    x = np.array(img, dtype=dtype or floatx())
    if x.ndim == 2:
        return x[None] if is_first else x[..., None]
    if x.ndim != 3:
        raise ValueError(f"Unsupported image shape: {x.shape}")
    return x.transpose(2, 0, 1) if is_first else x


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """An array of rank 3 with one, three or four channels as a Pillow image.

    Args:
        scale: scale the values so that the largest becomes 255 (and move them, if some are negative).

    Raises:
        ImportError: without Pillow.
        ValueError: for another rank, number of channels or data format.
    """
    library = pillow()
    is_first = channels_first(data_format)
    x = np.asarray(x, dtype=dtype or floatx())
    if x.ndim != 3:
        raise ValueError(f"Expected image array to have rank 3 (single image). Got array with shape: {x.shape}")
    x = x.transpose(1, 2, 0) if is_first else x
    if x.shape[2] not in (1, 3, 4):
        raise ValueError(f"Unsupported channel number: {x.shape[2]}")
    if x.shape[2] == 1 and not scale and np.max(x) > 255:  # 32 bits of grey
        return library.fromarray(np.ascontiguousarray(x[:, :, 0].astype(np.int32)))
    pixels = as_bytes(x, scale)
    return library.fromarray(np.ascontiguousarray(pixels[:, :, 0] if x.shape[2] == 1 else pixels))


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array as an image file; see :func:`array_to_img`.

    Args:
        path: the file, or an open binary one.
        file_format: by default, what the name of the file says.
        kwargs: options of Pillow's ``save``.
    """
    image = array_to_img(x, data_format=data_format, scale=scale)
    named = file_format or os.path.splitext(path)[1][1:] if isinstance(path, (str, os.PathLike)) else file_format
    if image.mode == "RGBA" and (named or "").lower() in ("jpg", "jpeg"):
        warnings.warn("The JPG format does not support RGBA images, converting to RGB.", stacklevel=2)
        image = image.convert("RGB")
    is_jpg = (file_format or "").lower() == "jpg"
    image.save(path, format="jpeg" if is_jpg else file_format, **kwargs)


def list_pictures(
    directory: str | os.PathLike[str],
    ext: str | Collection[str] = ("jpg", "jpeg", "bmp", "png", "ppm", "tif", "tiff"),
) -> list[str]:
    """The paths of all files below a folder whose name ends in one of ``ext``, sorted."""
    ends = tuple("." + e for e in ((ext,) if isinstance(ext, str) else ext))
    return sorted(
        os.path.join(root, name)
        for root, _, names in os.walk(directory)
        for name in names
        if name.lower().endswith(ends)
    )


def validate_filename(filename: Any, white_list_formats: Collection[str]) -> bool:
    """Whether a file is there and its name ends in one of the formats."""
    return str(filename).lower().endswith(tuple(white_list_formats)) and os.path.isfile(filename)


def channels_first(data_format: str | None) -> bool:
    """Whether channels come before rows; None means the data format of the session.

    Raises:
        ValueError: for what is no data format.
    """
    found = image_data_format() if data_format is None else data_format
    if found not in ("channels_first", "channels_last"):
        raise ValueError(f'`data_format` should be "channels_last" or "channels_first". Received: {found}')
    return found == "channels_first"
