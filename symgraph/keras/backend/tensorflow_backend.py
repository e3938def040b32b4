"""``keras.backend.tensorflow_backend``: the same functions, for scripts that import them from there."""

from __future__ import annotations

from . import *  # noqa: F403
