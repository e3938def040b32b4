"""Functions that move elements, against the NumPy functions of the same name, with known and unknown sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symgraph as sg

X = np.random.default_rng(0).uniform(-1, 1, (3, 4, 2))

#: One call each, with ``xp`` NumPy or symgraph.
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "moveaxis": lambda xp, x: xp.moveaxis(x, 0, -1),
    "moveaxis-many": lambda xp, x: xp.moveaxis(x, (0, 1), (-1, -2)),
    "swapaxes": lambda xp, x: xp.swapaxes(x, 0, 2),
    "tile": lambda xp, x: xp.tile(x, (2, 1, 3)),
    "tile-more-axes": lambda xp, x: xp.tile(x, (2, 1, 1, 1)),
    "tile-fewer": lambda xp, x: xp.tile(x, 2),
    "repeat": lambda xp, x: xp.repeat(x, 3, 1),
    "repeat-all": lambda xp, x: xp.repeat(x, 2),
    "flip": lambda xp, x: xp.flip(x),
    "flip-one": lambda xp, x: xp.flip(x, 1),
    "fliplr": lambda xp, x: xp.fliplr(x),
    "flipud": lambda xp, x: xp.flipud(x),
    "roll": lambda xp, x: xp.roll(x, 1, 0),
    "roll-back": lambda xp, x: xp.roll(x, (-5, 1), (0, 1)),
    "roll-all": lambda xp, x: xp.roll(x, 5),
    "split": lambda xp, x: xp.split(x, 2, 1)[1],
    "split-at": lambda xp, x: xp.split(x, [1, 3], 1)[1],
    "pad": lambda xp, x: xp.pad(x, 1),
    "pad-each": lambda xp, x: xp.pad(x, ((0, 0), (2, 1), (0, 3))),
    "pad-value": lambda xp, x: xp.pad(x, ((1, 0), (2, 1), (0, 0)), constant_values=7.0),
    "pad-edge": lambda xp, x: xp.pad(x, ((2, 1), (0, 0), (1, 2)), mode="edge"),
    "pad-reflect": lambda xp, x: xp.pad(x, ((2, 1), (0, 0), (0, 1)), mode="reflect"),
    "pad-symmetric": lambda xp, x: xp.pad(x, ((2, 3), (0, 0), (0, 1)), mode="symmetric"),
    "pad-wrap": lambda xp, x: xp.pad(x, ((2, 3), (0, 0), (0, 0)), mode="wrap"),
    "pad-twice-around": lambda xp, x: xp.pad(x, ((7, 8), (0, 0), (0, 0)), mode="reflect"),
    "vstack": lambda xp, x: xp.vstack([x, x]),
    "hstack": lambda xp, x: xp.hstack([x, x]),
    "dstack": lambda xp, x: xp.dstack([x, x]),
    "append": lambda xp, x: xp.append(x, x, 0),
    "append-all": lambda xp, x: xp.append(x, 3.0),
    "tril": lambda xp, x: xp.tril(x),
    "triu": lambda xp, x: xp.triu(x, 1),
    "diagonal": lambda xp, x: xp.diagonal(x, 0, 1, 2),
    "array_split": lambda xp, x: xp.array_split(x, 3, 1)[2],
    "diagonal-side": lambda xp, x: xp.diagonal(x, 1),
    "trace": lambda xp, x: xp.trace(x, -1),
    "diag-of-matrix": lambda xp, x: xp.diag(x[:, :, 0], 1),
    "diag-of-vector": lambda xp, x: xp.diag(x[0, :, 0], -2),
    "atleast_1d": lambda xp, x: xp.atleast_1d(x[0, 0, 0]),
    "atleast_2d": lambda xp, x: xp.atleast_2d(x[0, :, 0]),
    "atleast_3d": lambda xp, x: xp.atleast_3d(x[:, :, 0]),
    "hstack-vectors": lambda xp, x: xp.hstack([x[0, 0], x[1, 0]]),
}
KNOWN_ONLY: dict[str, Callable[[Any, Any], Any]] = {
    "repeat-counts": lambda xp, x: xp.repeat(x, [2, 0, 3], 0),
    "resize": lambda xp, x: xp.resize(x, (5, 7)),
}


def check(call: Callable[[Any, Any], Any], shape: tuple[int | None, ...], target: str) -> None:
    x = sg.placeholder(shape, "float64")
    y = call(sg, x)
    weights = np.random.default_rng(1).uniform(0.5, 1.5, call(np, X).shape)
    f = sg.function([x], [y, sg.grad(sg.sum(y * weights), x)], target=target)
    got, gradient = f(X)
    np.testing.assert_array_equal(got, call(np, X))
    # These functions are linear: the gradient is what the weights are multiplied by.
    direction = np.random.default_rng(2).uniform(-1, 1, X.shape)
    change = (call(np, X + direction) - call(np, X)) * weights
    np.testing.assert_allclose(np.sum(gradient * direction), np.sum(change), rtol=1e-9)


@pytest.mark.parametrize("target", ["numpy", "llvm"])
@pytest.mark.parametrize("name", [*CALLS, *KNOWN_ONLY])
def test_like_numpy(name: str, target: str) -> None:
    check((CALLS | KNOWN_ONLY)[name], X.shape, target)


@pytest.mark.parametrize("name", CALLS)
def test_like_numpy_with_unknown_sizes(name: str) -> None:
    check(CALLS[name], (None, 4, 2), "llvm")
    check(CALLS[name], (None, None, None), "numpy")


@pytest.mark.parametrize("target", ["numpy", "llvm"])
def test_parts_and_diagonals_of_axes_that_turn_out_short(target: str) -> None:
    def parts(xp: Any, x: Any) -> list[Any]:
        sides = [xp.diagonal(x, k) for k in (0, 1, -2, 3)]
        return [*xp.split(x, [2, 3, 5]), *xp.array_split(x, 3, 1), *sides, xp.trace(x, 1), xp.diff(x, 2, 0), xp.diff(x)]

    x = sg.placeholder((None, None), "float64")
    outputs = parts(sg, x)
    slopes = sg.grad(sg.sum(sg.stack([sg.sum(sg.square(y)) for y in outputs])), x)
    f = sg.function([x], [*outputs, slopes], target=target)
    for shape in ((0, 0), (1, 0), (0, 4), (1, 1), (2, 5), (3, 3), (6, 2), (4, 7)):
        value = np.random.default_rng(shape).normal(size=shape)
        *got, slope = f(value)
        for mine, want in zip(got, parts(np, value), strict=True):
            np.testing.assert_allclose(mine, want, rtol=1e-13, atol=1e-13)
        way = np.random.default_rng(1).normal(size=shape)
        change = sum(2 * np.sum(a * b) for a, b in zip(parts(np, value), parts(np, way), strict=True))
        np.testing.assert_allclose(np.sum(slope * way), change, rtol=1e-10, atol=1e-12)


def test_split_in_equal_parts_of_an_unknown_size() -> None:
    x = sg.placeholder((None, 2))
    f = sg.function([x], sg.split(x, 2))
    a, b = f(np.arange(12, dtype="float32").reshape(6, 2))
    assert a.shape == b.shape == (3, 2)
    with pytest.raises(sg.ShapeError):
        f(np.zeros((5, 2), "float32"))


def test_an_edge_of_nothing_is_refused() -> None:
    with pytest.raises(sg.ShapeError, match="no element to repeat"):
        sg.pad(sg.placeholder((0, 2)), 1, "edge")
    x = sg.placeholder((None,))
    with pytest.raises(sg.BoundsError):
        sg.function([x], sg.pad(x, 1, "edge"))(np.zeros(0, "float32"))


def test_unstack_and_broadcast_arrays() -> None:
    x = sg.placeholder((2, 3))
    assert [tuple(t.shape) for t in sg.unstack(x, 1)] == [(2,)] * 3
    assert [tuple(t.shape) for t in sg.broadcast_arrays(x, sg.placeholder((3,)))] == [(2, 3)] * 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: sg.split(x, 3, 1), "no 3 equal parts"),
        (lambda x: sg.array_split(x, 0), "into 0 parts"),
        (lambda x: sg.moveaxis(x, (0, 0), (1, 2)), "no one-to-one"),
        (lambda x: sg.pad(x, -1), "negative width"),
        (lambda x: sg.pad(x, 1, "mirror"), "unknown mode"),
        (lambda x: sg.repeat(x, [1, 2], 0), "counts for axis"),
        (lambda x: sg.roll(x, 1, 5), "out of range"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(sg.SymgraphError, match=message):
        call(sg.placeholder((3, 4, 2)))
