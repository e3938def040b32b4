"""Models: networks that train."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import optimizers
from ..legacy import interfaces  # noqa: F401 - a name that Keras has here, too
from ..utils.generic_utils import (
    slice_arrays,  # noqa: F401 - a name that Keras has here, too
    to_list,
    unpack_singleton,
)
from . import subclassing, training_arrays, training_generator, training_utils, user_data
from .base_layer import Layer  # noqa: F401 - a name that Keras has here, too
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
        self.__dict__.pop("train_function", None)
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
        if not self.inputs and self._has_own_call():
            subclassing.trace(self, x)
        elif not self.inputs:
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
        return object.__getattribute__(self, name)  # raises what a failing property raised, and not just its name

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
        own = self._own_train_function()
        return self.objective.train(weighted) if own is None else own

    def _own_train_function(self) -> Any:
        """What was assigned to ``train_function`` since ``compile``."""
        if self.__dict__.get("train_function", self) is None:  # as good as not assigned
            del self.train_function
        return self.__dict__.get("train_function")

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
        """Inputs, targets and sample weights as lists of arrays, as ``_feed_inputs`` and the others take them."""
        return user_data.standardize_user_data(
            self, x, y, sample_weight, class_weight, check_array_lengths, batch_size, weighted=True
        )

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
        if training_utils.is_generator_or_sequence(x):
            training_utils.check_generator_arguments(y, sample_weight, validation_split)
            return self.fit_generator(
                x, steps_per_epoch, epochs, verbose, callbacks, validation_data, validation_steps, validation_freq,
                class_weight, max_queue_size, workers, use_multiprocessing, bool(shuffle), initial_epoch,
            )  # fmt: skip
        if x is None and y is None and steps_per_epoch is None:
            raise ValueError("If fitting from data tensors, you should specify the `steps_per_epoch` argument.")
        batch_size = 32 if batch_size is None and steps_per_epoch is None else batch_size
        x, y, weights = user_data.standardize_user_data(
            self, x, _required(y), sample_weight, class_weight, batch_size=batch_size,
            weighted=self._own_train_function() is not None,
        )  # fmt: skip
        val: tuple[Arrays, Arrays, Arrays] = ([], [], [])
        if validation_data:
            val = user_data.validation_arrays(self, validation_data, batch_size)
        elif validation_split:
            if not 0.0 < validation_split < 1.0:
                raise ValueError(f"`validation_split` should be at least 0 and below 1. Found: {validation_split}")
            (x, y, weights), val = user_data.split_off((x, y, weights), validation_split)
        do_validation = bool(validation_data or val[0] or validation_steps)
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
            val_function=self._make_test_function(bool(val[2])) if do_validation else None,
            val_inputs=val[0] + val[1] + val[2] if do_validation else None,
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
        if training_utils.is_generator_or_sequence(x):
            training_utils.check_generator_arguments(y, sample_weight)
            return self.evaluate_generator(x, steps, callbacks, max_queue_size, workers, use_multiprocessing, verbose)
        if x is None and y is None and steps is None:
            raise ValueError("If evaluating from data tensors, you should specify the `steps` argument.")
        batch_size = 32 if batch_size is None and steps is None else batch_size
        x, y, weights = user_data.standardize_user_data(self, x, _required(y), sample_weight, batch_size=batch_size)
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
        if training_utils.is_generator_or_sequence(x):
            return self.predict_generator(x, steps, callbacks, max_queue_size, workers, use_multiprocessing, verbose)
        if x is None and steps is None:
            raise ValueError("If predicting from data tensors, you should specify the `steps` argument.")
        batch_size = 32 if batch_size is None and steps is None else batch_size
        x, _, _ = user_data.standardize_user_data(self, x, check_array_lengths=False, batch_size=batch_size)
        return training_arrays.predict_loop(
            self,
            self._make_predict_function(),
            user_data.cut_to_first(x),
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
        x, y, weights = user_data.standardize_user_data(
            self, x, _required(y), sample_weight, class_weight, weighted=self._own_train_function() is not None
        )
        return self._scalars(self._make_train_function(bool(weights)), x + y + weights, reset_metrics)

    def test_on_batch(self, x: Any, y: Any, sample_weight: Any = None, reset_metrics: bool = True) -> Any:
        """The loss (and metrics) on one batch, in test mode."""
        if not self._is_compiled:
            raise RuntimeError(_NOT_COMPILED)
        x, y, weights = user_data.standardize_user_data(self, x, _required(y), sample_weight)
        return self._scalars(self._make_test_function(bool(weights)), x + y + weights, reset_metrics)

    def _scalars(self, function: Any, inputs: Sequence[Any], reset_metrics: bool) -> Any:
        outputs = [out[()] for out in function(inputs)]
        if reset_metrics:
            self.reset_metrics()
        return unpack_singleton(outputs)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, in test mode."""
        x, _, _ = user_data.standardize_user_data(self, x)
        return unpack_singleton(self._make_predict_function()(x))

    # -- generators -------------------------------------------------------------------------------------------------
    def fit_generator(
        self,
        generator: Any,
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        callbacks: Any = None,
        validation_data: Any = None,
        validation_steps: int | None = None,
        validation_freq: Any = 1,
        class_weight: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        shuffle: bool = True,
        initial_epoch: int = 0,
    ) -> Any:
        """Train on what a generator or a ``Sequence`` gives, batch by batch."""
        if not self._is_compiled:
            raise RuntimeError(_NOT_COMPILED)
        return training_generator.fit_generator(
            self, generator, steps_per_epoch, epochs, verbose, callbacks, validation_data, validation_steps,
            validation_freq, class_weight, max_queue_size, workers, use_multiprocessing, shuffle, initial_epoch,
        )  # fmt: skip

    def evaluate_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: int = 0,
    ) -> Any:
        """The loss (and metrics) on what a generator or a ``Sequence`` gives."""
        if not self._is_compiled:
            raise RuntimeError(_NOT_COMPILED)
        return training_generator.evaluate_generator(
            self, generator, steps, callbacks, max_queue_size, workers, use_multiprocessing, verbose
        )

    def predict_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: int = 0,
    ) -> Any:
        """The outputs for what a generator or a ``Sequence`` gives."""
        return training_generator.predict_generator(
            self, generator, steps, callbacks, max_queue_size, workers, use_multiprocessing, verbose
        )


def _required(y: Any) -> Any:
    """Targets, or an empty list where there are none (then only losses that layers added count)."""
    return [] if y is None else y
