"""Settings of the Keras front: float type, fuzz factor, image layout; ``~/.keras/keras.json`` where there is one."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

_FLOATS = ("float16", "float32", "float64")
_LAYOUTS = ("channels_last", "channels_first")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(slots=True)
class _Settings:
    floatx: str = "float32"
    epsilon: float = 1e-7
    image_data_format: str = "channels_last"


def keras_dir() -> Path:
    """Where Keras keeps its settings and data sets: ``$KERAS_HOME``, else ``~/.keras``, else a place under ``/tmp``."""
    if "KERAS_HOME" in os.environ:
        return Path(os.environ["KERAS_HOME"])
    home = Path(os.path.expanduser("~"))
    return (home if os.access(home, os.W_OK) else Path("/tmp")) / ".keras"


def _read_settings() -> _Settings:
    """The defaults, with what a readable and well-formed ``keras.json`` says in their place."""
    settings = _Settings()
    found: Any = None
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((keras_dir() / "keras.json").read_text())
    if isinstance(found, dict):
        if found.get("floatx") in _FLOATS:
            settings.floatx = found["floatx"]
        if isinstance(found.get("epsilon"), float):
            settings.epsilon = found["epsilon"]
        if found.get("image_data_format") in _LAYOUTS:
            settings.image_data_format = found["image_data_format"]
    return settings


_settings = _read_settings()


def epsilon() -> float:
    """The fuzz factor of numeric expressions."""
    return _settings.epsilon


def set_epsilon(e: float) -> None:
    """Set the fuzz factor."""
    _settings.epsilon = float(e)


def floatx() -> str:
    """The default float type, as a string."""
    return _settings.floatx


def set_floatx(floatx: str) -> None:
    """Set the default float type: ``'float16'``, ``'float32'`` or ``'float64'``."""
    if floatx not in _FLOATS:
        raise ValueError("Unknown floatx type: " + str(floatx))
    _settings.floatx = str(floatx)


def cast_to_floatx(x: Any) -> np.ndarray[Any, Any]:
    """A NumPy array (or what becomes one) in the default float type."""
    return np.asarray(x, dtype=_settings.floatx)


def image_data_format() -> str:
    """The default image layout: ``'channels_first'`` or ``'channels_last'``."""
    return _settings.image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set the default image layout."""
    if data_format not in _LAYOUTS:
        raise ValueError("Unknown data_format: " + str(data_format))
    _settings.image_data_format = str(data_format)


def normalize_data_format(value: str | None) -> str:
    """``value`` in lower case, or the default for None.

    Raises:
        ValueError: for anything but the two layouts.
    """
    layout = image_data_format() if value is None else value.lower()
    if layout not in _LAYOUTS:
        raise ValueError(
            'The `data_format` argument must be one of "channels_first", "channels_last". Received: ' + str(value)
        )
    return layout


def image_dim_ordering() -> str:
    """Keras 1's name for the image layout: ``'th'`` or ``'tf'``."""
    return "th" if image_data_format() == "channels_first" else "tf"


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Keras 1's way to set the image layout."""
    if dim_ordering not in ("tf", "th"):
        raise ValueError("Unknown dim_ordering:", dim_ordering)
    set_image_data_format("channels_first" if dim_ordering == "th" else "channels_last")


def symbolic(func: F) -> F:
    """Kept for code that decorates graph-building functions; everything here builds graphs anyway."""
    return func


def eager(func: F) -> F:
    """Kept for code that decorates eager functions."""
    return func
