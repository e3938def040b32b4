"""What configs may do: whether they bring code of their own, and how many weights they may ask for."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

_trusted: ContextVar[bool] = ContextVar("trusted", default=False)
_elements_left: ContextVar[list[int] | None] = ContextVar("elements_left", default=None)
_own_code: set[bytes] = set()  # digests of the code that this process took out of its own functions


@contextmanager
def trusting(trust: bool = True) -> Iterator[None]:
    """Inside, code in configs is run (with ``trust=False``: it is refused again)."""
    token = _trusted.set(trust)
    try:
        yield
    finally:
        _trusted.reset(token)


def note_own_code(code: str) -> None:
    """Remember code that was taken from a function of this process: it may come back."""
    _own_code.add(hashlib.sha256(code.encode()).digest())


def check_code(code: str, what: str) -> None:
    """Let code from a config pass if it is this process's own or inside :func:`trusting`.

    Raises:
        ValueError: for any other code.
    """
    if not _trusted.get() and hashlib.sha256(code.encode()).digest() not in _own_code:
        raise ValueError(
            f"The config holds Python code for the {what}, which is not run: it could do anything. Use a named "
            "function and pass it in `custom_objects`, or, if you trust where the file comes from, load it with "
            "`safe_mode=False`."
        )


@contextmanager
def weight_budget(elements: int | None) -> Iterator[None]:
    """Inside, layers make at most ``elements`` weight elements in all (None: no limit)."""
    token = _elements_left.set(None if elements is None else [elements])
    try:
        yield
    finally:
        _elements_left.reset(token)


def spend_weight(shape: Sequence[int], owner: str) -> None:
    """Account for a weight that is about to be made.

    Raises:
        ValueError: past the budget.
    """
    left = _elements_left.get()
    if left is None:
        return
    left[0] -= math.prod(int(d) for d in shape)
    if left[0] < 0:
        raise ValueError(
            f'The config asks for a weight of shape {tuple(shape)} in layer "{owner}", more than the file holds values '
            "for."
        )
