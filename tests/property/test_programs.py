"""Random programs on every target: the interpreter's values, for several sizes of one executable."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from tests.property.comparing import SMALL, compare, on_llvm, on_loops, on_numpy
from tests.property.programs import Program, programs

few = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@few
@given(programs(steps=8))
def test_the_numpy_target_agrees(program: Program) -> None:
    compare(program, [on_numpy])


@settings(few, max_examples=6)
@given(programs(steps=6))
def test_the_loop_interpreter_agrees(program: Program) -> None:
    compare(program, [on_loops], SMALL)


@pytest.mark.slow
@settings(few, max_examples=40)
@given(programs(steps=10))
def test_the_llvm_target_agrees(program: Program) -> None:
    compare(program, [on_llvm])
