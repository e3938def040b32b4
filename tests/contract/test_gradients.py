"""Gradients of every op, of first and second order, against central differences in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import symgraph as sg
from symgraph.ir.op import Leaf, Sample
from symgraph.options import Options
from symgraph.tensor import Tensor

from .cases import apply, bound_op, cases, float_operands, placeholders

SAMPLES = [c for c in cases() if not isinstance(c.values[0].op, Leaf) and float_operands(c.values[0])]
TARGETS = [
    pytest.param(Options(target="numpy", verify=True), id="numpy"),
    pytest.param(Options(target="llvm", verify=True), id="llvm"),
]
_STEP = 1e-6


def _projection(results: list[Tensor], seed: int) -> Tensor:
    """A random linear function of the floating results."""
    rng = np.random.default_rng(seed)
    total = sg.constant(0.0, "float64")
    for t in results:
        if t.dtype.is_float:
            total = total + sg.sum(t * rng.uniform(0.5, 1.5, tuple(t.shape)))
    return total


def _slope(f: Callable[..., np.ndarray], arrays: list[np.ndarray], operand: int, direction: np.ndarray) -> float:
    ahead, behind = list(arrays), list(arrays)
    ahead[operand] = arrays[operand] + _STEP * direction
    behind[operand] = arrays[operand] - _STEP * direction
    return float(f(*ahead) - f(*behind)) / (2 * _STEP)


@pytest.mark.parametrize("options", TARGETS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_first_and_second_order(sample: Sample, options: Options) -> None:
    inputs = placeholders(sample, symbolic=False)
    cost = _projection(apply(bound_op(sample), inputs), seed=1)
    wrt = [inputs[i] for i in float_operands(sample)]
    gradients = sg.grad(cost, wrt, disconnected="zeros")
    # One scalar of all first derivatives; its gradient tests second derivatives, mixed ones too.
    rng = np.random.default_rng(2)
    weights = [rng.uniform(0.5, 1.5, tuple(g.shape)) for g in gradients]
    slope = sum((sg.sum(g * w) for g, w in zip(gradients, weights, strict=True)), sg.constant(0.0, "float64"))
    second = sg.grad(slope, wrt, disconnected="zeros")
    value = sg.function(inputs, cost, options=options)
    first = sg.function(inputs, [slope, *gradients], options=options)
    curvature = sg.function(inputs, second, options=options)
    arrays = list(sample.arrays)
    _, *got_first = first(*arrays)
    got_second = curvature(*arrays)
    for k, operand in enumerate(float_operands(sample)):
        direction = rng.uniform(-1, 1, arrays[operand].shape)
        want = _slope(value, arrays, operand, direction)
        np.testing.assert_allclose(np.sum(got_first[k] * direction), want, rtol=1e-6, atol=1e-6)
        want = _slope(lambda *a: first(*a)[0], arrays, operand, direction)
        np.testing.assert_allclose(np.sum(got_second[k] * direction), want, rtol=1e-5, atol=1e-5)
