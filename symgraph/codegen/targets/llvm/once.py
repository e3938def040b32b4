"""What a process makes once: a pool of threads, a driver."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def once(make: Callable[P, T]) -> Callable[P, T]:
    """``make``, run once for each combination of arguments, also where threads ask for it at the same time. A forked
    process starts with a free lock."""
    made: dict[Any, T] = {}
    locks = [threading.RLock()]
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: locks.__setitem__(0, threading.RLock()))

    @wraps(make)
    def get(*args: P.args, **named: P.kwargs) -> T:
        key = (args, tuple(sorted(named.items())))
        if key not in made:
            with locks[0]:
                if key not in made:
                    made[key] = make(*args, **named)
        return made[key]

    return get
