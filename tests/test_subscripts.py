"""Reading and writing by subscripts, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgraph as sg

X = np.random.default_rng(0).uniform(-1, 1, (4, 5, 3))
ROWS, COLUMNS = np.array([[0, 3], [-1, 0]]), np.array([4, 1])
KEYS: dict[str, Any] = {
    "row": 2,
    "last": -1,
    "slice": slice(1, 3),
    "steps": (slice(None, None, 2), slice(4, None, -2)),
    "ellipsis": (..., 1),
    "new": (slice(None), None, 2),
    "empty": slice(3, 1),
    "scalar": (1, 2, 0),
    "array": ROWS,
    "array-later": (slice(1, 4), COLUMNS),
    "two-arrays": (ROWS, COLUMNS),
    "two-last": (slice(None), COLUMNS, np.array([0, 2])),
    "two-apart": (COLUMNS % 4, slice(1, None), np.array([0, 2])),
    "three": (np.array([0, 1]), np.array([1, 1]), np.array([2, 0])),
    "mask": np.array([True, False, True, True]),
    "mask-2d": np.random.default_rng(1).random((4, 5)) < 0.5,
    "number-array": (1, COLUMNS),
    "array-number": (slice(None), COLUMNS, -1),
    "number-apart": (1, slice(None), np.array([0, 2])),
    "array-new-array": (np.array([0, 1]), None, np.array([1, 1])),
    "new-array": (None, ROWS),
    "array-new": (COLUMNS % 4, None, ..., None),
    "new-between": (slice(None), None, COLUMNS, None, 2),
    "steps-array": (slice(None, None, -2), COLUMNS, slice(2, 0, -1)),
    "broadcast-arrays": (np.array([[0], [3]]), np.array([1, 2, 4])),
    "list": [0, 3],
    "empty-list": [],
    "mask-dots": (..., np.array([True, False, True])),
    "mask-number": (np.array([True, False, True, True]), 2),
    "mask-none": np.zeros((4, 5), bool),
    "mask-whole": np.random.default_rng(3).random((4, 5, 3)) < 0.3,
    "mask-later": (slice(None), np.array([True, False, True, False, True])),
}


@pytest.mark.parametrize("target", ["numpy", "llvm"])
@pytest.mark.parametrize("name", KEYS)
def test_reads_and_writes_like_numpy(name: str, target: str) -> None:
    key = KEYS[name]
    want = X[key]
    y = np.random.default_rng(2).uniform(-1, 1, want.shape)
    x, new = sg.placeholder(X.shape, "float64"), sg.placeholder(want.shape, "float64")
    outputs = [x[key], sg.set_subtensor(x[key], new), sg.inc_subtensor(x[key], new)]
    read, put, added = sg.function([x, new], outputs, target=target)(X, y)
    np.testing.assert_array_equal(read, want)
    expected = X.copy()
    expected[key] = y
    np.testing.assert_array_equal(put, expected)
    expected = X.copy()
    np.add.at(expected, key, y)
    np.testing.assert_allclose(added, expected, rtol=1e-14)


@pytest.mark.parametrize("name", KEYS)
def test_gradients_of_writes(name: str) -> None:
    key = KEYS[name]
    x, new = sg.placeholder(X.shape, "float64"), sg.placeholder(X[key].shape, "float64")
    y = np.random.default_rng(2).uniform(-1, 1, X[key].shape)
    for write in (sg.set_subtensor, sg.inc_subtensor):
        cost = sg.sum(sg.square(write(x[key], new)))
        f = sg.function([x, new], [cost, *sg.grad(cost, [x, new], disconnected="zeros")])
        _, gx, gy = f(X, y)
        rng = np.random.default_rng(3)
        dx, dy = rng.normal(size=X.shape), rng.normal(size=y.shape)
        step = 1e-6
        slope = (f(X + step * dx, y + step * dy)[0] - f(X - step * dx, y - step * dy)[0]) / (2 * step)
        np.testing.assert_allclose(np.sum(gx * dx) + np.sum(gy * dy), slope, rtol=1e-6)


def test_scalars_broadcast_into_a_part() -> None:
    x = sg.placeholder((None, 3))
    got = sg.function([x], [sg.set_subtensor(x[:, 1:], 0), sg.inc_subtensor(x[0], 1)])(np.ones((2, 3), "float32"))
    np.testing.assert_array_equal(got[0], [[1, 0, 0], [1, 0, 0]])
    np.testing.assert_array_equal(got[1], [[2, 2, 2], [1, 1, 1]])


@pytest.mark.parametrize("target", ["numpy", "llvm"])
def test_indices_that_repeat_are_all_added_and_the_last_one_stays(target: str) -> None:
    at = np.random.default_rng(0).integers(0, 7, 500)
    y = np.random.default_rng(1).normal(size=500).astype("float32")
    x, i, new = sg.placeholder((7,)), sg.placeholder((None,), "int64"), sg.placeholder((None,))
    f = sg.function([x, i, new], [sg.inc_subtensor(x[i], new), sg.set_subtensor(x[i], new)], target=target)
    added, put = f(np.zeros(7, "float32"), at, y)
    want = np.zeros(7, "float32")
    np.add.at(want, at, y)
    np.testing.assert_array_equal(added, want)
    for k in range(7):
        assert put[k] == y[np.flatnonzero(at == k)[-1]]


@pytest.mark.parametrize("target", ["numpy", "llvm"])
@pytest.mark.parametrize("size", [7, 1])
def test_indices_outside_are_refused(target: str, size: int) -> None:
    x, i = sg.placeholder((size,)), sg.placeholder((None,), "int32")
    f = sg.function([x, i], sg.inc_subtensor(x[i], 1), target=target)
    f(np.zeros(size, "float32"), [0, -size])
    for bad in (size, -size - 1):
        with pytest.raises(sg.BoundsError, match="scatter_add"):
            f(np.zeros(size, "float32"), [0, bad])


def test_nothing_is_written_into_an_axis_that_turns_out_empty() -> None:
    x, i = sg.placeholder((None, 2)), sg.placeholder((None,), "int32")
    for y in (sg.inc_subtensor(x[i], 1), sg.inc_subtensor((x * 2)[i], 1), x[i]):
        f = sg.function([x, i], y)
        assert f(np.zeros((0, 2), "float32"), np.zeros(0, "int32")).shape == (0, 2)
        with pytest.raises(sg.BoundsError):
            f(np.zeros((0, 2), "float32"), [0, 1, 2])


def test_an_update_of_rows_of_a_variable() -> None:
    w = sg.variable(np.zeros((5, 2), "float32"))
    i = sg.placeholder((None,), "int32")
    f = sg.function([i], sg.sum(w), updates=[(w, sg.inc_subtensor(w[i], 1.0))])
    assert float(f([0, 0, 4])) == 0
    np.testing.assert_array_equal(w.get_value()[:, 0], [2, 0, 0, 0, 1])
    assert float(f([1])) == 6
    v = sg.variable(np.zeros(3, "float32"))
    new = sg.inc_subtensor(sg.zeros((3,))[i], 2.0)
    f = sg.function([i], sg.sum(v + w[:3, 0]), updates=[(v, new), (w, w * 0 + v[0])])
    assert float(f([1, 2])) == 3
    np.testing.assert_array_equal(v.get_value(), [0, 2, 2])
    np.testing.assert_array_equal(w.get_value(), 0)


def test_along_an_axis() -> None:
    x, order = sg.placeholder((None, 5), "float64"), sg.placeholder((None, None), "int64")
    a = X[:, :, 0]
    at = np.argsort(a, 1)[:, :3]
    f = sg.function([x, order], [sg.take_along_axis(x, order, 1), sg.put_along_axis(x, order, 9.0, 1)])
    got, put = f(a, at)
    np.testing.assert_array_equal(got, np.take_along_axis(a, at, 1))
    want = a.copy()
    np.put_along_axis(want, at, 9.0, 1)
    np.testing.assert_array_equal(put, want)
    one = sg.function([x], sg.take_along_axis(x, np.array([[2, 0]]), 1))(a)
    np.testing.assert_array_equal(one, a[:, [2, 0]])


def test_gather_and_scatter_nd() -> None:
    x, at = sg.placeholder(X.shape, "float64"), sg.placeholder((None, 2), "int32")
    pairs = np.array([[0, 1], [3, 4], [0, 1]])
    got, back = sg.function([x, at], [sg.gather_nd(x, at), sg.scatter_nd(at, sg.gather_nd(x, at), (4, 5, 3))])(X, pairs)
    np.testing.assert_array_equal(got, X[pairs[:, 0], pairs[:, 1]])
    np.testing.assert_allclose(back[0, 1], 2 * X[0, 1])


def test_take_without_an_axis() -> None:
    x = sg.placeholder((3, 4))
    a = np.arange(12, dtype="float32").reshape(3, 4)
    np.testing.assert_array_equal(sg.function([x], sg.take(x, [11, 0], None))(a), [11, 0])


def test_rows_that_values_say() -> None:
    x, i = sg.placeholder((None, 2)), sg.placeholder((), "int64")
    with pytest.raises(sg.ArgumentError, match=r"known only when run.*index with start \+ arange\(count\)"):
        x[i * 3 : (i + 1) * 3]
    data = np.arange(18, dtype="float32").reshape(9, 2)
    batch = sg.function([x, i], x[i * 3 + sg.arange(3)])
    np.testing.assert_array_equal(batch(data, 2), data[6:])


def test_what_is_no_subscript_is_refused() -> None:
    x = sg.placeholder((3,))
    with pytest.raises(sg.ArgumentError, match=r"x\[key\]"):
        sg.set_subtensor(x, 0)
    with pytest.raises(sg.ArgumentError, match="unknown size"):
        x[x > 0]
    with pytest.raises(sg.ShapeError, match="mask of shape"):
        x[np.array([True, False])]
    with pytest.raises(sg.ArgumentError, match="indices are integers"):
        x[[0.5]]
    with pytest.raises(sg.ArgumentError, match="masks are arrays"):
        x[True]


@pytest.mark.parametrize("target", ["numpy", "llvm"])
def test_slices_of_one_row_broadcast_and_lose_their_axis(target: str) -> None:
    x, w = sg.placeholder((None, 3), "float64"), sg.placeholder((None, None), "float64")
    outputs = [x * x[:1] + x[-1:], sg.squeeze(x[1:2], 0), sg.concatenate([x[:1], x[:1]]), w[:, :1] * w, x[:1] * w[0, 0]]
    f = sg.function([x, w], [*outputs, *sg.grad(sg.sum(sg.square(outputs[0])), [x])], target=target)
    a, b = X[:, :, 0][:, :3], X[:, :, 1]
    got = f(a, b)
    want = [a * a[:1] + a[-1:], a[1], a[[0, 0]], b[:, :1] * b, a[:1] * b[0, 0]]
    for mine, numpy in zip(got, want, strict=False):
        np.testing.assert_allclose(mine, numpy, rtol=1e-14)
    outer = 2 * want[0]
    slope = outer * a[:1]
    slope[0] += np.sum(outer * a, 0)
    slope[-1] += np.sum(outer, 0)
    np.testing.assert_allclose(got[-1], slope, rtol=1e-13)
    with pytest.raises(sg.ShapeError, match="does not fit where N = 0"):
        f(a[:0], b)


def test_slices_that_can_be_known_keep_known_sizes() -> None:
    x, y = sg.placeholder((7, None)), sg.placeholder((None, None))
    assert x[2:, :0].shape == (5, 0)
    assert x[-9:9:2].shape == (4, x.shape[1])
    assert y[:, 3:3].shape[1] == 0 and y[:, 2:2:-1].shape[1] == 0
    n = y.shape[1]
    assert y[:, n - 3 :].shape[1] == 3
    assert y[:, ::-1].shape[1] == y[:, :].shape[1] == n
    assert y[:, 1:].shape == y[:, :-1].shape == y[:, : n - 1].shape
    assert (y[:, :5] + sg.zeros((1, 5))).shape[1] == 5
    with pytest.raises(sg.ShapeError, match="broadcast"):
        y[:, :5] + sg.zeros((1, 6))
    with pytest.raises(sg.ShapeError, match="slice reads position 7"):
        y[:5][7]


def test_splits_that_are_joined_again_are_one_value() -> None:
    x = sg.placeholder((None,), "float64")
    f = sg.function([x], sg.concatenate([x[:3], x[3:5], x[5:]]) * 2)
    assert "concatenate" not in str(f.stages.optimized) and "slice" not in str(f.stages.optimized)
    parts = sg.grad(sg.sum(sg.square(x[:3])) + sg.sum(x[3:]), x)
    g = sg.function([x], parts)
    for n in (0, 2, 3, 4, 6):
        a = X[0].ravel()[:n]
        np.testing.assert_array_equal(f(a), 2 * a)
        np.testing.assert_array_equal(g(a), np.where(np.arange(n) < 3, 2 * a, 1))
    with pytest.raises(sg.ShapeError, match=r"needs 3 = min\(N,3\)"):
        sg.function([x], x[:3] + np.ones(3))(X[0, 0, :2])


def test_values_that_do_not_fit_a_part_are_refused() -> None:
    x = sg.placeholder((None, 3))
    for part, value in ((x[0], np.ones((2, 3))), (x[:, :2], np.ones((1, 3))), (x[:5], np.ones((6, 3)))):
        with pytest.raises(sg.ShapeError, match="broadcast"):
            sg.set_subtensor(part, value)
    f = sg.function([x], sg.set_subtensor(x[:2], np.ones((2, 3))))
    np.testing.assert_array_equal(f(np.zeros((3, 3))), np.repeat([1, 1, 0], 3).reshape(3, 3))
    with pytest.raises(sg.ShapeError, match=r"needs min\(N,2\) = 2|needs 2 = min\(N,2\)"):
        f(np.zeros((1, 3)))
