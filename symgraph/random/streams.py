"""Theano's streams of random numbers."""

from __future__ import annotations

from typing import Any

from ..generators import Generator, drawing_from
from ..shaping import Sizes
from ..tensor import Tensor, TensorLike, as_tensor
from . import continuous, discrete, orders


class RandomStreams:
    """Random tensors with a seed of their own, by Theano's names: what a stream draws depends on its seed, on the order
    of its ops and on the number of calls, and not on :func:`symgraph.set_random_seed`. ``size`` is a shape; without it,
    that of the parameters. Functions that draw from a stream advance it by themselves; there is no need for
    ``updates``."""

    def __init__(self, seed: int | None = None) -> None:
        self._generator = Generator(seed)

    def seed(self, seed: int) -> None:
        """Start over. Functions that are compiled already do so too."""
        self._generator.seed(int(seed))

    def uniform(
        self, size: Sizes | None = None, low: TensorLike = 0.0, high: TensorLike = 1.0, dtype: Any = "float32"
    ) -> Tensor:  # fmt: skip
        with drawing_from(self._generator):
            return continuous.uniform(size, low, high, dtype)

    def normal(
        self, size: Sizes | None = None, avg: TensorLike = 0.0, std: TensorLike = 1.0, dtype: Any = "float32"
    ) -> Tensor:  # fmt: skip
        with drawing_from(self._generator):
            return continuous.normal(size, avg, std, dtype)

    def truncated_normal(
        self, size: Sizes | None = None, avg: TensorLike = 0.0, std: TensorLike = 1.0, dtype: Any = "float32"
    ) -> Tensor:  # fmt: skip
        with drawing_from(self._generator):
            return continuous.truncated_normal(size, avg, std, dtype)

    def binomial(
        self, size: Sizes | None = None, n: TensorLike = 1, p: TensorLike = 0.5, dtype: Any = "int64"
    ) -> Tensor:  # fmt: skip
        with drawing_from(self._generator):
            if isinstance(n, int) and n == 1:
                return discrete.bernoulli(size, p, dtype)
            return discrete.binomial(size, n, p, dtype)

    def poisson(self, size: Sizes | None = None, lam: TensorLike = 1.0, dtype: Any = "int64") -> Tensor:
        with drawing_from(self._generator):
            return discrete.poisson(size, lam, dtype)

    def random_integers(
        self, size: Sizes | None = None, low: TensorLike = 0, high: TensorLike = 1, dtype: Any = "int64"
    ) -> Tensor:  # fmt: skip
        """Integers between ``low`` and ``high``, both included."""
        with drawing_from(self._generator):
            return discrete.randint(size, low, as_tensor(high) + 1, dtype)

    def choice(
        self, size: Sizes = (), a: TensorLike = 2, replace: bool = True, p: TensorLike | None = None,
        dtype: Any = "int64",
    ) -> Tensor:  # fmt: skip
        with drawing_from(self._generator):
            return orders.choice(a, size, replace, p, dtype)

    def permutation(self, size: Sizes = (), n: int = 1, dtype: Any = "int64") -> Tensor:
        with drawing_from(self._generator):
            return orders.permutation(n, size, dtype=dtype)

    def shuffle_row_elements(self, input: TensorLike) -> Tensor:
        """The elements of each row, or of a vector, in a random order (each row in its own)."""
        with drawing_from(self._generator):
            return orders.shuffled_rows(input)

    def multinomial(
        self, size: Sizes | None = None, n: TensorLike = 1, pvals: TensorLike = (0.5, 0.5), dtype: Any = "int64"
    ) -> Tensor:  # fmt: skip
        with drawing_from(self._generator):
            return discrete.multinomial(n, pvals, size, dtype)


class MRG_RandomStreams(RandomStreams):
    """The same under the name of Theano's faster streams."""

    def __init__(self, seed: int = 12345) -> None:
        super().__init__(seed)


__all__ = ["MRG_RandomStreams", "RandomStreams"]
