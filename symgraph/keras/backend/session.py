"""What Keras keeps per session: name counters, the learning phase, and what runs tensors."""

from __future__ import annotations

from collections import defaultdict
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import symgraph as sg

Tensor = Any


@dataclass(slots=True)
class State:
    """Counters behind ``get_uid``, the learning phase (a number, or None while it is symbolic), what
    ``K.get_session`` gives, once it was asked for, and whether random numbers were drawn."""

    uids: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    phase: int | None = None
    phase_tensor: Tensor = None
    runner: Any = None
    is_drawing: bool = False


state = State()


def get_uid(prefix: str = "") -> int:
    """1, 2, 3, ... for each prefix."""
    state.uids[prefix] += 1
    return state.uids[prefix]


def reset_uids() -> None:
    """Start all counters anew."""
    state.uids.clear()


def clear_session() -> None:
    """Forget name counters and the learning phase. Variables and compiled functions die with their owners.

    What ``K.get_session`` gave is forgotten with the functions that it has compiled.
    """
    reset_uids()
    state.phase = state.runner = None
    state.is_drawing = False


def symbolic_learning_phase() -> Tensor:
    """The boolean scalar that stands for the phase in graphs: True in training."""
    if state.phase_tensor is None:
        state.phase_tensor = sg.placeholder((), dtype="bool", name="keras_learning_phase")
    return state.phase_tensor


def learning_phase() -> Tensor | int:
    """The learning phase: a symbolic flag, or 0 or 1 after ``set_learning_phase``."""
    return symbolic_learning_phase() if state.phase is None else state.phase


def set_learning_phase(value: int) -> None:
    """Fix the learning phase of graphs built from now on: 0 (test) or 1 (train)."""
    if value not in (0, 1):
        raise ValueError("Expected learning phase to be 0 or 1.")
    state.phase = int(value)


def name_scope(name: str) -> AbstractContextManager[str]:
    """Ops applied inside belong to ``name``."""
    return sg.name_scope(name)
