"""Data sets, as ``keras.datasets``: each module has ``load_data``."""

from . import digits, mnist

__all__ = ["digits", "mnist"]
