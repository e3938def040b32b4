"""grad: what it accepts, refuses and computes beyond single ops."""

from __future__ import annotations

import numpy as np
import pytest

import symgraph as sg


def test_gradient_of_an_mlp_against_differences() -> None:
    rng = np.random.default_rng(0)
    x, y = sg.placeholder((None, 6), "float64"), sg.placeholder((None, 4), "float64")
    weights = [sg.variable(rng.normal(size=s)) for s in ((6, 5), (5,), (5, 4), (4,))]
    hidden = sg.tanh(x @ weights[0] + weights[1])
    cost = sg.mean(sg.sum(-y * sg.log_softmax(hidden @ weights[2] + weights[3]), axis=1))
    f = sg.function([x, y], [cost, *sg.grad(cost, weights)])
    for n in (1, 7):
        a, b = rng.normal(size=(n, 6)), rng.dirichlet(np.ones(4), n)
        _, *gradients = f(a, b)
        for w, g in zip(weights, gradients, strict=True):
            old = w.get_value()
            direction = rng.normal(size=old.shape)
            w.set_value(old + 1e-6 * direction)
            ahead = f(a, b)[0]
            w.set_value(old - 1e-6 * direction)
            behind = f(a, b)[0]
            w.set_value(old)
            np.testing.assert_allclose((g * direction).sum(), (ahead - behind) / 2e-6, rtol=1e-7, atol=1e-9)


def test_a_tensor_used_many_times_sums_its_gradients() -> None:
    x = sg.placeholder((), "float64")
    y = x
    for _ in range(5):
        y = y * x
    f = sg.function([x], [sg.grad(y, x), sg.grad(sg.grad(y, x), x)])
    assert [float(v) for v in f(2.0)] == [6 * 2**5, 30 * 2**4]


def test_disconnected_tensors() -> None:
    x, y = sg.placeholder((3,)), sg.placeholder((2,), name="alone")
    cost = sg.sum(x)
    with pytest.raises(sg.GradientError, match="'alone'"):
        sg.grad(cost, [x, y])
    assert sg.grad(cost, [x, y], disconnected="none")[1] is None
    zeros = sg.grad(cost, y, disconnected="zeros")
    assert sg.function([], zeros)().tolist() == [0, 0]
    with pytest.raises(sg.ArgumentError, match="disconnected"):
        sg.grad(cost, x, disconnected="maybe")


def test_stop_gradient_and_stop() -> None:
    x = sg.placeholder((), "float64")
    y = x * x
    f = sg.function([x], [sg.grad(sg.stop_gradient(y) * x, x), sg.grad(y * x, x, stop=[y]), sg.stop_gradient(y)])
    assert [float(v) for v in f(3.0)] == [9, 9, 9]


def test_known_gradients_start_the_walk() -> None:
    x = sg.placeholder((3,), "float64")
    y = x * 2
    f = sg.function([x], sg.grad(None, x, known_grads={y: np.array([1.0, 10.0, 100.0])}))
    assert f(np.zeros(3)).tolist() == [2, 20, 200]


def test_gradient_with_respect_to_intermediate_tensors() -> None:
    x = sg.placeholder((), "float64")
    y = sg.exp(x)
    assert float(sg.function([x], sg.grad(y * y, y))(0.0)) == 2.0


def test_bad_requests() -> None:
    x, n = sg.placeholder((3,), name="x"), sg.placeholder((), "int32")
    with pytest.raises(sg.ShapeError, match="must be a scalar"):
        sg.grad(x * 2, x)
    with pytest.raises(sg.DTypeError, match="no gradient with respect to a tensor of dtype int32"):
        sg.grad(sg.sum(x), n)
    with pytest.raises(sg.DTypeError, match="must be floating"):
        sg.grad(n * 2, x)
    with pytest.raises(sg.ArgumentError, match="known_grads"):
        sg.grad(None, x)


def test_deep_graphs_do_not_overflow_the_stack() -> None:
    x = sg.placeholder((), "float64")
    y = x
    for _ in range(3000):
        y = y + 1.0
    assert sg.grad(y, x).ndim == 0
