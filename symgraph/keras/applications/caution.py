"""Warnings about the line that asked for a network, however many functions of this package lie between."""

from __future__ import annotations

import contextlib
import sys
import warnings

#: Whose functions are passed over; context managers run inside of contextlib.
_OWN = (__package__, contextlib.__name__)


def warn_caller(text: str) -> None:
    """Warn (UserWarning) of what the first caller from outside of the package did."""
    level = 2
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_OWN):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, stacklevel=level)
