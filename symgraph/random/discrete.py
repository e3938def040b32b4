"""Discrete distributions. None has gradients; ``shape`` and parameters are as in :mod:`.continuous`."""

from __future__ import annotations

from typing import Any

from ..dtypes import as_dtype, bool_, float32, float64, int64, uint32, uint64
from ..errors import ArgumentError, DTypeError
from ..generators import another, bits, long_bits, open_unit, unit
from ..ir.dims import Shape
from ..ir.ops.logical import Less
from ..loops import scan
from ..numeric import abs as abs_of
from ..numeric import equal, floor, maximum, minimum, sqrt, where
from ..reducing import argmax, cumsum
from ..shaping import Sizes, as_shape, broadcast_to, one_hot, stop_gradient
from ..tensor import Tensor, TensorLike, as_tensor
from ..tracer import tracer
from .continuous import gamma
from .parameters import fixed, is_valid, spread, until_content
from .portable import divide, exp, log, log1p, log_factorial, log_inside

#: Means below this are drawn by walking through the distribution, larger ones by rejection.
_WALKED = 10.0
#: No number drawn by walking is larger: what is left has less probability than one in 2**53.
_FARTHEST = 128.0


def bernoulli(
    shape: Sizes | None = None, p: TensorLike = 0.5, dtype: Any = "bool", seed: int | None = None
) -> Tensor:  # fmt: skip
    """True (or 1) with probability ``p`` (a number to 32 bits, a tensor to 24)."""
    e = tracer
    if isinstance(p, (int, float)):
        drawn = bits(() if shape is None else shape, seed)
        threshold = round(float(p) * 2**32)
        if threshold >= 2**32:
            hit = e.full(drawn.shape, True, bool_)
        else:
            hit = e.elementwise(Less(), drawn, e.constant(max(threshold, 0), uint32))
    else:
        wanted, (chance,) = spread(shape, float32, p)
        hit = e.lt(unit(wanted, float32, seed), chance.value)
    return Tensor(e.cast(hit, as_dtype(dtype)))


def randint(
    shape: Sizes | None = None, low: TensorLike = 0, high: TensorLike | None = None, dtype: Any = "int64",
    seed: int | None = None,
) -> Tensor:  # fmt: skip
    """Integers ``low <= i < high``, all equally probable to 64 bits; with one bound from 0 up to it. ``low`` where the
    range is empty."""
    kind = as_dtype(dtype)
    if not kind.is_integer:
        raise DTypeError(f"random integers of dtype {kind}: an integer dtype is needed")
    if high is None:
        low, high = 0, low
    if isinstance(low, int) and isinstance(high, int) and high <= low:
        raise ArgumentError(f"randint: no integer is at least {low} and below {high}")
    wanted, (a, b) = spread(shape, int64, low, high)
    width, drawn, mask = (b - a).astype(uint64), Tensor(long_bits(wanted, seed)), as_tensor(0xFFFFFFFF, uint64)
    half = as_tensor(32, uint64)
    # The upper half of the product of 64 random bits and the width.
    high_bits, low_bits, top, bottom = drawn >> half, drawn & mask, width >> half, width & mask
    middle = high_bits * bottom + (low_bits * bottom >> half)
    other = low_bits * top + (middle & mask)
    place = high_bits * top + (middle >> half) + (other >> half)
    return (a + place.astype(int64)).astype(kind)


def categorical(
    logits: TensorLike | None = None, probs: TensorLike | None = None, shape: Sizes | None = None, axis: int = -1,
    dtype: Any = "int64", seed: int | None = None,
) -> Tensor:  # fmt: skip
    """Numbers of classes, with probabilities proportional to ``exp(logits)``, or to ``probs``, along ``axis`` (the
    largest of the logits plus Gumbel noise). ``shape`` is that of the result: it ends with the shape of the other axes.

    Raises:
        ArgumentError: for both or neither of ``logits`` and ``probs``.
    """
    scores = logs_of("categorical", logits, probs, axis)
    classes = scores.shape[-1]
    wanted: Shape = scores.shape[:-1] if shape is None else as_shape(shape)
    return argmax(noisy(broadcast_to(scores, (*wanted, classes)), seed), -1).astype(as_dtype(dtype))


def logs_of(name: str, logits: TensorLike | None, probs: TensorLike | None, axis: int = -1) -> Tensor:
    """Logits in double precision, with the classes last."""
    if (logits is None) == (probs is None):
        raise ArgumentError(f"{name} takes either logits or probs")
    given = as_tensor(probs if logits is None else logits).astype(float64)  # type: ignore[arg-type]  # one is given
    order = [k for k in range(given.ndim) if k != axis % given.ndim] + [axis % given.ndim]
    moved = stop_gradient(given.transpose(order))
    return moved if probs is None else log(moved)


def noisy(scores: Tensor, seed: int | None) -> Tensor:
    """Scores plus Gumbel noise: the largest is a class with probability proportional to its exponential."""
    return scores - log_inside(-log_inside(Tensor(open_unit(scores.shape, float64, seed))))


def poisson(
    shape: Sizes | None = None, lam: TensorLike = 1.0, dtype: Any = "int64", seed: int | None = None
) -> Tensor:  # fmt: skip
    """Poisson with mean ``lam``, exact for any mean: by walking through the distribution below 10, else by transformed
    rejection (Hörmann, The transformed rejection method for generating Poisson random variables, 1993; PTRS). -1 where
    ``lam`` is negative or NaN."""
    wanted, (mean,) = fixed_spread(shape, lam)
    valid, small = mean >= 0.0, mean < _WALKED
    few = _walk(
        wanted, exp(-minimum(mean, _WALKED)), lambda k, p: divide(p * mean, k + 1.0), valid & small, another(seed, 2)
    )  # fmt: skip
    safe = maximum(where(valid, mean, 0.0), _WALKED)
    root = sqrt(safe)
    b = root * 2.53 + 0.931
    a = b * 0.02483 - 0.059
    log_mean, inverse, limit = log(safe), 1.1239 + divide(1.1328, b - 3.4), 0.9277 - divide(3.6224, b - 2.0)

    def attempt(_: Tensor) -> tuple[list[Tensor], Tensor]:
        u = Tensor(unit(wanted, float64, seed)) - 0.5
        v = Tensor(open_unit(wanted, float64, another(seed)))
        us = 0.5 - abs_of(u)
        k = floor((divide(a * 2.0, us) + b) * u + safe + 0.43)
        at_once = (us >= 0.07) & (v <= limit)
        possible = (k >= 0.0) & ((us >= 0.013) | (v <= us))
        inside = where(possible, k, 0.0)
        height = log_inside(v) + log(inverse) - log_inside(divide(a, us * us) + b)
        return [k], at_once | (possible & (height <= inside * log_mean - safe - log_factorial(inside)))

    (many,) = until_content(attempt, [mean * 0.0], valid & ~small & (mean < float("inf")), seed)
    return _counted(where(small, few, many), valid, dtype)


def fixed_spread(shape: Sizes | None, *parameters: TensorLike) -> tuple[Shape, list[Tensor]]:
    """Parameters in the shape of the result and in double precision, out of reach for gradients."""
    wanted, tensors = spread(shape, float64, *parameters)
    return wanted, fixed(*tensors)


def _walk(shape: Shape, first: Tensor, following: Any, walked: Tensor, seed: int | None) -> Tensor:
    """The first number whose distribution function exceeds a uniform number. ``first`` is the probability of 0,
    ``following(k, p)`` that of ``k + 1``."""
    u = Tensor(unit(shape, float64, seed))

    def attempt(k: Tensor, p: Tensor, total: Tensor) -> tuple[list[Tensor], Tensor]:
        new = following(k, p)
        return [k + 1.0, new, total + new], (u < total + new) | (k >= _FARTHEST)

    zero = first * 0.0
    return until_content(attempt, [zero, first, first], walked & (u >= first), seed)[0]


def _counted(numbers: Tensor, valid: Tensor, dtype: Any) -> Tensor:
    return stop_gradient(where(valid, numbers, -1.0).astype(as_dtype(dtype)))


def binomial(
    shape: Sizes | None = None, n: TensorLike = 1, p: TensorLike = 0.5, dtype: Any = "int64", seed: int | None = None
) -> Tensor:
    """How many of ``n`` trials succeed with probability ``p``, exact: by walking through the distribution where fewer
    than 10 of the rarer outcome are expected, else by transformed rejection (Hörmann, The generation of binomial random
    variates, 1993; BTRD without its table). -1 where ``n`` is negative or ``p`` outside [0, 1]."""
    wanted, (count, chance) = fixed_spread(shape, n, p)
    count = floor(count)
    valid = is_valid(count >= 0.0, chance >= 0.0, chance <= 1.0)
    flipped = chance > 0.5
    q = where(valid, where(flipped, 1.0 - chance, chance), 0.0)
    mean, ratio = count * q, divide(q, 1.0 - q)
    small = mean < _WALKED
    few = _walk(
        wanted, exp(where(small & valid, count, 0.0) * log1p(-q)),
        lambda k, pk: divide(pk * ratio * (count - k), k + 1.0), valid & small, another(seed, 2),
    )  # fmt: skip
    rare, trials = where(small, 0.25, q), where(small, 100.0, count)
    spq = sqrt(trials * rare * (1.0 - rare))
    b = spq * 2.53 + 1.15
    a = b * 0.0248 - 0.0873 + rare * 0.01
    centre, alpha = trials * rare + 0.5, (2.83 + divide(5.1, b)) * spq
    mode, odds, limit = floor((trials + 1.0) * rare), log(divide(rare, 1.0 - rare)), 0.92 - divide(4.2, b)
    peak = log_factorial(mode) + log_factorial(trials - mode)

    def attempt(_: Tensor) -> tuple[list[Tensor], Tensor]:
        u = Tensor(unit(wanted, float64, seed)) - 0.5
        v = Tensor(open_unit(wanted, float64, another(seed)))
        us = 0.5 - abs_of(u)
        k = floor((divide(a * 2.0, us) + b) * u + centre)
        at_once = (us >= 0.07) & (v <= limit)
        possible = (k >= 0.0) & (k <= trials)
        inside = where(possible, k, 0.0)
        height = log_inside(divide(v * alpha, divide(a, us * us) + b))
        bound = peak - log_factorial(inside) - log_factorial(trials - inside) + (inside - mode) * odds
        return [k], at_once | (possible & (height <= bound))

    (many,) = until_content(attempt, [mean * 0.0], valid & ~small, seed)
    drawn = where(small, few, many)
    return _counted(where(flipped, count - drawn, drawn), valid, dtype)


def geometric(
    shape: Sizes | None = None, p: TensorLike = 0.5, dtype: Any = "int64", seed: int | None = None
) -> Tensor:  # fmt: skip
    """How many trials there are up to the first success, with probability ``p`` in (0, 1]."""
    wanted, (chance,) = fixed_spread(shape, p)
    trials = floor(divide(log_inside(Tensor(open_unit(wanted, float64, seed))), log1p(-chance))) + 1.0
    valid = is_valid(chance > 0.0, chance <= 1.0)
    return _counted(where(equal(chance, 1.0), 1.0, trials), valid, dtype)


def negative_binomial(
    shape: Sizes | None = None, n: TensorLike = 1.0, p: TensorLike = 0.5, dtype: Any = "int64", seed: int | None = None
) -> Tensor:
    """How many failures come before ``n`` successes of probability ``p``: Poisson with a gamma mean."""
    wanted, (count, chance) = fixed_spread(shape, n, p)
    mean = gamma(None, count, divide(1.0 - chance, chance), float64, another(seed, 16))
    return poisson(wanted, mean, dtype, seed)


def multinomial(
    n: TensorLike, pvals: TensorLike, shape: Sizes | None = None, dtype: Any = "int64", seed: int | None = None
) -> Tensor:  # fmt: skip
    """How often each class, along the last axis of ``pvals``, comes up in ``n`` trials: one binomial number after the
    other, each for what is left. ``shape`` is that of the other axes."""
    chances = as_tensor(pvals).astype(float64)
    if shape is not None:
        chances = broadcast_to(chances, (*as_shape(shape), chances.shape[-1]))
    others = chances.shape[:-1]
    if isinstance(n, int) and n == 1:
        return one_hot(categorical(probs=chances, seed=seed), chances.shape[-1], dtype)  # type: ignore[arg-type]
    (chances,) = fixed(chances)
    last = chances.ndim - 1
    left = cumsum(chances[..., ::-1], -1)[..., ::-1]
    some = left > 0.0
    share = where(some, minimum(divide(chances, where(some, left, 1.0)), 1.0), 0.0)  # 1 for the last class
    trials = broadcast_to(as_tensor(n).astype(float64), others)

    def step(chance: Tensor, rest: Tensor) -> list[Tensor]:
        drawn = binomial(None, rest, chance, float64, seed)
        return [rest - drawn, drawn]

    (_, counts), _ = scan(step, share.transpose([last, *range(last)]), [trials, None])
    return stop_gradient(counts.transpose([*range(1, last + 1), 0]).astype(as_dtype(dtype)))
