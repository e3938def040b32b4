"""What a user of Theano looks for: clone, In, default updates, unused inputs; choose, bincount and others."""

from __future__ import annotations

import numpy as np
import pytest

import symgraph as sg

rng = np.random.default_rng(0)


def test_clone_replaces_everywhere_at_once_and_keeps_the_rest() -> None:
    x, y, z = (sg.placeholder((None,), "float64", name=n) for n in "xyz")
    kept = sg.exp(z)
    a, b = sg.clone([x * y + kept, kept], {x: y, y: x + 1.0})
    assert b.value is kept.value
    got = sg.function([x, y, z], a)([1.0, 2.0], [3.0, 4.0], [0.0, 0.0])
    np.testing.assert_allclose(got, np.array([3.0 * 2, 4.0 * 3]) + 1)


def test_clone_takes_other_shapes_and_loops() -> None:
    x, total = sg.placeholder((None, 3), "float64"), sg.placeholder((), "float64")
    sums, _ = sg.scan(lambda row, t: t + sg.sum(row), x, outputs_info=total)
    y = sg.placeholder((4, 3), "float64")
    other = sg.clone(sums, [(x, 2.0 * y)])
    assert other.shape == (4,)
    array = rng.normal(size=(4, 3))
    np.testing.assert_allclose(sg.function([y, total], other)(array, 1.0), 1 + np.cumsum(2 * array.sum(1)))


def test_clone_refuses_other_dtypes() -> None:
    x = sg.placeholder((), "float64", name="x")
    with pytest.raises(sg.DTypeError, match="cannot be replaced"):
        sg.clone(x + 1, {x: sg.placeholder((), "int32")})
    with pytest.raises(sg.ArgumentError, match="replace names tensors"):
        sg.clone(x, {1: x})  # type: ignore[dict-item]


def test_arguments_by_name_and_with_values() -> None:
    x, y = sg.placeholder((), "float64", name="x"), sg.placeholder((), "float64", name="y")
    f = sg.function([x, sg.In(y, value=10.0, name="offset")], x - y)
    assert f(1.0) == -9.0
    assert f(1.0, 2.0) == -1.0
    assert f(offset=1.0, x=4.0) == 3.0
    with pytest.raises(sg.ArgumentError, match="no input named 'y'; inputs are x, offset"):
        f(1.0, y=2.0)
    with pytest.raises(sg.ArgumentError, match="'x' is given twice"):
        f(1.0, x=2.0)
    with pytest.raises(sg.ArgumentError, match="takes 2 argument"):
        f(offset=2.0)


def test_default_updates() -> None:
    count, x = sg.variable(0, "int64", name="count"), sg.placeholder((), "int64", name="x")
    count.default_update = count + 1
    f = sg.function([x], x + count)
    assert [int(f(10)) for _ in range(3)] == [10, 11, 12]
    assert int(sg.function([], count, no_default_updates=True)()) == 3
    assert int(sg.function([], count, no_default_updates=[count])()) == 3
    sg.function([], [], updates=[(count, sg.as_tensor(100))])()
    assert int(count.get_value()) == 100
    other = sg.variable(0, "int64")
    other.default_update = other + count  # brings the other one along
    sg.function([], other)()
    assert (int(other.get_value()), int(count.get_value())) == (100, 101)
    count.default_update = None
    sg.function([], count)()
    assert int(count.get_value()) == 101


def test_default_updates_fit_the_variable() -> None:
    v = sg.variable(np.zeros(3), name="v")
    with pytest.raises(sg.ShapeError, match="'v' is a f64"):
        v.default_update = sg.ones((4,), "float64")
    with pytest.raises(sg.DTypeError, match="'v' has dtype float64"):
        v.default_update = sg.ones((3,), "int32")


def test_unused_inputs() -> None:
    x, y = sg.placeholder((), name="x"), sg.placeholder((), name="y")
    sg.function([x, y], x + 1)
    with pytest.raises(sg.GraphError, match="needs y"):
        sg.function([x, y], x + 1, on_unused_input="raise")
    with pytest.warns(UserWarning, match="needs y"):
        sg.function([x, y], x + 1, on_unused_input="warn")
    with pytest.raises(sg.ArgumentError, match="on_unused_input is 'no'"):
        sg.function([x], x, on_unused_input="no")


def test_choose_is_numpys() -> None:
    at = rng.integers(0, 3, (4, 5))
    choices = [rng.normal(size=s) for s in ((4, 5), (5,), (4, 1))]
    a = sg.placeholder((None, 5), "int64")
    f = sg.function([a], sg.choose(a, choices))
    np.testing.assert_array_equal(f(at), np.choose(at, choices))
    with pytest.raises(sg.BoundsError):
        f(at + 3)
    with pytest.raises(sg.DTypeError, match="integers to choose by"):
        sg.choose(sg.ones((2,)), [1.0, 2.0])
    with pytest.raises(sg.ArgumentError, match="at least one choice"):
        sg.choose(a, [])


def test_bincount_is_numpys() -> None:
    numbers, weights = rng.integers(0, 6, 40), rng.normal(size=40)
    x, w = sg.placeholder((None,), "int64"), sg.placeholder((None,), "float64")
    f = sg.function([x, w], [sg.bincount(x, minlength=7), sg.bincount(x, w, 7)])
    counts, sums = f(numbers, weights)
    np.testing.assert_array_equal(counts, np.bincount(numbers, minlength=7))
    np.testing.assert_allclose(sums, np.bincount(numbers, weights, 7))
    with pytest.raises(sg.BoundsError):
        f([7], [1.0])
    with pytest.raises(sg.ArgumentError, match="give minlength"):
        sg.bincount(x)


@pytest.mark.parametrize("offset", [0, 2, -1])
@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3)])
def test_fill_diagonal(shape: tuple[int, int], offset: int) -> None:
    array = rng.normal(size=shape)
    x = sg.placeholder(shape, "float64")
    want = array.copy()
    want[np.eye(*shape, k=offset, dtype=bool)] = 7.0
    np.testing.assert_array_equal(sg.function([x], sg.fill_diagonal(x, 7.0, offset))(array), want)


def test_compress_and_cov_are_numpys() -> None:
    a, b = rng.normal(size=(3, 8)), rng.normal(size=(2, 8))
    x, y = sg.placeholder((3, None), "float64"), sg.placeholder((2, None), "float64")
    results = [sg.compress([1, 0, 1], x, 0), sg.cov(x), sg.cov(x, y), sg.cov(sg.transpose(x), None, False)]
    f = sg.function([x, y], results)
    picked, *matrices = f(a, b)
    np.testing.assert_array_equal(picked, a[[0, 2]])
    for got, want in zip(matrices, (np.cov(a), np.cov(a, b), np.cov(a)), strict=True):
        np.testing.assert_allclose(got, want)
    np.testing.assert_array_equal(sg.function([x], sg.compress([0, 1], x))(a), [a.ravel()[1]])
    with pytest.raises(sg.ArgumentError, match="known when the graph is built"):
        sg.compress(x[0] > 0, x)
