"""Products with Jacobians, Jacobians, Hessians, gradients by hand, and the check of gradients."""

from __future__ import annotations

import numpy as np
import pytest

import symgraph as sg

A = np.random.default_rng(0).uniform(-1, 1, (3, 4))
V = np.random.default_rng(1).uniform(-1, 1, 4)


def build(x: sg.Tensor) -> sg.Tensor:
    return sg.tanh(sg.constant(A) @ x) * sg.sum(x * x)


def dense(x: np.ndarray) -> np.ndarray:
    t = np.tanh(A @ x)
    return (1 - t * t)[:, None] * A * (x @ x) + t[:, None] * 2 * x


@pytest.mark.parametrize("target", ["numpy", "llvm"])
def test_products_and_whole_jacobians(target: str) -> None:
    x, u, v = sg.placeholder((4,), "float64"), sg.placeholder((3,), "float64"), sg.placeholder((4,), "float64")
    y = build(x)
    outputs = [sg.vjp(y, x, u), sg.jvp(y, x, v), sg.jacobian(y, x), sg.jacobian(sg.transpose(y), x)]
    weights = np.array([1.0, -2.0, 0.5])
    left, right, whole, _ = sg.function([x, u, v], outputs, target=target)(V, weights, V + 1)
    np.testing.assert_allclose(whole, dense(V), rtol=1e-12)
    np.testing.assert_allclose(left, weights @ dense(V), rtol=1e-12)
    np.testing.assert_allclose(right, dense(V) @ (V + 1), rtol=1e-12)


def test_forward_mode_leaves_nothing_of_the_stand_ins() -> None:
    x = sg.placeholder((None,), "float64")
    f = sg.function([x], sg.jvp(sg.exp(x), x, sg.ones_like(x)))
    np.testing.assert_allclose(f(V), np.exp(V))
    assert len(f.stages.optimized.nodes) == 2


def test_a_jacobian_by_columns_where_these_are_fewer_or_known() -> None:
    x, y = sg.placeholder((2,), "float64"), sg.placeholder((None,), "float64")
    out = sg.outer(y, x) * sg.expand_dims(y, 1)
    got = sg.function([x, y], sg.jacobian(out, x))(V[:2], V)
    assert got.shape == (4, 2, 2)
    np.testing.assert_allclose(got, (V * V)[:, None, None] * np.eye(2))
    with pytest.raises(sg.ShapeError, match="known size"):
        sg.jacobian(y * y, y)
    assert tuple(sg.jacobian(sg.placeholder((0,)), sg.placeholder((3,))).shape) == (0, 3)


def test_several_outputs_and_arguments() -> None:
    a, b = sg.placeholder((2,), "float64"), sg.placeholder((2,), "float64")
    outs = [a * b, a + b, a * b]
    forward = sg.jvp(outs, [a, b], [np.ones(2), np.zeros(2)])
    back = sg.vjp([outs[0], outs[0]], [a, b], [np.ones(2), np.ones(2)])
    got = sg.function([a, b], [*forward, *back])(V[:2], V[2:])
    for one, want in zip(got, [V[2:], np.ones(2), V[2:], 2 * V[2:], 2 * V[:2]], strict=True):
        np.testing.assert_allclose(one, want)


def test_hessians() -> None:
    x = sg.placeholder((4,), "float64")
    cost = sg.sum(build(x))
    product = sg.hessian_vector_product(cost, x, x * 2)
    h, hv = sg.function([x], [sg.hessian(cost, x), product])(V)
    np.testing.assert_allclose(h, h.T, rtol=1e-10)
    np.testing.assert_allclose(hv, h @ (2 * V), rtol=1e-10)
    step = 1e-6
    want = [(dense(V + step * e).sum(0) - dense(V - step * e).sum(0)) / (2 * step) for e in np.eye(4)]
    np.testing.assert_allclose(h, want, rtol=1e-6)


def test_partners_must_fit() -> None:
    x = sg.placeholder((4,), "float64")
    with pytest.raises(sg.ArgumentError, match="partner"):
        sg.jvp(x * x, [x], [x, x])
    with pytest.raises(sg.ShapeError, match="rank"):
        sg.vjp(x * x, x, np.ones((1, 4)))


def test_a_gradient_by_hand() -> None:
    @sg.custom_gradient
    def straight_through(x: sg.Tensor) -> object:
        return sg.round(x), lambda g: g

    @sg.custom_gradient
    def both(a: sg.Tensor, b: sg.Tensor) -> object:
        return [a * b, a - b], lambda g, h: [g * 10 + h, None]

    x, y = sg.placeholder((3,), "float64"), sg.placeholder((3,), "float64")
    p, q = both(x, y)
    gradients = sg.grad(sg.sum(p * 2 + q), [x, y], "zeros")
    f = sg.function([x, y], [straight_through(x), sg.grad(sg.sum(straight_through(x) * 3), x), p, *gradients])
    rounded, slope, product, ga, gb = f([0.4, 1.6, -2.2], [1.0, 2.0, 3.0])
    assert rounded.tolist() == [0, 2, -2]
    assert slope.tolist() == [3, 3, 3]
    np.testing.assert_allclose(product, [0.4, 3.2, -6.6])
    assert ga.tolist() == [21, 21, 21]
    assert gb.tolist() == [0, 0, 0]
    clipped = sg.function([x], sg.grad(sg.sum(sg.grad_clip(x * x, -1, 1) * 5), x))
    np.testing.assert_allclose(clipped([0.5, 1.0, 2.0]), [1.0, 2.0, 4.0])


def test_a_rule_of_the_wrong_length_is_refused() -> None:
    @sg.custom_gradient
    def wrong(a: sg.Tensor, b: sg.Tensor) -> object:
        return a * b, lambda g: g

    x = sg.placeholder(())
    with pytest.raises(sg.GradientError, match="wrong"):
        sg.grad(wrong(x, x), x)


def test_verify_grad() -> None:
    sg.verify_grad(build, [V], order=2)
    sg.verify_grad(lambda x, i: sg.take(x, i) ** 2, [A, np.array([2, 0])])

    @sg.custom_gradient
    def off(x: sg.Tensor) -> object:
        return x * x, lambda g: g * x

    with pytest.raises(sg.GradientError, match="argument 0"):
        sg.verify_grad(off, [V])
