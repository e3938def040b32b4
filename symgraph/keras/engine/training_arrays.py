"""Training, testing and predicting over arrays in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend as K
from .. import callbacks as cbks
from ..utils.generic_utils import Progbar, slice_arrays, to_list, unpack_singleton
from .training_utils import batch_shuffle, check_num_samples, make_batches, should_run_validation

__all__ = [
    "batch_shuffle",
    "check_num_samples",
    "fit_loop",
    "make_batches",
    "predict_function",
    "predict_loop",
    "should_run_validation",
    "slice_arrays",
    "test_loop",
    "to_list",
    "unpack_singleton",
]

Array = np.ndarray[Any, Any]
_CONVERT_LIMIT = 2**31  # bytes of converted data that are kept; larger arrays are converted batch by batch


class _Rows:
    """Batches of some arrays, in the dtypes that a function takes.

    Arrays are converted once. Rows picked by number are copied into buffers that all batches share, so a batch is valid
    until the next one is asked for. Data that is not a NumPy array (an HDF5 data set, a sparse matrix) is sliced as it
    is.
    """

    def __init__(self, function: Any, arrays: Sequence[Any], batch_size: int) -> None:
        wanted = [str(x.dtype) for x in getattr(function, "inputs", ())]
        dtypes = wanted if len(wanted) == len(arrays) else [None] * len(arrays)
        self.plain = all(isinstance(a, np.ndarray) for a in arrays)
        self.arrays = [_converted(a, d) for a, d in zip(arrays, dtypes, strict=True)]
        self._size = batch_size
        self._buffers: list[Array] = []

    def span(self, start: int, stop: int) -> list[Any]:
        """Rows ``start`` to ``stop``, without a copy."""
        return [a[start:stop] for a in self.arrays]

    def pick(self, rows: Array) -> list[Any]:
        """The rows of the given numbers, in that order."""
        if not self.plain:
            order = np.sort(rows)  # HDF5 reads rows in rising order only; the other arrays keep step
            return [a[order] if isinstance(a, np.ndarray) else a[order.tolist()] for a in self.arrays]
        if not self._buffers:
            self._buffers = [np.empty((self._size, *a.shape[1:]), a.dtype) for a in self.arrays]
        count = len(rows)
        batch = [b if count == self._size else b[:count] for b in self._buffers]
        for a, b in zip(self.arrays, batch, strict=True):
            a.take(rows, axis=0, out=b, mode="clip")
        return batch


def _converted(array: Any, dtype: str | None) -> Any:
    if not isinstance(array, np.ndarray) or dtype is None:
        return array
    if array.dtype == dtype or array.size * np.dtype(dtype).itemsize > _CONVERT_LIMIT:
        return array
    return array.astype(dtype)


def predict_function(model: Any) -> Any:
    """The compiled function from a model's inputs to its outputs, in test mode."""
    return K.Function(
        model._feed_inputs, list(model.outputs), list(model.state_updates), name=f"{model.name}_predict", phase=0
    )


def fit_loop(
    model: Any,
    fit_function: Any,
    fit_inputs: Sequence[Any],
    out_labels: Sequence[str] | None = None,
    batch_size: int | None = None,
    epochs: int = 100,
    verbose: int = 1,
    callbacks: Any = None,
    val_function: Any = None,
    val_inputs: Sequence[Any] | None = None,
    shuffle: Any = True,
    initial_epoch: int = 0,
    steps_per_epoch: int | None = None,
    validation_steps: int | None = None,
    validation_freq: Any = 1,
) -> Any:
    """Epochs of batches; gives the ``History``.

    ``shuffle``: True mixes samples (through ``np.random``), ``'batch'`` mixes batches.
    """
    do_validation = bool(val_function is not None and (val_inputs or validation_steps))
    if do_validation and verbose and fit_inputs and val_inputs:
        print(f"Train on {len(fit_inputs[0])} samples, validate on {len(val_inputs[0])} samples")
    if validation_steps and steps_per_epoch is None:
        raise ValueError(
            "Can only use `validation_steps` when doing step-wise training, i.e. `steps_per_epoch` must be set."
        )
    samples = check_num_samples(fit_inputs, batch_size, steps_per_epoch, "steps_per_epoch")
    labels = list(out_labels or [])
    hooks = training_callbacks(model, callbacks, verbose, "steps" if steps_per_epoch else "samples")
    hooks.set_params(
        {
            "batch_size": batch_size,
            "epochs": epochs,
            "steps": steps_per_epoch,
            "samples": samples,
            "verbose": verbose,
            "do_validation": do_validation,
            "metrics": labels + ["val_" + n for n in labels] if do_validation else labels,
        }
    )
    hooks.call_begin("train")
    model.stop_training = False
    for callback in hooks:
        callback.validation_data = val_inputs
    if val_function is not None and val_inputs:
        val_inputs = _Rows(val_function, val_inputs, batch_size or 1).arrays
    epoch_batches = _Epochs(fit_function, fit_inputs, samples, batch_size, steps_per_epoch, shuffle)
    for epoch in range(initial_epoch, epochs):
        model.reset_metrics()
        hooks.on_epoch_begin(epoch)
        finished = _train_epoch(model, fit_function, epoch_batches, hooks, labels)
        epoch_logs: dict[str, Any] = {}
        if finished and do_validation and should_run_validation(validation_freq, epoch):
            results = test_loop(
                model,
                val_function,
                val_inputs or [],
                batch_size=batch_size,
                verbose=0,
                steps=validation_steps,
                callbacks=hooks,
            )
            epoch_logs = {"val_" + n: v for n, v in zip(labels, to_list(results), strict=False)}
        hooks.on_epoch_end(epoch, epoch_logs)
        if model.stop_training:
            break
    hooks.call_end("train")
    return model.history


class _Epochs:
    """The batches of an epoch, again each time it is iterated: ``(number, size, arrays)``."""

    def __init__(
        self,
        function: Any,
        arrays: Sequence[Any],
        samples: int | None,
        batch_size: int | None,
        steps: int | None,
        shuffle: Any,
    ) -> None:
        self.steps = steps
        self.shuffle = shuffle
        self.batch_size = batch_size or 1
        self.order = np.arange(samples or 0)
        self.spans = make_batches(samples or 0, self.batch_size)
        self.rows = _Rows(function, arrays, self.batch_size)

    def __len__(self) -> int:
        return self.steps or len(self.spans)

    def __iter__(self) -> Any:
        if self.steps is not None:
            for i in range(self.steps):
                yield i, 1, self.rows.arrays
            return
        if self.shuffle == "batch":
            self.order = batch_shuffle(self.order, self.batch_size)
        elif self.shuffle:
            np.random.shuffle(self.order)
        for i, (start, stop) in enumerate(self.spans):
            yield (
                i,
                stop - start,
                self.rows.pick(self.order[start:stop]) if self.shuffle else self.rows.span(start, stop),
            )


def _train_epoch(model: Any, function: Any, batches: _Epochs, hooks: Any, labels: Sequence[str]) -> bool:
    """One pass; whether it got to the last batch."""
    done = 0
    for number, size, inputs in batches:
        logs: dict[str, Any] = {"batch": number, "size": size}
        hooks.call_batch("train", "begin", number, logs)
        for label, value in zip(labels, function(inputs), strict=False):
            logs[label] = value[()]
        hooks.call_batch("train", "end", number, logs)
        done = number + 1
        if model.stop_training:
            break
    return done == len(batches)


def training_callbacks(model: Any, callbacks: Any, verbose: int, count_mode: str) -> cbks.CallbackList:
    stateful = model.metrics_names[1:]
    model.history = cbks.History()
    listed: list[Any] = [cbks.BaseLogger(stateful_metrics=stateful)]
    if verbose:
        listed.append(cbks.ProgbarLogger(count_mode, stateful_metrics=stateful))
    hooks = cbks.CallbackList([*listed, *(callbacks or []), model.history])
    hooks.set_model(getattr(model, "callback_model", None) or model)
    return hooks


def other_callbacks(model: Any, callbacks: Any, **params: Any) -> cbks.CallbackList:
    if isinstance(callbacks, cbks.CallbackList):
        return callbacks
    hooks = cbks.CallbackList(callbacks)
    hooks.set_model(model)
    hooks.set_params(params)
    return hooks


def test_loop(
    model: Any,
    f: Any,
    ins: Sequence[Any],
    batch_size: int | None = None,
    verbose: int = 0,
    steps: int | None = None,
    callbacks: Any = None,
) -> Any:
    """The loss, averaged over samples (or steps), and the metrics at the end; a number where there is only a loss."""
    model.reset_metrics()
    samples = check_num_samples(ins, batch_size, steps, "steps")
    hooks = other_callbacks(model, callbacks, batch_size=batch_size, steps=steps, samples=samples, verbose=verbose)
    bar = Progbar(target=samples if steps is None else steps) if verbose == 1 else None
    hooks.call_begin("test")
    rows = _Rows(f, ins, batch_size or 1)
    spans = make_batches(samples or 0, batch_size or 1) if steps is None else [(i, i + 1) for i in range(steps)]
    loss, outs = 0.0, []
    for number, (start, stop) in enumerate(spans):
        logs: dict[str, Any] = {"batch": number, "size": stop - start}
        hooks.call_batch("test", "begin", number, logs)
        outs = [x[()] for x in f(rows.span(start, stop) if steps is None else rows.arrays)]
        loss += float(outs[0]) * (stop - start)
        logs.update(zip(model.metrics_names, outs, strict=False))
        hooks.call_batch("test", "end", number, logs)
        if bar is not None:
            bar.update(stop)
    hooks.call_end("test")
    return unpack_singleton([loss / spans[-1][1], *(float(x) for x in outs[1:])])


test_loop.__test__ = False  # type: ignore[attr-defined]  # no test, whatever collects by name


def predict_loop(
    model: Any,
    f: Any,
    ins: Sequence[Any],
    batch_size: int | None = 32,
    verbose: int = 0,
    steps: int | None = None,
    callbacks: Any = None,
) -> Any:
    """The outputs for all samples: an array, or a list of arrays."""
    samples = check_num_samples(ins, batch_size, steps, "steps")
    hooks = other_callbacks(model, callbacks, batch_size=batch_size, steps=steps, samples=samples, verbose=verbose)
    bar = Progbar(target=samples if steps is None else steps) if verbose == 1 else None
    hooks.call_begin("predict")
    rows = _Rows(f, ins, batch_size or 1)
    spans = make_batches(samples or 0, batch_size or 1) if steps is None else [(i, i + 1) for i in range(steps)]
    results: list[Array] = []
    pieces: list[list[Array]] = []
    for number, (start, stop) in enumerate(spans):
        logs: dict[str, Any] = {"batch": number, "size": stop - start}
        hooks.call_batch("predict", "begin", number, logs)
        outs = f(rows.span(start, stop) if steps is None else rows.arrays)
        if steps is not None or len(spans) == 1 or any(x.shape[:1] != (stop - start,) for x in outs):
            pieces.append(outs)
        else:
            if not results:
                results = [np.empty((samples or 0, *x.shape[1:]), x.dtype) for x in outs]
            for whole, part in zip(results, outs, strict=True):
                whole[start:stop] = part
        logs["outputs"] = outs
        hooks.call_batch("predict", "end", number, logs)
        if bar is not None:
            bar.update(stop)
    hooks.call_end("predict")
    if pieces:
        results = [np.concatenate(parts) if len(parts) > 1 else parts[0] for parts in zip(*pieces, strict=True)]
    return unpack_singleton(results)
