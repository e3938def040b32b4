"""Checking gradients against finite differences, for users' own graphs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .differentiation import hessian_vector_product
from .errors import GradientError
from .function import function
from .gradient import grad
from .reducing import sum as total
from .tensor import Tensor, as_tensor, placeholder

Array = np.ndarray[Any, Any]


def verify_grad(
    build: Callable[..., Any], points: Sequence[Any], order: int = 1, tests: int = 2, step: float = 1e-6,
    rtol: float = 1e-5, atol: float = 1e-7, seed: int = 0, target: str | None = None,
) -> None:  # fmt: skip
    """Compare the gradient of ``build(*tensors)`` at ``points`` with central differences, in float64, along random
    directions and for random weights of the results.

    Args:
        build: makes the tensor (or list of tensors) to differentiate from one tensor for each point.
        points: arrays; floating ones are varied, all others kept. They should be away from kinks.
        order: 2 also compares Hessian-vector products with differences of gradients.
        tests: how many directions are tried.

    Raises:
        GradientError: naming the argument and both slopes where they differ.

    Example:
        >>> from symgraph import tanh
        >>> verify_grad(lambda x: tanh(x) * x, [[0.5, -1.0]])
    """
    arrays = [np.asarray(p) for p in points]
    arrays = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays]
    inputs = [placeholder(a.shape, a.dtype) for a in arrays]
    varied = [k for k, a in enumerate(arrays) if a.dtype.kind == "f"]
    rng = np.random.default_rng(seed)
    built = build(*inputs)
    outputs = [as_tensor(y) for y in (built if isinstance(built, (list, tuple)) else [built])]
    cost = as_tensor(0.0)
    for y in outputs:
        if y.dtype.is_float:
            cost = cost + total(y * rng.uniform(0.5, 1.5, _sizes(y)))
    wrt = [inputs[k] for k in varied]
    f = function(inputs, [cost, *grad(cost, wrt, "zeros")], target=target)
    for _ in range(tests):
        directions = [rng.uniform(-1, 1, arrays[k].shape) for k in varied]
        for j, k in enumerate(varied):
            ahead, behind = (_moved(arrays, k, sign * step * directions[j]) for sign in (1, -1))
            want = (float(f(*ahead)[0]) - float(f(*behind)[0])) / (2 * step)
            found = float(np.sum(f(*arrays)[1 + j] * directions[j]))
            _compare("slope", k, found, want, rtol, atol)
        if order > 1:
            _second_order(inputs, cost, arrays, varied, directions, step, (rtol, atol), target)


def _second_order(
    inputs: list[Tensor], cost: Tensor, arrays: list[Array], varied: list[int], directions: list[Array], step: float,
    tolerance: tuple[float, float], target: str | None,
) -> None:  # fmt: skip
    wrt = [inputs[k] for k in varied]
    f = function(inputs, list(grad(cost, wrt, "zeros")), target=target)
    products = function(inputs, list(hessian_vector_product(cost, wrt, directions)), target=target)(*arrays)
    ahead, behind = list(arrays), list(arrays)
    for k, direction in zip(varied, directions, strict=True):
        ahead[k], behind[k] = arrays[k] + step * direction, arrays[k] - step * direction
    rows = zip(varied, directions, products, f(*ahead), f(*behind), strict=True)
    for k, direction, product, high, low in rows:
        want = float(np.sum((high - low) * direction)) / (2 * step)
        _compare("second derivative", k, float(np.sum(product * direction)), want, *tolerance)


def _sizes(y: Tensor) -> tuple[int, ...]:
    if not y.type.is_static:
        raise GradientError(f"verify_grad needs results of known shapes, got {y.type}")
    return tuple(int(str(d)) for d in y.shape)


def _moved(arrays: list[Array], k: int, by: Array) -> list[Array]:
    return [a + by if i == k else a for i, a in enumerate(arrays)]


def _compare(what: str, argument: int, found: float, want: float, rtol: float, atol: float) -> None:
    if not abs(found - want) <= atol + rtol * max(abs(want), abs(found)):
        raise GradientError(
            f"verify_grad: the {what} along a random direction of argument {argument} is {found:.9g} by the gradient "
            f"and {want:.9g} by differences"
        )


__all__ = ["verify_grad"]
