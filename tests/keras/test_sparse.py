"""Sparse matrices of SciPy as data, and sparse placeholders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras.layers import Concatenate, Dense, Input
from symgraph.keras.models import Model, Sequential
from symgraph.keras.utils import HDF5Matrix

pytestmark = pytest.mark.usefixtures("session")
RNG = np.random.default_rng(0)
DENSE = (RNG.random((40, 30)) * (RNG.random((40, 30)) < 0.1)).astype("float32")
LABELS = DENSE.sum(1, keepdims=True)


class Matrix:
    """What a sparse matrix of SciPy is to the front: rows, a shape, and a dense form."""

    ndim = 2

    def __init__(self, array: Any) -> None:
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def tocsr(self) -> Matrix:
        return self

    def toarray(self) -> Any:
        assert len(self.array) <= 16, "more than a batch was made dense"
        return self.array

    def astype(self, dtype: Any) -> Matrix:
        return Matrix(self.array.astype(dtype))

    def __getitem__(self, rows: Any) -> Matrix:
        return Matrix(self.array[rows])


def _matrix(kind: str) -> Any:
    if kind == "stand-in":
        return Matrix(DENSE)
    return getattr(pytest.importorskip("scipy.sparse"), kind)(DENSE)


@pytest.mark.parametrize("kind", ["stand-in", "csr_matrix", "coo_matrix"])
@pytest.mark.parametrize("sparse", [True, False])
def test_fit_on_a_sparse_matrix(kind: str, sparse: bool) -> None:
    matrix = _matrix(kind)
    losses = []
    for data in (matrix, DENSE):
        np.random.seed(0)
        x = Input((30,), sparse=sparse)
        model = Model(x, Dense(1, kernel_initializer="zeros")(x))
        model.compile("adam", "mse")
        history = model.fit(data, LABELS, batch_size=16, epochs=3, verbose=0, validation_split=0.25)
        losses.append(history.history["loss"] + history.history["val_loss"])
        losses[-1].append(model.evaluate(data, LABELS, batch_size=16, verbose=0))
    np.testing.assert_allclose(*losses, rtol=1e-5)
    np.testing.assert_allclose(model.predict(matrix, batch_size=16), model.predict(DENSE), rtol=1e-5, atol=1e-6)
    rows = matrix.tocsr()[:16]
    assert np.isfinite(model.train_on_batch(rows, LABELS[:16])) and model.predict_on_batch(rows).shape == (16, 1)
    batches = ((matrix.tocsr()[i : i + 8], LABELS[i : i + 8]) for i in [0, 8, 16] * 9)
    assert np.isfinite(model.fit_generator(batches, 3, verbose=0, workers=0).history["loss"]).all()


def test_backend() -> None:
    x, y = K.placeholder((None, 30), sparse=True), K.placeholder((30, 2))
    assert K.is_sparse(x) and not K.is_sparse(y) and not K.is_sparse(K.to_dense(x)) and K.to_dense(y) is y
    product = K.dot(x, y)
    assert not K.is_sparse(product)
    weights = RNG.normal(size=(30, 2)).astype("float32")
    found = K.function([x, y], [product])([Matrix(DENSE[:5]), weights])[0]
    np.testing.assert_allclose(found, DENSE[:5] @ weights, rtol=1e-5)
    assert K.is_sparse(K.concatenate([x, x])) and not K.is_sparse(K.concatenate([x, K.to_dense(x)]))
    v = K.variable(Matrix(DENSE[:5]))
    assert K.is_sparse(v)
    np.testing.assert_array_equal(K.eval(v), DENSE[:5])


def test_configs_and_several_inputs() -> None:
    a, b = Input((30,), sparse=True, name="a"), Input((30,), name="b")
    model = Model([a, b], Dense(1)(Concatenate()([a, b])))
    again = Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    assert K.is_sparse(again.inputs[0]) and not K.is_sparse(again.inputs[1])
    data = {"a": Matrix(DENSE[:9]), "b": DENSE[:9]}
    np.testing.assert_array_equal(again.predict(data), model.predict([DENSE[:9], DENSE[:9]]))
    with pytest.raises(ValueError, match=r"expected a to have shape \(30,\) but got array with shape \(20,\)"):
        model.predict({**data, "a": Matrix(DENSE[:9, :20])})


def test_rows_of_a_file_keep_step_with_arrays(tmp_path: Path) -> None:
    """Shuffled rows of an HDF5 data set go with their own labels."""
    h5py = pytest.importorskip("h5py")
    data = np.arange(64.0).reshape(64, 1).astype("float32")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"] = data
    model = Sequential([Dense(1, kernel_initializer="ones", input_shape=(1,))])
    model.compile("sgd", "mae")
    K.set_value(model.optimizer.lr, 0.0)
    history = model.fit(HDF5Matrix(tmp_path / "data.h5", "x"), data, batch_size=8, verbose=0)
    assert history.history["loss"] == [0.0]
