"""The layers of one input that compute the same on every row, each through the one-call test."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgraph.keras import layers

from .layer_check import layer_test

pytestmark = pytest.mark.usefixtures("session")

RNG = np.random.default_rng(0)
X2 = RNG.normal(size=(3, 6)).astype("float32")
X3 = RNG.normal(size=(3, 4, 6)).astype("float32")
X4 = RNG.normal(size=(2, 3, 4, 6)).astype("float32")
X5 = RNG.normal(size=(2, 2, 3, 2, 4)).astype("float32")
TOKENS = RNG.integers(0, 7, (3, 5)).astype("int32")


def same(x: Any, weights: Any) -> Any:
    return x


def dense(x: Any, weights: Any) -> Any:
    return np.tanh(x @ weights[0] + weights[1])


DENSE = {"units": 5, "activation": "tanh", "bias_initializer": "ones"}


@pytest.mark.parametrize("data", [X2, X3, X4], ids=["2d", "3d", "4d"])
def test_dense(data: Any) -> None:
    layer_test(layers.Dense, DENSE, data, dense, dtypes=("float32", "float16"))


CASES: list[tuple[Any, dict[str, Any], Any, Any]] = [
    (layers.Dense, {"units": 2, "use_bias": False}, X2, lambda x, w: x @ w[0]),
    (layers.Activation, {"activation": "relu"}, X3, lambda x, w: np.maximum(x, 0)),
    (layers.Dropout, {"rate": 0.5}, X3, same),
    (layers.Dropout, {"rate": 0.5, "noise_shape": (None, 1, 6), "seed": 3}, X3, same),
    (layers.SpatialDropout1D, {"rate": 0.5}, X3, same),
    (layers.SpatialDropout2D, {"rate": 0.5}, X4, same),
    (layers.SpatialDropout3D, {"rate": 0.5}, X5, same),
    (layers.Flatten, {"data_format": "channels_last"}, X4, lambda x, w: x.reshape(len(x), -1)),
    (
        layers.Flatten,
        {"data_format": "channels_first"},
        X4,
        lambda x, w: x.transpose(0, 2, 3, 1).reshape(len(x), -1),
    ),
    (layers.Reshape, {"target_shape": (3, 8)}, X3, lambda x, w: x.reshape(-1, 3, 8)),
    (layers.Reshape, {"target_shape": (-1, 3)}, X3, lambda x, w: x.reshape(-1, 8, 3)),
    (layers.Permute, {"dims": (2, 1)}, X3, lambda x, w: x.transpose(0, 2, 1)),
    (layers.Permute, {"dims": (3, 1, 2)}, X4, lambda x, w: x.transpose(0, 3, 1, 2)),
    (layers.RepeatVector, {"n": 4}, X2, lambda x, w: np.repeat(x[:, None], 4, 1)),
    (layers.ActivityRegularization, {"l1": 0.1, "l2": 0.1}, X3, same),
    (layers.LeakyReLU, {"alpha": 0.25}, X3, lambda x, w: np.where(x > 0, x, 0.25 * x)),
    (layers.ELU, {"alpha": 0.5}, X3, lambda x, w: np.where(x > 0, x, 0.5 * np.expm1(x))),
    (layers.ThresholdedReLU, {"theta": 0.25}, X3, lambda x, w: np.where(x > 0.25, x, 0)),
    (layers.Softmax, {"axis": 1}, X3, lambda x, w: np.exp(x) / np.exp(x).sum(1, keepdims=True)),
    (
        layers.ReLU,
        {"max_value": 1.0, "negative_slope": 0.125, "threshold": 0.25},
        X3,
        lambda x, w: np.where(x > 0.25, np.minimum(x, 1), 0.125 * (x - 0.25)),
    ),
    (layers.PReLU, {"alpha_initializer": "ones"}, X3, lambda x, w: np.where(x > 0, x, w[0] * x)),
    (layers.PReLU, {"shared_axes": [1]}, X3, lambda x, w: np.where(x > 0, x, w[0] * x)),
    (layers.GaussianNoise, {"stddev": 1.0}, X3, same),
    (layers.GaussianDropout, {"rate": 0.3}, X3, same),
    (layers.AlphaDropout, {"rate": 0.3}, X3, same),
]


@pytest.mark.parametrize("index", range(len(CASES)))
def test_layer(index: int) -> None:
    layer_test(*CASES[index])


def test_masking() -> None:
    data = X3.copy()
    data[0, 1] = data[2, 3] = 0.5
    layer_test(layers.Masking, {"mask_value": 0.5}, data, lambda x, w: x * np.any(x != 0.5, -1, keepdims=True),
               mask_of=lambda mask: np.any(data != 0.5, -1), differentiable=False)  # fmt: skip


def test_lambda() -> None:
    arguments = {"function": lambda t, k: t * k, "arguments": {"k": 3}}
    layer_test(layers.Lambda, arguments, X3, lambda x, w: x * 3, mask_of=lambda mask: None)


def test_embedding() -> None:
    layer_test(layers.Embedding, {"input_dim": 7, "output_dim": 3}, TOKENS, lambda x, w: w[0][x])


def test_batch_normalization() -> None:
    for axis in (-1, 1):

        def normalized(x: Any, w: Any, axis: int = axis) -> Any:
            gamma, beta, mean, var = (np.expand_dims(v, [a for a in (0, 1, 2) if a != axis % 3]) for v in w)
            return gamma * (x - mean) / np.sqrt(var + 1e-3) + beta

        arguments = {"axis": axis, "moving_mean_initializer": "ones", "gamma_initializer": "uniform"}
        layer_test(layers.BatchNormalization, arguments, X3, normalized)


@pytest.mark.parametrize("data", [X3, X4], ids=["3d", "4d"])
def test_time_distributed(data: Any) -> None:
    layer_test(layers.TimeDistributed, lambda floats: {"layer": layers.Dense(**DENSE, dtype=floats)}, data, dense)


MERGES: list[tuple[Any, dict[str, Any], list[Any], Any]] = [
    (layers.Add, {}, [X2, X2 + 1, X2], lambda x, w: x[0] + x[1] + x[2]),
    (layers.Subtract, {}, [X2, X2**2], lambda x, w: x[0] - x[1]),
    (layers.Multiply, {}, [X3, X3 + 1], lambda x, w: x[0] * x[1]),
    (layers.Average, {}, [X2, X2**2], lambda x, w: (x[0] + x[1]) / 2),
    (layers.Maximum, {}, [X2, X2**2], lambda x, w: np.maximum(*x)),
    (layers.Minimum, {}, [X2, X2**2], lambda x, w: np.minimum(*x)),
    (layers.Concatenate, {"axis": 1}, [X3, X3**2], lambda x, w: np.concatenate(x, 1)),
    (layers.Add, {}, [X3, X2], lambda x, w: x[0] + x[1][:, None]),
    (layers.Dot, {"axes": (2, 1)}, [X3, X2], lambda x, w: np.einsum("bij,bj->bi", *x)),
    (
        layers.Dot,
        {"axes": 1, "normalize": True},
        [X2, X2 + 1],
        lambda x, w: (
            (x[0] * x[1]).sum(1, keepdims=True) / (np.linalg.norm(x[0], axis=1) * np.linalg.norm(x[1], axis=1))[:, None]
        ),
    ),
]


@pytest.mark.parametrize("index", range(len(MERGES)))
def test_merge(index: int) -> None:
    layer_test(*MERGES[index])
