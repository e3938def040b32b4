"""Sorting, quantiles and places in sorted rows, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgraph as sg

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 7, 4))
TIES = RNG.integers(0, 4, (3, 9)).astype("float32")
NAN = np.array([[3.0, np.nan, -np.inf, 0.0, np.inf, np.nan], [1.0, 1.0, np.nan, 2.0, -0.0, 0.0]])
CASES = [X, TIES, NAN, RNG.integers(-5, 5, (2, 30)), RNG.random((2, 5)) < 0.5, X[:, :0], X[:, :1], X[0, 0]]


def run(build: Any, *arrays: Any, target: str = "llvm") -> Any:
    inputs = [sg.placeholder(np.shape(a), np.asarray(a).dtype) for a in arrays]
    return sg.function(inputs, build(*inputs), target=target)(*arrays)


@pytest.mark.parametrize("target", ["numpy", "llvm"])
@pytest.mark.parametrize("case", range(len(CASES)))
def test_sort_and_argsort(case: int, target: str) -> None:
    x = CASES[case]
    for axis in (-1, 0, None):
        got, order = run(lambda t, a=axis: [sg.sort(t, a), sg.argsort(t, a)], x, target=target)
        np.testing.assert_array_equal(got, np.sort(x, axis))
        np.testing.assert_array_equal(order, np.argsort(x, axis, kind="stable"))
        assert order.dtype == np.int64


def test_falling_order_is_stable_too() -> None:
    got, order = run(lambda t: [sg.sort(t, descending=True), sg.argsort(t, descending=True)], TIES)
    np.testing.assert_array_equal(got, -np.sort(-TIES))
    np.testing.assert_array_equal(order, np.argsort(-TIES, kind="stable"))


@pytest.mark.parametrize("n", [0, 1, 5, 40])
def test_rows_of_unknown_length(n: int) -> None:
    x = sg.placeholder((2, None), "float64")
    f = sg.function([x], [sg.sort(x), sg.argsort(x)])
    a = RNG.normal(size=(2, n))
    np.testing.assert_array_equal(f(a)[0], np.sort(a))
    np.testing.assert_array_equal(f(a)[1], np.argsort(a))


def test_long_rows() -> None:
    x = RNG.normal(size=100_000).round(3)
    for a in (x, x.astype("float32"), (x * 1000).astype("int64"), (x * 1000).astype("int16")):
        order, values, best = run(lambda t: [sg.argsort(t), sg.sort(t), sg.top_k(t, 700)[1]], a)
        np.testing.assert_array_equal(order, np.argsort(a, kind="stable"))
        np.testing.assert_array_equal(values, np.sort(a))
        np.testing.assert_array_equal(best, np.argsort(-a.astype("float64"), kind="stable")[:700])


def test_rows_of_ties_sort_in_parallel() -> None:
    x = RNG.integers(0, 50, (64, 1000)).astype("float32")
    order = run(sg.argsort, x)
    np.testing.assert_array_equal(order, np.argsort(x, kind="stable"))


def test_sorting_inside_a_loop() -> None:
    x = sg.placeholder((None, 3, 40), "float64")
    rows, updates = sg.scan(lambda row: sg.sort(row) * sg.top_k(row, 1)[0], sequences=x)
    f = sg.function([x], [rows, sg.grad(sg.sum(rows**2), x)], updates=updates)
    a = RNG.normal(size=(5, 3, 40))
    np.testing.assert_allclose(f(a)[0], np.sort(a) * a.max(-1, keepdims=True), rtol=1e-12)
    assert f(a)[1].shape == a.shape


@pytest.mark.parametrize("target", ["numpy", "llvm"])
def test_more_than_there_are(target: str) -> None:
    x = sg.placeholder((None,))
    f = sg.function([x], sg.top_k(x, 3), options=sg.Options(target=target))
    np.testing.assert_array_equal(f(np.array([1, 3, 2, 5], "float32"))[1], [3, 1, 2])
    with pytest.raises(sg.BoundsError, match="index 2 is out of bounds .* size 2 in argsort"):
        f(np.zeros(2, "float32"))


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("k", [1, 3])
def test_top_k(k: int, axis: int) -> None:
    for x in (X, X.astype("float32")):
        values, order = run(lambda t: sg.top_k(t, k, axis), x)
        want = np.argsort(-x, axis, kind="stable").take(range(k), axis)
        np.testing.assert_array_equal(order, want)
        np.testing.assert_array_equal(values, np.take_along_axis(x, want, axis))


def test_top_k_of_ties_and_of_the_lowest() -> None:
    for x in (TIES, np.full((2, 4), -np.inf), np.array([[-128, -128, 3]], "int8"), np.array([[False, True, False]])):
        values, order = run(lambda t, n=x.shape[-1]: sg.top_k(t, n), x)
        want = np.argsort(-x.astype("float64"), kind="stable")
        np.testing.assert_array_equal(order, want)
        np.testing.assert_array_equal(values, np.take_along_axis(x, want, -1))
    with pytest.raises(sg.ArgumentError, match="k is 5"):
        sg.top_k(sg.placeholder((4,)), 5)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)])
def test_quantiles(axis: Any, keepdims: bool) -> None:
    q = np.array([0.0, 0.3, 0.5, 1.0])
    got, one, middle, percent = run(
        lambda t: [
            sg.quantile(t, q, axis, keepdims), sg.quantile(t, 0.25, axis, keepdims), sg.median(t, axis, keepdims),
            sg.percentile(t, 30, axis, keepdims),
        ], X,
    )  # fmt: skip
    np.testing.assert_allclose(got, np.quantile(X, q, axis, keepdims=keepdims), rtol=1e-12)
    np.testing.assert_allclose(one, np.quantile(X, 0.25, axis, keepdims=keepdims), rtol=1e-12)
    np.testing.assert_allclose(middle, np.median(X, axis, keepdims=keepdims), rtol=1e-12)
    np.testing.assert_allclose(percent, np.percentile(X, 30, axis, keepdims=keepdims), rtol=1e-12)


def test_nan_spreads_in_a_median() -> None:
    np.testing.assert_array_equal(run(lambda t: sg.median(t, 1), NAN), [np.nan, np.nan])
    assert run(sg.median, np.array([3, 1, 2, 10])) == 2.5


def test_gradients() -> None:
    sg.verify_grad(lambda x: sg.sort(x) ** 2, [X])
    sg.verify_grad(lambda x: sg.top_k(x, 2, 1)[0], [X])
    sg.verify_grad(lambda x: sg.median(x, 1), [X])


@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted(side: str) -> None:
    row = np.sort(RNG.normal(size=23))
    at = np.concatenate([RNG.normal(size=40), row[::3]])
    got = run(lambda r, x: sg.searchsorted(r, x, side), row, at)
    np.testing.assert_array_equal(got, np.searchsorted(row, at, side))
    n = sg.placeholder((None,), "float64")
    f = sg.function([n], sg.searchsorted(n, at, side))
    for size in (0, 1, 23):
        np.testing.assert_array_equal(f(row[:size]), np.searchsorted(row[:size], at, side))
    bins = [0.0, 1.0, 2.5]
    np.testing.assert_array_equal(run(lambda x: sg.digitize(x, bins), at), np.digitize(at, bins))
    with pytest.raises(sg.ArgumentError):
        sg.searchsorted(row, at, "middle")
