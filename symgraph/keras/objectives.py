"""Keras 1's name of the losses."""

from __future__ import annotations

from .losses import *  # noqa: F403
