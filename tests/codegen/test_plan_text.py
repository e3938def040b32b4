"""Plans as text: what is printed reads back equal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import symgraph as sg
from symgraph.codegen.plan import Loop, Plan
from symgraph.codegen.plan_parse import parse_plan
from symgraph.codegen.plan_text import print_plan
from symgraph.errors import InternalError
from symgraph.provenance import Origin
from tests.property.programs import Program, programs


def without_folders(plan: Plan) -> Plan:
    """The plan as its text has it: files of origins by name alone."""

    def bare(origin: Origin) -> Origin:
        return replace(origin, file=Path(origin.file).name)

    steps = []
    for step in plan.steps:
        step = replace(step, sites=tuple(map(bare, step.sites)))
        if isinstance(step, Loop):
            step = replace(step, body=without_folders(step.body))
        elif hasattr(step, "checks"):
            step = replace(step, checks=tuple(replace(c, origin=bare(c.origin)) for c in step.checks))
        steps.append(step)
    return replace(plan, steps=tuple(steps))


def check(plan: Plan) -> str:
    text = print_plan(plan)
    again = parse_plan(text, plan.kernels)
    assert again == without_folders(plan)
    assert print_plan(again) == text
    return text


def rich() -> sg.Function:
    """Loops in loops, choices, Python, checks, constants, updates, facts."""
    x, at = sg.placeholder((None, None), name="x"), sg.placeholder((None,), "int32", name="at")
    table = sg.variable(np.ones((5, 3), "float32"), name="table")
    with sg.name_scope('rows (of 3), "quoted"'):
        rows = sg.take(table, at, 0) + sg.take(sg.constant(np.arange(60.0, dtype="float32").reshape(20, 3)), at, 0)
    (sums, late), _ = sg.scan(
        lambda row, more, total: [sg.while_loop(lambda t: sg.sum(t) < 3, lambda t: t + row, total), more * row],
        [x, x * x], [sg.zeros((x.shape[1],)), None], go_backwards=True,
    )  # fmt: skip
    chosen = sg.cond(sg.sum(x) > 0, lambda: sg.exp(x), lambda: x * 2)
    solved = sg.linalg.solve_triangular(sg.eye(3) * 2, rows.T, lower=True)
    outputs = [rows, sums[-1], late, chosen, solved, x.reshape((-1,)) + sg.ones((x.shape[0] * x.shape[1],)), x]
    return sg.function([x, at], outputs, [(table, table * 2)], name="a name, (odd)", target="numpy")


def test_every_part_of_a_plan_reads_back() -> None:
    text = check(rich().stages.plan)
    for part in (
        'plan @"a name, (odd)"(', "dims(", "const f32[", "base64:", "in the memory of", "live ", "inout ", "; state0)",
        "loop N times over", "loop endlessly while", "loop once while not", "python triangular_solve[lower=True",
        'checks=[["take", 0, "rows (of 3)', "flops=", "return ", "-i]", "%2]",
    ):  # fmt: skip
        assert part in text, part


def test_facts_read_back() -> None:
    x, y = sg.placeholder((None, None)), sg.placeholder((None,))
    fn = sg.function([x, y], x.reshape((-1,)) + sg.concatenate([y, y]), target="numpy")
    assert "facts(M*N = 2*K)" in check(fn.stages.plan)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(programs(steps=8))
def test_plans_of_random_programs_read_back(program: Program) -> None:
    plan = program.function(target="numpy").stages.plan
    if "<python " not in print_plan(plan):  # Python objects have no text
        check(plan)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("plan @", "plane @", "line 1 .*a plan starts with"),
        ("  return", "  give", "a step is written"),
        ("buf in0 :", "buf in0", "line 2 .*a buffer is written"),
        ("f32[N,M]", "f31[N,M]", "not a type"),
        ("temp, live ", "temp, life ", "no memory or lifetime"),
        ("is in0[", "is nothing[", "not in"),
        ("is in0[", "at in0[", "a move is written"),
        ("triangular_solve[", "triangular_solved[", "there is no op"),
        ("triangular_solve[lower=True, transposed=False, unit=False]", "exp", "no op that Python computes"),
        ("endlessly while", "endlessly when", "no loop"),
        ("\n}\n", "\n", "the closing } is missing"),
        ("\n}\n", "\n}\nmore", "more than one plan"),
    ],
)
def test_other_text_is_refused(old: str, new: str, says: str) -> None:
    plan = rich().stages.plan
    text = print_plan(plan)
    assert old in text
    with pytest.raises(InternalError, match=says):
        parse_plan(text.replace(old, new), plan.kernels)
