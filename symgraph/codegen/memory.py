"""Where temporaries lie: lifetimes, offsets in one arena, and the arena itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ..capacity import bytes_text, memory_limit
from ..errors import ArgumentError, OutOfMemoryError
from ..ir.dims import LARGEST, evaluate
from .plan import Loop, Plan

#: Every temporary starts at a multiple of this: a cache line, and the widest vector.
ALIGNMENT = 64


@dataclass(frozen=True, slots=True)
class Layout:
    """Byte offsets of all temporaries (aliases included) in an arena of ``nbytes``."""

    offsets: dict[str, int]
    nbytes: int


def root_of(plan: Plan, name: str) -> str:
    """The buffer whose memory ``name`` shares."""
    while plan.buffers[name].alias:
        name = plan.buffers[name].alias
    return name


def live(plan: Plan) -> dict[str, tuple[int, int]]:
    """First and last step that touches each temporary, through itself or any alias."""
    found: dict[str, tuple[int, int]] = {}
    for number, step in enumerate(plan.steps):
        for name in step.args:
            root = root_of(plan, name)
            if plan.buffers[root].kind == "temp":
                found[root] = (found.get(root, (number, number))[0], number)
    return found


def layout(plan: Plan, sizes: Mapping[str, int]) -> Layout:
    """Offsets for one choice of sizes. Larger buffers are placed first, each in the smallest gap that fits between the
    buffers that are alive at the same time.

    Raises:
        ArgumentError: where a size is negative or needs more bytes than can be addressed.
    """
    needed = _bytes_by_root(plan, sizes)
    lifetimes = live(plan)
    order = sorted(lifetimes, key=lambda n: (-needed[n], lifetimes[n], n))
    rounded = {n: -(-needed[n] // ALIGNMENT) * ALIGNMENT for n in order}
    # Rows: start, end, first step, last step of what is placed, by start. Sums of huge sizes are Python's integers.
    kind: Any = np.int64 if sum(rounded.values()) <= LARGEST else object
    placed = np.zeros((4, len(order)), kind)
    offsets: dict[str, int] = {}
    total = count = 0
    for name in order:
        first, last = lifetimes[name]
        start, end, born, dead = placed[:, :count]
        taken = (born <= last) & (first <= dead)
        offset = _best_gap(start[taken], end[taken], rounded[name])
        offsets[name] = offset
        if rounded[name]:
            at = int(np.searchsorted(start, offset, "right"))
            placed[:, at + 1 : count + 1] = placed[:, at:count].copy()
            placed[:, at] = offset, offset + rounded[name], first, last
            count += 1
        total = max(total, offset + rounded[name])
    if total > LARGEST:
        raise ArgumentError(f"{plan.name}: temporaries need {total} bytes {_where(sizes)}, more than can be addressed")
    for name, buffer in plan.buffers.items():
        root = root_of(plan, name)
        if buffer.kind == "temp" and plan.buffers[root].kind == "temp":
            offsets[name] = offsets.get(root, 0)
    return Layout(offsets, total)


def _best_gap(starts: np.ndarray[Any, Any], ends: np.ndarray[Any, Any], size: int) -> int:
    """Start of the smallest gap of at least ``size`` bytes between intervals sorted by start, or the end of them."""
    if not len(starts):
        return 0
    reach = np.maximum.accumulate(ends)
    before = np.concatenate([[0], reach[:-1]])
    room = starts - before
    fitting = np.flatnonzero(room >= size)
    return int(before[fitting[room[fitting].argmin()]] if len(fitting) else reach[-1])


def _bytes_by_root(plan: Plan, sizes: Mapping[str, int]) -> dict[str, int]:
    """Bytes of each temporary: the largest of what its aliases need."""
    needed: dict[str, int] = {}
    for name, buffer in plan.buffers.items():
        for dim in buffer.shape:
            if evaluate(dim, sizes) < 0:
                raise ArgumentError(f"{plan.name}: a size, {dim}, is negative {_where(sizes)}")
        # An empty axis has room for one element, as native code may read it (without using it).
        nbytes = buffer.dtype.itemsize * prod(max(evaluate(d, sizes), 1) for d in buffer.shape)
        if nbytes > LARGEST:
            shape = tuple(evaluate(d, sizes) for d in buffer.shape)
            raise ArgumentError(
                f"{plan.name}: an array of shape {shape} and dtype {buffer.dtype} {_where(sizes)} "
                f"needs {nbytes} bytes, more than can be addressed"
            )
        root = root_of(plan, name)
        needed[root] = max(needed.get(root, 0), nbytes)
    for step in plan.steps:
        if isinstance(step, Loop):
            needed[step.arena] = layout(step.body, sizes).nbytes
    return needed


def _where(sizes: Mapping[str, int]) -> str:
    return "where " + ", ".join(f"{k} = {v}" for k, v in sizes.items()) if sizes else "(all sizes are static)"


def allocate_arena(plan: Plan, memory: Layout, sizes: Mapping[str, int]) -> np.ndarray[Any, Any]:
    """Uninitialised bytes, ``ALIGNMENT``-aligned, for a layout.

    Raises:
        OutOfMemoryError: where the system has too little memory; the function stays usable with smaller sizes.
    """
    try:
        if memory.nbytes > memory_limit():
            raise MemoryError
        raw = np.empty(memory.nbytes + ALIGNMENT, np.uint8)
    except (MemoryError, ValueError):
        raise OutOfMemoryError(
            f"{plan.name}: no memory for {bytes_text(memory.nbytes)} of temporaries {_where(sizes)}; "
            "use smaller batches"
        ) from None
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + memory.nbytes]
