"""Compiled functions and variables pickle and deepcopy."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.dtypes import ALL, bfloat16

X = np.arange(6, dtype="float32").reshape(2, 3)
COPIES: list[Callable[[Any], Any]] = [copy.deepcopy, lambda f: pickle.loads(pickle.dumps(f))]
either = pytest.mark.parametrize("copied", COPIES, ids=["deepcopy", "pickle"])


@either
@pytest.mark.parametrize("target", ["llvm", "numpy"])
def test_a_copy_has_variables_of_its_own(copied: Any, target: str) -> None:
    x = sg.placeholder((None, 3), name="x")
    w = sg.variable(np.ones((3, 2), "float32"), name="w")
    step = sg.function([x], sg.sum(sg.dot(x, w)), updates=[(w, w * 0.5)], target=target, name="step")
    assert step(X) == 30
    other = copied(step)
    assert [float(other(X)) for _ in range(2)] == [15, 7.5]
    assert step(X) == 15 and other.name == "step" and other.options == step.options
    np.testing.assert_array_equal(other.variables[0].get_value(), 0.125)
    with pytest.raises(sg.ShapeError, match=r"argument 0 \(x\) has shape \(2, 4\)"):
        other(np.ones((2, 4), "float32"))


@either
def test_what_is_copied_together_shares_variables(copied: Any) -> None:
    total = sg.variable(0.0, name="total")
    x = sg.placeholder((), "float64")
    add, get = sg.function([x], updates=[(total, total + x)]), sg.function([], total)
    add(2.0)
    add_too, get_too, total_too = copied((add, get, total))
    add_too(5.0)
    assert (get(), get_too(), total_too.get_value()) == (2.0, 7.0, 7.0)


@either
def test_loops_choices_constants_and_random_numbers(copied: Any) -> None:
    x = sg.placeholder((None, 3))
    h, _ = sg.scan(lambda row, h: sg.tanh(row + h), sequences=x, outputs_info=sg.zeros((3,)))
    y = sg.cond(sg.sum(x) > 0, lambda: h[-1] * 2, lambda: h[-1]) + sg.constant(np.array([1, np.nan, -0.0], "float32"))
    noise = sg.random.uniform((3,))
    f = sg.function([x], [y, sg.grad(sg.sum(h), x), noise])
    first = f(X)
    other = copied(f)
    for a, b in zip(other(X)[:2], first[:2], strict=True):
        np.testing.assert_array_equal(a, b)
    sg.set_random_seed(3)
    again = copied(f)
    np.testing.assert_array_equal(again(X)[2], f(X)[2])


@either
def test_a_deep_graph(copied: Any) -> None:
    x = sg.placeholder((2,))
    y = x
    for _ in range(3000):
        y = sg.sin(y)
    shallow = sg.function([x], y, target="numpy", options=sg.Options(target="numpy"))
    np.testing.assert_array_equal(copied(shallow)([1.0, 2.0]), shallow([1.0, 2.0]))


def test_another_process_runs_a_pickled_function(tmp_path: Path) -> None:
    x, rate = sg.placeholder((None,), name="x"), sg.placeholder((), name="rate")
    f = sg.function([x, sg.In(rate, value=0.5)], sg.exp(x) * rate)
    (tmp_path / "f.pickle").write_bytes(pickle.dumps(f))
    code = "import pickle, sys; f = pickle.load(open(sys.argv[1], 'rb')); print(f([0.0, 0.0]).tolist(), f([0], rate=3))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "f.pickle")], cwd=Path(__file__).parents[1], capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split("\n")[0] == "[0.5, 0.5] [3.]", done.stderr


@either
def test_variables(copied: Any) -> None:
    v = sg.variable(np.zeros((0, 3), "int16"), name="empty")
    w = copied(v)
    assert w.name == "empty" and w.get_value().shape == (0, 3) and w.dtype == v.dtype and w is not v


@either
def test_there_is_one_object_of_each_dtype(copied: Any) -> None:
    for dtype in (*ALL, bfloat16):
        assert copied(dtype) is dtype
