"""Plans as text::

    plan @train(in0; state0) dims(N) {
      buf in0 : f32[N,10] input[0]  # 40*N bytes
      buf state0 : f32[10] state[0]  # 40 bytes
      buf c0 : f32[2] const f32[2]{0.5, 1.0}  # 8 bytes
      buf out0 : f32[N] output[0]  # 4*N bytes
      buf t0 : f32[2,10] temp, live 0..1  # 80 bytes
      buf t0.1 : f32[10] temp, in the memory of t0  # 40 bytes
      buf loop1 : u8[0] temp, live 1..1  # 0 bytes
      0: call repeat_8b2c07da(state0, out t0; N) [flops=20, sites=["dense_1 (mnist.py:12)"]]
      1: loop N times over (in0, t0.1; loop1) {
        input[0] is in0[N-1-i] : f32[10]
        output[0] is t0.1[(N+i)%2] : f32[10]
        plan @body(in0) dims(N) {
          ...
        }
      }
      return out0
    }

Steps are numbered. A call marks the arguments it writes (``out``, or ``inout`` where it reads them, too) and has its
sizes behind a semicolon; ``python op[attributes](t0: f32[N], out t1: f32[N])`` has types. A loop has the arrays that
its moves name, then the memory of its temporaries. Origins are written without the folders of their files. What follows
``#`` behind a buffer is for readers. Kernels have texts of their own (:mod:`.loop.text`).
:func:`symgraph.codegen.plan_parse.parse_plan` reads a plan back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..ir.attributes import attribute_text, literal_text
from ..ir.printer import op_text
from .loop.grammar import Kernel
from .plan import ENDLESS, HostCall, Loop, Move, Plan, PlanBuffer, Step


def print_plan(plan: Plan) -> str:
    """The text of a plan, with the plans of its loops."""
    return "\n".join(_plan_lines(plan, plan.kernels)) + "\n"


def _plan_lines(plan: Plan, kernels: Mapping[str, Kernel]) -> Iterator[str]:
    name = plan.name if re.fullmatch(r'[^\s()"]+', plan.name) else json.dumps(plan.name)
    taken = ", ".join(plan.inputs) + ("; " + ", ".join(plan.states) if plan.states else "")
    dims = f" dims({', '.join(plan.symbols)})" if plan.symbols else ""
    facts = f" facts({', '.join(f'{a} = {b}' for a, b in plan.facts)})" if plan.facts else ""
    yield f"plan @{name}({taken}){dims}{facts} {{"
    for buffer in plan.buffers.values():
        yield f"  {_buffer_text(plan, buffer)}"
    for number, step in enumerate(plan.steps):
        if isinstance(step, Loop):
            yield f"  {number}: {_loop_text(step)} {{"
            yield from (f"    {_move_text(step, move)}" for move in step.moves)
            yield from (f"    {line}" for line in _plan_lines(step.body, kernels))
            yield "  }"
        else:
            yield f"  {number}: {_host_text(step) if isinstance(step, HostCall) else _call_text(step, kernels)}"
    if plan.outputs:
        yield f"  return {', '.join(plan.outputs)}"
    yield "}"


def _buffer_text(plan: Plan, buffer: PlanBuffer) -> str:
    slot = f"[{buffer.slot}]" if buffer.slot >= 0 else ""
    text = f"buf {buffer.name} : {buffer.type} {buffer.kind}{slot}"
    if buffer.literal is not None:
        text += f" {literal_text(buffer.literal.array)}"
    if buffer.alias:
        text += f", in the memory of {buffer.alias}"
    if buffer.name in plan.live:
        first, last = plan.live[buffer.name]
        text += f", live {first}..{last}"
    return f"{text}  # {buffer.nbytes} bytes"


def _call_text(step: Step, kernels: Mapping[str, Kernel]) -> str:
    kernel = kernels.get(step.kernel)
    parts: list[str] = []
    for k, name in enumerate(step.args):
        is_read = kernel is not None and kernel.buffers[k : k + 1] and kernel.buffers[k].mode == "inout"
        parts.append(f"{'inout ' if is_read else 'out '}{name}" if k in step.writes else name)
    sizes = "; " + ", ".join(map(str, step.sizes)) if step.sizes else ""
    title = step.kernel if kernel is None else kernel.name
    checks = tuple((c.op, c.axis, str(c.origin)) for c in step.checks)
    return f"call {title}({', '.join(parts)}{sizes}){_notes(step, checks=checks, flops=step.flops)}"


def _host_text(call: HostCall) -> str:
    marks = ["out " if k in call.writes else "" for k in range(len(call.args))]
    args = ", ".join(f"{m}{name}: {t}" for m, name, t in zip(marks, call.args, call.types, strict=False))
    return f"python {op_text(call.op)}({args}){_notes(call, flops=call.flops)}"


def _loop_text(loop: Loop) -> str:
    often = "endlessly" if loop.length == ENDLESS else "once" if loop.length == 1 else f"{loop.length} times"
    condition = ""
    if loop.condition >= 0:
        condition = f" while {'' if loop.wanted else 'not '}{_argument(loop, loop.condition)}"
    return f"loop {often}{condition} over ({', '.join(loop.args[:-1])}; {loop.arena}){_notes(loop)}"


def _move_text(loop: Loop, move: Move) -> str:
    shape = ",".join(str(d) for d in move.shape)
    return f"{move.kind}[{move.slot}] is {_argument(loop, move.array)}{_row_text(move)} : {move.dtype.short}[{shape}]"


def _row_text(move: Move) -> str:
    """``[N-1-i]``, ``[(N+2*i)%2]``; nothing for what is the same whole array at every step."""
    if (move.first, move.step, move.wrap) == (0, 0, 0):
        return ""
    step = f"{'+' if move.step > 0 else '-'}{'' if abs(move.step) == 1 else f'{abs(move.step)}*'}i" if move.step else ""
    return f"[({move.first}{step})%{move.wrap}]" if move.wrap else f"[{move.first}{step}]"


def _argument(loop: Loop, number: int) -> str:
    """The array of that number, by name; one that is passed more than once also by number."""
    name = loop.args[number]
    return name if loop.args.index(name) == number else f"{name}@{number}"


def _notes(step: Step | HostCall | Loop, **more: Any) -> str:
    """What is known of a step besides what it does."""
    notes = {key: value for key, value in more.items() if value not in (0, ())}
    if step.sites:
        notes["sites"] = tuple(map(str, step.sites))
    return f" [{', '.join(f'{key}={attribute_text(value)}' for key, value in notes.items())}]" if notes else ""


__all__ = ["print_plan"]
