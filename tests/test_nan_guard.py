"""``nan_guard`` names the first NaN or infinity, with op, layer and operands, and changes nothing about good runs."""

from __future__ import annotations

import numpy as np
import pytest

import symgraph as sg
from symgraph.options import default_options

targets = pytest.mark.parametrize("target", ["llvm", "numpy"])


def head(target: str) -> tuple[sg.Function, sg.Variable]:
    x = sg.placeholder((None, 4), name="x")
    w = sg.variable(np.ones((4, 3), "float32"), name="w")
    with sg.name_scope("dense"):
        y = sg.dot(x, w)
    with sg.name_scope("head"):
        z = sg.log(sg.relu(y) - 3)
    return sg.function([x], z.sum(), updates=[(w, w + z.sum())], target=target, name="train", nan_guard=True), w


@targets
def test_the_first_op_is_named_with_its_operands(target: str) -> None:
    fn, w = head(target)
    with pytest.raises(sg.NonFiniteError) as caught:
        fn(np.zeros((2, 4), "float32"))
    first, op, operand, result = str(caught.value).splitlines()
    assert first == "train: 6 NaN in what step 0 computes"
    assert op.startswith("  first in log of head (test_nan_guard.py:")
    assert operand.startswith("  operand 0, sub of head (test_nan_guard.py:") and operand.endswith("): -3 to -3")
    assert result == "  result: nothing finite, and 6 NaN"
    np.testing.assert_array_equal(w.get_value(), 1)
    assert issubclass(sg.NonFiniteError, FloatingPointError)


@targets
def test_good_runs_give_what_they_always_give(target: str) -> None:
    x = np.linspace(2, 5, 8, dtype="float32").reshape(2, 4)
    fn, w = head(target)
    plain, v = head(target)
    plain._run = plain.stages.executable.run
    np.testing.assert_array_equal([fn(x), fn(x)], [plain(x), plain(x)])
    np.testing.assert_array_equal(w.get_value(), v.get_value())


@targets
def test_an_update_in_place_shows_the_old_value(target: str) -> None:
    w = sg.variable(np.float32([1, 0, 3]), name="w")
    with sg.name_scope("update"):
        fn = sg.function([], [], updates=[(w, 1 / w)], target=target, nan_guard=True)
    with pytest.raises(sg.NonFiniteError, match=r"1 inf in what step 0(.|\n)*variable 'w': 0 to 3"):
        fn()


@targets
def test_the_run_of_a_loop_is_named(target: str) -> None:
    x = sg.placeholder((None, 3), name="x")
    with sg.name_scope("rnn"):
        states, _ = sg.scan(lambda row, h: sg.exp(h) * row, sequences=[x], outputs_info=[sg.ones((3,))])
    fn = sg.function([x], states.sum(), target=target, nan_guard=True)
    assert np.isfinite(fn(np.ones((3, 3), "float32")))
    expected = r"3 inf in what step \d+, run 4 of its loop, computes\n  first in exp of rnn"
    with pytest.raises(sg.NonFiniteError, match=expected):
        fn(np.ones((20, 3), "float32"))


@targets
def test_a_bad_argument_is_shown_where_it_is_used(target: str) -> None:
    x = sg.placeholder((None,), name="x")
    fn = sg.function([x], (sg.where(sg.isnan(x), 0, x) + 1).sum(), target=target, nan_guard=True)
    assert fn([1, np.nan]) == 3
    fn = sg.function([x], sg.exp(x), target=target, nan_guard=True)
    with pytest.raises(sg.NonFiniteError, match="argument 'x': 1 to 1, and 1 NaN"):
        fn([1, np.nan])


@targets
@pytest.mark.parametrize("size", [0, 1, 5])
def test_sizes(target: str, size: int) -> None:
    x = sg.placeholder((None, None), name="x")
    fn = sg.function([x], [sg.dot(x, x.T), sg.softmax(x), x.sum(axis=0)], target=target, nan_guard=True)
    for columns in (1, 7):
        product, _, _ = fn(np.ones((size, columns), "float32"))
        np.testing.assert_array_equal(product, np.full((size, size), columns))


def test_the_environment_turns_it_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not default_options().nan_guard
    monkeypatch.setenv("SYMGRAPH_NAN_GUARD", "1")
    x = sg.placeholder((), name="x")
    with pytest.raises(sg.NonFiniteError, match="log"):
        sg.function([x], sg.log(x))(-1)
    assert np.isnan(sg.function([x], sg.log(x), nan_guard=False)(-1))


def test_nothing_is_in_the_way_when_off() -> None:
    x = sg.placeholder((), name="x")
    fn = sg.function([x], sg.log(x))
    assert fn._run == fn.stages.executable.run


def test_a_bad_result_of_python_is_found() -> None:
    x = sg.placeholder((None,), "float64", name="x")
    with sg.name_scope("mine"):
        y = sg.as_op()(np.log)(x)
    fn = sg.function([x], y.sum(), nan_guard=True)
    with pytest.raises(sg.NonFiniteError, match=r"1 -inf(.|\n)*of mine(.|\n)*argument 'x': 0 to 2"):
        fn([2.0, 0.0])


@targets
def test_infinities_that_are_meant_are_no_fault(target: str) -> None:
    x = sg.placeholder((None, 7, 2), name="x")
    masked = sg.cumsum(sg.where(x > 0, x, -np.inf), axis=1)
    pooled = sg.max_pool(x, (2,), padding="same")
    fn = sg.function([x], [pooled, sg.exp(masked)], target=target, nan_guard=True)
    one, two = fn(np.full((1, 7, 2), -1, "float32"))
    np.testing.assert_array_equal(one, np.full((1, 4, 2), -1))
    np.testing.assert_array_equal(two, np.zeros((1, 7, 2)))
    fn = sg.function([x], sg.exp(masked) * masked, target=target, nan_guard=True)
    with pytest.raises(sg.NonFiniteError, match="14 NaN"):
        fn(np.full((1, 7, 2), -1, "float32"))
