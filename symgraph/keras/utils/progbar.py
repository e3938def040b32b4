"""The progress bar, in Keras 2.3's format."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import Any

_PLAIN_INTERVAL = 10.0  # seconds between lines where the output is not a terminal


class Progbar:
    """Shows how far work on ``target`` units is, with averages of values.

    On a terminal the line is redrawn at most every ``interval`` seconds. Elsewhere (a file, a pipe) whole lines are
    written, at most one in ten seconds and one at the end. ``verbose=2`` writes one line at the end.
    Values in ``stateful_metrics`` are shown as they come, all others averaged by units.
    """

    def __init__(
        self,
        target: int | None,
        width: int = 30,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
    ) -> None:
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.stateful_metrics = set(stateful_metrics or ())
        isatty = getattr(sys.stdout, "isatty", None)
        self._dynamic_display = bool(isatty is not None and isatty()) or "ipykernel" in sys.modules
        self._pause = interval if self._dynamic_display else max(interval, _PLAIN_INTERVAL)
        self._total_width = 0
        self._seen_so_far = 0
        self._values: dict[str, list[Any]] = {}
        self._start = time.time()
        self._last_update = 0.0 if self._dynamic_display else self._start

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """``n`` more units are done."""
        self.update(self._seen_so_far + n, values)

    def update(self, current: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """``current`` units are done; ``values`` are ``(name, value for the units since the last call)``."""
        self._take_in(current, values or ())
        now = time.time()
        finished = self.target is not None and current >= self.target
        if self.verbose == 1:
            if now - self._last_update < self._pause and self.target is not None and not finished:
                return
            self._draw(current, now, finished)
            self._last_update = now
        elif self.verbose == 2 and (self.target is None or finished):
            sys.stdout.write(f" - {now - self._start:.0f}s{self._averages()}\n")
            sys.stdout.flush()

    def _take_in(self, current: int, values: Iterable[tuple[str, Any]]) -> None:
        new = current - self._seen_so_far
        for name, value in values:
            if name in self.stateful_metrics:
                self._values[name] = [value, 1]
            elif name in self._values:
                kept = self._values[name]
                kept[0] += value * new
                kept[1] += new
            else:
                self._values[name] = [value * new, new]
        self._seen_so_far = current

    def _draw(self, current: int, now: float, finished: bool) -> None:
        previous = self._total_width
        line = self._bar(current) + self._timing(current, now) + self._averages()
        self._total_width = len(line)
        if self._dynamic_display:
            line = "\b" * previous + "\r" + line + " " * (previous - len(line)) + ("\n" if finished else "")
        else:
            line += "\n"
        sys.stdout.write(line)
        sys.stdout.flush()

    def _bar(self, current: int) -> str:
        if self.target is None:
            return f"{current:7d}/Unknown"
        digits = len(str(self.target))
        done = int(self.width * current / self.target) if self.target else self.width
        bar = f"{current:{digits}d}/{self.target} ["
        if done > 0:
            bar += "=" * (done - 1) + (">" if current < self.target else "=")
        return bar + "." * (self.width - done) + "]"

    def _timing(self, current: int, now: float) -> str:
        elapsed = now - self._start
        unit = elapsed / current if current else 0.0
        if self.target is not None and current < self.target:
            return f" - ETA: {_clock(unit * (self.target - current))}"
        if unit >= 1:
            pace = f"{unit:.0f}s/step"
        elif unit >= 1e-3:
            pace = f"{unit * 1e3:.0f}ms/step"
        else:
            pace = f"{unit * 1e6:.0f}us/step"
        return f" - {elapsed:.0f}s {pace}"

    def _averages(self) -> str:
        text = ""
        for name, (total, count) in self._values.items():
            average = float(total) / max(1, count)
            text += f" - {name}: {average:.4f}" if abs(average) > 1e-3 else f" - {name}: {average:.4e}"
        return text


def _clock(seconds: float) -> str:
    whole = int(seconds)
    if seconds > 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}" if seconds > 60 else f"{whole}s"
