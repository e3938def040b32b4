"""Ctrl-C during a long call: it stops soon, variables have all their new values or none, and the function goes on."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

import symgraph as sg
from symgraph.codegen.plan import Loop
from symgraph.codegen.undo import UNDO_BYTES, undoable

LONG = 2_000_000_000


@contextmanager
def interrupts(*delays: float) -> Iterator[None]:
    """SIGINT after each of some delays, in seconds."""
    timers = [threading.Timer(delay, signal.raise_signal, [signal.SIGINT]) for delay in delays]
    for timer in timers:
        timer.start()
    try:
        yield
    finally:
        for timer in timers:
            timer.join()


def countdown(n: sg.Tensor, start: sg.Tensor) -> sg.Tensor:
    """``start`` + 1, n times."""
    _, total = sg.while_loop(lambda i, _: i > 0, lambda i, x: (i - 1, x + 1.0), [n, start])
    return total


def stop(fn: sg.Function, *arguments: object, after: tuple[float, ...] = (0.2,)) -> float:
    """How long a call takes that is interrupted."""
    begin = time.perf_counter()
    with interrupts(*after), pytest.raises(KeyboardInterrupt):
        fn(*arguments)
    return time.perf_counter() - begin


def test_a_long_loop_stops_and_the_function_still_works() -> None:
    n = sg.placeholder((), "int64")
    fn = sg.function([n], countdown(n, sg.constant(0.0)))
    assert stop(fn, LONG) < 10
    assert fn(100) == 100
    assert stop(fn, LONG) < 10
    assert fn(7) == 7


def test_nothing_is_updated_by_a_call_that_stops_early() -> None:
    n = sg.placeholder((), "int64")
    w, calls = sg.variable(np.float32(5), name="w"), sg.variable(np.int64(0), name="calls")
    fn = sg.function([n], [], updates=[(calls, calls + 1), (w, countdown(n, w))])
    stop(fn, LONG)
    assert (float(w.get_value()), int(calls.get_value())) == (5, 0)
    fn(10)
    assert (float(w.get_value()), int(calls.get_value())) == (15, 1)


class AfterAnUpdate:
    """A function that writes a variable, too large to be saved, before a long loop."""

    def __init__(self, target: str) -> None:
        n = sg.placeholder((), "int64")
        self.w = sg.variable(np.zeros(UNDO_BYTES, "float32"), name="w")
        new = self.w + 1
        self.fn = sg.function([n], countdown(n, new.sum()), updates=[(self.w, new)], target=target)
        plan = self.fn.stages.plan
        loop = next(i for i, step in enumerate(plan.steps) if isinstance(step, Loop))
        assert undoable(plan, {})[0] < loop

    @property
    def updates(self) -> float:
        """How often the variable was updated."""
        values = self.w.get_value()
        assert (values == values[0]).all()
        return float(values[0])


@pytest.mark.parametrize("target", ["llvm", "numpy"])
def test_all_is_updated_by_a_call_that_has_begun_to_update(target: str) -> None:
    case = AfterAnUpdate(target)
    steps, taken = 1000, 0.0
    while taken < 0.4:  # a loop that takes longer than the interrupt
        steps *= 2
        begin = time.perf_counter()
        case.fn(steps)
        taken = time.perf_counter() - begin
    before = case.updates
    assert stop(case.fn, 2 * steps, after=(0.15,)) > 0.3
    assert case.updates == before + 1


@pytest.mark.parametrize("target", ["llvm", "numpy"])
def test_a_second_interrupt_stops_in_any_case(target: str) -> None:
    case = AfterAnUpdate(target)
    assert stop(case.fn, LONG, after=(0.15, 0.5)) < 10
    assert case.updates == 1
    case.fn(1)
    assert case.updates == 2


@pytest.mark.parametrize("target", ["llvm", "numpy"])
def test_a_failed_check_undoes_small_updates(target: str) -> None:
    i = sg.placeholder((None,), "int32", name="i")
    calls, w = sg.variable(np.int64(0), name="calls"), sg.variable(np.ones((4, 2), "float32"), name="w")
    out = sg.take(w, i, axis=0) * 2
    fn = sg.function([i], [out, calls + 1], updates=[(calls, calls + 1), (w, w * sg.exp(out).sum())], target=target)
    with pytest.raises(sg.BoundsError):
        fn([1, 4])
    assert int(calls.get_value()) == 0
    np.testing.assert_array_equal(w.get_value(), 1)


def test_handlers_that_do_not_raise_run_meanwhile() -> None:
    n = sg.placeholder((), "int64")
    fn = sg.function([n], countdown(n, sg.constant(0.0)))
    seen: list[int] = []

    def note(*_: object) -> None:
        seen.append(len(seen))
        if len(seen) == 2:
            raise TimeoutError("enough")

    old = signal.signal(signal.SIGINT, note)
    try:
        with interrupts(0.1, 0.4), pytest.raises(TimeoutError, match="enough"):
            fn(LONG)
    finally:
        signal.signal(signal.SIGINT, old)
    assert seen == [0, 1]


def test_other_threads_are_not_interrupted() -> None:
    n = sg.placeholder((), "int64")
    fn = sg.function([n], countdown(n, sg.constant(0.0)))
    steps, got = 300_000, []
    worker = threading.Thread(target=lambda: got.append(float(fn(steps))))
    worker.start()
    with interrupts(0.02), pytest.raises(KeyboardInterrupt):
        while True:
            time.sleep(0.01)
    worker.join()
    assert got == [steps]


def test_the_numpy_target_stops_too() -> None:
    n = sg.placeholder((), "int64")
    w = sg.variable(np.float32(5), name="w")
    fn = sg.function([n], [], updates=[(w, countdown(n, w))], target="numpy")
    assert stop(fn, LONG) < 10
    assert float(w.get_value()) == 5
    fn(10)
    assert float(w.get_value()) == 15
