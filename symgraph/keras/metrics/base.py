"""Metrics: state that batches add to, and a result."""

from __future__ import annotations

import types
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .. import backend as K
from .. import initializers
from ..engine.base_layer import Layer
from ..utils import losses_utils, metrics_utils

Tensor = Any


class Metric(Layer):
    """Base of metrics.

    A subclass makes its state with ``add_weight``, gives ``update_state(...)``, which returns the updates of the state,
    and ``result()``, which computes from the state.
    Calling a metric on tensors gives the result after the update, and registers the update with the metric.
    ``update_state`` on arrays runs at once.
    """

    def __init__(self, name: str | None = None, dtype: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.stateful = True
        self.built = True
        self.dtype = K.floatx() if dtype is None else dtype

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        metric = super().__new__(cls)
        update_state = metrics_utils.update_state_wrapper(cls.update_state)
        result = metrics_utils.result_wrapper(cls.result)
        metric.__dict__["update_state"] = types.MethodType(update_state, metric)
        metric.__dict__["result"] = types.MethodType(result, metric)
        return metric

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        """Update the state with tensors; the result after that."""
        with K.name_scope(self.name):
            updates = self.update_state(*args, **kwargs)
            with self._after(updates):
                return self.result()

    @contextmanager
    def _after(self, updates: list[Any]) -> Iterator[None]:
        """Inside, the metric's attributes that hold state read as the state after ``updates``."""
        new = {id(u[0]): u[1] for u in updates}
        swapped = {}
        for name, value in list(self.__dict__.items()):
            if id(value) in new:
                swapped[name] = value
                self.__dict__[name] = new[id(value)]
        try:
            yield
        finally:
            self.__dict__.update(swapped)

    def reset_states(self) -> None:
        """Set all state to zero."""
        K.batch_set_value((v, 0 * K.get_value(v)) for v in self.weights)

    @abstractmethod
    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """The updates of the state for a batch."""
        raise NotImplementedError("Must be implemented in subclasses.")

    @abstractmethod
    def result(self) -> Tensor:
        """The value of the metric, from its state."""
        raise NotImplementedError("Must be implemented in subclasses.")

    def add_weight(  # type: ignore[override]
        self, name: str, shape: Any = (), initializer: Any = None, dtype: Any = None
    ) -> Tensor:
        """Make a state variable (zeros unless said)."""
        return super().add_weight(
            name=name,
            shape=shape,
            dtype=self.dtype if dtype is None else dtype,
            trainable=False,
            initializer=initializers.get("zeros" if initializer is None else initializer),
        )

    def get_config(self) -> dict[str, Any]:
        return {"name": getattr(self, "given_name", self.name), "dtype": self.dtype}


class Reduce(Metric):
    """A sum or a mean of values over batches; ``reduction`` says which."""

    def __init__(self, reduction: str, name: str | None, dtype: str | None = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.reduction = reduction
        self.total = self.add_weight("total", initializer="zeros")
        if reduction in _AVERAGES:
            self.count = self.add_weight("count", initializer="zeros")

    def update_state(self, values: Any, sample_weight: Any = None) -> list[Any]:
        """Add values, times weights."""
        values = K.cast(values, self.dtype)
        weights: Tensor = None
        if sample_weight is not None:
            weights = K.cast(sample_weight, self.dtype)
            values, weights = losses_utils.squeeze_or_expand_dimensions(values, sample_weight=weights)
            if K.ndim(weights) > K.ndim(values):
                weights = K.reshape(weights, values.shape)
            if K.ndim(values) > K.ndim(weights) > 0:
                values = K.mean(values, axis=list(range(K.ndim(weights), K.ndim(values))))
            weights = losses_utils.broadcast_weights(values, weights)
            values = values * weights
        total = K.sum(values)
        updates = [K.update_add(self.total, total)]
        if self.reduction in _AVERAGES:
            if self.reduction == metrics_utils.Reduction.SUM_OVER_BATCH_SIZE or weights is None:
                count = K.cast(K.size(values), self.dtype)
            else:
                count = K.sum(weights + K.zeros_like(values))
            updates.append(K.update_add(self.count, count))
        return updates

    def result(self) -> Tensor:
        if self.reduction == metrics_utils.Reduction.SUM:
            return K.identity(self.total)
        empty = K.equal(self.count, 0.0)
        safe = K.switch(empty, K.ones_like(self.count), self.count)
        return K.switch(empty, K.zeros_like(self.total), self.total / safe)


_AVERAGES = (metrics_utils.Reduction.SUM_OVER_BATCH_SIZE, metrics_utils.Reduction.WEIGHTED_MEAN)


class Sum(Reduce):
    """The sum of values."""

    def __init__(self, name: str | None = "sum", dtype: str | None = None) -> None:
        super().__init__(reduction=metrics_utils.Reduction.SUM, name=name, dtype=dtype)


class Mean(Reduce):
    """The mean of values, by their weights."""

    def __init__(self, name: str | None = "mean", dtype: str | None = None) -> None:
        super().__init__(reduction=metrics_utils.Reduction.WEIGHTED_MEAN, name=name, dtype=dtype)


class MeanMetricWrapper(Mean):
    """The mean of a function of labels and predictions."""

    def __init__(self, fn: Any, name: str | None = None, dtype: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> list[Any]:  # type: ignore[override]
        """Add the function's values for a batch."""
        y_true, y_pred = K.cast(y_true, self.dtype), K.cast(y_pred, self.dtype)
        y_pred, y_true = losses_utils.squeeze_or_expand_dimensions(y_pred, y_true)
        return list(super().update_state(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight=sample_weight))

    def get_config(self) -> dict[str, Any]:
        plain = {k: K.eval(v).tolist() if K.is_variable(v) else v for k, v in self._fn_kwargs.items()}
        return {**super().get_config(), **plain}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The metric; tf.keras writes the name of the function, too."""
        if isinstance(config.get("fn"), str):
            from . import get

            config = {**config, "fn": get(config["fn"])}
        return cls(**config)
