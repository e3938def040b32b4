"""What a compilation did, as one HTML file that needs nothing else: no network, no script, no font."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from .capacity import bytes_text
from .codegen.cluster import Clusters
from .codegen.loop.text import print_kernel
from .codegen.memory import layout, live
from .codegen.plan import Loop, Plan
from .codegen.plan_text import print_plan
from .explain import passes_records
from .ir.dims import evaluate, symbols
from .ir.printer import print_graph, value_names
from .markup import escaped, fold, pre, raw_table, table
from .plot import LARGEST_DRAWN, diagrams
from .plotting.svg import to_svg
from .plotting.timeline import Bar, timeline_svg
from .version import VERSION

if TYPE_CHECKING:
    from .stages import Stages

#: Stands for every unknown size where memory is drawn.
TYPICAL = 32

_STYLE = """
:root { color-scheme: light; --ink: #1d2530; --faint: #5d6878; --line: #d7dde6; --paper: #ffffff; --wash: #f5f7fa;
  --accent: #2f62b0; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--wash); color: var(--ink); font: 15px/1.5 system-ui, Helvetica, Arial, sans-serif; }
header { background: var(--paper); border-bottom: 1px solid var(--line); padding: 22px 32px 14px; }
h1 { font-size: 22px; margin: 0 0 4px; } header p { margin: 0; color: var(--faint); }
nav { display: flex; flex-wrap: wrap; gap: 6px 18px; padding-top: 12px; }
nav a, .jump { color: var(--accent); text-decoration: none; } nav a:hover { text-decoration: underline; }
main { max-width: 1240px; margin: 0 auto; padding: 18px 32px 60px; }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; margin: 16px 0; }
section > details > summary { font-size: 17px; font-weight: 600; padding: 12px 18px; }
summary { cursor: pointer; } summary small { color: var(--faint); font-weight: 400; margin-left: 8px; }
.inside { padding: 0 18px 16px; overflow-x: auto; }
.inside > details { border-top: 1px solid var(--line); padding: 8px 0; }
.inside > details > summary { font-weight: 500; }
pre { background: var(--wash); border: 1px solid var(--line); border-radius: 6px; padding: 10px 12px; margin: 8px 0;
  overflow: auto; max-height: 560px; font: 12.5px/1.45 ui-monospace, Menlo, Consolas, monospace; tab-size: 4; }
table { border-collapse: collapse; width: 100%; margin: 8px 0; font-size: 13.5px;
  font-variant-numeric: tabular-nums; }
th, td { padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--faint); font-weight: 500; white-space: nowrap; }
code { font: 12.5px ui-monospace, Menlo, Consolas, monospace; }
.facts { display: flex; flex-wrap: wrap; gap: 10px; padding: 4px 18px 16px; }
.fact { border: 1px solid var(--line); border-radius: 8px; padding: 8px 14px; min-width: 118px; }
.fact b { display: block; font-size: 19px; } .fact span { color: var(--faint); font-size: 13px; }
.tag { border-radius: 9px; padding: 0 8px; font-size: 12px; background: #e4f1e4; color: #2d6a31; }
.tag.no { background: #fdeedc; color: #8a5511; }
.drawing { overflow: auto; max-height: 640px; border: 1px solid var(--line); border-radius: 6px; margin: 8px 0; }
.drawing svg { display: block; } svg.timeline { width: 100%; height: auto; display: block; margin: 8px 0; }
@media print { pre, .drawing { max-height: none; } nav { display: none; } }
"""


def html_report(stages: Stages) -> str:
    """The page."""
    plan = stages.plan
    sections = (
        ("overview", "Overview", "", _overview(stages), True),
        ("passes", "Passes", f"{len(stages.report.passes)} runs", _passes(stages), True),
        ("graphs", "Graphs", "as built, and after the passes", _graphs(stages), False),
        ("clusters", "Clusters", "what shares a kernel, and why", _clusters(stages.lowering.clusters), True),
        ("plan", "Plan", f"{len(plan.steps)} steps", _plan(stages), False),
        ("memory", "Memory", "who lies where, and when", _memory(plan), True),
        ("kernels", "Kernels", f"{len(plan.kernels)} distinct", _kernels(stages), False),
        ("drawings", "Drawings", "graph, clusters, kernels", _drawings(stages), False),
    )
    links = "".join(f'<a href="#{key}">{title}</a>' for key, title, *_ in sections)
    body = "".join(_section(*section) for section in sections)
    title = f"{plan.name} on {stages.options.target}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped(title)}</title><style>{_STYLE}</style></head><body>"
        f"<header><h1>{escaped(title)}</h1><p>how symgraph {VERSION} compiled it</p><nav>{links}</nav></header>"
        f"<main>{body}</main></body></html>\n"
    )


def _section(key: str, title: str, note: str, inside: str, is_open: bool) -> str:
    small = f"<small>{escaped(note)}</small>" if note else ""
    state = " open" if is_open else ""
    return (
        f'<section id="{key}"><details{state}><summary>{escaped(title)}{small}</summary>'
        f'<div class="inside">{inside}</div></details></section>\n'
    )


def _overview(stages: Stages) -> str:
    plan = stages.plan
    lowered = stages.lowering
    temporaries = layout(plan, _typical(plan)).nbytes
    facts = [
        (len(stages.imported.nodes), "nodes as built"),
        (len(stages.optimized.nodes), "nodes after the passes"),
        (len(lowered.clusters.clusters), "clusters"),
        (sum(1 for _ in plan.calls()), "calls"),
        (len(plan.kernels), "distinct kernels"),
        (bytes_text(temporaries), f"temporaries{_where(plan)}"),
    ]
    boxes = "".join(f'<div class="fact"><b>{value}</b><span>{escaped(what)}</span></div>' for value, what in facts)
    options = table(("option", "value"), [(f, getattr(stages.options, f)) for f in stages.options.__slots__])
    return f'<div class="facts">{boxes}</div>{fold("options", options)}'


def _passes(stages: Stages) -> str:
    rows: list[Sequence[str]] = []
    for record, rules in passes_records(stages.report):
        change = record.nodes_after - record.nodes_before
        counts = (str(record.nodes_before), str(record.nodes_after), f"{change:+d}")
        rows.append((f"<b>{escaped(record.name)}</b>", *counts, "", ""))
        for name, count, exact, why in rules:
            promise = f'<span class="tag{"" if exact else " no"}">{"exact" if exact else "inexact"}</span>'
            tag = "" if exact is None else promise
            what = (f"<code>{escaped(name)}</code> {tag}", escaped(why))
            rows.append(("", "", "", f"{count} x", *what))
    heads = ("pass", "nodes before", "after", "change", "rule that fired", "why")
    return raw_table(heads, rows, numbers={1, 2, 3})


def _graphs(stages: Stages) -> str:
    return fold("as built", pre(print_graph(stages.imported))) + fold(
        "after the passes", pre(print_graph(stages.optimized)), is_open=True
    )


def _clusters(clusters: Clusters) -> str:
    names = value_names(clusters.graph)
    reasons = {id(d.value): d.reason for d in clusters.decisions}
    parts: list[str] = []
    for c in clusters.clusters:
        axes = [f"{d}{' (folded)' if k in c.reduced else ''}" for k, d in enumerate(c.domain)]
        domain = ", ".join(axes) or "one element"
        stored = {id(v) for v in c.stored}
        rows: list[Sequence[object]] = []
        for v in c.members:
            kept = "stored" if id(v) in stored else ""
            rows.append((names[id(v)], v.op.name, v.type, kept, reasons.get(id(v), ""), _sites(v.node.origins)))
        title = f"cluster {c.number}: {c.form.value} over {domain}"
        parts.append(fold(title, table(("value", "op", "type", "", "why here", "from"), rows), f"{len(rows)} ops"))
    inlined = [d for d in clusters.decisions if d.cluster < 0]
    rows = [(names[id(d.value)], d.value.op.name, d.value.type, d.reason, _sites(d.value.node.origins))
            for d in inlined]  # fmt: skip
    if rows:
        listing = table(("value", "op", "type", "why", "from"), rows)
        parts.append(fold("computed wherever they are needed", listing, f"{len(rows)} ops"))
    return "".join(parts)


def _plan(stages: Stages) -> str:
    notes = "".join(f"<li>{escaped(reason)}</li>" for reason in stages.lowering.memory)
    return pre(print_plan(stages.plan)) + (f"<ul>{notes}</ul>" if notes else "")


def _memory(plan: Plan) -> str:
    parts: list[str] = []
    for number, part in enumerate(plan.plans()):
        sizes = _typical(plan)
        found, lives = layout(part, sizes), live(part)
        needed = _arena_bytes(part, sizes)
        bars = [
            Bar(n, first, last, found.offsets[n], needed[n], f"{bytes_text(needed[n])}, steps {first} to {last}")
            for n, (first, last) in lives.items()
        ]
        if not bars:
            continue
        what = "the plan" if number == 0 else f"the body of loop {number}"
        total = sum(b.size for b in bars)
        caption = f"{what}: {bytes_text(found.nbytes)} hold temporaries of {bytes_text(total)}{_where(plan)}"
        parts.append(timeline_svg(bars, len(part.steps), found.nbytes, caption))
    return "".join(parts) or "<p>No temporaries: every array is an argument, a variable or a result.</p>"


def _arena_bytes(plan: Plan, sizes: Mapping[str, int]) -> dict[str, int]:
    needed = {n: evaluate(b.nbytes, sizes) for n, b in plan.buffers.items()}
    for name in plan.buffers:  # an alias may reach further than the buffer whose memory it is in
        root = plan.root(name).name
        needed[root] = max(needed[root], needed[name])
    for step in plan.steps:
        if isinstance(step, Loop):
            needed[step.arena] = layout(step.body, sizes).nbytes
    return needed


def _kernels(stages: Stages) -> str:
    plan, executable = stages.plan, stages.executable
    codes: Mapping[str, str] = executable.llvm_ir() if hasattr(executable, "llvm_ir") else {}
    sources: Mapping[str, str] = getattr(executable, "sources", {})
    parts: list[str] = []
    for key, kernel in plan.kernels.items():
        sites = [s for s in plan.calls() if getattr(s, "kernel", None) == key]
        origins = _sites(o for s in sites for o in s.sites)
        inside = f"<p>for {escaped(origins)}</p>" if origins else ""
        inside += fold("loops", pre(print_kernel(kernel)), is_open=True)
        if key in codes:
            inside += fold("LLVM IR, as written", pre(codes[key]))
            inside += fold("assembly", pre(executable.assembly(key)))  # type: ignore[attr-defined]  # has llvm_ir
        if key in sources:
            inside += fold("Python", pre(sources[key]))
        parts.append(fold(kernel.name, f'<div class="inside">{inside}</div>', f"called by {len(sites)} step(s)"))
    return "".join(parts)


def _drawings(stages: Stages) -> str:
    parts: list[str] = []
    for title, diagram, count in diagrams(stages):
        if count > LARGEST_DRAWN:
            parts.append(f"<p>{escaped(title)}: {count} boxes are too many to draw.</p>")
        else:
            parts.append(fold(title, f'<div class="drawing">{to_svg(diagram)}</div>', f"{count} boxes", is_open=True))
    return "".join(parts)


# -- pieces -----------------------------------------------------------------------------------------------------------


def _typical(plan: Plan) -> dict[str, int]:
    dims = [d for part in plan.plans() for b in part.buffers.values() for d in b.shape if not isinstance(d, int)]
    return dict.fromkeys([*plan.symbols, *(s.name for s in symbols(dims))], TYPICAL)


def _where(plan: Plan) -> str:
    return f" where {', '.join(f'{s} = {TYPICAL}' for s in plan.symbols)}" if plan.symbols else ""


def _sites(origins: Iterable[object]) -> str:
    return ", ".join(dict.fromkeys(map(str, origins)))
