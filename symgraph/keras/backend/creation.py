"""Filled and random tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import symgraph as sg

from .common import floatx
from .session import state
from .variables import Tensor, as_tensor, variable


def _is_static(shape: Any) -> bool:
    return all(isinstance(d, (int, np.integer)) for d in _shape(shape))


def _shape(shape: Any) -> tuple[Any, ...]:
    """Sizes, of which a lone one may be given by itself."""
    sizes = shape if isinstance(shape, (list, tuple, np.ndarray)) else (shape,)
    return tuple(int(d) if isinstance(d, np.integer) else d for d in sizes)


def zeros(shape: Sequence[Any], dtype: Any = None, name: str | None = None) -> Tensor:
    """A variable of zeros; a tensor, where a size is symbolic."""
    if _is_static(shape):
        return variable(np.zeros(_shape(shape)), dtype, name)
    return sg.zeros(_shape(shape), dtype=str(dtype or floatx()))


def ones(shape: Sequence[Any], dtype: Any = None, name: str | None = None) -> Tensor:
    """A variable of ones; a tensor, where a size is symbolic."""
    if _is_static(shape):
        return variable(np.ones(_shape(shape)), dtype, name)
    return sg.ones(_shape(shape), dtype=str(dtype or floatx()))


def eye(size: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """A variable that holds an identity matrix (``size``: n, or rows and columns)."""
    rows, cols = size if isinstance(size, (tuple, list)) else (size, size)
    return variable(np.eye(rows, cols), dtype, name)


def zeros_like(x: Tensor, dtype: Any = None, name: str | None = None) -> Tensor:
    """Zeros of the shape of ``x``."""
    return sg.zeros_like(as_tensor(x)) if dtype is None else sg.zeros(x.shape, dtype=str(dtype))


def ones_like(x: Tensor, dtype: Any = None, name: str | None = None) -> Tensor:
    """Ones of the shape of ``x``."""
    return sg.ones_like(as_tensor(x)) if dtype is None else sg.ones(x.shape, dtype=str(dtype))


def filled(shape: Sequence[Any], value: float, dtype: Any = None) -> Tensor:
    """A tensor (no variable) of one value; sizes may be symbolic."""
    return sg.full(_shape(shape), value, dtype=str(dtype or floatx()))


def identity(x: Tensor, name: str | None = None) -> Tensor:
    """A tensor equal to ``x``, but another object (so that a layer that returns its input has an output of its own)."""
    return sg.Tensor(as_tensor(x).value, x.name)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32") -> Tensor:
    """``start``, ``start + step``, ... before ``stop`` (or 0 to before ``start``, which may be a symbolic size)."""
    if stop is None:
        start, stop = 0, start
    if _is_static((start, stop, step)):
        return sg.constant(np.arange(start, stop, step, dtype=str(dtype)))
    count = (stop - start + step - 1) // step
    return sg.cast(sg.arange(count) * step + start, str(dtype))


def draws(seed: int | None) -> int | None:
    """The seed of a random op. The first one of a session starts those without a seed from ``np.random``, so that
    ``np.random.seed`` repeats a program, as with Keras's own; ``tf.random.set_seed`` goes before it."""
    if seed is None and not state.is_drawing:
        state.is_drawing = True
        sg.random.begin_with(np.random.randint(2**31))
    return seed


def random_uniform(
    shape: Sequence[Any], minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Uniform numbers in ``[minval, maxval)``, fresh at each evaluation."""
    return sg.random.uniform(_shape(shape), minval, maxval, dtype=str(dtype or floatx()), seed=draws(seed))


def random_normal(
    shape: Sequence[Any], mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Normal numbers, fresh at each evaluation."""
    return sg.random.normal(_shape(shape), mean, stddev, dtype=str(dtype or floatx()), seed=draws(seed))


def random_binomial(shape: Sequence[Any], p: float = 0.0, dtype: Any = None, seed: int | None = None) -> Tensor:
    """Ones with probability ``p``, else zeros."""
    return sg.cast(random_uniform(shape, dtype="float32", seed=seed) < p, str(dtype or floatx()))


def truncated_normal(
    shape: Sequence[Any], mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Normal numbers within two standard deviations of the mean, by the inverse of the distribution function."""
    wanted = str(dtype or floatx())
    u = random_uniform(shape, -_ERF_SQRT2, _ERF_SQRT2, "float64", seed)
    return sg.cast(_erfinv(u) * (np.sqrt(2.0) * stddev) + mean, wanted)


_ERF_SQRT2 = 0.9544997361036416  # erf(sqrt(2)): the mass within two standard deviations

# M. Giles, "Approximating the erfinv function", GPU Computing Gems 2 (2010): single-precision central branch and tail.
_CENTRAL = (2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
            -0.00417768164, 0.246640727, 1.50140941)  # fmt: skip


def _erfinv(x: Tensor) -> Tensor:
    """The inverse error function for ``|x| <= 0.9545``, where ``-log(1 - x*x)`` stays under 5."""
    w = -sg.log((1.0 - x) * (1.0 + x)) - 2.5
    poly: Any = _CENTRAL[0]
    for coefficient in _CENTRAL[1:]:
        poly = poly * w + coefficient
    return poly * x


def random_uniform_variable(
    shape: Sequence[int], low: float, high: float, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Tensor:
    """A variable that starts as uniform numbers, drawn through ``np.random`` where there is no seed."""
    rng = np.random.default_rng(np.random.randint(2**31) if seed is None else seed)
    return variable(rng.uniform(low, high, tuple(shape)), dtype, name)


def random_normal_variable(
    shape: Sequence[int], mean: float, scale: float, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Tensor:
    """A variable that starts as normal numbers, drawn through ``np.random`` where there is no seed."""
    rng = np.random.default_rng(np.random.randint(2**31) if seed is None else seed)
    return variable(rng.normal(mean, scale, tuple(shape)), dtype, name)
