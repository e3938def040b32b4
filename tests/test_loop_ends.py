"""Loops that data ends or interrupts: ``until``, masks, bounded while loops, and steps that are written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.options import Options

Array = np.ndarray[Any, Any]
TARGETS = [
    pytest.param(Options(target="numpy", verify=True), id="numpy"),
    pytest.param(Options(target="llvm", verify=True), id="llvm"),
]
LLVM, NUMPY = Options(target="llvm", verify=True), Options(target="numpy", verify=True)
RNG = np.random.default_rng(0)
D = "float64"


def slopes(f: Callable[..., Any], *arrays: Array) -> list[Array]:
    """Central differences of a number by every element."""
    out = []
    for k, a in enumerate(arrays):
        slope = np.zeros_like(a)
        for at in np.ndindex(a.shape):
            moved = [[b.copy() for b in arrays] for _ in range(2)]
            moved[0][k][at] += 1e-6
            moved[1][k][at] -= 1e-6
            slope[at] = (f(*moved[0]) - f(*moved[1])) / 2e-6
        out.append(slope)
    return out


# -- until -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("options", TARGETS)
def test_until_ends_a_loop_after_the_step_in_which_it_holds(options: Options) -> None:
    x, limit = sg.placeholder((None,), D), sg.placeholder((), D)

    def step(row: sg.Tensor, total: sg.Tensor, count: sg.Tensor) -> Any:
        new = total + row
        return [new, count + 1, row * 10.0], sg.until(new > limit)

    (totals, counts, tens), updates = sg.scan(step, x, [sg.constant(0.0, D), sg.constant(0), None])
    assert not updates
    f = sg.function([x, limit], [totals, counts, tens, totals[-1]], options=options)
    data = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    got = f(data, 5.0)
    np.testing.assert_array_equal(got[0], [1, 3, 6, 6, 6])
    np.testing.assert_array_equal(got[1], [1, 2, 3, 3, 3])
    np.testing.assert_array_equal(got[2], [10, 20, 30, 30, 30])
    assert got[3] == 6
    np.testing.assert_array_equal(f(data, 0.0)[1], [1, 1, 1, 1, 1])
    np.testing.assert_array_equal(f(data, 99.0)[1], [1, 2, 3, 4, 5])
    assert f(data[:1], 0.0)[3] == 1


@pytest.mark.parametrize("options", TARGETS)
def test_steps_after_the_end_do_not_run(options: Options) -> None:
    """Row 2 of the indices would be out of bounds."""
    index, table = sg.placeholder((None,), "int64"), sg.placeholder((3,), D)
    rows, _ = sg.scan(lambda i, t: (sg.take(t, i, axis=0), sg.until(sg.equal(i, 2))), index, None, table)
    f = sg.function([index, table], rows, options=options)
    np.testing.assert_array_equal(f(np.array([1, 2, 7]), np.arange(3.0)), [1, 2, 2])
    with pytest.raises(sg.BoundsError, match="index 7"):
        f(np.array([1, 7, 2]), np.arange(3.0))


@pytest.mark.parametrize("options", TARGETS)
def test_gradients_see_the_steps_that_ran(options: Options) -> None:
    x, w = sg.placeholder((None, 2), D), sg.placeholder((2, 2), D)

    def step(row: sg.Tensor, h: sg.Tensor) -> Any:
        new = sg.tanh(sg.dot(h, w) + row)
        return new, sg.until(sg.sum(new) > 1.2)

    hs, _ = sg.scan(step, x, sg.zeros((2,), D))
    cost = sg.sum(hs[-1] * hs[-1])
    f = sg.function([x, w], [cost, *sg.grad(cost, [x, w])], options=options)
    data, weights = np.array([[0.1, 0.2], [0.3, -0.1], [0.9, 0.9], [0.5, 0.5]]), RNG.normal(size=(2, 2)) * 0.3
    got = f(data, weights)
    assert np.all(got[1][:3] != 0)
    np.testing.assert_array_equal(got[1][3], 0)
    for slope, want in zip(got[1:], slopes(lambda *a: f(*a)[0], data, weights), strict=True):
        np.testing.assert_allclose(slope, want, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("options", TARGETS)
def test_variables_stay_as_the_last_step_left_them(options: Options) -> None:
    count = sg.variable(np.float64(1.0), name="count")
    ys, updates = sg.scan(lambda: (count * 10.0, {count: count * 2.0}, sg.until(count >= 4.0)), n_steps=9)
    f = sg.function([], ys, updates=updates, options=options)
    np.testing.assert_array_equal(f(), [10, 20, *[40] * 7])
    assert count.get_value() == 8


def test_random_draws_before_the_end_are_those_without_one() -> None:
    def draws(limit: float) -> Array:
        def step() -> Any:
            u = sg.random.uniform((), dtype=D)
            return u, sg.until(u > limit)

        sg.set_random_seed(7)
        rows, _ = sg.scan(step, n_steps=20)
        return sg.function([], rows, options=LLVM)()

    every, some = draws(2.0), draws(0.8)
    ran = int(np.argmax(every > 0.8)) + 1
    assert 1 < ran < 20
    np.testing.assert_array_equal(some[:ran], every[:ran])
    np.testing.assert_array_equal(some[ran:], every[ran - 1])


def test_a_branch_inside_a_loop_draws_numbers_of_the_step() -> None:
    x = sg.placeholder((None,), D)
    rows, _ = sg.scan(lambda row: sg.cond(row > 0.0, lambda: sg.random.uniform((), dtype=D), lambda: row), x)
    got = sg.function([x], rows, options=LLVM)(np.array([1.0, -1.0, 1.0]))
    assert got[1] == -1
    assert 0 < got[0] < 1 and 0 < got[2] < 1 and got[0] != got[2]


def test_until_and_updates_come_in_any_order() -> None:
    v = sg.variable(np.float64(1.0))
    for order in ((0, 1, 2), (1, 0, 2), (2, 1, 0), (0, 2, 1)):

        def step(order: tuple[int, ...] = order) -> Any:
            parts = [v * 3.0, {v: v + 1.0}, sg.until(v > 1.5)]
            return tuple(parts[k] for k in order)

        rows, updates = sg.scan(step, n_steps=3)
        np.testing.assert_array_equal(sg.function([], [rows, updates[v]])()[0], [3, 6, 6])
    rows, updates = sg.scan(lambda: ({v: v + 1.0}, sg.until(v > 1.5)), n_steps=5)
    assert rows is None
    assert sg.function([], updates[v])() == 3


# -- masks -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("options", TARGETS)
@pytest.mark.parametrize("backwards", [False, True])
def test_masked_steps_keep_what_was_and_pass_gradients_by(backwards: bool, options: Options) -> None:
    x, mask = sg.placeholder((None, 3, 2), D), sg.placeholder((None, 3), "bool")

    def step(row: sg.Tensor, h: sg.Tensor) -> list[sg.Tensor]:
        return [sg.tanh(h * 1.5 + row), row * 2.0]

    (hs, twice), _ = sg.scan(step, x, [sg.zeros((3, 2), D), None], mask=mask, go_backwards=backwards)
    weights = RNG.normal(size=(3, 2))
    cost = sg.sum(hs * weights)
    f = sg.function([x, mask], [hs, twice, cost, sg.grad(cost, x)], options=options)
    data = RNG.normal(size=(4, 3, 2))
    flags = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [1, 0, 0]], bool)
    got = f(data, flags)
    h = np.zeros((3, 2))
    for i, at in enumerate(range(3, -1, -1) if backwards else range(4)):
        h = np.where(flags[at][:, None], np.tanh(h * 1.5 + data[at]), h)
        np.testing.assert_allclose(got[0][i], h)
        np.testing.assert_allclose(got[1][i], np.where(flags[at][:, None], 2 * data[at], 0))
    (want,) = slopes(lambda a: f(a, flags)[2], data)
    np.testing.assert_allclose(got[3], want, rtol=1e-6, atol=1e-9)


def test_a_mask_of_one_flag_holds_for_updates_too() -> None:
    v, mask = sg.variable(np.float64(1.0)), sg.placeholder((None,), "bool")
    rows, updates = sg.scan(lambda: (v * 1.0, {v: v * 2.0}), mask=mask)
    f = sg.function([mask], [rows, updates[v]])
    got = f(np.array([True, False, True]))
    np.testing.assert_array_equal(got[0], [1, 0, 2])
    assert got[1] == 4


# -- while loops -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("options", TARGETS)
def test_a_bounded_while_loop_has_gradients(options: Options) -> None:
    x, w = sg.placeholder((3,), D), sg.placeholder((), D)
    y, n = sg.while_loop(
        lambda y, n: sg.sum(y * y) < 50.0, lambda y, n: [y * w + sg.sin(y), n + 1], [x, sg.constant(0)], max_steps=20
    )
    cost = sg.sum(y * y * y)
    gx, gw = sg.grad(cost, [x, w])
    f = sg.function([x, w], [cost, n, gx, gw, sg.grad(gw, w)], options=options)
    data, slope = np.array([0.5, -0.2, 0.3]), np.float64(1.4)
    got = f(data, slope)
    assert 3 < got[1] < 20
    wants = slopes(lambda a, b: f(a, b)[0], data, np.array(slope))
    np.testing.assert_allclose(got[2], wants[0], rtol=1e-6)
    np.testing.assert_allclose(got[3], wants[1], rtol=1e-6)
    (second,) = slopes(lambda b: f(data, b)[3], np.array(slope))
    np.testing.assert_allclose(got[4], second, rtol=1e-5)
    assert f(data * 100, slope)[1] == 0
    np.testing.assert_allclose(f(data * 100, slope)[2], 3 * (data * 100) ** 2)
    assert f(data * 0, slope)[1] == 20


def test_without_a_gradient_a_bounded_while_loop_keeps_no_rows() -> None:
    x = sg.placeholder((4,), D)
    y = sg.while_loop(lambda y: sg.sum(y) < 50.0, lambda y: y * 2.0, x, max_steps=1000)
    f = sg.function([x], y, options=LLVM)
    np.testing.assert_array_equal(f(np.ones(4)), [16] * 4)
    assert all(d not in (1000, 1001) for b in f.stages.plan.buffers.values() for d in b.shape)


@pytest.mark.parametrize("options", TARGETS)
def test_choices_in_choices_have_gradients(options: Options) -> None:
    x = sg.placeholder((), D)
    y = sg.cond(
        x > 0.0,
        lambda: sg.cond(x > 1.0, lambda: sg.exp(x), lambda: x * x),
        lambda: sg.cond(x > -1.0, lambda: sg.sin(x), lambda: x * 0.0 + 3.0),
    )
    slope = sg.grad(y, x)
    f = sg.function([x], [y, slope, sg.grad(slope, x)], options=options)
    for at, want in ((2.0, [np.exp(2)] * 3), (0.5, [0.25, 1, 2]), (-0.5, [-np.sin(0.5), np.cos(0.5), np.sin(0.5)]),
                     (-3.0, [3, 0, 0])):  # fmt: skip
        np.testing.assert_allclose(f(at), want, atol=1e-12)


# -- written out -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("truncate", [-1, 2])
@pytest.mark.parametrize("backwards", [False, True])
def test_an_unrolled_loop_is_the_loop(backwards: bool, truncate: int) -> None:
    x, w = sg.placeholder((5, 2), D), sg.placeholder((2, 2), D)
    v = sg.variable(np.float64(0.5))

    def build(unroll: bool | int) -> sg.Function:
        def step(row: sg.Tensor, older: sg.Tensor, h: sg.Tensor) -> Any:
            new = sg.tanh(sg.dot(h, w) + row) * v + older
            return [new, new * row], {v: v * 0.9}, sg.until(sg.sum(new) > 5.0)

        start = {"initial": sg.ones((2, 2), D), "taps": [-2, -1]}
        (hs, ps), updates = sg.scan(
            step, x, [start, None], go_backwards=backwards, truncate_gradient=truncate, unroll=unroll
        )
        cost = sg.sum(hs * ps)
        return sg.function([x, w], [hs, ps, updates[v], *sg.grad(cost, [x, w])], options=NUMPY)

    loop, straight, hinted = build(False), build(True), build(5)
    assert "scan" not in {n.op.name for n in straight.stages.optimized.nodes}
    assert "scan" not in {n.op.name for n in hinted.stages.optimized.nodes}
    assert "scan" in {n.op.name for n in build(4).stages.optimized.nodes}
    data, weights = RNG.normal(size=(5, 2)), RNG.normal(size=(2, 2))
    for got, want in zip(straight(data, weights), loop(data, weights), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("options", TARGETS)
def test_later_rows_and_no_rows(options: Options) -> None:
    x = sg.placeholder((None,), D)
    ahead, _ = sg.scan(lambda now, after: after - now, {"input": x, "taps": [0, 2]})
    f = sg.function([x], ahead, options=options)
    data = RNG.normal(size=6)
    np.testing.assert_allclose(f(data), data[2:] - data[:-2])
    assert f(data[:2]).shape == (0,)
    some, _ = sg.scan(lambda h: h * 2.0, None, sg.constant(1.0, D), n_steps=0, unroll=True)
    assert sg.function([], some, options=options)().shape == (0,)


# -- arguments ---------------------------------------------------------------------------------------------------
def test_strict_loops_use_what_they_are_given() -> None:
    x, w = sg.placeholder((None,), D), sg.placeholder((), D, name="w")
    rows, _ = sg.scan(lambda row, c: row * c, x, None, w, strict=True)
    np.testing.assert_array_equal(sg.function([x, w], rows)([1.0, 2.0], 3.0), [3, 6])
    with pytest.raises(sg.GraphError, match="placeholder 'w' .*which is not among the non_sequences"):
        sg.scan(lambda row: row * w, x, strict=True)


def test_lists_on_request() -> None:
    x = sg.placeholder((None,), D)
    assert isinstance(sg.scan(lambda row: row, x, return_list=True)[0], list)
    assert isinstance(sg.scan(lambda row: row, x)[0], sg.Tensor)


def test_bad_ends_are_explained() -> None:
    x = sg.placeholder((None, 3), D)
    with pytest.raises(sg.DTypeError, match="until takes a bool scalar"):
        sg.scan(lambda row: (row, sg.until(row > 0)), x)
    with pytest.raises(sg.DTypeError, match="a mask has dtype bool"):
        sg.scan(lambda row: row, x, mask=x)
    with pytest.raises(sg.ShapeError, match="a row of the mask"):
        sg.scan(lambda row: row, x, mask=sg.placeholder((None, 4), "bool"))
    with pytest.raises(sg.ArgumentError, match="needs a known number of steps"):
        sg.scan(lambda row: row, x, unroll=True)
    with pytest.raises(sg.ArgumentError, match="unroll is True, False or a number"):
        sg.scan(lambda row: row, x, unroll=-3)
    with pytest.raises(sg.ArgumentError, match=r"the most there can be, and return until"):
        sg.scan(lambda: sg.constant(1.0), n_steps=sg.sum(x))
    with pytest.raises(sg.ArgumentError, match="the body gives 1"):
        sg.while_loop(lambda a, b: a > 0, lambda a, b: a, [1.0, 2.0], max_steps=3)
    with pytest.raises(sg.GradientError, match="give while_loop max_steps"):
        sg.grad(sg.while_loop(lambda v: v < 9.0, lambda v: v * 2.0, sg.sum(x)), x)
