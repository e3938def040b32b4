"""Random orders and picks."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import as_dtype
from ..errors import ArgumentError, ShapeError
from ..generators import long_bits
from ..ir.checks import normalize_axis
from ..ir.dims import Dim, SymDim, product
from ..ir.ops.gathering import TakeAlong
from ..ir.ops.ordering import ArgSort, SortKey
from ..shaping import Sizes, as_shape, reshape
from ..subscripts import take
from ..tensor import Tensor, TensorLike, as_tensor
from ..tracer import tracer
from .discrete import categorical, logs_of, noisy, randint


def permutation(
    x: TensorLike | SymDim, shape: Sizes = (), axis: int = 0, dtype: Any = "int64", seed: int | None = None
) -> Tensor:  # fmt: skip
    """A random order: of ``0 .. x - 1`` where ``x`` is a size (with ``shape``, so many of them, along the last axis),
    else of the slices of ``x`` along ``axis``. All orders are equally probable (numbers of 64 bits are sorted)."""
    if isinstance(x, (int, np.integer, SymDim)):
        size: Dim = x if isinstance(x, SymDim) else int(x)
        return _order(as_shape(shape), size, size, seed).astype(as_dtype(dtype))
    t = as_tensor(x)
    at = normalize_axis(axis, t.ndim, "permutation")
    return take(t, _order((), t.shape[at], t.shape[at], seed), at)


def shuffle(x: TensorLike, axis: int = 0, seed: int | None = None) -> Tensor:
    """:func:`permutation` of the slices of a tensor."""
    return permutation(as_tensor(x), (), axis, seed=seed)


def shuffled_rows(x: TensorLike) -> Tensor:
    """The elements along the last axis in a random order, each row in its own."""
    t = as_tensor(x)
    order = _order(t.shape[:-1], t.shape[-1], t.shape[-1], None)
    return Tensor(tracer.apply(TakeAlong(t.ndim - 1), t.value, order.value))


def _order(shape: tuple[Dim, ...], size: Dim, count: Dim, seed: int | None) -> Tensor:
    """The first of a random order of so many."""
    return Tensor(tracer.apply(ArgSort(count), long_bits((*shape, size), seed)))


def choice(
    a: TensorLike | SymDim, shape: Sizes = (), replace: bool = True, p: TensorLike | None = None, dtype: Any = "int64",
    seed: int | None = None,
) -> Tensor:  # fmt: skip
    """Elements of the vector ``a`` (of ``0 .. a - 1`` where it is a size), with probabilities ``p`` (default: equal
    ones); without ``replace`` no two alike.

    Raises:
        ArgumentError: for more elements than there are, without ``replace``.
        ShapeError: where ``a`` is no vector, or ``p`` has another length.
    """
    population = None if isinstance(a, (int, np.integer, SymDim)) else as_tensor(a)
    if population is not None and population.ndim != 1:
        raise ShapeError(f"choice from {population.type}, which is no vector")
    size: Dim = a if isinstance(a, SymDim) else int(a) if population is None else population.shape[0]  # type: ignore
    wanted = as_shape(shape)
    if p is not None and as_tensor(p).type.is_static and as_tensor(p).shape != (size,):
        raise ShapeError(f"choice from {size} elements with probabilities {as_tensor(p).type}")
    if not replace:
        places = reshape(_different(size, product(wanted), p, seed), wanted)
    elif p is None:
        places = randint(wanted, 0, Tensor(tracer.size(size)), seed=seed)
    else:
        places = categorical(probs=p, shape=wanted, seed=seed)
    return places.astype(as_dtype(dtype)) if population is None else take(population, places)


def _different(size: Dim, count: Dim, p: TensorLike | None, seed: int | None) -> Tensor:
    if isinstance(count, int) and isinstance(size, int) and count > size:
        raise ArgumentError(f"choice: {count} different elements of {size}")
    if p is None:
        return _order((), size, count, seed)
    # One after the other, in proportion to the probabilities of those left: the largest logarithms plus Gumbel noise.
    scores = noisy(logs_of("choice", None, p), seed)
    keys = tracer.elementwise(SortKey(True), scores.value)
    return Tensor(tracer.apply(ArgSort(count), keys))
