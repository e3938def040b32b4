"""Where the time of a function goes: each kernel call with its layer, arithmetic, bytes, and share of what the machine
can do."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .errors import ArgumentError, TargetError
from .ir.dims import evaluator
from .markup import escaped, table
from .provenance import Origin

if TYPE_CHECKING:
    from .codegen.plan import HostCall, Plan, Step
    from .codegen.targets.llvm.peaks import Peaks
    from .function import Function

_WIDEST = 34


@dataclass(frozen=True)
class ProfileRow:
    """One call site of a kernel: a step of the plan, or of the body of a loop.

    ``seconds``, ``flops`` and ``bytes`` are sums over all ``runs``; ``share`` is the part of the time that the machine
    would need at its limit of arithmetic or of memory, whichever is reached first (above 1 where arrays stay in
    caches), or None where the limits cannot be measured.
    """

    step: int
    kernel: str
    layer: str
    phase: str
    runs: int
    seconds: float
    flops: int
    bytes: int
    share: float | None
    sites: tuple[Origin, ...]
    loop: int


@dataclass(frozen=True)
class LayerRow:
    """The sum of the steps of one layer in one phase."""

    layer: str
    phase: str
    steps: int
    runs: int
    seconds: float
    flops: int
    bytes: int
    share: float | None


class Profile:
    """What calls of a function take, step by step: ``with fn.profile() as p: fn(x)``, then ``print(p)``.

    While it is open, all calls of the function are timed, on every thread, and each takes a little longer; otherwise
    none is. The report may be read meanwhile or later. ``calls`` counts calls, ``seconds`` is the time of their steps
    and ``wall`` that of the runs of the plan, what lies between the steps included.
    """

    def __init__(self, function: Function) -> None:
        self._function = function
        self._plan: Plan = function.stages.plan
        self._sites = [_Site(*call) for call in self._plan.located_calls()]
        self._totals: dict[int, list[int]] = {}
        self._before: Any = None
        self._lock = threading.Lock()
        self.calls = 0
        self.wall = 0.0

    def __enter__(self) -> Profile:
        if self._before is not None:
            raise ArgumentError(f"{self._function.name}: this profile is open already")
        self._before = self._function.watch_with(self._run)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._function.watch_with(self._before)
        self._before = None

    def _run(self, frame: Any, inputs: Sequence[Any], states: Sequence[Any], outputs: Sequence[Any]) -> Any:
        from .codegen.targets.watch import Watch

        watch = Watch()
        start = time.perf_counter()
        failure = self._function.stages.executable.run_watched(frame, inputs, states, outputs, watch)
        wall, sizes = time.perf_counter() - start, frame.bound
        with self._lock:
            self.wall += wall
            self.calls += 1
            for number, (spent, runs) in watch.spent.items():
                site = self._sites[number]
                total = self._totals.setdefault(number, [0, 0, 0, 0])
                flops, nbytes = evaluator(site.step.flops)(sizes), site.bytes(sizes)
                for k, amount in enumerate((spent, runs, runs * flops, runs * nbytes)):
                    total[k] += amount
        return failure

    # -- the report -------------------------------------------------------------------------------------------------
    @property
    def rows(self) -> tuple[ProfileRow, ...]:
        """Every step that ran, in the order of the plan."""
        rows: list[ProfileRow] = []
        for number, (spent, runs, flops, nbytes) in sorted(self._totals.items()):
            site = self._sites[number]
            share = _share(spent / 1e9, flops, nbytes, site.is_double)
            amounts = (runs, spent / 1e9, flops, nbytes, share)
            name = site.kernel_name(self._plan)
            rows.append(ProfileRow(number, name, site.layer, site.phase, *amounts, site.step.sites, site.loop))
        return tuple(rows)

    @property
    def layers(self) -> tuple[LayerRow, ...]:
        """The rows summed by layer and phase, those that take longest first."""
        groups: dict[tuple[str, str], list[ProfileRow]] = {}
        for row in self.rows:
            groups.setdefault((row.layer, row.phase), []).append(row)
        found: list[LayerRow] = []
        for (layer, phase), rows in groups.items():
            seconds = sum(r.seconds for r in rows)
            known = [r.share * r.seconds for r in rows if r.share is not None]
            share = sum(known) / seconds if known and seconds else None
            runs, flops, nbytes = (sum(getattr(r, name) for r in rows) for name in ("runs", "flops", "bytes"))
            found.append(LayerRow(layer, phase, len(rows), runs, seconds, flops, nbytes, share))
        return tuple(sorted(found, key=lambda r: -r.seconds))

    @property
    def phases(self) -> dict[str, float]:
        """Seconds by phase: ``forward``, ``backward``, ``update``, or several joined by ``+`` in one kernel."""
        found: dict[str, float] = {}
        for row in self.rows:
            found[row.phase] = found.get(row.phase, 0.0) + row.seconds
        return found

    @property
    def seconds(self) -> float:
        return sum(self._totals[n][0] for n in self._totals) / 1e9

    def __str__(self) -> str:
        return "\n".join([*self._summary(), "", *_table(*self._layer_cells()), "", *_table(*self._step_cells())])

    def __repr__(self) -> str:
        return f"<profile of {self._function.name}: {self.calls} call(s), {_time_text(self.seconds)}>"

    def _repr_html_(self) -> str:
        summary = "".join(f"<p>{escaped(line)}</p>" for line in self._summary())
        tables = [
            table(heads, cells, range(heads.index("time"), len(heads)))
            for heads, cells in (self._layer_cells(), self._step_cells())
        ]
        return f"<div>{summary}{''.join(tables)}</div>"

    def _summary(self) -> list[str]:
        calls = max(self.calls, 1)
        lines = [
            f"profile of {self._function.name}: {self.calls} call(s), {_time_text(self.seconds / calls)} a call in "
            f"{len(self._totals)} steps, {_time_text(self.wall / calls)} with what is between them"
        ]
        total = self.seconds or 1.0
        lines.append(", ".join(f"{name} {100 * spent / total:.0f}%" for name, spent in self.phases.items()))
        peaks = _peaks()
        if peaks is not None:
            lines.append(f"limits measured here: {peaks.flops / 1e9:.0f} Gflop/s, {peaks.bytes / 1e9:.1f} GB/s")
        return lines

    def _layer_cells(self) -> tuple[list[str], list[list[str]]]:
        total = self.seconds or 1.0
        heads = ["layer", "phase", "time", "%", "steps", "flop", "bytes", "flop/s", "bytes/s", "of limit"]
        cells = [[r.layer or "-", r.phase, *_amounts(r, str(r.steps), total, self.calls)] for r in self.layers]
        return heads, cells

    def _step_cells(self) -> tuple[list[str], list[list[str]]]:
        total = self.seconds or 1.0
        amounts = ["time", "%", "runs", "flop", "bytes", "flop/s", "bytes/s", "of limit"]
        cells = [
            [_place(r), r.kernel, r.layer or "-", r.phase, *_amounts(r, str(r.runs), total, self.calls)]
            for r in sorted(self.rows, key=lambda r: -r.seconds)
        ]
        return ["step", "kernel", "layer", "phase", *amounts], cells


def _place(row: ProfileRow) -> str:
    return f"{row.step} in loop {row.loop}" if row.loop >= 0 else str(row.step)


# -- steps and what is known of them before any call ------------------------------------------------------------------


@dataclass(frozen=True)
class _Site:
    """A call, of which plan it is a step, and the number of the loop around it (-1: none)."""

    step: Step | HostCall
    plan: Plan
    loop: int

    @property
    def layer(self) -> str:
        return next((o.layer for o in self.step.sites if o.layer), "")

    @property
    def phase(self) -> str:
        """Forward, backward, or both; and whether a variable gets its new value here."""
        names = {"backward" if o.grad else "forward" for o in self.step.sites}
        if self.loop < 0 and any(self.plan.root(self.step.args[i]).kind == "state" for i in self.step.writes):
            names = {"update"} | (names & {"backward"})
        return "+".join(name for name in ("forward", "backward", "update") if name in names) or "forward"

    def kernel_name(self, whole: Plan) -> str:
        """The kernel, or the op that Python computes."""
        key: str | None = getattr(self.step, "kernel", None)
        return whole.kernels[key].name if key is not None else self.step.op.name  # type: ignore[union-attr]

    @property
    def is_double(self) -> bool:
        return any(self.plan.buffers[name].dtype.name == "float64" for name in self.step.args)

    def bytes(self, sizes: dict[str, int]) -> int:
        """What one run reads and writes, each array counted once, an updated one twice."""
        amounts = [evaluator(self.plan.buffers[name].nbytes)(sizes) for name in self.step.args]
        twice = [amounts[i] for i in self.step.writes if self.plan.root(self.step.args[i]).kind == "state"]
        return sum(amounts) + sum(twice)


# -- limits -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _peaks() -> Peaks | None:
    """The machine's limits, measured where somebody first wants to see them."""
    from .codegen.targets.llvm.peaks import machine_peaks

    try:
        return machine_peaks()
    except TargetError:
        return None


def _share(seconds: float, flops: int, nbytes: int, is_double: bool) -> float | None:
    peaks = _peaks()
    if peaks is None or not seconds:
        return None
    return max(flops / (peaks.flops / (2 if is_double else 1)), nbytes / peaks.bytes) / seconds


# -- text -------------------------------------------------------------------------------------------------------------


def _amounts(row: ProfileRow | LayerRow, count: str, total: float, calls: int) -> list[str]:
    calls, seconds = max(calls, 1), row.seconds or 1e-12
    return [
        _time_text(row.seconds / calls), f"{100 * row.seconds / total:.1f}", count, _unit(row.flops / calls),
        _unit(row.bytes / calls), _unit(row.flops / seconds), _unit(row.bytes / seconds),
        "-" if row.share is None else f"{100 * row.share:.0f}%",
    ]  # fmt: skip


def _time_text(seconds: float) -> str:
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "us")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def _unit(amount: float) -> str:
    for factor, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if amount >= factor:
            return f"{amount / factor:.3g} {unit}"
    return f"{amount:.0f}"


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _table(heads: Sequence[str], cells: Iterable[Sequence[str]]) -> list[str]:
    """Aligned columns: text to the left, amounts to the right."""
    lines = [list(heads), *([_cut(c) for c in row] for row in cells)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(heads))]
    left = heads.index("time")

    def text(line: Sequence[str]) -> str:
        cells = zip(line, widths, strict=True)
        return "  ".join(c.ljust(w) if k < left else c.rjust(w) for k, (c, w) in enumerate(cells)).rstrip()

    return [text(line) for line in lines]
