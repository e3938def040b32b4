"""Composed elementwise functions against NumPy, special values and gradients included."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import symgraph as sg

SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 2.5, -2.5, np.inf, -np.inf, np.nan, 1e30, -1e-30])
A, B = (g.reshape(-1) for g in np.meshgrid(SPECIAL, SPECIAL))
X = np.random.default_rng(0).uniform(0.2, 0.9, 20)
Y = np.random.default_rng(1).uniform(1.1, 3.0, 20)
PAIRS = "arctan2 copysign hypot logaddexp logaddexp2 fmax fmin fmod heaviside float_power".split()
SINGLE = "sinc signbit isposinf isneginf nan_to_num deg2rad rad2deg cbrt".split()


def run(build: Any, *arrays: Any, target: str = "numpy") -> Any:
    inputs = [sg.placeholder(np.shape(a), np.asarray(a).dtype) for a in arrays]
    return sg.function(inputs, build(*inputs), target=target)(*arrays)


@pytest.mark.parametrize("target", ["numpy", "llvm"])
@pytest.mark.parametrize("name", PAIRS)
def test_pairs(name: str, target: str) -> None:
    with np.errstate(all="ignore"):
        want = getattr(np, name)(A, B)
    np.testing.assert_allclose(run(getattr(sg, name), A, B, target=target), want, rtol=1e-12)


@pytest.mark.parametrize("target", ["numpy", "llvm"])
@pytest.mark.parametrize("name", SINGLE)
def test_singles(name: str, target: str) -> None:
    for dtype in ("float64", "float32"):
        x = SPECIAL.astype(dtype)
        with np.errstate(all="ignore"):
            want = getattr(np, name)(x)
        got = run(getattr(sg, name), x, target=target)
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=1e-6 if dtype == "float32" else 1e-12, atol=1e-7)


@pytest.mark.parametrize("name", [n for n in PAIRS if n != "heaviside"])
def test_gradients_of_pairs(name: str) -> None:
    sg.verify_grad(getattr(sg, name), [X, Y], order=2)


@pytest.mark.parametrize("name", ["sinc", "logit", "gammaln", "digamma", "erfinv", "cbrt"])
def test_gradients_of_singles(name: str) -> None:
    sg.verify_grad(getattr(sg, name), [X], order=2)


def test_gamma_functions_over_their_whole_range() -> None:
    x = np.concatenate([np.linspace(-7.9, 7.9, 400), 10.0 ** np.arange(-8, 16)])
    got = run(sg.gammaln, x, target="llvm")
    want = [math.lgamma(v) for v in x]
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)
    one = np.linspace(0.1, 30, 300)
    step = run(sg.digamma, one + 1, target="llvm") - run(sg.digamma, one, target="llvm")
    np.testing.assert_allclose(step, 1 / one, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(run(sg.digamma, np.array([1.0]))[0], -0.5772156649015329, rtol=1e-14)
    np.testing.assert_allclose(run(lambda t: sg.polygamma(1, t), np.array([1.0]))[0], math.pi**2 / 6, rtol=1e-13)
    np.testing.assert_allclose(run(lambda t: sg.polygamma(0, t), one), run(sg.digamma, one))


def test_erfinv_inverts_erf() -> None:
    x = np.linspace(-5, 5, 201)
    inside = np.abs(x) < 3
    back = run(lambda t: sg.erfinv(sg.erf(t)), x[inside], target="llvm")
    np.testing.assert_allclose(back, x[inside], rtol=1e-9, atol=1e-14)
    assert run(sg.erfinv, np.array([1.0, -1.0, 1.5])).tolist()[:2] == [np.inf, -np.inf]


def test_integers() -> None:
    a, b = np.arange(-8, 8, dtype="int32"), np.full(16, 3, "int32")
    np.testing.assert_array_equal(run(sg.fmod, a, b), np.fmod(a, b))
    for got, want in zip(run(sg.divmod, a, b), np.divmod(a, b), strict=True):
        np.testing.assert_array_equal(got, want)
    for dtype in ("uint8", "int16", "uint32", "int64"):
        x = np.random.default_rng(0).integers(0, 120, 50).astype(dtype) * np.asarray(1).astype(dtype)
        want = [bin(int(v)).count("1") for v in x]
        got = run(sg.bitwise_count, x)
        assert got.dtype == np.uint8
        assert got.tolist() == want
    with pytest.raises(sg.DTypeError):
        sg.bitwise_count(sg.placeholder((2,)))


def test_closeness() -> None:
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(run(sg.isclose, A, B), np.isclose(A, B))
        np.testing.assert_array_equal(
            run(lambda a, b: sg.isclose(a, b, equal_nan=True), A, B), np.isclose(A, B, equal_nan=True)
        )
    assert run(sg.allclose, X, X + 1e-9)
    assert not run(sg.allclose, X, X + 1e-3)


def test_xlogy_and_logit() -> None:
    np.testing.assert_allclose(run(sg.xlogy, np.array([0.0, 2.0]), np.array([0.0, 3.0])), [0, 2 * np.log(3)])
    np.testing.assert_allclose(run(sg.logit, X), np.log(X / (1 - X)))
    np.testing.assert_allclose(run(lambda x: sg.sigmoid(sg.logit(x)), X), X)
