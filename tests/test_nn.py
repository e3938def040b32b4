"""Activation functions against their definitions, and their gradients."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import symgraph as sg

X = np.array([-30.0, -4.0, -1.3, -0.2, 0.3, 0.9, 2.7, 5.9, 30.0])
ERF = np.vectorize(math.erf)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


DEFINITIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "gelu": lambda x: x * 0.5 * (1 + ERF(x / math.sqrt(2))),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0))),
    "celu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "swish": lambda x: x * sigmoid(x),
    "mish": lambda x: x * np.tanh(np.logaddexp(x, 0)),
    "relu6": lambda x: np.clip(x, 0, 6),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "hard_swish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "log_sigmoid": lambda x: -np.logaddexp(-x, 0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
}


@pytest.mark.parametrize("target", ["numpy", "llvm"])
@pytest.mark.parametrize("name", DEFINITIONS)
def test_values_and_gradients(name: str, target: str) -> None:
    x = sg.placeholder((None,), "float64")
    f = sg.function([x], getattr(sg, name)(x), target=target)
    np.testing.assert_allclose(f(X), DEFINITIONS[name](X), rtol=1e-12, atol=1e-14)
    sg.verify_grad(getattr(sg, name), [X], order=2, target=target, atol=1e-6)


def test_the_approximate_gelu_is_near() -> None:
    x = sg.placeholder((None,), "float64")
    exact, near = sg.function([x], [sg.gelu(x), sg.gelu(x, approximate=True)])(X)
    np.testing.assert_allclose(near, exact, atol=1e-3)


def test_dtypes_stay() -> None:
    x = sg.placeholder((2,), "float32")
    assert {str(getattr(sg, name)(x).dtype) for name in DEFINITIONS} == {"float32"}


@pytest.mark.parametrize("target", ["llvm", "numpy"])
def test_slopes_at_kinks_are_those_of_the_branch_taken(target: str) -> None:
    """The gradient asks the result which branch that was: it must say so for every number."""
    x = sg.placeholder((None,), "float32")
    tiny = np.float32(1e-45)
    at = np.array([-np.inf, -1, -tiny, -0.0, 0, tiny, 0.5, 1, 2, np.inf, np.nan], "float32")
    cases = [
        (sg.where(x <= 0, 0, x), at <= 0, 0.0, 1.0),
        (sg.where(x < 0, 0, x), at < 0, 0.0, 1.0),
        (sg.where(x > 1, x, 1), at > 1, 1.0, 0.0),
        (sg.where(x >= 1, x, 1), at >= 1, 1.0, 0.0),
        (sg.where(x <= 0, x * 0.25, x), at <= 0, 0.25, 1.0),
        (sg.where(x > 0, x, 0.25 * x), at > 0, 1.0, 0.25),
        (sg.where(x < 0, x * 0.25, x), at < 0, 0.25, 1.0),
        (sg.where(x > 0, x, -0.25 * x), at > 0, 1.0, -0.25),
        (sg.relu6(x * 4), (at > 0) & (at < 1.5), 4.0, 0.0),
    ]
    slopes = [sg.grad(sg.sum(y), x) for y, *_ in cases]
    found = sg.function([x], slopes, options=sg.Options(target=target))(at)
    for slope, (_, mask, inside, outside) in zip(found, cases, strict=True):
        np.testing.assert_array_equal(slope, np.where(mask, inside, outside))


@pytest.mark.parametrize("target", ["llvm", "numpy"])
def test_slopes_far_out_are_those_of_the_line_approached(target: str) -> None:
    x = sg.placeholder((2,))
    functions = (sg.elu, sg.celu, sg.gelu, lambda t: sg.gelu(t, approximate=True), sg.swish, sg.mish)
    slopes = sg.function([x], [sg.grad(sg.sum(f(x)), x) for f in functions], target=target)
    for slope in slopes(np.array([-1e25, 1e25], "float32")):
        assert slope.tolist() == [0.0, 1.0]


def test_parameters_that_are_tensors_have_gradients() -> None:
    at = np.array([-1.5, -0.2, 0.4, 2.0])
    for function in (sg.elu, sg.celu, sg.swish, sg.leaky_relu):
        sg.verify_grad(function, [at, np.float64(0.7)], order=2)


def test_integers_become_floats() -> None:
    x = sg.placeholder((3,), "int32")
    for function in (sg.elu, sg.celu, sg.gelu, sg.swish, sg.mish):
        y = sg.function([x], function(x))([-1, 0, 2])
        assert y.dtype == "float64"
        np.testing.assert_allclose(y, sg.function([], function(sg.constant([-1.0, 0.0, 2.0], "float64")))())
