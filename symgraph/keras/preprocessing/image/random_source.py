"""Where random transformations draw from: NumPy's global state, or, inside an iterator, the batch's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

_batch: ContextVar[np.random.RandomState | None] = ContextVar("batch", default=None)


def random_source() -> Any:
    """What has ``uniform``, ``choice`` and the like: threads that make batches at the same time do not share it."""
    return _batch.get() or np.random


@contextmanager
def drawing_from(source: np.random.RandomState) -> Iterator[None]:
    """Inside, transformations draw from ``source``."""
    token = _batch.set(source)
    try:
        yield
    finally:
        _batch.reset(token)
