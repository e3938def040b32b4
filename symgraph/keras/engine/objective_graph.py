"""The part of the graph that ``Model.compile`` adds (targets, losses, metrics), and the functions of training."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from .. import backend as K
from .. import losses
from .. import metrics as metrics_module
from ..utils.generic_utils import to_list
from . import objectives

Tensor = Any


class StepFunction:
    """A step under Keras's name: takes inputs and targets; sample weights and a learning phase may follow.

    ``make`` gives the function without sample weights, or with them; ``data`` counts inputs and targets, ``weights``
    sample weights.
    """

    def __init__(self, make: Callable[[bool], Any], data: int, weights: int) -> None:
        self._make = make
        self._data = data
        self._weights = weights

    def __call__(self, inputs: Sequence[Any]) -> Any:
        return self._make(len(inputs) > self._data)(list(inputs[: self._data + self._weights]))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._make(False), name)


class ObjectiveGraph:
    """Everything between a model's outputs and its training function."""

    #: Names under which a compiled model shows parts of this.
    PUBLIC: ClassVar[frozenset[str]] = frozenset(
        {
            "_feed_sample_weights",
            "_feed_targets",
            "loss_functions",
            "loss_weights_list",
            "sample_weight_modes",
            "sample_weights",
            "skip_target_indices",
            "targets",
            "test_function",
            "total_loss",
            "train_function",
        }
    )

    def __init__(
        self,
        model: Any,
        loss: Any,
        metrics: Any,
        loss_weights: Any,
        sample_weight_mode: Any,
        weighted_metrics: Any,
        target_tensors: Any,
    ) -> None:
        self._model = model
        names = model.output_names
        shapes = [K.int_shape(x) for x in model.outputs]
        self.loss_functions = objectives.prepare_loss_functions(loss, names)
        self.loss_weights_list = objectives.prepare_loss_weights(names, loss_weights)
        self.skip_target_indices = [i for i, fn in enumerate(self.loss_functions) if fn is None]
        self._kept = [i for i in range(len(names)) if i not in self.skip_target_indices]
        self._masks = [h[0]._inbound_nodes[h[1]].output_masks[h[2]] for h in model._output_coordinates]
        self._given_targets = _given_targets(target_tensors, names)
        self.sample_weights, self.sample_weight_modes = objectives.prepare_sample_weights(
            names, sample_weight_mode, self.skip_target_indices
        )
        self._plain_metrics = objectives.collect_per_output_metric_info(metrics, names, shapes, self.loss_functions)
        self._weighted_metrics = objectives.collect_per_output_metric_info(
            weighted_metrics, names, shapes, self.loss_functions, is_weighted=True
        )
        self._build(())

    def _build(self, single_axes: tuple[tuple[int, ...], ...]) -> None:
        """Make what depends on the targets: for each fed one, ``single_axes`` are those along which it has one element,
        to be repeated along the output."""
        names = self._model.output_names
        self.single_axes = single_axes
        self.targets = [self._target(i) for i in range(len(names))]
        self.output_loss_metrics = (
            [metrics_module.Mean(name=names[i] + "_loss") for i in self._kept] if len(names) > 1 else []
        )
        self.metric_functions: list[Any] = []
        with K.name_scope("metrics"):
            for i in self._kept:
                self._apply_metrics(i, self._plain_metrics[i], weighted=False)
                self._apply_metrics(i, self._weighted_metrics[i], weighted=True)
        with K.name_scope("loss"):
            self.total_loss = self._total_loss()
        self._training_updates: list[Any] | None = None
        self._functions: dict[tuple[str, bool], Any] = {}

    # -- what is fed ------------------------------------------------------------------------------------------------
    def _fed(self) -> list[int]:
        return [i for i in self._kept if self._given_targets[i] is None]

    def _weighted(self) -> list[int]:
        return [i for i in self._kept if self.sample_weights[i] is not None]

    @property
    def _feed_targets(self) -> list[Tensor]:
        return [self.targets[i] for i in self._fed()]

    @property
    def _feed_sample_weights(self) -> list[Tensor]:
        return [self.sample_weights[i] for i in self._weighted()]

    @property
    def feed_output_names(self) -> list[str]:
        return [self._model.output_names[i] for i in self._fed()]

    @property
    def feed_loss_functions(self) -> list[Any]:
        return [self.loss_functions[i] for i in self._fed()]

    @property
    def feed_output_shapes(self) -> list[Any]:
        """The shapes that targets must have; None where the loss is the user's own."""
        return [self._target_shape(i) for i in self._fed()]

    @property
    def feed_class_counts(self) -> list[int | None]:
        """The size of the last axis of the outputs that have targets."""
        return [K.int_shape(self._model.outputs[i])[-1] for i in self._fed()]

    @property
    def feed_sample_weight_modes(self) -> list[Any]:
        return [self.sample_weight_modes[i] for i in self._fed()]

    def _target_shape(self, i: int) -> Any:
        shape = K.int_shape(self._model.outputs[i])
        fn = getattr(self.loss_functions[i], "fn", None)
        if fn is losses.sparse_categorical_crossentropy:
            return (*shape[:-1], 1)
        if fn is not None and getattr(losses, getattr(fn, "__name__", ""), None) is fn:
            return shape
        return None

    def _target(self, i: int) -> Tensor:
        if i in self.skip_target_indices:
            return None
        if self._given_targets[i] is not None:
            return self._given_targets[i]
        output = self._model.outputs[i]
        shape = self._target_shape(i)
        single = self.single_axes[self._fed().index(i)] if self.single_axes else ()
        unknown = tuple(1 if axis in single else None for axis in range(K.ndim(output)))
        return K.placeholder(
            shape=unknown if shape is None else (None, *shape[1:]),
            name=self._model.output_names[i] + "_target",
            dtype=K.dtype(output),
        )

    def adapted(self, y: Sequence[Any]) -> ObjectiveGraph:
        """This, or the same for targets that have one element along axes where the outputs have several.

        Only a loss of the user's takes such targets, and broadcasts them; the graph must know where.
        """
        single = tuple(
            tuple(a for a in range(1, len(K.int_shape(output))) if _is_repeated(a, target, K.int_shape(output)))
            if shape is None else ()
            for target, shape, output in zip(
                y, self.feed_output_shapes, [self._model.outputs[i] for i in self._fed()], strict=True
            )
        )  # fmt: skip
        if single == (self.single_axes or ((),) * len(single)):
            return self
        other = copy.copy(self)
        other._build(single)
        if self._training_updates is not None:
            state = self._model.optimizer.get_weights()
            other.prepare_optimizer()
            self._model.optimizer.set_weights(state)
        return other

    # -- losses and metrics -----------------------------------------------------------------------------------------
    def _weights(self, i: int) -> Tensor:
        """Sample weights times mask."""
        weight, mask = self.sample_weights[i], self._masks[i]
        if mask is None:
            return weight
        mask = K.cast(mask, K.dtype(self._model.outputs[i]))
        if K.ndim(weight) < K.ndim(mask):
            weight = K.expand_dims(weight, -1)
        return weight * mask

    def _total_loss(self) -> Tensor:
        total: Tensor = None
        for position, i in enumerate(self._kept):
            name = self._model.output_names[i]
            with K.name_scope(name + "_loss"), _without_numpy(f"loss of the output {name}"):
                loss = self.loss_functions[i](self.targets[i], self._model.outputs[i], sample_weight=self._weights(i))
            if self.output_loss_metrics:
                self.output_loss_metrics[position](loss)
            factor = self.loss_weights_list[i]
            part = loss if factor == 1.0 else factor * loss
            total = part if total is None else total + part
        for extra in self._model.losses:
            extra = extra if not K.is_tensor(extra) or not K.ndim(extra) else K.mean(extra)
            total = extra if total is None else total + extra
        if total is None:
            raise ValueError("The model cannot be compiled because it has no loss to optimize.")
        return total

    def _apply_metrics(self, i: int, found: dict[str, Any], weighted: bool) -> None:
        names = ["loss", *(m.name for m in self.output_loss_metrics), *(m.name for m in self.metric_functions)]
        for name, metric in found.items():
            base = name if len(self._model.output_names) == 1 else f"{self._model.output_names[i]}_{name}"
            unique, n = base, 1
            while unique in names:
                unique, n = f"{base}_{n}", n + 1
            metric.given_name = name  # in configs, so that another ``compile`` does not add to it again
            metric.name = unique
            names.append(unique)
            with _without_numpy(f"metric {name}"):
                objectives.call_metric_function(
                    metric,
                    self.targets[i],
                    self._model.outputs[i],
                    weights=self.sample_weights[i] if weighted else None,
                    mask=self._masks[i],
                )
            self.metric_functions.append(metric)

    # -- functions --------------------------------------------------------------------------------------------------
    def train(self, weighted: bool) -> Any:
        """The function of inputs, targets (and sample weights) that trains one step and gives loss and metrics."""
        return self._function("train", weighted)

    def test(self, weighted: bool) -> Any:
        """The same without training."""
        return self._function("test", weighted)

    @property
    def train_function(self) -> StepFunction:
        return StepFunction(self.train, len(self._model._feed_inputs) + len(self._fed()), len(self._weighted()))

    @property
    def test_function(self) -> StepFunction:
        return StepFunction(self.test, len(self._model._feed_inputs) + len(self._fed()), len(self._weighted()))

    def _function(self, kind: str, weighted: bool) -> Any:
        function = self._functions.get((kind, weighted))
        if function is None:
            function = self._functions[kind, weighted] = self._make(kind, weighted)
        return function

    def _make(self, kind: str, weighted: bool) -> Any:
        model, training = self._model, kind == "train"
        reported = self.output_loss_metrics + model.metrics
        updates = self._optimizer_updates() + model.updates if training else list(model.state_updates)
        updates = updates + [u for m in reported for u in m.updates]
        inputs = model._feed_inputs + self._feed_targets
        givens = {}
        if weighted:
            inputs = inputs + self._feed_sample_weights
        else:  # the compiler drops multiplications by one
            for i in self._weighted():
                weight = self.sample_weights[i]
                givens[weight] = K.filled(self.targets[i].shape[: K.ndim(weight)], 1.0, K.dtype(weight))
        outputs = [self.total_loss] + [m._call_result for m in reported]
        return K.Function(inputs, outputs, updates, name=f"{model.name}_{kind}", phase=int(training), givens=givens)

    def prepare_optimizer(self) -> None:
        """Make the optimizer's variables, without compiling anything."""
        self._optimizer_updates()

    def _optimizer_updates(self) -> list[Any]:
        if self._training_updates is None:
            with K.name_scope("training"), K.name_scope(type(self._model.optimizer).__name__):
                self._training_updates = self._model.optimizer.get_updates(
                    params=self._model._collected_trainable_weights, loss=self.total_loss
                )
        return self._training_updates


def _given_targets(target_tensors: Any, names: list[str]) -> list[Tensor]:
    if target_tensors is None:
        return [None] * len(names)
    if isinstance(target_tensors, dict):
        for name in target_tensors:
            if name not in names:
                raise ValueError(
                    f'Unknown entry in `target_tensors` dictionary: "{name}". Only expected the following keys: {names}'
                )
        return [target_tensors.get(name) for name in names]
    given = to_list(target_tensors, allow_tuple=True)
    if len(given) != len(names):
        raise ValueError(
            "When passing a list as `target_tensors`, it should have one entry per model output. The model has "
            f"{len(names)} "
            f"outputs, but you passed target_tensors={target_tensors}"
        )
    return given


def _is_repeated(axis: int, target: Any, shape: tuple[int | None, ...]) -> bool:
    """Whether a target has one element where an output of this shape has several, by number."""
    size = shape[axis]
    return size is not None and size > 1 and np.ndim(target) == len(shape) and np.shape(target)[axis] == 1


@contextmanager
def _without_numpy(what: str) -> Iterator[None]:
    """Say what to write instead where a person's function calls NumPy on tensors."""
    try:
        yield
    except TypeError as error:
        if "does not support ufuncs" not in str(error):
            raise
        raise TypeError(
            f"The {what} calls a function of NumPy, which takes arrays, on symbolic tensors. Write it with functions "
            "of keras.backend, as K.mean(K.square(y_pred - y_true))"
        ) from error
