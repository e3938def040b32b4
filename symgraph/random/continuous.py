"""Continuous distributions.

``shape`` is that of the result; without it, the parameters' together. Parameters are numbers or tensors. Where a result
is a formula in a parameter (all but the shape parameters of the gamma family), gradients flow through it, which is the
reparameterised gradient; they do not reach the shape parameters of ``gamma``, ``beta``, ``chisquare``, ``dirichlet``
and ``standard_t``.
"""

from __future__ import annotations

import math
from typing import Any

from ..dtypes import DType, float64
from ..generators import another, normal_unit, open_unit, unit
from ..ir.dims import Shape
from ..numeric import abs as abs_of
from ..numeric import sign, sqrt, where
from ..reducing import cumsum
from ..reducing import max as max_of
from ..shaping import Sizes, as_shape, broadcast_to, stop_gradient
from ..tensor import Tensor, TensorLike
from .parameters import fixed, float_dtype, is_number, is_valid, or_nan, spread, until_content
from .portable import divide, exp, expm1, log, log_inside, tan


def uniform(
    shape: Sizes | None = None, low: TensorLike = 0.0, high: TensorLike = 1.0, dtype: Any = "float32",
    seed: int | None = None,
) -> Tensor:  # fmt: skip
    """Uniform in ``[low, high)``."""
    kind = float_dtype(dtype)
    wanted, (a, b) = spread(shape, kind, low, high)
    drawn = Tensor(unit(wanted, kind, seed))
    return drawn if is_number(low, 0.0) and is_number(high, 1.0) else drawn * (b - a) + a


def normal(
    shape: Sizes | None = None, mean: TensorLike = 0.0, std: TensorLike = 1.0, dtype: Any = "float32",
    seed: int | None = None,
) -> Tensor:  # fmt: skip
    """Normal with the given mean and standard deviation: quantiles (Wichura 1988) of 32 random bits in single precision
    (up to 6.3 deviations from the mean), of 64 in double precision (up to 9.1)."""
    return _normal(shape, mean, std, dtype, seed, math.inf)


def truncated_normal(
    shape: Sizes | None = None, mean: TensorLike = 0.0, std: TensorLike = 1.0, dtype: Any = "float32",
    seed: int | None = None,
) -> Tensor:  # fmt: skip
    """Normal, kept within two standard deviations of the mean (by the inverse of the distribution function)."""
    return _normal(shape, mean, std, dtype, seed, 2.0)


def _normal(
    shape: Sizes | None, mean: TensorLike, std: TensorLike, dtype: Any, seed: int | None, bound: float
) -> Tensor:  # fmt: skip
    kind = float_dtype(dtype)
    wanted, (m, s) = spread(shape, kind, mean, std)
    drawn = Tensor(normal_unit(wanted, kind, seed, bound))
    return drawn if is_number(mean, 0.0) and is_number(std, 1.0) else drawn * s + m


def lognormal(
    shape: Sizes | None = None, mean: TensorLike = 0.0, std: TensorLike = 1.0, dtype: Any = "float32",
    seed: int | None = None,
) -> Tensor:  # fmt: skip
    """What has a normal logarithm of the given mean and standard deviation."""
    return exp(normal(shape, mean, std, dtype, seed))


def exponential(
    shape: Sizes | None = None, scale: TensorLike = 1.0, dtype: Any = "float32", seed: int | None = None
) -> Tensor:  # fmt: skip
    """Exponential with mean ``scale``."""
    kind = float_dtype(dtype)
    wanted, (s,) = spread(shape, kind, scale)
    return _exponential(wanted, kind, seed) * s


def _exponential(shape: Shape, dtype: DType, seed: int | None) -> Tensor:
    # Not the negative: where 0 was drawn, that would be -0.
    return abs_of(log_inside(1.0 - Tensor(unit(shape, dtype, seed))))


def laplace(
    shape: Sizes | None = None, loc: TensorLike = 0.0, scale: TensorLike = 1.0, dtype: Any = "float32",
    seed: int | None = None,
) -> Tensor:  # fmt: skip
    """Laplace (double exponential) around ``loc``."""
    kind = float_dtype(dtype)
    wanted, (m, s) = spread(shape, kind, loc, scale)
    u = Tensor(open_unit(wanted, kind, seed)) - 0.5
    return m - s * sign(u) * log_inside(1.0 - abs_of(u) * 2.0)


def gumbel(
    shape: Sizes | None = None, loc: TensorLike = 0.0, scale: TensorLike = 1.0, dtype: Any = "float32",
    seed: int | None = None,
) -> Tensor:  # fmt: skip
    """Gumbel (of maxima)."""
    kind = float_dtype(dtype)
    wanted, (m, s) = spread(shape, kind, loc, scale)
    return m - s * log_inside(-log_inside(Tensor(open_unit(wanted, kind, seed))))


def logistic(
    shape: Sizes | None = None, loc: TensorLike = 0.0, scale: TensorLike = 1.0, dtype: Any = "float32",
    seed: int | None = None,
) -> Tensor:  # fmt: skip
    """Logistic around ``loc``."""
    kind = float_dtype(dtype)
    wanted, (m, s) = spread(shape, kind, loc, scale)
    u = Tensor(open_unit(wanted, kind, seed))
    return m + s * (log_inside(u) - log_inside(1.0 - u))


def cauchy(
    shape: Sizes | None = None, loc: TensorLike = 0.0, scale: TensorLike = 1.0, dtype: Any = "float32",
    seed: int | None = None,
) -> Tensor:  # fmt: skip
    """Cauchy around ``loc``."""
    kind = float_dtype(dtype)
    wanted, (m, s) = spread(shape, kind, loc, scale)
    return m + s * tan((Tensor(open_unit(wanted, kind, seed)) - 0.5) * math.pi)


def rayleigh(
    shape: Sizes | None = None, scale: TensorLike = 1.0, dtype: Any = "float32", seed: int | None = None
) -> Tensor:  # fmt: skip
    """Rayleigh: the length of a vector of two normal numbers."""
    kind = float_dtype(dtype)
    wanted, (s,) = spread(shape, kind, scale)
    return sqrt(_exponential(wanted, kind, seed) * 2.0) * s


def weibull(
    shape: Sizes | None = None, a: TensorLike = 1.0, scale: TensorLike = 1.0, dtype: Any = "float32",
    seed: int | None = None,
) -> Tensor:  # fmt: skip
    """Weibull with shape parameter ``a``."""
    kind = float_dtype(dtype)
    wanted, (k, s) = spread(shape, kind, a, scale)
    log_of_drawn = log_inside(-log_inside(Tensor(open_unit(wanted, kind, seed))))
    return s * exp(log_of_drawn * divide(1.0, k))


def pareto(
    shape: Sizes | None = None, a: TensorLike = 1.0, dtype: Any = "float32", seed: int | None = None
) -> Tensor:
    """Pareto II (Lomax) with shape parameter ``a``, as in NumPy; add 1 for the classical one."""
    kind = float_dtype(dtype)
    wanted, (k,) = spread(shape, kind, a)
    return expm1(divide(_exponential(wanted, kind, seed), k))


def triangular(
    shape: Sizes | None = None, left: TensorLike = 0.0, mode: TensorLike = 0.5, right: TensorLike = 1.0,
    dtype: Any = "float32", seed: int | None = None,
) -> Tensor:  # fmt: skip
    """Triangular over ``[left, right]``, densest at ``mode``."""
    kind = float_dtype(dtype)
    wanted, (a, c, b) = spread(shape, kind, left, mode, right)
    u = Tensor(unit(wanted, kind, seed))
    below = u * (b - a) < c - a
    return where(
        below, a + sqrt(u * ((b - a) * (c - a))), b - sqrt((1.0 - u) * ((b - a) * (b - c)))
    )  # fmt: skip


# -- the gamma family ---------------------------------------------------------------------------------------------


def gamma(
    shape: Sizes | None = None, a: TensorLike = 1.0, scale: TensorLike = 1.0, dtype: Any = "float32",
    seed: int | None = None,
) -> Tensor:  # fmt: skip
    """Gamma with shape parameter ``a`` (NaN where it is not positive) and ``scale`` (Marsaglia and Tsang, A simple
    method for generating gamma variables, 2000). Gradients reach ``scale`` only."""
    kind = float_dtype(dtype)
    _, (k, s) = spread(shape, kind, a, scale)
    return exp(_log_gamma(k, seed)).astype(kind) * s


def _log_gamma(a: Tensor, seed: int | None) -> Tensor:
    """The logarithm, in double precision: numbers of small ``a`` are often too small for themselves."""
    (k,) = fixed(a)
    valid = k > 0.0
    shape, small = k.shape, k < 1.0
    d = where(small, k + 1.0, k) - 1.0 / 3.0
    c = divide(1.0, sqrt(d * 9.0))

    def attempt(_: Tensor) -> tuple[list[Tensor], Tensor]:
        z = normal(shape, dtype="float64", seed=seed)
        root = z * c + 1.0
        v = root * root * root
        u = Tensor(open_unit(shape, float64, another(seed, 2)))
        positive = v > 0.0
        safe = log_inside(where(positive, v, 1.0))
        return [log(d) + safe], positive & (log_inside(u) < z * z * 0.5 + d - d * v + d * safe)

    (drawn,) = until_content(attempt, [k * 0.0], is_valid(valid, k < float("inf")), seed)
    # A number of a + 1, times a uniform one to the power 1/a.
    drawn_log = log_inside(Tensor(open_unit(shape, float64, another(seed, 4))))
    factor = divide(drawn_log, where(small, k, 1.0))
    return stop_gradient(or_nan(drawn + where(small, factor, 0.0), valid))


def beta(
    shape: Sizes | None = None, a: TensorLike = 1.0, b: TensorLike = 1.0, dtype: Any = "float32",
    seed: int | None = None,
) -> Tensor:  # fmt: skip
    """Beta with shape parameters ``a`` and ``b``, of two gamma numbers."""
    kind = float_dtype(dtype)
    _, (p, q) = spread(shape, kind, a, b)
    x, y = _log_gamma(p, seed), _log_gamma(q, another(seed, 8))
    return divide(1.0, exp(y - x) + 1.0).astype(kind)


def dirichlet(
    alpha: TensorLike, shape: Sizes | None = None, dtype: Any = "float32", seed: int | None = None
) -> Tensor:  # fmt: skip
    """Shares along the last axis that add up to 1, for concentrations ``alpha`` along it. ``shape`` is that of the
    other axes."""
    kind = float_dtype(dtype)
    (weights,) = spread(None, kind, alpha)[1]
    if shape is not None:
        weights = broadcast_to(weights, (*as_shape(shape), weights.shape[-1]))
    logs = _log_gamma(weights, seed)
    parts = exp(logs - max_of(logs, -1, keepdims=True))
    # A running sum is added up in order everywhere; how a sum is cut up depends on the target.
    return divide(parts, cumsum(parts, -1)[..., -1:]).astype(kind)


def chisquare(
    shape: Sizes | None = None, df: TensorLike = 1.0, dtype: Any = "float32", seed: int | None = None
) -> Tensor:  # fmt: skip
    """Chi-square with ``df`` degrees of freedom."""
    kind = float_dtype(dtype)
    _, (n,) = spread(shape, kind, df)
    return gamma(None, n * 0.5, 2.0, kind, seed)


def standard_t(
    shape: Sizes | None = None, df: TensorLike = 1.0, dtype: Any = "float32", seed: int | None = None
) -> Tensor:  # fmt: skip
    """Student's t with ``df`` degrees of freedom."""
    kind = float_dtype(dtype)
    wanted, (n,) = spread(shape, kind, df)
    halved = _log_gamma(n * 0.5, another(seed, 8)) - log(fixed(n)[0] * 0.5)
    return normal(wanted, dtype=kind, seed=seed) * exp(halved * -0.5).astype(kind)
