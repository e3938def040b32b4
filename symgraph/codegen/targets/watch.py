"""Watching a run: what profiles and guards learn about each step. Executables run without it at no cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
#: Called with the number of a step (as ``Plan.calls`` counts), whether it has run, and its arguments. What it returns
#: after a step says whether the run ends.
Observer = Callable[[int, bool, Sequence[Array]], bool]


@dataclass
class Watch:
    """``spent`` has nanoseconds and the number of runs of each step, over all watched runs."""

    observer: Observer | None = None
    spent: dict[int, list[int]] = field(default_factory=dict)

    def note(self, step: int, time: int, runs: int) -> None:
        """Add to what a step has taken."""
        total = self.spent.setdefault(step, [0, 0])
        total[0] += time
        total[1] += runs
