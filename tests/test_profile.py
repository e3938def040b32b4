"""``fn.profile()``: times, flops and bytes of every step, grouped by layer, and nothing left behind afterwards."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import symgraph as sg
from symgraph import profile as profiling
from symgraph.codegen.targets.llvm.peaks import Peaks, machine_peaks

targets = pytest.mark.parametrize("target", ["llvm", "numpy"])


@pytest.fixture(autouse=True)
def known_peaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiling, "_peaks", lambda: Peaks(1e12, 1e11))


def trainer(target: str) -> tuple[sg.Function, sg.Variable]:
    x = sg.placeholder((None, 32), name="x")
    w = sg.variable(np.full((32, 16), 0.1, "float32"), name="w")
    with sg.name_scope("dense"):
        y = sg.dot(x, w)
    with sg.name_scope("loss"):
        loss = sg.tanh(y).sum()
    return sg.function([x], loss, updates=[(w, w - 0.1 * sg.grad(loss, w))], target=target, name="train"), w


@targets
def test_steps_layers_and_phases(target: str) -> None:
    fn, _ = trainer(target)
    report = fn.profile(np.ones((8, 32), "float32"), repeat=3)
    assert report.calls == 3
    assert {row.step for row in report.rows} == set(range(len(fn.stages.plan.steps)))
    assert all(row.runs == 3 and row.seconds > 0 for row in report.rows)
    forward = next(row for row in report.rows if row.layer == "dense" and row.phase.startswith("forward"))
    product = 3 * 2 * 8 * 32 * 16
    assert product <= forward.flops <= 2 * product
    update = next(row for row in report.rows if "update" in row.phase)
    assert update.phase == "backward+update"
    assert update.bytes >= 3 * 4 * (2 * 32 * 16 + 8 * 32)
    assert sum(report.phases.values()) == pytest.approx(report.seconds)
    assert sum(r.seconds for r in report.layers) == pytest.approx(report.seconds)
    assert report.wall >= report.seconds
    share = max(forward.flops / 1e12, forward.bytes / 1e11) / forward.seconds
    assert forward.share == pytest.approx(share)


@targets
def test_only_what_a_block_calls_counts_and_values_stay_the_same(target: str) -> None:
    fn, w = trainer(target)
    same, v = trainer(target)
    x = np.linspace(0, 1, 128, dtype="float32").reshape(4, 32)
    with fn.profile() as report:
        inside = [fn(x), fn(x[:2])]
    outside = [same(x), same(x[:2])]
    np.testing.assert_array_equal(inside, outside)
    np.testing.assert_array_equal(w.get_value(), v.get_value())
    spent = report.seconds
    fn(x)
    assert report.calls == 2 and report.seconds == spent
    assert fn._run == fn.stages.executable.run


@targets
def test_bodies_of_loops_add_up(target: str) -> None:
    x = sg.placeholder((None, 3), name="x")
    with sg.name_scope("rnn"):
        states, _ = sg.scan(lambda row, h: sg.tanh(row + h), sequences=[x], outputs_info=[sg.zeros((3,))])
    fn = sg.function([x], states[-1], target=target)
    report = fn.profile(np.ones((20, 3), "float32"), repeat=2)
    inner = [row for row in report.rows if row.loop >= 0]
    assert inner and all(row.runs == 40 and row.layer == "rnn" for row in inner)
    assert all(row.runs == 2 for row in report.rows if row.loop < 0)
    assert "in loop" in str(report)


@targets
def test_calls_of_python_are_steps_too(target: str) -> None:
    x = sg.placeholder((None, None), "float64", name="x")
    fn = sg.function([x], sg.as_op()(np.negative)(x) * 2, target=target)
    report = fn.profile(np.ones((4, 3)))
    assert [row.runs for row in report.rows] == [1, 1]


def test_the_report_as_text_and_html() -> None:
    fn, _ = trainer("llvm")
    report = fn.profile(np.ones((8, 32), "float32"))
    text = str(report)
    assert text.startswith("profile of train: 1 call(s), ")
    assert "backward+update" in text and "of limit" in text and "1000 Gflop/s, 100.0 GB/s" in text
    assert all(len(line) < 200 for line in text.splitlines())
    page = report._repr_html_()
    assert page.count("<table>") == page.count("</table>") == 2
    assert page.count("<tr>") == 2 + len(report.rows) + len(report.layers)
    assert repr(report).startswith("<profile of train: 1 call(s), ")


def test_an_error_inside_ends_the_profile() -> None:
    i = sg.placeholder((None,), "int64", name="i")
    fn = sg.function([i], sg.take(sg.constant(np.arange(4.0)), i))
    with pytest.raises(sg.BoundsError, match="index 9"), fn.profile() as report:
        fn([9])
    assert report.calls == 1
    assert fn._run == fn.stages.executable.run
    np.testing.assert_array_equal(fn([2]), [2])


def test_wrong_uses() -> None:
    fn, _ = trainer("numpy")
    with pytest.raises(sg.ArgumentError, match="repeat must be a positive integer, got 0"):
        fn.profile(repeat=0)
    with fn.profile() as report, pytest.raises(sg.ArgumentError, match="open already"):
        report.__enter__()


def test_calls_on_other_threads_count() -> None:
    fn, _ = trainer("llvm")
    x = np.ones((2, 32), "float32")
    with fn.profile() as report:
        threads = [threading.Thread(target=fn, args=[x]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert report.calls == 4
    assert all(row.runs == 4 for row in report.rows)


@pytest.mark.slow
def test_the_machine_is_measured() -> None:
    peaks = machine_peaks()
    assert 1e9 < peaks.flops < 1e15
    assert 1e8 < peaks.bytes < 1e13
    assert machine_peaks() is peaks


@targets
def test_a_call_without_anything_to_do(target: str) -> None:
    x = sg.placeholder((None,), name="x")
    fn = sg.function([x], sg.exp(x), target=target)
    report = fn.profile(np.zeros(0, "float32"), repeat=2)
    assert report.calls == 2
    assert sum(row.flops for row in report.rows) == 0
    assert str(report).startswith("profile of function: 2 call(s)")
