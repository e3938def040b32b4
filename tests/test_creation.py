"""Tensors from sizes and ranges, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgraph as sg


def value(t: Any) -> np.ndarray:
    return sg.function([], t)()


@pytest.mark.parametrize(
    "arguments",
    [(5,), (2, 9), (2, 9, 3), (9, 2, -2), (0,), (3, 1), (0.5, 3.0), (1.0,), (0, 1, 0.1), (5, 0.0, -1.5), (-3, 4)],
)
@pytest.mark.parametrize("dtype", [None, "float32", "int32"])
def test_arange(arguments: tuple[Any, ...], dtype: str | None) -> None:
    got, want = value(sg.arange(*arguments, dtype=dtype)), np.arange(*arguments)
    assert got.dtype == (want.dtype if dtype is None else dtype)
    if dtype != "int32" or want.dtype == np.int64:
        np.testing.assert_allclose(got, want.astype(got.dtype), rtol=1e-6)


@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_arange_of_an_unknown_size(n: int) -> None:
    x = sg.placeholder((None,))
    size = x.shape[0]

    def ranges(xp: Any, n: Any) -> list[Any]:
        return [xp.arange(n), xp.arange(1, n + 1, 2), xp.arange(n, 0, -1), xp.arange(2, n), xp.arange(n - 3),
                xp.arange(5, n, -2)]  # fmt: skip

    f = sg.function([x], ranges(sg, size))
    for got, want in zip(f(np.zeros(n, "float32")), ranges(np, n), strict=True):
        np.testing.assert_array_equal(got, want)
    with pytest.raises(sg.ArgumentError):
        sg.arange(0, size, 0.5)
    with pytest.raises(sg.ArgumentError):
        sg.arange(0, 5, 0)


@pytest.mark.parametrize("arguments", [(0, 1), (2.0, 3.0, 5), (2, -3, 7, False), (1, 2, 1), (1, 2, 0), (0, 10, 11)])
def test_linspace(arguments: tuple[Any, ...]) -> None:
    got, want = value(sg.linspace(*arguments)), np.linspace(*arguments)
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=1e-15)
    np.testing.assert_allclose(value(sg.logspace(*arguments)), np.logspace(*arguments), rtol=1e-12)


def test_linspace_between_tensors_has_a_gradient() -> None:
    a, b = sg.placeholder((3,), "float64"), sg.placeholder((3,), "float64")
    y = sg.linspace(a, b, 5)
    ga, gb = sg.grad(sg.sum(y), [a, b])
    got, da, db = sg.function([a, b], [y, ga, gb])(np.arange(3.0), np.ones(3))
    np.testing.assert_allclose(got, np.linspace(np.arange(3.0), np.ones(3), 5))
    np.testing.assert_allclose([da, db], 2.5)


@pytest.mark.parametrize(("n", "m", "k"), [(3, None, 0), (3, 4, 1), (4, 3, -2), (2, 2, 5), (0, 3, 0), (1, 1, 0)])
def test_eye_and_tri(n: int, m: int | None, k: int) -> None:
    np.testing.assert_array_equal(value(sg.eye(n, m, k)), np.eye(n, m, k, dtype="float32"))
    np.testing.assert_array_equal(value(sg.tri(n, m, k)), np.tri(n, m, k, dtype="float32"))
    np.testing.assert_array_equal(value(sg.identity(n)), np.identity(n, dtype="float32"))


@pytest.mark.parametrize("indexing", ["xy", "ij"])
@pytest.mark.parametrize("sizes", [(3,), (3, 4), (3, 4, 2)])
def test_meshgrid(sizes: tuple[int, ...], indexing: str) -> None:
    arrays = [np.arange(n, dtype="float32") for n in sizes]
    for got, want in zip(sg.meshgrid(*arrays, indexing=indexing), np.meshgrid(*arrays, indexing=indexing), strict=True):
        np.testing.assert_array_equal(value(got), want)
    with pytest.raises(sg.ArgumentError):
        sg.meshgrid(*arrays, indexing="yx")


def test_what_is_no_matrix_is_refused() -> None:
    for call in (sg.tril, sg.triu, sg.diagonal, sg.trace):
        with pytest.raises(sg.ShapeError, match="no matrix"):
            call(sg.placeholder((3,)))
    with pytest.raises(sg.ShapeError):
        sg.diag(sg.placeholder((2, 2, 2)))
