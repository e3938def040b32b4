"""Random programs on every target: the interpreter's values, for several sizes of one executable."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from symgraph.dtypes import float16, float32
from tests.property.comparing import SMALL, compare, from_disk, on_llvm, on_loops, on_numpy
from tests.property.programs import Program, programs, random_program

few = settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
#: How many programs a day's session takes.
SESSION = 24


@few
@given(programs(steps=8))
def test_the_numpy_target_agrees(program: Program) -> None:
    compare(program, [on_numpy])


@settings(few, max_examples=8)
@given(programs(steps=6))
def test_the_loop_interpreter_agrees(program: Program) -> None:
    compare(program, [on_loops], SMALL)


@settings(few, max_examples=8)
@given(programs(steps=6))
def test_exact_rules_keep_infinities_and_nan(program: Program) -> None:
    compare(program, [on_numpy], strict=True)


@pytest.mark.slow
@settings(few, max_examples=40)
@given(programs(steps=10))
def test_the_llvm_target_agrees(program: Program) -> None:
    compare(program, [on_llvm])


@pytest.mark.slow
@settings(few, max_examples=15)
@given(programs(steps=8, dtypes=(float16, float32)))
def test_native_code_from_disk_agrees(program: Program) -> None:
    compare(program, [from_disk])


@pytest.mark.slow
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("part", range(3))
def test_programs_of_the_day(part: int, strict: bool, pytestconfig: pytest.Config) -> None:
    """Other programs every day; those of a day again by ``--slow-day``. A failure names the program."""
    first = 1000 * int(pytestconfig.getoption("--slow-day")) + 100 * part
    compared = 0
    for seed in range(first, first + SESSION):
        compared += compare(random_program(seed, 12), [on_numpy, on_llvm], strict=strict)
    assert compared > SESSION
