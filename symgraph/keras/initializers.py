"""Initial values of weights. Seeds that are not given come from ``np.random``, so ``np.random.seed`` repeats them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import backend as K
from .utils.generic_utils import deserialize_keras_object, serialize_keras_object

Array = np.ndarray[Any, Any]
Shape = Sequence[int]
_PIECE = 1 << 16  # numbers drawn at a time


class Initializer:
    """A callable from shape and dtype to an array (or to a tensor that depends on no input)."""

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        config = {k: v for k, v in config.items() if k != "dtype"}
        return cls(**config)


def _dtype(dtype: Any) -> str:
    return str(dtype or K.floatx())


class _Random(Initializer):
    """Keeps ``seed`` and gives a generator: each call with a given seed continues with the next one."""

    seed: int | None

    def _rng(self) -> np.random.Generator:
        if self.seed is None:
            return np.random.default_rng(np.random.randint(2**31 - 1))
        self.seed += 1
        return np.random.default_rng(self.seed - 1)


class Zeros(Initializer):
    """All zeros."""

    def __call__(self, shape: Shape, dtype: Any = None) -> Array:
        return np.zeros(tuple(shape), _dtype(dtype))


class Ones(Initializer):
    """All ones."""

    def __call__(self, shape: Shape, dtype: Any = None) -> Array:
        return np.ones(tuple(shape), _dtype(dtype))


class Constant(Initializer):
    """One value everywhere."""

    def __init__(self, value: Any = 0) -> None:
        self.value = value

    def __call__(self, shape: Shape, dtype: Any = None) -> Array:
        return np.full(tuple(shape), self.value, _dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value}


class RandomNormal(_Random):
    """Normal numbers."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def __call__(self, shape: Shape, dtype: Any = None) -> Array:
        return self._rng().normal(self.mean, self.stddev, tuple(shape)).astype(_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


class RandomUniform(_Random):
    """Uniform numbers."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def __call__(self, shape: Shape, dtype: Any = None) -> Array:
        return _uniform(self._rng(), self.minval, self.maxval, shape, _dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed}


def _uniform(rng: np.random.Generator, low: float, high: float, shape: Shape, dtype: str) -> Array:
    """Uniform numbers, drawn in float64 and rounded to ``dtype`` piece by piece: kernels can be larger than caches."""
    values = np.empty(tuple(shape), dtype)
    flat = values.reshape(-1)
    for start in range(0, flat.size, _PIECE):
        piece = flat[start : start + _PIECE]
        piece[...] = rng.uniform(low, high, piece.size)
    return values


def _truncated_normal(rng: np.random.Generator, mean: float, stddev: float, shape: Shape) -> Array:
    """Normal numbers, drawn again where they are more than two deviations from the mean."""
    values = np.asarray(rng.standard_normal(tuple(shape)))
    outside = np.abs(values) > 2.0
    while outside.any():
        values[outside] = rng.standard_normal(int(outside.sum()))
        outside = np.abs(values) > 2.0
    return values * stddev + mean


class TruncatedNormal(_Random):
    """Normal numbers within two standard deviations."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def __call__(self, shape: Shape, dtype: Any = None) -> Array:
        return _truncated_normal(self._rng(), self.mean, self.stddev, shape).astype(_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


class VarianceScaling(_Random):
    """Numbers whose variance is ``scale / n``, ``n`` being the fan of ``mode``."""

    def __init__(
        self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "normal", seed: int | None = None
    ) -> None:
        if scale <= 0.0:
            raise ValueError("`scale` must be a positive float. Got:", scale)
        mode = mode.lower()
        if mode not in {"fan_in", "fan_out", "fan_avg"}:
            raise ValueError('Invalid `mode` argument: expected on of {"fan_in", "fan_out", "fan_avg"} but got', mode)
        distribution = distribution.lower()
        if distribution not in {"normal", "uniform"}:
            raise ValueError(
                'Invalid `distribution` argument: expected one of {"normal", "uniform"} but got', distribution
            )
        self.scale, self.mode, self.distribution, self.seed = scale, mode, distribution, seed

    def __call__(self, shape: Shape, dtype: Any = None) -> Array:
        fan_in, fan_out = _compute_fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[self.mode]
        variance = self.scale / max(1.0, fan)
        rng = self._rng()
        if self.distribution == "uniform":
            limit = np.sqrt(3.0 * variance)
            return _uniform(rng, -limit, limit, shape, _dtype(dtype))
        # The truncation at two deviations takes off variance; the constant is the deviation that is left of one.
        return _truncated_normal(rng, 0.0, np.sqrt(variance) / 0.87962566103423978, shape).astype(_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {"scale": self.scale, "mode": self.mode, "distribution": self.distribution, "seed": self.seed}


class Orthogonal(_Random):
    """A matrix with orthonormal rows or columns (more axes: all but the last count as one), all such matrices equally
    probable: the first factor of a normal matrix, where the diagonal of the second is positive (Mezzadri, How to
    generate random matrices from the classical compact groups, 2007)."""

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain, self.seed = gain, seed

    def __call__(self, shape: Shape, dtype: Any = None) -> Array:
        rows, cols = int(np.prod(shape[:-1])), int(shape[-1])
        q, r = np.linalg.qr(self._rng().normal(0.0, 1.0, (max(rows, cols), min(rows, cols))))
        q *= np.where(np.diagonal(r) < 0.0, -self.gain, self.gain)
        return (q if rows >= cols else q.T).reshape(tuple(shape)).astype(_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, "seed": self.seed}


class Identity(Initializer):
    """An identity matrix times ``gain``; what a matrix has beyond the square is zero."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Shape, dtype: Any = None) -> Array:
        if len(shape) != 2:
            raise ValueError("Identity matrix initializer can only be used for 2D matrices.")
        rows, cols = shape
        return (self.gain * np.eye(rows, cols)).astype(_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}


def _compute_fans(shape: Shape) -> tuple[float, float]:
    """Fan-in and fan-out: a matrix's sides; a kernel's channels times its receptive field."""
    if len(shape) == 2:
        return shape[0], shape[1]
    if len(shape) in (3, 4, 5):
        field = float(np.prod(shape[:-2]))
        return shape[-2] * field, shape[-1] * field
    side = float(np.sqrt(np.prod(shape)))
    return side, side


def lecun_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform, variance ``1 / fan_in``."""
    return VarianceScaling(scale=1.0, mode="fan_in", distribution="uniform", seed=seed)


def glorot_normal(seed: int | None = None) -> VarianceScaling:
    """Truncated normal, variance ``2 / (fan_in + fan_out)``."""
    return VarianceScaling(scale=1.0, mode="fan_avg", distribution="normal", seed=seed)


def glorot_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform, variance ``2 / (fan_in + fan_out)``."""
    return VarianceScaling(scale=1.0, mode="fan_avg", distribution="uniform", seed=seed)


def he_normal(seed: int | None = None) -> VarianceScaling:
    """Truncated normal, variance ``2 / fan_in``."""
    return VarianceScaling(scale=2.0, mode="fan_in", distribution="normal", seed=seed)


def lecun_normal(seed: int | None = None) -> VarianceScaling:
    """Truncated normal, variance ``1 / fan_in``."""
    return VarianceScaling(scale=1.0, mode="fan_in", distribution="normal", seed=seed)


def he_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform, variance ``2 / fan_in``."""
    return VarianceScaling(scale=2.0, mode="fan_in", distribution="uniform", seed=seed)


_FACTORIES = (lecun_uniform, glorot_normal, glorot_uniform, he_normal, lecun_normal, he_uniform)

zero = zeros = Zeros
one = ones = Ones
constant = Constant
uniform = random_uniform = RandomUniform
normal = random_normal = RandomNormal
truncated_normal = TruncatedNormal
identity = Identity
orthogonal = Orthogonal
# What tf.keras writes into files.
GlorotUniform, GlorotNormal = glorot_uniform, glorot_normal
HeUniform, HeNormal = he_uniform, he_normal
LecunUniform, LecunNormal = lecun_uniform, lecun_normal
OrthogonalInitializer = Orthogonal


def serialize(initializer: Any) -> Any:
    """``{'class_name', 'config'}`` of an initializer."""
    return serialize_keras_object(initializer)


#: What tf.keras has made classes of.
_CLASSES = {"".join(part.capitalize() for part in f.__name__.split("_")): f for f in _FACTORIES}


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The initializer of a name or a dictionary."""
    if isinstance(config, dict) and config.get("class_name") in _CLASSES:
        config = {**config, "class_name": _CLASSES[config["class_name"]].__name__}
    return deserialize_keras_object(
        config, module_objects=globals(), custom_objects=custom_objects, printable_module_name="initializer"
    )


def get(identifier: Any) -> Any:
    """An initializer from a name, a dictionary or a callable."""
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        found = deserialize(identifier)
        return found() if found in _FACTORIES else found
    if callable(identifier):
        return identifier
    raise ValueError("Could not interpret initializer identifier: " + str(identifier))
