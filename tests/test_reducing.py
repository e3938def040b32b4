"""Running sums, differences, norms and counts, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgraph as sg

X = np.random.default_rng(0).normal(size=(3, 5, 2))


def run(build: Any, *arrays: Any, target: str = "llvm") -> Any:
    inputs = [sg.placeholder(np.shape(a), np.asarray(a).dtype) for a in arrays]
    return sg.function(inputs, build(*inputs), target=target)(*arrays)


@pytest.mark.parametrize("target", ["numpy", "llvm"])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_running_sums_and_products(axis: int | None, target: str) -> None:
    for x in (X, X.astype("float32"), (10 * X).astype("int8"), X > 0):
        for name in ("cumsum", "cumprod"):
            want = getattr(np, name)(x, axis)
            got = run(lambda t, n=name: getattr(sg, n)(t, axis), x, target=target)
            assert got.dtype == want.dtype
            np.testing.assert_allclose(got, want, rtol=1e-5 if x.dtype == "float32" else 1e-12)


def test_running_values_are_the_same_on_one_and_two_threads() -> None:
    from symgraph.codegen.targets.llvm import pool

    x = np.random.default_rng(1).normal(size=(300, 257)).astype("float32")
    at = np.random.default_rng(2).integers(0, 257, (300, 257))
    t, i = sg.placeholder(x.shape), sg.placeholder(at.shape, "int64")
    scattered = sg.grad(sg.sum(sg.square(sg.take_along_axis(t, i, 1))), t)
    f = sg.function([t, i], [sg.cumsum(t, 0), sg.cumsum(t, 1), scattered], target="llvm")
    before = pool.get_threads()
    try:
        results = []
        for threads in (1, 2):
            pool.set_threads(threads)
            results.append(f(x, at))
    finally:
        pool.set_threads(before)
    for one, two in zip(*results, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_linear_recurrence() -> None:
    a = np.array([0.5, 0.9, -1.0, 2.0])
    got = run(lambda x: sg.linear_recurrence(x, 1.0), a)
    np.testing.assert_allclose(got, [1.0, 1.9, -0.9, -0.8])
    sg.verify_grad(lambda x, y: sg.linear_recurrence(x, y), [a, a + 1], order=2)


@pytest.mark.parametrize("n", [0, 1, 2, 4])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_diff(n: int, axis: int) -> None:
    if n < X.shape[axis]:
        np.testing.assert_allclose(run(lambda t: sg.diff(t, n, axis), X), np.diff(X, n, axis), atol=1e-14)
    np.testing.assert_array_equal(run(lambda t: sg.diff(t, 1, axis), X > 0), np.diff(X > 0, 1, axis))


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("ord", [None, 0, 1, 2, 3, 0.5, np.inf, -np.inf])
def test_norm(ord: Any, keepdims: bool) -> None:
    want = np.linalg.norm(X, ord, 1, keepdims)
    np.testing.assert_allclose(run(lambda t: sg.norm(t, ord, 1, keepdims), X), want, rtol=1e-12)
    if ord not in (0,):
        sg.verify_grad(lambda t: sg.norm(t, ord, 1), [X])


def test_the_gradient_of_a_norm_at_zero_is_zero() -> None:
    x = sg.placeholder((3,), "float64")
    assert sg.function([x], sg.grad(sg.norm(x), x))(np.zeros(3)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("axis", [None, 1, (0, 2)])
def test_counts_ranges_and_averages(axis: Any) -> None:
    np.testing.assert_array_equal(run(lambda t: sg.count_nonzero(t, axis), X > 0.5), np.count_nonzero(X > 0.5, axis))
    np.testing.assert_allclose(run(lambda t: sg.ptp(t, axis), X), np.ptp(X, axis))
    np.testing.assert_allclose(run(lambda t: sg.average(t, axis), X), np.average(X, axis))
    weights = np.abs(X) + 0.1
    np.testing.assert_allclose(
        run(lambda t, w: sg.average(t, axis, w), X, weights), np.average(X, axis, weights), rtol=1e-12
    )  # fmt: skip


def test_vector_products_and_fillings() -> None:
    got, turned, same, filled = run(
        lambda t: [sg.vecdot(t, t + 1, 1), sg.matrix_transpose(t), sg.positive(t), sg.full_like(t, 2)], X
    )  # fmt: skip
    np.testing.assert_allclose(got, np.sum(X * (X + 1), 1))
    np.testing.assert_array_equal(turned, np.swapaxes(X, -1, -2))
    np.testing.assert_array_equal(same, X)
    np.testing.assert_array_equal(filled, np.full_like(X, 2))
