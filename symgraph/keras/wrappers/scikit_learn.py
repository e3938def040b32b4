"""Models as scikit-learn's estimators. scikit-learn itself is not needed to use them."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np

from .. import losses
from ..engine.sequential import Sequential
from ..utils.generic_utils import has_arg, to_list  # noqa: F401 - a name that Keras has here, too
from ..utils.np_utils import to_categorical

Array = np.ndarray[Any, Any]


class BaseWrapper:
    """An estimator whose model ``build_fn`` builds.

    Args:
        build_fn: a function (or an object with ``__call__``) that gives a compiled model. A subclass may define
            ``__call__`` in its place.
        sk_params: arguments of ``build_fn``, ``fit``, ``predict``, ``predict_proba`` and ``score``.
    """

    _estimator_type = ""

    def __init__(self, build_fn: Any = None, **sk_params: Any) -> None:
        self.build_fn = build_fn
        self.sk_params = sk_params
        self.check_params(sk_params)

    def _builder(self) -> Any:
        if self.build_fn is None:
            return self.__call__  # type: ignore[operator]
        is_function = inspect.isfunction(self.build_fn) or inspect.ismethod(self.build_fn)
        return self.build_fn if is_function else self.build_fn.__call__

    def check_params(self, params: dict[str, Any]) -> None:
        """Check that every parameter is an argument of the builder or of one of the model's methods.

        Raises:
            ValueError: for one that is not.
        """
        functions = [Sequential.fit, Sequential.predict, Sequential.predict_classes, Sequential.evaluate]
        if self.build_fn is not None or callable(self):
            functions.append(self._builder())
        for name in params:
            if name != "nb_epoch" and not any(has_arg(fn, name) for fn in functions):
                raise ValueError(f"{name} is not a legal parameter")

    def get_params(self, deep: bool = True, **params: Any) -> dict[str, Any]:
        """The parameters, as scikit-learn's ``clone`` takes them: as they were given, not copied."""
        return {**self.sk_params, "build_fn": self.build_fn}

    def set_params(self, **params: Any) -> BaseWrapper:
        """Change parameters."""
        self.check_params({k: v for k, v in params.items() if k != "build_fn"})
        if "build_fn" in params:
            self.build_fn = params.pop("build_fn")
        self.sk_params.update(params)
        return self

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Build the model anew and train it; gives the ``History``."""
        builder = self._builder()
        self.model = builder(**self.filter_sk_params(builder))
        if _is_categorical(self.model.loss) and np.ndim(y) != 2:
            y = to_categorical(y)
        arguments = copy.deepcopy(self.filter_sk_params(Sequential.fit))
        arguments.update(kwargs)
        return self.model.fit(x, y, **arguments)

    def filter_sk_params(self, fn: Any, override: dict[str, Any] | None = None) -> dict[str, Any]:
        """The parameters that ``fn`` takes."""
        return {**{k: v for k, v in self.sk_params.items() if has_arg(fn, k)}, **(override or {})}

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn (1.6 and later) asks an estimator about itself."""
        import importlib

        tags = importlib.import_module("sklearn.utils")

        classifies = self._estimator_type == "classifier"
        return tags.Tags(
            estimator_type=self._estimator_type or None,
            target_tags=tags.TargetTags(required=True),
            classifier_tags=tags.ClassifierTags() if classifies else None,
            regressor_tags=tags.RegressorTags() if self._estimator_type == "regressor" else None,
        )

    def __sklearn_is_fitted__(self) -> bool:
        """Whether there is a trained model."""
        return hasattr(self, "model")


def _is_categorical(loss: Any) -> bool:
    name = loss.name if isinstance(loss, losses.Loss) else getattr(loss, "__name__", loss)
    return bool(name == "categorical_crossentropy")


class KerasClassifier(BaseWrapper):
    """A model as a classifier."""

    _estimator_type = "classifier"
    classes_: Array

    def fit(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Train on labels of any kind (or on one-hot rows); gives the ``History``."""
        y = np.array(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        elif y.ndim in (1, 2):
            self.classes_, places = np.unique(y, return_inverse=True)
            y = places.reshape(y.shape)
        else:
            raise ValueError("Invalid shape for y: " + str(y.shape))
        self.n_classes_ = len(self.classes_)
        if sample_weight is not None:
            kwargs["sample_weight"] = sample_weight
        return super().fit(x, y, **kwargs)

    def predict(self, x: Any, **kwargs: Any) -> Array:
        """The class of each sample."""
        proba = self.model.predict(x, **self.filter_sk_params(Sequential.predict, kwargs))
        places = proba.argmax(-1) if proba.shape[-1] > 1 else (proba > 0.5).astype("int32")
        return np.asarray(self.classes_[places])

    def predict_proba(self, x: Any, **kwargs: Any) -> Array:
        """The probability of each class; one output unit gives two columns."""
        proba = self.model.predict(x, **self.filter_sk_params(Sequential.predict, kwargs))
        return np.hstack([1 - proba, proba]) if proba.shape[1] == 1 else np.asarray(proba)

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """The accuracy.

        Raises:
            ValueError: if the model was compiled without it.
        """
        y = np.asarray(y)
        y = y if y.ndim == 2 and y.shape[1] > 1 else np.searchsorted(self.classes_, y)
        if _is_categorical(self.model.loss) and y.ndim != 2:
            y = to_categorical(y, len(self.classes_))
        outputs = self.model.evaluate(x, y, **self.filter_sk_params(Sequential.evaluate, kwargs))
        outputs = outputs if isinstance(outputs, list) else [outputs]
        for name, output in zip(self.model.metrics_names, outputs, strict=True):
            if name in ("accuracy", "acc"):
                return float(output)
        raise ValueError(
            "The model is not configured to compute accuracy. You should pass `metrics=[\"accuracy\"]` to the "
            "`model.compile()` method."
        )


class KerasRegressor(BaseWrapper):
    """A model as a regressor."""

    _estimator_type = "regressor"

    def predict(self, x: Any, **kwargs: Any) -> Array:
        """The value of each sample."""
        found = np.asarray(self.model.predict(x, **self.filter_sk_params(Sequential.predict, kwargs)))
        return found.reshape(len(found)) if found.size == len(found) else found

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """Minus the loss: larger is better."""
        outputs = self.model.evaluate(x, y, **self.filter_sk_params(Sequential.evaluate, kwargs))
        return -float(outputs[0] if isinstance(outputs, list) else outputs)
