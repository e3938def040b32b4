"""Loops against unrolled graphs and finite differences: values, gradients of first and second order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.codegen.plan import Loop
from symgraph.options import Options
from tests.pages import run_page

Array = np.ndarray[Any, Any]
TARGETS = [
    pytest.param(Options(target="numpy", verify=True), id="numpy"),
    pytest.param(Options(target="llvm", verify=True), id="llvm"),
]
RNG = np.random.default_rng(0)
D = "float64"


def step(x: sg.Tensor, h: sg.Tensor, w: sg.Tensor) -> sg.Tensor:
    return sg.tanh(x + sg.dot(h, w))


def looped(xs: sg.Tensor, h: sg.Tensor, w: sg.Tensor, n: int) -> sg.Tensor:
    outputs, updates = sg.scan(step, xs, h, w)
    assert not updates
    return outputs


def unrolled(xs: sg.Tensor, h: sg.Tensor, w: sg.Tensor, n: int) -> sg.Tensor:
    rows = []
    for i in range(n):
        h = step(xs[i], h, w)
        rows.append(h)
    return sg.stack(rows) if rows else xs


def derivatives(build: Callable[..., sg.Tensor], n: int, size: int | None, options: Options) -> list[Array]:
    """The outputs, their gradients, and the gradients of these gradients."""
    xs, h, w = sg.placeholder((size, 2, 3), D), sg.placeholder((2, 3), D), sg.placeholder((3, 3), D)
    y = build(xs, h, w, n)
    weights = np.random.default_rng(5).uniform(0.5, 1.5, (2, 3))
    first = sg.grad(sg.sum(y * weights * y), [xs, h, w], disconnected="zeros")
    second = sg.grad(sum((sg.sum(g * g * g) for g in first), sg.constant(0.0, D)), [xs, h, w], disconnected="zeros")
    f = sg.function([xs, h, w], [y, *first, *second], options=options)
    rng = np.random.default_rng(1)
    return f(rng.normal(size=(n, 2, 3)), rng.normal(size=(2, 3)), rng.normal(size=(3, 3)))


@pytest.mark.parametrize("options", TARGETS)
@pytest.mark.parametrize(("n", "size"), [(0, None), (1, None), (5, None), (5, 5), (1, 1), (0, 0)])
def test_a_loop_is_the_unrolled_graph(n: int, size: int | None, options: Options) -> None:
    for got, want in zip(derivatives(looped, n, size, options), derivatives(unrolled, n, n, options), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("options", TARGETS)
def test_one_executable_serves_every_number_of_steps(options: Options) -> None:
    x = sg.placeholder((None, 3), D)
    sums, _ = sg.scan(lambda row, total: total + row, x, sg.zeros((3,), D))
    f = sg.function([x], [sums, sums[-1:]], options=options)
    for n in (1, 7, 100, 2):
        data = RNG.normal(size=(n, 3))
        all_sums, last = f(data)
        np.testing.assert_allclose(all_sums, np.cumsum(data, axis=0))
        np.testing.assert_allclose(last[0], data.sum(axis=0))


@pytest.mark.parametrize("options", TARGETS)
def test_backwards_taps_and_outputs_without_initial_value(options: Options) -> None:
    x = sg.placeholder((None,), D)

    def fn(now: sg.Tensor, before: sg.Tensor, y2: sg.Tensor, y1: sg.Tensor, c: sg.Tensor) -> list[sg.Tensor]:
        return [y1 - 0.5 * y2 + now * c, before * now]

    start = sg.constant(np.array([1.0, 2.0]))
    (ys, products), _ = sg.scan(
        fn, {"input": x, "taps": [0, -1]}, [{"initial": start, "taps": [-2, -1]}, None], 3.0, go_backwards=True
    )
    data = RNG.normal(size=6)
    got_y, got_p = sg.function([x], [ys, products], options=options)(data)
    y = [1.0, 2.0]
    p = []
    for now, before in zip(data[:0:-1], data[-2::-1], strict=True):
        y.append(y[-1] - 0.5 * y[-2] + now * 3.0)
        p.append(now * before)
    np.testing.assert_allclose(got_y, y[2:])
    np.testing.assert_allclose(got_p, p)


@pytest.mark.parametrize("options", TARGETS)
def test_fewer_steps_than_rows(options: Options) -> None:
    x, data = sg.placeholder((None,), D), np.arange(6.0)
    for backwards, want in ((False, [0, 1, 2]), (True, [5, 4, 3])):
        rows, _ = sg.scan(lambda row: row * 1.0, x, n_steps=3, go_backwards=backwards)
        np.testing.assert_array_equal(sg.function([x], rows, options=options)(data), want)


@pytest.mark.parametrize("options", TARGETS)
def test_folds_and_map(options: Options) -> None:
    x, data = sg.placeholder((None,), D), RNG.normal(size=5)
    left, _ = sg.foldl(lambda row, total: total * 2.0 + row, x, sg.constant(0.0, D))
    right, _ = sg.foldr(lambda row, total: total * 2.0 + row, x, sg.constant(0.0, D))
    squares, _ = sg.map(lambda row: row * row, x)
    got = sg.function([x], [left, right, squares], options=options)(data)
    np.testing.assert_allclose(got[0], sum(v * 2.0 ** (4 - i) for i, v in enumerate(data)))
    np.testing.assert_allclose(got[1], sum(v * 2.0**i for i, v in enumerate(data)))
    np.testing.assert_allclose(got[2], data**2)
    both, _ = sg.scan(lambda row, total: total * 2.0 + row, x, sg.constant(0.0, D))
    last = sg.function([x], [both[-1], sg.grad(both[-1], x), both[-1] + both[0]], options=options)(data)
    np.testing.assert_allclose(last[0], got[0])
    np.testing.assert_allclose(last[1], 2.0 ** np.arange(4, -1, -1))
    np.testing.assert_allclose(last[2], got[0] + data[0])
    assert sg.function([x], left, options=options)(data[:0]) == 0


@pytest.mark.parametrize("options", TARGETS)
def test_loops_in_loops_with_gradients(options: Options) -> None:
    x = sg.placeholder((None, 3), D)
    w = sg.placeholder((), D)

    def inner(element: sg.Tensor, total: sg.Tensor, c: sg.Tensor) -> sg.Tensor:
        return sg.sin(total * c) + element

    def outer(row: sg.Tensor, total: sg.Tensor, c: sg.Tensor) -> sg.Tensor:
        return sg.foldl(inner, row, total, c)[0]

    last, _ = sg.foldl(outer, x, sg.constant(0.5, D), w)
    gx, gw = sg.grad(last, [x, w])
    second = sg.grad(gw, w)
    f = sg.function([x, w], [last, gx, gw, second], options=options)
    data, c = RNG.normal(size=(4, 3)), np.float64(0.7)

    def reference(data: Array, c: float) -> float:
        total = 0.5
        for v in data.reshape(-1):
            total = np.sin(total * c) + v
        return total

    got = f(data, c)
    np.testing.assert_allclose(got[0], reference(data, c))
    np.testing.assert_allclose(got[2], (reference(data, c + 1e-6) - reference(data, c - 1e-6)) / 2e-6, rtol=1e-7)
    slope = (f(data, c + 1e-6)[2] - f(data, c - 1e-6)[2]) / 2e-6
    np.testing.assert_allclose(got[3], slope, rtol=1e-6)
    direction = RNG.normal(size=(4, 3))
    ahead, behind = reference(data + 1e-6 * direction, c), reference(data - 1e-6 * direction, c)
    np.testing.assert_allclose(np.sum(got[1] * direction), (ahead - behind) / 2e-6, rtol=1e-7)


@pytest.mark.parametrize("options", TARGETS)
def test_variables_updated_inside(options: Options) -> None:
    count = sg.variable(np.float64(1.0), name="count")
    ys, updates = sg.scan(lambda: (count * 10.0, {count: count * 2.0}), n_steps=3)
    f = sg.function([], ys, updates=updates, options=options)
    np.testing.assert_array_equal(f(), [10, 20, 40])
    assert count.get_value() == 8
    np.testing.assert_array_equal(f(), [80, 160, 320])


@pytest.mark.parametrize("options", TARGETS)
def test_random_numbers_are_fresh_in_every_step_and_call(options: Options) -> None:
    draws, _ = sg.scan(lambda: sg.random.uniform((4,)), n_steps=5)
    f = sg.function([], [draws, draws], options=options)
    sg.set_random_seed(3)
    (a, b), (c, _) = f(), f()
    np.testing.assert_array_equal(a, b)
    assert len(np.unique(np.concatenate([a, c]))) == 40


def test_random_numbers_are_those_of_the_forward_loop_in_the_gradient() -> None:
    w = sg.placeholder((), D)

    def fn(i: sg.Tensor, total: sg.Tensor, c: sg.Tensor) -> sg.Tensor:
        return total * c + sg.random.uniform((), dtype=D)

    last, _ = sg.foldl(fn, sg.arange(4), sg.constant(1.0, D), w)
    f = sg.function([w], [last, sg.grad(last, w)], options=Options(target="numpy", verify=True))
    sg.set_random_seed(1)
    value, slope = f(0.5)
    sg.set_random_seed(1)
    ahead, _ = f(0.5 + 1e-6)
    np.testing.assert_allclose(slope, (ahead - value) / 1e-6, rtol=1e-4)


@pytest.mark.parametrize("n", [2, 5])
def test_a_truncated_gradient_sees_the_last_steps(n: int) -> None:
    x, w = sg.placeholder((None,), D), sg.placeholder((), D)

    def last(truncate: int) -> sg.Tensor:
        ys, _ = sg.scan(lambda row, h, c: h * c + row, x, sg.constant(1.0, D), w, truncate_gradient=truncate)
        return ys[-1]

    f = sg.function([x, w], sg.grad(last(3), [x, w]), options=Options(target="numpy", verify=True))
    data, c = RNG.normal(size=n), 0.5
    gx, gw = f(data, c)
    h = [1.0]
    for v in data:
        h.append(h[-1] * c + v)
    np.testing.assert_allclose(gx, [c ** (n - 1 - i) if n - i <= 3 else 0.0 for i in range(n)])
    np.testing.assert_allclose(gw, sum(h[i] * c ** (n - 1 - i) for i in range(n) if n - i <= 3))


@pytest.mark.parametrize("options", TARGETS)
def test_a_failed_index_names_the_op_in_the_body(options: Options) -> None:
    index, table = sg.placeholder((None,), "int64"), sg.placeholder((4, 2), D)
    with sg.name_scope("lookup"):
        rows, _ = sg.scan(lambda i, t: sg.take(t, i, axis=0), index, None, table)
    f = sg.function([index, table], sg.sum(rows * rows), options=options)
    with pytest.raises(sg.BoundsError, match=r"index 9 .* of size 4 .* lookup"):
        f(np.array([1, 2, 9, 0]), np.ones((4, 2)))
    assert f(np.array([1, 2]), np.ones((4, 2))) == 4


def test_bad_calls_are_explained() -> None:
    x = sg.placeholder((None, 3), D)
    with pytest.raises(sg.ArgumentError, match="n_steps says how many"):
        sg.scan(lambda: sg.constant(1.0))
    with pytest.raises(sg.ArgumentError, match="returned 1"):
        sg.scan(lambda row, h: row, x, [sg.zeros((3,), D), None])
    with pytest.raises(sg.DTypeError, match="carry 0 of a scan is f64"):
        sg.scan(lambda row, h: sg.cast(row, "float32"), x, sg.zeros((3,), D))
    with pytest.raises(sg.ShapeError, match="before and after a step"):
        sg.scan(lambda row, h: sg.concatenate([row, row], axis=0), x, sg.zeros((3,), D))
    with pytest.raises(sg.ShapeError, match="an axis to walk over"):
        sg.map(lambda row: row, sg.constant(1.0))
    with pytest.raises(sg.ArgumentError, match="must be negative"):
        sg.scan(lambda row, h: h, x, {"initial": sg.zeros((3,), D), "taps": [0]})


def lstm(steps: int | None, batch: int | None, inputs: int, size: int) -> tuple[list[sg.Tensor], sg.Tensor]:
    x = sg.placeholder((steps, batch, inputs), D, name="x")
    w, u = sg.placeholder((inputs, 4 * size), D, name="w"), sg.placeholder((size, 4 * size), D, name="u")
    b = sg.placeholder((4 * size,), D, name="b")
    start = sg.zeros((x.shape[1], size), D)

    def step(row: sg.Tensor, h: sg.Tensor, c: sg.Tensor) -> list[sg.Tensor]:
        z = sg.dot(row, w) + sg.dot(h, u) + b
        i, f, g, o = (z[:, k * size : (k + 1) * size] for k in range(4))
        c = sg.sigmoid(f) * c + sg.sigmoid(i) * sg.tanh(g)
        return [sg.sigmoid(o) * sg.tanh(c), c]

    (hs, _), _ = sg.scan(step, x, [start, start])
    return [x, w, u, b], hs


def lstm_arrays(steps: int, batch: int, inputs: int, size: int) -> list[Array]:
    rng = np.random.default_rng(2)
    shapes = [(steps, batch, inputs), (inputs, 4 * size), (size, 4 * size), (4 * size,)]
    return [rng.normal(size=s) * 0.5 for s in shapes]


def test_the_input_product_of_an_lstm_is_outside_its_loop() -> None:
    inputs, hs = lstm(100, None, 5, 4)
    f = sg.function(inputs, hs[-1], options=Options(target="llvm", verify=True))
    loops = [step for step in f.stages.plan.steps if isinstance(step, Loop)]
    (loop,) = loops
    outside = [n.op.name for n in f.stages.optimized.nodes]
    (scan,) = [n for n in f.stages.optimized.nodes if n.op.name == "scan"]
    inside = [n.op.name for n in scan.op.body.graph.nodes]  # type: ignore[attr-defined]
    assert outside.count("contract") == 1
    assert inside.count("contract") == 1
    assert scan.op.kept == (False, False)  # type: ignore[attr-defined]
    assert loop.length == 100
    assert len(scan.outputs) == 2  # the last h and c, no rows
    assert len(loop.body.steps) == 2  # the product, the rest
    assert all(d != 100 for b in loop.body.buffers.values() for d in b.shape)


def test_the_backward_loop_of_an_lstm_has_one_product() -> None:
    inputs, hs = lstm(100, None, 5, 4)
    f = sg.function(inputs, sg.grad(sg.sum(hs * hs), inputs), options=Options(target="llvm", verify=True))
    loops = [n for n in f.stages.optimized.nodes if n.op.name == "scan"]
    inside = [[n.op.name for n in loop.op.body.graph.nodes].count("contract") for loop in loops]  # type: ignore[attr-defined]
    assert inside == [1, 1]


@pytest.mark.parametrize("options", TARGETS)
@pytest.mark.parametrize("n", [1, 3])
def test_an_lstm_and_its_gradients_are_the_unmoved_ones(n: int, options: Options) -> None:
    arrays = lstm_arrays(n, 3, 5, 4)
    results = []
    for inexact in (True, False):
        inputs, hs = lstm(None, None, 5, 4)
        first = sg.grad(sg.sum(hs * hs), inputs)
        second = sg.grad(sum((sg.sum(g * g) for g in first), sg.constant(0.0, D)), inputs)
        f = sg.function(inputs, [hs, *first, *second], options=options.but(inexact=inexact))
        results.append(f(*arrays))
    for moved, plain in zip(*results, strict=True):
        np.testing.assert_allclose(moved, plain, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("options", TARGETS)
def test_only_the_chosen_branch_runs(options: Options) -> None:
    x, index = sg.placeholder((None, 3), D), sg.placeholder((), "int64")
    outside = sg.exp(x)

    def then() -> list[sg.Tensor]:
        return [sg.take(outside, index, axis=0) * 2.0, sg.sum(x)]

    def otherwise() -> list[sg.Tensor]:
        return [sg.dot(sg.ones((3,), D), sg.ones((3, 3), D)), sg.constant(1.0, D)]

    row, total = sg.cond(index >= 0, then, otherwise)
    slope = sg.grad(sg.sum(row * row) + total, x)
    f = sg.function([x, index], [row, total, slope], options=options)
    data = RNG.normal(size=(4, 3))
    row_, total_, slope_ = f(data, 2)
    np.testing.assert_allclose(row_, 2 * np.exp(data[2]))
    np.testing.assert_allclose(total_, data.sum())
    want = np.ones((4, 3))
    want[2] += 8 * np.exp(data[2]) ** 2
    np.testing.assert_allclose(slope_, want)
    # Index -7 would be out of bounds: the branch that reads there does not run.
    row_, total_, slope_ = f(data, -7)
    np.testing.assert_array_equal(row_, [3, 3, 3])
    assert total_ == 1
    np.testing.assert_array_equal(slope_, np.zeros((4, 3)))
    with pytest.raises(sg.BoundsError, match="index 9"):
        f(data, 9)


@pytest.mark.parametrize("options", TARGETS)
def test_while_loops_run_as_long_as_data_says(options: Options) -> None:
    n = sg.placeholder((), "int64")

    def collatz(k: sg.Tensor, v: sg.Tensor) -> list[sg.Tensor]:
        return [k + 1, sg.where(sg.equal(v % 2, 0), v // 2, 3 * v + 1)]

    steps, value = sg.while_loop(lambda k, v: v > 1, collatz, [sg.constant(0), n])
    f = sg.function([n], [steps, value], options=options)
    assert [int(a) for a in f(27)] == [111, 1]
    assert [int(a) for a in f(1)] == [0, 1]


@pytest.mark.parametrize("options", TARGETS)
def test_choices_and_while_loops_in_loops(options: Options) -> None:
    x = sg.placeholder((None,), D)

    def fn(row: sg.Tensor, total: sg.Tensor) -> sg.Tensor:
        halved = sg.while_loop(lambda v: v > 1.0, lambda v: v / 2.0, row)
        return sg.cond(row > 3.0, lambda: total + halved, lambda: total * row)

    totals, _ = sg.scan(fn, x, sg.constant(1.0, D))
    data = np.array([2.0, 5.0, 0.5, 8.0])
    want, total = [], 1.0
    for v in data:
        half = v
        while half > 1:
            half /= 2
        total = total + half if v > 3 else total * v
        want.append(total)
    np.testing.assert_allclose(sg.function([x], totals, options=options)(data), want)


def test_the_page_on_loops_runs() -> None:
    names = run_page("docs/loops.md")
    rng = np.random.default_rng(0)
    cost, *gradients = names["train"](*(rng.normal(size=s).astype("f") for s in ((6, 8, 5), (5, 4), (4, 4))))
    assert np.isfinite(cost)
    assert [g.shape for g in gradients] == [(5, 4), (4, 4)]
    assert sg.function([], names["k"])() == 8
    np.testing.assert_array_equal(names["first"]([4.0, 5.0, 6.0, 7.0]), [15, 3])
    assert names["slope"](5.0) == 75


def test_bad_choices_are_explained() -> None:
    x = sg.placeholder((3,), D)
    with pytest.raises(sg.ArgumentError, match="one branch gives 1"):
        sg.cond(sg.sum(x) > 0, lambda: x, lambda: [x, x])
    with pytest.raises(sg.DTypeError, match="bool scalar"):
        sg.cond(x > 0, lambda: x + 1.0, lambda: x)
    with pytest.raises(sg.GradientError, match="give while_loop max_steps"):
        sg.grad(sg.sum(sg.while_loop(lambda v: sg.sum(v) < 9.0, lambda v: v * 2.0, x)), x)
