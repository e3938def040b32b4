"""Arguments that the functions of keras-applications have, and that mean nothing where there is one Keras."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

R = TypeVar("R")
_MODULES = frozenset({"backend", "layers", "models", "utils"})


def keras_modules_injection(base_fun: Callable[..., R]) -> Callable[..., R]:
    """``base_fun``, which also takes, and does without, the modules of Keras that keras-applications asks for."""

    @functools.wraps(base_fun)
    def wrapper(*args: Any, **kwargs: Any) -> R:
        return base_fun(*args, **{name: value for name, value in kwargs.items() if name not in _MODULES})

    return wrapper
