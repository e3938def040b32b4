"""Metrics against NumPy, over several batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras import losses, metrics

pytestmark = pytest.mark.usefixtures("session")

RNG = np.random.default_rng(0)
SCORES = RNG.uniform(0.05, 1, (8, 6)).astype("float32")
CLASSES = RNG.integers(0, 6, 8)
ONE_HOT = np.eye(6, dtype="float32")[CLASSES]
BINARY = RNG.integers(0, 2, (8, 6)).astype("float32")
WEIGHTS = RNG.uniform(0, 1, 8).astype("float32")


def unit(x: Any) -> Any:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def in_top(k: int) -> Any:
    return (np.argsort(-SCORES, -1)[:, :k] == CLASSES[:, None]).any(-1)


def loss_of(name: str) -> Any:
    return lambda: K.eval(getattr(losses, name)(BINARY, SCORES))


CASES: dict[str, tuple[Any, Any, Any]] = {
    "Accuracy": (metrics.Accuracy, SCORES.round(), lambda: (SCORES.round() == SCORES).mean(-1)),
    "BinaryAccuracy": (metrics.BinaryAccuracy, BINARY, lambda: ((SCORES > 0.5) == BINARY).mean(-1)),
    "BinaryAccuracy at 0.2": (
        lambda: metrics.BinaryAccuracy(threshold=0.2),
        BINARY,
        lambda: ((SCORES > 0.2) == BINARY).mean(-1),
    ),
    "CategoricalAccuracy": (metrics.CategoricalAccuracy, ONE_HOT, lambda: SCORES.argmax(-1) == CLASSES),
    "SparseCategoricalAccuracy": (
        metrics.SparseCategoricalAccuracy,
        CLASSES[:, None].astype("float32"),
        lambda: SCORES.argmax(-1) == CLASSES,
    ),
    "TopKCategoricalAccuracy": (lambda: metrics.TopKCategoricalAccuracy(3), ONE_HOT, lambda: in_top(3)),
    "SparseTopKCategoricalAccuracy": (
        lambda: metrics.SparseTopKCategoricalAccuracy(2),
        CLASSES[:, None].astype("float32"),
        lambda: in_top(2),
    ),
    "CosineSimilarity": (metrics.CosineSimilarity, BINARY + 0.1, lambda: (unit(BINARY + 0.1) * unit(SCORES)).sum(-1)),
    "MeanSquaredError": (metrics.MeanSquaredError, BINARY, loss_of("mean_squared_error")),
    "MeanAbsoluteError": (metrics.MeanAbsoluteError, BINARY, loss_of("mean_absolute_error")),
    "MeanAbsolutePercentageError": (
        metrics.MeanAbsolutePercentageError,
        BINARY,
        loss_of("mean_absolute_percentage_error"),
    ),
    "MeanSquaredLogarithmicError": (
        metrics.MeanSquaredLogarithmicError,
        BINARY,
        loss_of("mean_squared_logarithmic_error"),
    ),
    "LogCoshError": (metrics.LogCoshError, BINARY, loss_of("logcosh")),
    "Poisson": (metrics.Poisson, BINARY, loss_of("poisson")),
    "KLDivergence": (metrics.KLDivergence, BINARY, loss_of("kullback_leibler_divergence")),
    "Hinge": (metrics.Hinge, BINARY, loss_of("hinge")),
    "SquaredHinge": (metrics.SquaredHinge, BINARY, loss_of("squared_hinge")),
    "CategoricalHinge": (metrics.CategoricalHinge, BINARY, loss_of("categorical_hinge")),
    "BinaryCrossentropy": (metrics.BinaryCrossentropy, BINARY, loss_of("binary_crossentropy")),
    "CategoricalCrossentropy": (metrics.CategoricalCrossentropy, BINARY, loss_of("categorical_crossentropy")),
    "SparseCategoricalCrossentropy": (
        metrics.SparseCategoricalCrossentropy,
        CLASSES[:, None].astype("float32"),
        lambda: K.eval(losses.sparse_categorical_crossentropy(CLASSES, SCORES)),
    ),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", sorted(CASES))
def test_metric_averages_over_batches(name: str, weighted: bool) -> None:
    make, labels, reference = CASES[name]
    metric = make()
    y, p, w = K.placeholder(ndim=labels.ndim), K.placeholder((None, 6)), K.placeholder((None,))
    result = metric(y, p, sample_weight=w if weighted else None)
    step = K.function([y, p, w] if weighted else [y, p], [result], updates=metric.updates)
    got = 0.0
    for rows in (slice(0, 3), slice(3, 8)):
        got = float(step([labels[rows], SCORES[rows], WEIGHTS[rows]] if weighted else [labels[rows], SCORES[rows]])[0])
    per_sample = np.asarray(reference(), "float64").reshape(8)
    assert got == pytest.approx(np.average(per_sample, weights=WEIGHTS if weighted else None), rel=1e-4)
    assert K.eval(metric.result()) == pytest.approx(got)
    metric.reset_states()
    assert [float(v) for v in K.batch_get_value(metric.weights)] == [0.0, 0.0]


def test_metrics_of_arrays_update_at_once() -> None:
    mean = metrics.Mean()
    assert K.eval(mean.result()) == 0.0
    mean.update_state([1.0, 3.0])
    mean.update_state([5.0], sample_weight=[2.0])
    assert K.eval(mean.result()) == pytest.approx((1 + 3 + 10) / 4)
    total = metrics.Sum()
    total.update_state([1.0, 3.0], sample_weight=[1.0, 0.5])
    assert K.eval(total.result()) == 2.5
    root = metrics.RootMeanSquaredError()
    root.update_state([1.0, 2.0], [2.0, 4.0])
    assert K.eval(root.result()) == pytest.approx(np.sqrt(2.5))


class TruePositives(metrics.Metric):
    """A metric as users write them."""

    def __init__(self, name: str = "true_positives", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.hits = self.add_weight(name="hits", initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        found = K.cast(K.equal(K.cast(y_true, "int32"), K.cast(K.greater(y_pred, 0.5), "int32")), self.dtype)
        return K.update_add(self.hits, K.sum(K.cast(y_true, self.dtype) * found))

    def result(self) -> Any:
        return K.identity(self.hits)


def test_a_metric_of_the_user() -> None:
    metric = TruePositives()
    y, p = K.placeholder((None, 6)), K.placeholder((None, 6))
    step = K.function([y, p], [metric(y, p)], updates=metric.updates)
    expected = int(((SCORES > 0.5) & (BINARY > 0)).sum())
    assert [float(step([BINARY, SCORES])[0]) for _ in range(2)] == [expected, 2 * expected]
    assert metric.hits is metric.weights[0] and metric.stateful


def test_base_class_asks_for_its_methods() -> None:
    with pytest.raises(NotImplementedError, match="Must be implemented in subclasses"):
        metrics.Metric(name="m").result()
    with pytest.raises(NotImplementedError, match="Must be implemented in subclasses"):
        metrics.Metric(name="m").update_state()


CONFIGS: dict[str, dict[str, Any]] = {
    "Accuracy": {"name": "accuracy"},
    "BinaryAccuracy": {"name": "binary_accuracy", "threshold": 0.5},
    "CategoricalCrossentropy": {"from_logits": False, "label_smoothing": 0, "name": "categorical_crossentropy"},
    "CosineSimilarity": {"axis": -1, "name": "cosine_similarity"},
    "Mean": {"name": "mean"},
    "RootMeanSquaredError": {"name": "root_mean_squared_error"},
    "SparseCategoricalCrossentropy": {"axis": -1, "from_logits": False, "name": "sparse_categorical_crossentropy"},
    "Sum": {"name": "sum"},
    "TopKCategoricalAccuracy": {"k": 5, "name": "top_k_categorical_accuracy"},
}


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_config(name: str) -> None:
    metric = getattr(metrics, name)()
    assert metric.get_config() == {**CONFIGS[name], "dtype": "float32"}
    again = metrics.get(metrics.serialize(metric))
    assert type(again) is type(metric) and again.get_config() == metric.get_config()
    clone = metrics.clone_metric(metric)
    assert clone is not metric and clone.weights[0] is not metric.weights[0]


def test_names() -> None:
    assert metrics.get("mse") is losses.mean_squared_error
    assert metrics.get("categorical_accuracy") is metrics.categorical_accuracy
    with pytest.raises(ValueError, match="Unknown metric function:nonsense"):
        metrics.get("nonsense")
    with pytest.raises(ValueError, match="Could not interpret metric function identifier: 3"):
        metrics.get(3)
