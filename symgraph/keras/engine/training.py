"""Models: networks that train."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import optimizers
from ..utils.generic_utils import slice_arrays, to_list, unpack_singleton
from . import training_arrays, training_utils
from .network import Network
from .objective_graph import ObjectiveGraph

Tensor = Any
Arrays = list[Any]
_NOT_COMPILED = "You must compile a model before training/testing. Use `model.compile(optimizer, loss)`."


class Model(Network):
    """A network with an objective: ``compile``, then ``fit``, ``evaluate``, ``predict``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_compiled = False
        self._objective: ObjectiveGraph | None = None
        self.stop_training = False
        self.history: Any = None
        self._predict: Any = None

    # -- compiling --------------------------------------------------------------------------------------------------
    def compile(
        self,
        optimizer: Any,
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        sample_weight_mode: Any = None,
        weighted_metrics: Any = None,
        target_tensors: Any = None,
        **kwargs: Any,
    ) -> None:
        """Say what to train for, and how. A model without shapes yet is compiled when it meets its first data.

        Raises:
            ValueError: for unknown names, and for arguments that do not fit the outputs.
        """
        if kwargs:
            raise ValueError(f'Invalid argument "{next(iter(kwargs))}" passed to K.function')
        self.optimizer = optimizers.get(optimizer)
        self.loss = loss or {}
        self.loss_weights = loss_weights
        self.sample_weight_mode = sample_weight_mode
        self._compile_metrics = metrics or []
        self._compile_weighted_metrics = weighted_metrics
        self._objective = None
        self._is_compiled = True
        if not self.built:
            return
        self._objective = ObjectiveGraph(
            self, self.loss, self._compile_metrics, loss_weights, sample_weight_mode, weighted_metrics, target_tensors
        )
        self._collected_trainable_weights = self.trainable_weights

    def _set_up(self, x: Any) -> None:
        """Build a model that waits for its first data, and compile it if it was to be compiled."""
        if not self.inputs:
            first = training_utils.standardize_single_array(to_list(x, allow_tuple=True)[0])
            self.build((None, *np.shape(first)[1:]))
        if self._is_compiled and self._objective is None:
            self.compile(
                self.optimizer, self.loss, self._compile_metrics, self.loss_weights, self.sample_weight_mode,
                self._compile_weighted_metrics,
            )  # fmt: skip

    @property
    def objective(self) -> ObjectiveGraph:
        """What ``compile`` built.

        Raises:
            RuntimeError: before ``compile``.
        """
        if self._objective is None:
            raise RuntimeError(_NOT_COMPILED)
        return self._objective

    def __getattr__(self, name: str) -> Any:
        if name in ObjectiveGraph.PUBLIC and self.__dict__.get("_objective") is not None:
            return getattr(self.__dict__["_objective"], name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def metrics(self) -> list[Any]:
        """The metrics of ``compile``, then those that layers added."""
        own = list(self._objective.metric_functions) if self._objective is not None else []
        return own + self._added_metrics()

    @property
    def metrics_names(self) -> list[str]:
        """The names of what ``evaluate`` and ``train_on_batch`` return."""
        if self._objective is None:
            raise RuntimeError(_NOT_COMPILED)
        losses = [m.name for m in self._objective.output_loss_metrics]
        return ["loss", *losses, *(m.name for m in self.metrics)]

    def reset_metrics(self) -> None:
        """Start all metrics anew."""
        if self._objective is not None:
            for m in self._objective.output_loss_metrics + self.metrics:
                m.reset_states()

    # -- functions --------------------------------------------------------------------------------------------------
    def _make_train_function(self, weighted: bool = False) -> Any:
        frozen = self._collected_trainable_weights
        now = self.trainable_weights
        if len(frozen) != len(now):
            warnings.warn(
                "Discrepancy between trainable weights and collected trainable weights, did you set `model.trainable` "
                "without calling `model.compile` after ?",
                stacklevel=3,
            )
        return self.objective.train(weighted)

    def _make_test_function(self, weighted: bool = False) -> Any:
        return self.objective.test(weighted)

    def _make_predict_function(self) -> Any:
        if self._predict is None or self._predict[0] is not self.outputs[0]:
            self._predict = (self.outputs[0], training_arrays.predict_function(self))
        return self._predict[1]

    predict_function = property(_make_predict_function)

    # -- data -------------------------------------------------------------------------------------------------------
    def _standardize_user_data(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        check_array_lengths: bool = True,
        batch_size: int | None = None,
    ) -> tuple[Arrays, Arrays, Arrays]:
        """Inputs, targets and sample weights as lists of arrays; no weights at all where none were asked for."""
        self._set_up(x)
        x = training_utils.standardize_input_data(
            x, self._feed_input_names, self._feed_input_shapes, check_batch_axis=False, exception_prefix="input"
        )
        weights: Arrays = []
        if y is not None:
            goal = self.objective
            if goal.feed_output_names and isinstance(y, (list, tuple)) and not y:
                raise ValueError(f"No targets were given; the model expects some for {goal.feed_output_names}.")
            y = training_utils.standardize_input_data(
                y, goal.feed_output_names, goal.feed_output_shapes, check_batch_axis=False, exception_prefix="target"
            )
            if sample_weight is not None or class_weight is not None:
                by_sample = training_utils.standardize_sample_weights(sample_weight, goal.feed_output_names)
                by_class = training_utils.standardize_class_weights(class_weight, goal.feed_output_names)
                weights = [
                    training_utils.standardize_weights(ref, sw, cw, mode)
                    for ref, sw, cw, mode in zip(y, by_sample, by_class, goal.feed_sample_weight_modes, strict=True)
                ]
            if check_array_lengths:
                training_utils.check_array_length_consistency(x, y, weights)
            training_utils.check_loss_and_target_compatibility(y, goal.feed_loss_functions, goal.feed_output_shapes)
            training_utils.check_labels(y, goal.feed_loss_functions, goal.feed_class_counts)
        else:
            y = []
            if check_array_lengths:
                training_utils.check_array_length_consistency(x, [], None)
        if x and hasattr(x[0], "shape") and x[0].shape[0] == 0:
            raise ValueError(
                f"The data has no samples: the array for {self._feed_input_names[0]} has shape {x[0].shape}."
            )
        static = self._feed_input_shapes[0][0] if self._feed_input_shapes else None
        if static and batch_size and x[0].shape[0] % static:
            raise ValueError(
                "In a stateful network, you should only pass inputs with a number of samples that can be divided "
                "by the "
                f"batch size. Found: {x[0].shape[0]} samples. Batch size: {static}."
            )
        return x, y, weights

    # -- training and testing ---------------------------------------------------------------------------------------
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_freq: Any = 1,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Train for ``epochs`` passes over arrays; gives the ``History``."""
        if "nb_epoch" in kwargs:
            warnings.warn("The `nb_epoch` argument in `fit` has been renamed `epochs`.", stacklevel=2)
            epochs = kwargs.pop("nb_epoch")
        if kwargs:
            raise TypeError("Unrecognized keyword arguments: " + str(kwargs))
        if not self._is_compiled:
            raise RuntimeError(_NOT_COMPILED)
        if x is None and y is None and steps_per_epoch is None:
            raise ValueError("If fitting from data tensors, you should specify the `steps_per_epoch` argument.")
        batch_size = 32 if batch_size is None and steps_per_epoch is None else batch_size
        x, y, weights = self._standardize_user_data(x, _required(y), sample_weight, class_weight, batch_size=batch_size)
        val_x: Arrays = []
        val_y: Arrays = []
        val_weights: Arrays = []
        do_validation = bool(validation_data)
        if validation_data:
            if len(validation_data) not in (2, 3):
                raise ValueError(
                    "When passing validation_data, it must contain 2 (x_val, y_val) or 3 (x_val, y_val, "
                    f"val_sample_weights) items, however it contains {len(validation_data)} items"
                )
            val_x, val_y, val_weights = self._standardize_user_data(
                validation_data[0],
                _required(validation_data[1]),
                validation_data[2] if len(validation_data) > 2 else None,
                batch_size=batch_size,
            )
        elif validation_split and 0.0 < validation_split < 1.0:
            do_validation = True
            split = int(int(x[0].shape[0]) * (1.0 - validation_split))
            x, val_x = slice_arrays(x, 0, split), slice_arrays(x, split)
            y, val_y = slice_arrays(y, 0, split), slice_arrays(y, split)
            weights, val_weights = slice_arrays(weights, 0, split), slice_arrays(weights, split)
        elif validation_steps:
            do_validation = True
        fit_function = self._make_train_function(bool(weights))
        out_labels = self.metrics_names
        return training_arrays.fit_loop(
            self,
            fit_function,
            x + y + weights,
            out_labels=out_labels,
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            val_function=self._make_test_function(bool(val_weights)) if do_validation else None,
            val_inputs=val_x + val_y + val_weights if do_validation else None,
            shuffle=shuffle,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_freq=validation_freq,
        )

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int = 1,
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """The loss (and metrics) on arrays, in test mode: a number, or a list in the order of ``metrics_names``."""
        if not self._is_compiled:
            raise RuntimeError(_NOT_COMPILED)
        if x is None and y is None and steps is None:
            raise ValueError("If evaluating from data tensors, you should specify the `steps` argument.")
        batch_size = 32 if batch_size is None and steps is None else batch_size
        x, y, weights = self._standardize_user_data(x, _required(y), sample_weight, batch_size=batch_size)
        return training_arrays.test_loop(
            self,
            self._make_test_function(bool(weights)),
            x + y + weights,
            batch_size=batch_size,
            verbose=verbose,
            steps=steps,
            callbacks=callbacks,
        )

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int = 0,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """The outputs for arrays, in test mode."""
        if x is None and steps is None:
            raise ValueError("If predicting from data tensors, you should specify the `steps` argument.")
        batch_size = 32 if batch_size is None and steps is None else batch_size
        x, _, _ = self._standardize_user_data(x, batch_size=batch_size)
        return training_arrays.predict_loop(
            self,
            self._make_predict_function(),
            x,
            batch_size=batch_size,
            verbose=verbose,
            steps=steps,
            callbacks=callbacks,
        )

    def train_on_batch(
        self, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None, reset_metrics: bool = True
    ) -> Any:
        """One update from one batch; gives the loss (and metrics)."""
        if not self._is_compiled:
            raise RuntimeError(_NOT_COMPILED)
        x, y, weights = self._standardize_user_data(x, _required(y), sample_weight, class_weight)
        return self._scalars(self._make_train_function(bool(weights)), x + y + weights, reset_metrics)

    def test_on_batch(self, x: Any, y: Any, sample_weight: Any = None, reset_metrics: bool = True) -> Any:
        """The loss (and metrics) on one batch, in test mode."""
        if not self._is_compiled:
            raise RuntimeError(_NOT_COMPILED)
        x, y, weights = self._standardize_user_data(x, _required(y), sample_weight)
        return self._scalars(self._make_test_function(bool(weights)), x + y + weights, reset_metrics)

    def _scalars(self, function: Any, inputs: Sequence[Any], reset_metrics: bool) -> Any:
        outputs = [out[()] for out in function(inputs)]
        if reset_metrics:
            self.reset_metrics()
        return unpack_singleton(outputs)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, in test mode."""
        x, _, _ = self._standardize_user_data(x)
        return unpack_singleton(self._make_predict_function()(x))


def _required(y: Any) -> Any:
    """Targets, or an empty list where there are none (then only losses that layers added count)."""
    return [] if y is None else y
