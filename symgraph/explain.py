"""What a compilation did, as text: every stage from the graph as built to the target's code."""

from __future__ import annotations

import os
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from .codegen.loop.text import print_kernel
from .codegen.plan import Plan, Step
from .codegen.plan_text import print_plan
from .ir.passes import PIPELINE, PassRecord, Report
from .ir.printer import print_graph

if TYPE_CHECKING:
    from .stages import Stages

_WIDTH = 100


class Explanation(str):
    """The report of one compilation as text; :meth:`html` has more, as one page."""

    __slots__ = ("stages",)
    stages: Stages

    def html(self) -> str:
        """The report as an HTML page that needs no other file: also assembly, memory over time, and drawings."""
        from .report import html_report

        return html_report(self.stages)

    def save(self, to_file: str | os.PathLike[str]) -> Path:
        """Write the page, or the text where the name does not end with ``.html``; gives the path."""
        path = Path(to_file)
        is_page = path.suffix.lower() in (".html", ".htm")
        path.write_text(self.html() if is_page else str(self), encoding="utf-8")
        return path

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{escape(self.html())}" style="width:100%;height:720px;border:0"></iframe>'


def explain(stages: Stages) -> Explanation:
    """The report of one compilation: the graph before the passes, what each pass did and why, the graph after, the
    clusters with the reason for each, kernels, plan, and the target's code."""
    sections = (
        ("graph as built", print_graph(stages.imported)),
        ("passes", passes_text(stages.report)),
        ("graph after the passes", print_graph(stages.optimized)),
        ("clusters and memory", str(stages.lowering)),
        ("kernels", kernels_text(stages.plan)),
        ("plan", print_plan(stages.plan)),
        (f"target {stages.options.target}", "\n".join(_target_lines(stages))),
    )
    made = Explanation("\n".join(f"{_rule(title)}\n{text.rstrip()}\n" for title, text in sections))
    made.stages = stages
    return made


def _rule(title: str) -> str:
    return f"== {title} {'=' * max(0, _WIDTH - len(title) - 4)}"


def passes_text(report: Report) -> str:
    """Each pass with its rules that fired: how often, whether exact, and why."""
    lines: list[str] = []
    for record, fired in passes_records(report):
        lines.append(f"{record.name}: {record.nodes_before} -> {record.nodes_after} nodes")
        for name, count, exact, why in fired:
            promise = "" if exact is None else f" [{'exact' if exact else 'inexact'}] {why}"
            lines.append(f"  {count:4} x {name}{promise}")
        if not fired:
            lines.append("  nothing to do")
    return "\n".join(lines)


def passes_records(report: Report) -> Iterator[tuple[PassRecord, list[tuple[str, int, bool | None, str]]]]:
    """Each run of a pass with the rules that fired, most often first: name, how often, whether exact (None for what is
    no rule), and why."""
    rules = {rule.name: rule for one in PIPELINE for rule in one.rules}
    for record in report.passes:
        fired: list[tuple[str, int, bool | None, str]] = []
        for name, count in sorted(record.fired.items(), key=lambda item: (-item[1], item[0])):
            rule = rules.get(name)
            fired.append((name, count, None if rule is None else rule.exact, "" if rule is None else rule.why))
        yield record, fired


def kernels_text(plan: Plan) -> str:
    """The loop IR of every distinct kernel, with the number of steps that call it."""
    parts: list[str] = []
    for key, kernel in plan.kernels.items():
        calls = sum(isinstance(step, Step) and step.kernel == key for step in plan.calls())
        parts.append(f"# called by {calls} step(s)\n{print_kernel(kernel)}")
    return "\n".join(parts)


def _target_lines(stages: Stages) -> Iterator[str]:
    """What the executable says of itself: native targets their LLVM code, the NumPy target its source."""
    executable = stages.executable
    if hasattr(executable, "llvm_ir"):
        yield str(executable)
        for name, code in executable.llvm_ir().items():
            yield f"\n; kernel {name}\n{code}"
    else:
        yield getattr(executable, "text", str(executable))
