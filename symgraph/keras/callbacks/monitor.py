"""What callbacks share that watch a quantity."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

Logs = dict[str, Any] | None


def monitor_operation(owner: str, mode: str, monitor: str) -> Any:
    """``np.less`` or ``np.greater``: when a monitored quantity is better; ``auto`` goes by its name."""
    if mode not in ("auto", "min", "max"):
        warnings.warn(f"{owner} mode {mode} is unknown, fallback to auto mode.", RuntimeWarning, stacklevel=3)
        mode = "auto"
    if mode == "auto":
        mode = "max" if "acc" in monitor or monitor.startswith("fmeasure") else "min"
    return np.less if mode == "min" else np.greater
