"""``K.rnn``, folds and maps against loops in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.keras import backend as K

pytestmark = pytest.mark.usefixtures("session")
RNG = np.random.default_rng(0)
W, U, SHIFT = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 4)), RNG.normal(size=(4,))


def stepped(row: Any, states: list[Any], shift: Any, tanh: Any, dot: Any) -> tuple[Any, list[Any]]:
    """A step with two states, whose output is neither; ``shift`` is a constant."""
    state, count = states
    new = tanh(dot(row, W) + dot(state, U) + shift)
    return new * 2.0, [new, count + 1.0]


def reference(x: Any, h: Any, mask: Any, order: Any, shift: Any) -> tuple[Any, Any, Any]:
    state, count = h, np.zeros_like(h)
    output = np.zeros_like(h)
    outputs = []
    for t in order:
        made, (new, more) = stepped(x[:, t], [state, count], shift, np.tanh, np.dot)
        keep = np.ones((len(x), 1), bool) if mask is None else mask[:, t, None]
        output, state, count = (
            np.where(keep, a, b) for a, b in ((made, output), (new, state), (more, count))
        )
        outputs.append(output)
    return output, np.stack(outputs, 1), [state, count]


@pytest.mark.parametrize("masked", [None, 2, 3])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize("limit", [None, 3, 9])
@pytest.mark.parametrize("shift", [False, True])
def test_rnn(masked: int | None, backwards: bool, unroll: bool, limit: int | None, shift: bool) -> None:
    x = K.placeholder((None, 5 if unroll or limit else None, 3), dtype="float64")
    h = K.placeholder((None, 4), dtype="float64")
    m = K.placeholder((None, None, 1)[:masked], dtype="bool")

    def step(row: Any, states: list[Any]) -> Any:
        moved = states.pop() if shift else 0.0
        weights = K.constant(W, dtype="float64"), K.constant(U, dtype="float64")
        return stepped(row, states, moved, K.tanh, lambda a, b: K.dot(a, weights[0] if b is W else weights[1]))

    constants = [K.constant(SHIFT, dtype="float64")] if shift else None
    last, outputs, states = K.rnn(
        step, x, [h, K.zeros_like(h)], backwards, m if masked else None, constants, unroll, limit
    )
    assert K.int_shape(last) == (None, 4)
    assert K.int_shape(outputs) == (None, min(5, limit or 5) if unroll or limit else None, 4)
    f = K.function([x, h, *([m] if masked else [])], [last, outputs, *states])
    for samples, steps in ((2, 5), (1, 5)) if unroll or limit else ((2, 5), (3, 1), (1, 8)):
        values = RNG.normal(size=(samples, steps, 3))
        start = RNG.normal(size=(samples, 4))
        mask = RNG.random((samples, steps)) > 0.4
        order = range(steps)[::-1] if backwards else range(steps)
        expected = reference(
            values, start, mask if masked else None, order[: limit or steps], SHIFT if shift else 0.0
        )
        fed = [mask if masked == 2 else mask[..., None]] if masked else []
        found = f([values, start, *fed])
        for a, b in zip(found, [expected[0], expected[1], *expected[2]], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_rnn_without_states() -> None:
    x, m = K.placeholder((None, None, 3)), K.placeholder((None, None), dtype="bool")
    values, mask = RNG.normal(size=(2, 4, 3)).astype("float32"), RNG.random((2, 4)) > 0.5
    last, outputs, states = K.rnn(lambda row, _: (row * 2, []), x, [], mask=m)
    assert states == []
    found = K.function([x, m], [last, outputs])([values, mask])
    expected = [np.zeros((2, 3))]
    for t in range(4):
        expected.append(np.where(mask[:, t, None], values[:, t] * 2, expected[-1]))
    np.testing.assert_allclose(found[0], expected[-1])
    np.testing.assert_allclose(found[1], np.stack(expected[1:], 1))


@pytest.mark.parametrize("unroll", [False, True])
def test_the_gradient_of_rnn(unroll: bool) -> None:
    mask = K.constant(RNG.random((2, 4)) > 0.4, dtype="bool")
    kernel = K.constant(W, dtype="float64")

    def build(x: Any, u: Any) -> Any:
        def step(row: Any, states: list[Any]) -> Any:
            new = K.tanh(K.dot(row, kernel) + K.dot(states[0], u))
            return new, [new]

        return K.rnn(step, x, [sg.zeros((2, 4), dtype="float64")], mask=mask, unroll=unroll)[1]

    sg.verify_grad(build, [RNG.normal(size=(2, 4, 3)), RNG.normal(size=(4, 4)) / 2])


def test_rnn_refuses_what_it_cannot_walk() -> None:
    def step(row: Any, states: list[Any]) -> Any:
        return row, states[:1]

    x = K.placeholder((None, None, 3))
    start = [K.zeros((4, 3)), K.zeros((4, 3))]
    with pytest.raises(ValueError, match="samples, steps and features"):
        K.rnn(step, K.placeholder((None, 3)), start)
    with pytest.raises(ValueError, match="fixed number of timesteps"):
        K.rnn(step, x, start, unroll=True)
    with pytest.raises(ValueError, match="took 2 states, but gave 1"):
        K.rnn(step, x, start)
    with pytest.raises(ValueError, match="samples and steps"):
        K.rnn(step, x, start[:1], mask=K.placeholder((None, None, 2)))
    with pytest.raises(ValueError, match="number of steps"):
        K.rnn(step, x, start[:1], input_length=K.constant(3))


def test_folds_and_maps() -> None:
    x, y = K.placeholder((None, 2)), K.placeholder((None,))
    f = K.function(
        [x, y],
        [
            K.foldl(lambda value, row: value * 2 + row, x),
            K.foldr(lambda value, row: value * 2 + row, x),
            K.foldl(lambda value, row: value * 2 + row, x, np.array([10.0, 20.0], "float32")),
            K.foldr(lambda value, row: value + K.sum(row), x, 0.5),
            K.map_fn(K.sum, x),
            K.map_fn(lambda rows: rows[0] * rows[1], [x, y]),
            K.map_fn(lambda row: K.argmax(row), x, dtype="int32"),
        ],
    )
    for rows in (1, 3):
        a, b = RNG.normal(size=(rows, 2)).astype("float32"), RNG.normal(size=rows).astype("float32")
        left, right, given = a[0], a[-1], np.array([10.0, 20.0])
        for i in range(1, rows):
            left, right = left * 2 + a[i], right * 2 + a[-1 - i]
        for row in a:
            given = given * 2 + row
        expected = [left, right, given, 0.5 + a.sum(), a.sum(1), a * b[:, None], a.argmax(1)]
        for found, wanted in zip(f([a, b]), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    assert K.dtype(f.outputs[-1]) == "int32"
