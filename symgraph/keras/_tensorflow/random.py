"""Random tensors, under the names of ``tf.random``; each call of a function draws anew."""

from __future__ import annotations

from typing import Any

import symgraph as sg
from symgraph import Tensor

__all__ = [
    "categorical",
    "normal",
    "set_seed",
    "shuffle",
    "truncated_normal",
    "uniform",
]


def set_seed(seed: int) -> None:
    """Make all that follows repeat."""
    sg.set_random_seed(seed)


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: int | None = None, name: Any = None
) -> Tensor:
    """Normal numbers."""
    return sg.random.normal(tuple(shape), mean, stddev, dtype, seed)


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: int | None = None, name: Any = None
) -> Tensor:
    """Normal numbers within two standard deviations."""
    return sg.random.truncated_normal(tuple(shape), mean, stddev, dtype, seed)


def uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", seed: int | None = None, name: Any = None
) -> Tensor:
    """Numbers from ``minval`` up to ``maxval``; integers where ``dtype`` is one."""
    if "int" in str(dtype):
        if maxval is None:
            raise ValueError("tf.random.uniform of integers needs maxval")
        return sg.random.randint(tuple(shape), minval, maxval, dtype=dtype, seed=seed)
    return sg.random.uniform(tuple(shape), minval, 1.0 if maxval is None else maxval, dtype, seed)


def shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """Rows in a random order."""
    return sg.random.shuffle(value, 0, seed)


def categorical(
    logits: Tensor, num_samples: int, dtype: Any = "int64", seed: int | None = None, name: str | None = None
) -> Tensor:
    """``num_samples`` class numbers for each row of unnormalized log-probabilities."""
    draws = [sg.random.categorical(logits, dtype=dtype, seed=seed) for _ in range(num_samples)]
    return sg.stack(draws, -1)


set_random_seed = set_seed
random_normal, random_uniform, random_shuffle, multinomial = normal, uniform, shuffle, categorical
