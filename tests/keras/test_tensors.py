"""What scripts ask of tensors themselves, not of the backend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.keras import backend as K
from symgraph.keras.layers import Dense, Input, Lambda, Permute, Reshape
from symgraph.keras.models import Model
from symgraph.keras.optimizers import Adam

pytestmark = pytest.mark.usefixtures("session")


def test_a_shape_is_a_tuple_that_tells_what_is_known() -> None:
    x = Input((3, 4))
    assert x.shape.as_list() == x.get_shape().as_list() == [None, 3, 4]
    assert x.shape[1:] == (3, 4) and x.shape.ndims == x.shape.rank == 3
    assert not x.shape.is_fully_defined() and K.zeros((2, 3)).shape.is_fully_defined()
    assert np.prod(x.shape.as_list()[1:]) == 12
    assert isinstance(x.shape, tuple) and hash(K.zeros((2, 3)).shape) == hash((2, 3))


@pytest.mark.parametrize("name", ["float32", "float64", "int32", "bool"])
def test_a_dtype_is_equal_to_its_names(name: str) -> None:
    x = K.placeholder((2,), dtype=name)
    assert x.dtype == name and x.dtype == np.dtype(name) and x.dtype == np.dtype(name).type
    assert x.dtype in ("int8", name) and x.dtype != "float16" and x.dtype != None  # noqa: E711 - a name of NumPy's float64
    assert {x.dtype: 1}[K.zeros((1,), dtype=name).dtype] == 1
    assert x.dtype != "no dtype" and x.dtype != 3


def test_a_tensor_can_be_evaluated_at_once() -> None:
    w = K.variable([[1.0, 2.0], [3.0, 4.0]])
    x = K.placeholder((None, 2))
    assert K.sum(w).eval() == 10.0
    np.testing.assert_array_equal(w.eval(), [[1, 2], [3, 4]])
    for options in ({}, {"session": K.get_session()}):
        got = K.dot(x, w).eval(feed_dict={x: [[1.0, 1.0]]}, **options)
        np.testing.assert_array_equal(got, [[4, 6]])
    np.testing.assert_array_equal((x * 2).eval({x: [[1, 2]]}), [[2, 4]])
    with pytest.raises(sg.GraphError, match="placeholder"):
        (x * 2).eval()


def attention(q: Any, k: Any, v: Any, heads: int, product: Any) -> Any:
    """Multi-head attention of ``(samples, steps, heads * width)``, with a product of ``(samples, heads, ., .)``."""
    width = K.int_shape(q)[-1] // heads

    def apart(x: Any) -> Any:
        return K.permute_dimensions(K.reshape(x, (-1, x.shape.as_list()[1], heads, width)), (0, 2, 1, 3))

    q, k, v = apart(q), apart(k), apart(v)
    weights = K.softmax(product(q, K.permute_dimensions(k, (0, 1, 3, 2))) / np.sqrt(width))
    joined = K.permute_dimensions(product(weights, v), (0, 2, 1, 3))
    return K.reshape(joined, (-1, *K.int_shape(joined)[1:2], heads * width))


def by_batch_dot(x: Any, y: Any) -> Any:
    """The product of each head, by Keras 2.3.1's rule: all pairs of heads are multiplied, and the equal ones taken."""
    pairs = K.batch_dot(x, y, axes=(3, 2))  # samples, heads, rows, heads, columns
    return K.stack([pairs[:, h, :, h] for h in range(K.int_shape(x)[1])], axis=1)


def by_samples(x: Any, y: Any) -> Any:
    """The same with the heads among the samples."""
    flat = K.batch_dot(K.reshape(x, (-1, *K.int_shape(x)[2:])), K.reshape(y, (-1, *K.int_shape(y)[2:])))
    return K.reshape(flat, (-1, K.int_shape(x)[1], *K.int_shape(flat)[1:]))


@pytest.mark.parametrize("product", [by_batch_dot, by_samples, sg.matmul])
def test_multi_head_attention(product: Any) -> None:
    rng = np.random.default_rng(0)
    queries, keys = rng.normal(size=(2, 5, 6)).astype("float32"), rng.normal(size=(2, 7, 6)).astype("float32")
    q, k = Input((5, 6)), Input((7, 6))
    out = Lambda(lambda t: attention(t[0], t[1], t[1], 3, product))([q, k])
    got = Model([q, k], out).predict([queries, keys])
    want = np.empty_like(queries)
    for h in range(3):
        part = slice(2 * h, 2 * h + 2)
        scores = queries[..., part] @ keys[..., part].transpose(0, 2, 1) / np.sqrt(2)
        weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
        want[..., part] = weights @ keys[..., part]
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_attention_of_layers_is_trained() -> None:
    x = Input((4, 6))
    heads = [Permute((2, 1, 3))(Reshape((4, 2, 3))(Dense(6)(x))) for _ in range(3)]
    scores = Lambda(lambda t: by_batch_dot(t[0], K.permute_dimensions(t[1], (0, 1, 3, 2))))(heads[:2])
    mixed = Lambda(lambda t: by_batch_dot(K.softmax(t[0]), t[1]))([scores, heads[2]])
    model = Model(x, Reshape((4, 6))(Permute((2, 1, 3))(mixed)))
    model.compile(Adam(0.02), "mse")
    data = np.random.default_rng(1).normal(size=(32, 4, 6)).astype("float32")
    losses = model.fit(data, data.mean(1, keepdims=True).repeat(4, 1), epochs=50, verbose=0).history["loss"]
    assert losses[-1] < 0.3 * losses[0]
