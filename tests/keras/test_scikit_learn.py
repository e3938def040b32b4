"""Models as estimators."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from symgraph.keras.layers import Dense
from symgraph.keras.models import Sequential
from symgraph.keras.wrappers.scikit_learn import KerasClassifier, KerasRegressor

pytestmark = pytest.mark.usefixtures("session")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype("float32")
PLACES = (X[:, 0] > 0).astype(int) + (X[:, 1] > 1)
LABELS = np.array(["no", "perhaps", "yes"])[PLACES]


def classes(units: int = 8, loss: str = "categorical_crossentropy") -> Sequential:
    model = Sequential([Dense(units, activation="relu", input_shape=(4,)), Dense(3, activation="softmax")])
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def opposite_corners(units: int) -> Sequential:
    model = Sequential([Dense(units, activation="relu", input_shape=(2,)), Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def binary() -> Sequential:
    model = Sequential([Dense(1, activation="sigmoid", input_shape=(4,))])
    model.compile("adam", "binary_crossentropy")
    return model


def values() -> Sequential:
    model = Sequential([Dense(1, input_shape=(4,))])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
def test_a_classifier(loss: str) -> None:
    estimator = KerasClassifier(classes, units=16, loss=loss, epochs=30, batch_size=8, verbose=0)
    history = estimator.fit(X, LABELS)
    assert len(history.history["loss"]) == 30 and estimator.model.layers[0].units == 16
    assert estimator.classes_.tolist() == ["no", "perhaps", "yes"] and estimator.n_classes_ == 3
    predicted = estimator.predict(X)
    assert estimator.score(X, LABELS) == pytest.approx((predicted == LABELS).mean(), abs=1e-6)
    assert estimator.score(X, LABELS) > 0.7
    assert estimator.predict_proba(X).shape == (60, 3)
    assert estimator.score(X[:5], LABELS[:5]) == pytest.approx((predicted[:5] == LABELS[:5]).mean(), abs=1e-6)


def test_a_binary_classifier() -> None:
    estimator = KerasClassifier(binary, epochs=2, verbose=0)
    estimator.fit(X, PLACES > 0, sample_weight=np.ones(60))
    assert estimator.predict_proba(X).shape == (60, 2)
    assert estimator.predict(X).dtype == bool
    with pytest.raises(ValueError, match="accuracy"):
        estimator.score(X, PLACES > 0)


def test_a_regressor() -> None:
    y = X.sum(1)
    estimator = KerasRegressor(build_fn=values, epochs=20, verbose=0)
    estimator.fit(X, y)
    assert estimator.predict(X).shape == (60,) and estimator.predict(X[:1]).shape == (1,)
    assert estimator.score(X, y) == pytest.approx(-((estimator.predict(X) - y) ** 2).mean(), rel=1e-4)


def test_parameters() -> None:
    estimator = KerasClassifier(classes, units=4)
    assert estimator.get_params() == {"units": 4, "build_fn": classes}
    again = type(estimator)(**copy.deepcopy(estimator.get_params()))
    assert again.get_params() == estimator.get_params()
    assert estimator.set_params(units=7, epochs=2).sk_params == {"units": 7, "epochs": 2}
    for act in (lambda: KerasClassifier(classes, bogus=1), lambda: estimator.set_params(bogus=1)):
        with pytest.raises(ValueError, match="bogus is not a legal parameter"):
            act()

    class Own(KerasRegressor):
        def __call__(self, units: int = 1) -> Any:
            return values()

    own = Own(units=1, verbose=0)
    own.fit(X, X[:, 0])
    assert own.predict(X).shape == (60,)


@pytest.fixture
def sklearn() -> Any:
    return pytest.importorskip("sklearn", reason="scikit-learn is not installed")


def test_copies_by_scikit_learn(sklearn: Any) -> None:
    from sklearn.base import clone, is_classifier, is_regressor

    estimator = KerasClassifier(classes, units=3, epochs=2, verbose=0)
    copied = clone(estimator)
    assert copied is not estimator and copied.get_params() == estimator.get_params()
    assert is_classifier(estimator) and is_regressor(KerasRegressor(values)) and not is_regressor(estimator)
    nested = clone(sklearn.pipeline.Pipeline([("net", estimator)])).set_params(net__units=5)
    assert nested.get_params()["net__units"] == 5 and estimator.sk_params["units"] == 3


@pytest.mark.slow
def test_cross_validation_and_pipelines(sklearn: Any) -> None:
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = make_pipeline(StandardScaler(), KerasClassifier(classes, epochs=20, batch_size=8, verbose=0))
    assert cross_val_score(classifier, X * 100 + 7, LABELS, cv=2).mean() > 0.3
    assert cross_val_score(classifier, X, LABELS, cv=2, scoring="neg_log_loss").shape == (2,)
    regressor = KerasRegressor(values, epochs=20, batch_size=4, verbose=0)
    assert cross_val_score(regressor, X, X.sum(1), cv=2).max() < 0
    assert cross_val_score(regressor, X, X.sum(1), cv=2, scoring="r2").max() > 0.2


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_grid_search(sklearn: Any, jobs: int) -> None:
    from sklearn.model_selection import GridSearchCV

    rng = np.random.default_rng(1)
    corners = rng.integers(0, 2, (160, 2))
    x, y = (4 * corners - 2 + rng.normal(0, 0.5, corners.shape)).astype("float32"), corners[:, 0] ^ corners[:, 1]
    np.random.seed(0)
    grid = {"units": [1, 16], "epochs": [1, 60]}
    search = GridSearchCV(KerasClassifier(opposite_corners, batch_size=4, verbose=0), grid, cv=2, n_jobs=jobs)
    search.fit(x, y)
    found = search.cv_results_
    scores = {(p["units"], p["epochs"]): s for p, s in zip(found["params"], found["mean_test_score"], strict=True)}
    # One unit cannot tell two opposite corners of a square from the others, and one epoch hardly begins.
    assert scores.pop((16, 60)) == search.best_score_ > 0.95 > 0.9 > max(scores.values())
    assert search.best_params_ == {"units": 16, "epochs": 60}
    assert search.score(x, y) > 0.95
    assert search.best_estimator_.model.layers[0].units == 16
