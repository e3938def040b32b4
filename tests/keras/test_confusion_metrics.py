"""Metrics of the confusion matrix against counts made with NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras import metrics
from tests.keras.small_models import X, Y, classifier

pytestmark = pytest.mark.usefixtures("session")
RNG = np.random.default_rng(0)
LABELS = (RNG.random((60, 3)) > 0.6).astype("float32")
SCORES = np.clip(LABELS * 0.4 + RNG.random((60, 3)) * 0.6, 0, 1).astype("float32")
WEIGHTS = RNG.random(60).astype("float32")


def counts(t: float, weights: Any = None, scores: Any = SCORES, labels: Any = LABELS) -> tuple[float, ...]:
    """True positives, false positives, true negatives, false negatives."""
    w = np.ones_like(labels) if weights is None else np.broadcast_to(weights[:, None], labels.shape)
    p, y = scores > t, labels > 0
    return tuple(float((w * m).sum()) for m in (p & y, p & ~y, ~p & ~y, ~p & y))


def value(metric: Any, *batches: Any) -> np.ndarray:
    for batch in batches:
        metric.update_state(*batch)
    return K.eval(metric.result())


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("thresholds", [None, 0.3, [0.2, 0.5, 0.8]])
def test_counts(thresholds: Any, weights: Any) -> None:
    names = ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")
    levels = [0.5] if thresholds is None else thresholds if isinstance(thresholds, list) else [thresholds]
    for i, name in enumerate(names):
        metric = getattr(metrics, name)(thresholds)
        expected = np.array([counts(t, weights)[i] for t in levels])
        halves = [(LABELS[a:b], SCORES[a:b], None if weights is None else weights[a:b]) for a, b in ((0, 30), (30, 60))]
        got = value(metric, *halves)
        assert got.shape == (() if len(levels) == 1 else (3,))
        np.testing.assert_allclose(np.atleast_1d(got), expected, rtol=1e-5)
        metric.reset_states()
        assert not np.any(K.eval(metric.result()))
        again = metrics.deserialize(metrics.serialize(metric))
        assert again.get_config() == metric.get_config() and metric.get_config()["thresholds"] == thresholds


def test_precision_and_recall() -> None:
    tp, fp, _, fn = counts(0.4)
    assert value(metrics.Precision(0.4), (LABELS, SCORES)) == pytest.approx(tp / (tp + fp), rel=1e-5)
    assert value(metrics.Recall(0.4), (LABELS, SCORES)) == pytest.approx(tp / (tp + fn), rel=1e-5)
    assert value(metrics.Precision(), (LABELS, SCORES * 0)) == 0.0
    tp, fp, _, fn = counts(0.5, scores=SCORES[:, 1:2], labels=LABELS[:, 1:2])
    assert value(metrics.Precision(class_id=1), (LABELS, SCORES)) == pytest.approx(tp / (tp + fp), rel=1e-5)
    assert value(metrics.Recall(class_id=1), (LABELS, SCORES)) == pytest.approx(tp / (tp + fn), rel=1e-5)


def test_top_k() -> None:
    kept = np.argsort(-SCORES, axis=1, kind="stable")[:, :2]
    chosen = np.zeros_like(LABELS)
    np.put_along_axis(chosen, kept, 1, axis=1)
    tp = (chosen * LABELS).sum()
    assert value(metrics.Precision(top_k=2), (LABELS, SCORES)) == pytest.approx(tp / 120, rel=1e-5)
    assert value(metrics.Recall(top_k=2), (LABELS, SCORES)) == pytest.approx(tp / LABELS.sum(), rel=1e-5)
    ties = np.zeros((1, 3), "float32")
    assert value(metrics.Recall(top_k=1), (np.array([[1.0, 0, 0]], "float32"), ties)) == 1.0


def test_area_under_curves() -> None:
    positives, negatives = SCORES[LABELS > 0], SCORES[LABELS == 0]
    exact = (positives[:, None] > negatives[None]).mean() + 0.5 * (positives[:, None] == negatives[None]).mean()
    assert value(metrics.AUC(2000), (LABELS, SCORES)) == pytest.approx(exact, abs=2e-3)
    grid = [0.25, 0.5, 0.75]
    levels = [-1e-7, *grid, 1 + 1e-7]
    tp, fp, tn, fn = np.array([counts(t) for t in levels]).T
    recall, fall_out = tp / (tp + fn), fp / (fp + tn)
    precision = np.divide(tp, tp + fp, out=np.zeros_like(tp), where=tp + fp > 0)
    for curve, (x, y) in {"ROC": (fall_out, recall), "PR": (recall, precision)}.items():
        for method, heights in {"minoring": np.minimum(y[:-1], y[1:]), "majoring": np.maximum(y[:-1], y[1:])}.items():
            metric = metrics.AUC(curve=curve, summation_method=method, thresholds=grid)
            assert value(metric, (LABELS, SCORES)) == pytest.approx(((x[:-1] - x[1:]) * heights).sum(), rel=1e-4)
    lower = value(metrics.AUC(curve="PR", summation_method="minoring"), (LABELS, SCORES))
    upper = value(metrics.AUC(curve="PR", summation_method="majoring"), (LABELS, SCORES))
    assert lower <= value(metrics.AUC(curve="PR"), (LABELS, SCORES)) <= upper
    config = metrics.AUC(curve="PR").get_config()
    assert config["curve"] == "PR" and config["num_thresholds"] == 200 and len(config["thresholds"]) == 198
    for bad in ({"curve": "X"}, {"summation_method": "X"}, {"num_thresholds": 1}, {"thresholds": [2.0]}):
        with pytest.raises(ValueError):
            metrics.AUC(**bad)


def test_sensitivity_and_specificity() -> None:
    levels = [0.0, *((i + 1) / 49 for i in range(48)), 1.0]
    tp, fp, tn, fn = np.array([counts(np.float32(t)) for t in levels]).T
    sensitivity, specificity = tp / (tp + fn), tn / (tn + fp)
    expected = sensitivity[np.argmin(np.abs(specificity - 0.7))]
    assert value(metrics.SensitivityAtSpecificity(0.7, 50), (LABELS, SCORES)) == pytest.approx(expected, rel=1e-5)
    expected = specificity[np.argmin(np.abs(sensitivity - 0.6))]
    assert value(metrics.SpecificityAtSensitivity(0.6, 50), (LABELS, SCORES)) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ValueError, match=r"range \[0, 1\]"):
        metrics.SensitivityAtSpecificity(1.5)


def test_mean_iou() -> None:
    a, b = RNG.integers(0, 3, 40), RNG.integers(0, 3, 40)
    scores = [((a == i) & (b == i)).sum() / ((a == i) | (b == i)).sum() for i in range(3)]
    assert value(metrics.MeanIoU(4), (a[:20], b[:20]), (a[20:], b[20:])) == pytest.approx(np.mean(scores), rel=1e-5)


def test_in_training() -> None:
    one_hot = np.eye(2, dtype="float32")[Y.argmax(-1)]
    model = classifier(metrics=[metrics.Recall(class_id=1), "accuracy", metrics.AUC()])
    history = model.fit(X, one_hot, epochs=2, batch_size=20, verbose=0, validation_data=(X, one_hot))
    predicted = model.predict(X)[:, 1] > 0.5
    expected = (predicted & (one_hot[:, 1] > 0)).sum() / one_hot[:, 1].sum()
    name = next(n for n in history.history if n.startswith("val_recall"))
    assert history.history[name][-1] == pytest.approx(expected, rel=1e-5)
    assert model.metrics_names[0] == "loss" and len(model.metrics_names) == 4
