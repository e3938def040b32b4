"""Printing, asserting and stopping inside compiled functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.keras import backend as K
from symgraph.options import Options

Array = np.ndarray[Any, Any]
TARGETS = [
    pytest.param(Options(target="numpy", verify=True), id="numpy"),
    pytest.param(Options(target="llvm", verify=True), id="llvm"),
]
pytestmark = pytest.mark.parametrize("options", TARGETS)
Captured = pytest.CaptureFixture[str]
D = "float64"


def test_prints_each_time_in_order_and_passes_the_value_on(options: Options, capsys: Captured) -> None:
    x = sg.placeholder((None,), D)
    y = sg.print_tensor(x, "first")
    z = sg.print_tensor(y * 2, "second")
    w = sg.print_tensor(sg.sum(y), "third")
    f = sg.function([x], [z + 1, w], options=options)
    assert not capsys.readouterr().out
    for n in (2, 1, 0):
        a = np.arange(float(n))
        got, total = f(a)
        np.testing.assert_array_equal(got, 2 * a + 1)
        assert total == a.sum()
        assert capsys.readouterr().out.splitlines() == [f"first {a}", f"second {a * 2}", f"third {a.sum()}"]


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float16", "float32", "float64"])
def test_any_dtype_passes_bit_for_bit(options: Options, dtype: str, capsys: Captured) -> None:
    data = np.array([0, 1, 1, 0]).astype(dtype)
    if dtype.startswith("float"):
        data[:2] = np.nan, -0.0
    x = sg.placeholder((4,), dtype)
    got = sg.function([x], sg.print_tensor(x), options=options)(data)
    assert got.tobytes() == data.tobytes()
    assert capsys.readouterr().out == f"{data}\n"


def test_summaries(options: Options, capsys: Captured) -> None:
    x = sg.placeholder((None,), "int32")
    f = sg.function([x], [sg.print_tensor(x, "few", 2), sg.print_tensor(x, "all", -1)], options=options)
    f(np.arange(1200, dtype="int32"))
    few, everything = capsys.readouterr().out.split("all")
    assert few == "few [   0    1 ... 1198 1199]\n"
    assert len(everything.replace("]", " ").split()) == 1201
    f(np.arange(3, dtype="int32"))
    assert capsys.readouterr().out.splitlines() == ["few [0 1 2]", "all [0 1 2]"]


def test_what_nobody_needs_is_not_printed(options: Options, capsys: Captured) -> None:
    x = sg.placeholder((2,))
    sg.print_tensor(x, "unused")
    sg.function([x], x + 1, options=options)([1, 2])
    assert not capsys.readouterr().out


def test_constants_are_printed_when_the_function_runs(options: Options, capsys: Captured) -> None:
    f = sg.function([], sg.print_tensor(sg.constant(2.0, D), "c") * 3, options=options)
    assert not capsys.readouterr().out
    for _ in range(2):
        assert f() == 6
        assert capsys.readouterr().out == "c 2.0\n"


def test_gradients_pass_through(options: Options, capsys: Captured) -> None:
    x = sg.placeholder((3,), D)
    y = sg.assert_op(sg.print_tensor(x**2, "squares"), x > 0) * x
    first = sg.grad(sg.sum(y), x)
    f = sg.function([x], [sg.sum(y), first, sg.grad(sg.sum(first), x)], options=options)
    a = np.array([1.0, 2.0, 3.0])
    total, g, h = f(a)
    np.testing.assert_allclose(total, np.sum(a**3))
    np.testing.assert_allclose(g, 3 * a**2)
    np.testing.assert_allclose(h, 6 * a)
    assert capsys.readouterr().out.count("squares") == 1


def test_loops_print_at_every_step_also_what_does_not_change(options: Options, capsys: Captured) -> None:
    x, w = sg.placeholder((None,), D), sg.placeholder((), D)

    def step(row: sg.Tensor, h: sg.Tensor) -> sg.Tensor:
        return sg.print_tensor(h + row, "h") * sg.print_tensor(w, "w")

    rows, _ = sg.scan(step, x, sg.constant(0.0, D))
    f = sg.function([x, w], [rows, sg.grad(sg.sum(rows), w)], options=options)
    g = sg.function([x, w], rows, options=options)
    for n in (0, 1, 3):
        got = g(np.ones(n), 2.0)
        np.testing.assert_array_equal(got, [2, 6, 14][:n])
        lines = capsys.readouterr().out.splitlines()
        assert [line for line in lines if line.startswith("h")] == ["h 1.0", "h 3.0", "h 7.0"][:n]
        assert [line for line in lines if line.startswith("w")] == ["w 2.0"] * n
        np.testing.assert_array_equal(f(np.ones(n), 2.0)[0], got)
        capsys.readouterr()


def test_loops_without_end_and_choices(options: Options, capsys: Captured) -> None:
    n = sg.placeholder((), "int64")
    last = sg.while_loop(lambda k: k < n, lambda k: sg.print_tensor(k + 1, "k"), sg.constant(0))
    f = sg.function([n], last, options=options)
    assert f(3) == 3
    assert capsys.readouterr().out.splitlines() == ["k 1", "k 2", "k 3"]
    x = sg.placeholder((), D)
    chosen = sg.cond(x > 0, lambda: sg.print_tensor(x, "above"), lambda: sg.print_tensor(-x, "below"))
    g = sg.function([x], chosen, options=options)
    assert g(2.0) == 2
    assert g(-3.0) == 3
    assert capsys.readouterr().out.splitlines() == ["above 2.0", "below 3.0"]


def test_an_assertion_names_message_layer_and_line(options: Options) -> None:
    x = sg.placeholder((None,), D)
    v = sg.variable(np.float64(0), name="v")
    with sg.name_scope("checked"):
        y = sg.assert_op(x, x > 0, sg.sum(x) < 100, message="x must be small and positive")
    f = sg.function([x], y * 2, updates=[(v, v + 1)], options=options, name="train")
    np.testing.assert_array_equal(f([1.0, 2.0]), [2, 4])
    for bad in ([1.0, -2.0], [99.0, 98.0], [np.nan]):
        with pytest.raises(AssertionError, match="x must be small and positive") as caught:
            f(bad)
        for part in ("checked", "test_effects.py", "train"):
            assert part in str(caught.value)
    assert v.get_value() == 1
    np.testing.assert_array_equal(f(np.zeros(0)), [])


def test_an_assertion_guards_what_comes_after(options: Options) -> None:
    """The index is looked at before the table is read."""
    table, index = sg.placeholder((5,), D), sg.placeholder((), "int64")
    checked = sg.assert_op(index, index >= 0, index < 5, message="no such row")
    f = sg.function([table, index], sg.take(table, checked), options=options)
    assert f(np.arange(5.0), 3) == 3
    with pytest.raises(AssertionError, match="no such row"):
        f(np.arange(5.0), 7)


def test_assertions_in_loops_and_without_message(options: Options) -> None:
    x = sg.placeholder((None,), D)
    rows, _ = sg.scan(lambda row, h: sg.assert_op(h + row, h < 3, True), x, sg.constant(0.0, D))
    f = sg.function([x], rows, options=options)
    np.testing.assert_array_equal(f([1.0, 2.0]), [1, 3])
    with pytest.raises(AssertionError, match="condition 0 of 2 does not hold"):
        f([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(f([2.0, 1.0]), [2, 3])


def test_bad_arguments(options: Options) -> None:
    x = sg.placeholder((2,))
    with pytest.raises(sg.ArgumentError, match="needs a condition"):
        sg.assert_op(x)
    with pytest.raises(sg.ArgumentError, match="message is a string"):
        sg.print_tensor(x, 3)  # type: ignore[arg-type]
    with pytest.raises(sg.ArgumentError, match="message is a string"):
        sg.assert_op(x, x > 0, message=b"no")  # type: ignore[arg-type]


def test_the_debugger_is_called_with_the_arrays(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    seen: list[list[Array]] = []

    def hook() -> None:
        seen.append([np.array(t) for t in sys._getframe(1).f_locals["tensors"]])

    monkeypatch.setattr(sys, "breakpointhook", hook)
    x = sg.placeholder((2,), D)
    a, b = sg.breakpoint_op(sg.sum(x) > 5, [x, x * 2], "large")
    f = sg.function([x], [a + b, sg.breakpoint_op(x > 0, x) + 0], options=options)
    np.testing.assert_array_equal(f([1, 2])[0], [3, 6])
    assert [len(s) for s in seen] == [1]
    f([-1, 7])
    assert len(seen) == 2
    np.testing.assert_array_equal(seen[1], [[-1, 7], [-2, 14]])


def test_plans_that_print_come_from_disk(
    options: Options, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("SYMGRAPH_CACHE", str(tmp_path / "cache"))

    def build(message: str) -> sg.Function:
        x = sg.placeholder((None,), D)
        return sg.function([x], sg.print_tensor(x, message) + 1, options=options.but(verify=False))

    texts = [build("one").explain()]
    monkeypatch.setattr("symgraph.codegen.compile.make_plan", None)
    build("one")([1.0])
    assert capsys.readouterr().out == "one [1.]\n"
    monkeypatch.undo()
    monkeypatch.setenv("SYMGRAPH_CACHE", str(tmp_path / "cache"))
    build("two")([1.0])
    assert capsys.readouterr().out == "two [1.]\n"
    assert 'python print[message="one", summarize=None](in0: f64[N], out t0: bool[])' in texts[0]


def test_keras_prints(options: Options, capsys: Captured) -> None:
    x = K.placeholder(shape=(None, 2))
    f = K.function([x], [K.print_tensor(x * 2, message="x is:") + 1])
    np.testing.assert_array_equal(f([np.ones((1, 2))])[0], [[3, 3]])
    assert capsys.readouterr().out == "x is: [[2. 2.]]\n"
