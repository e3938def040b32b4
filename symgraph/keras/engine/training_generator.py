"""Training, testing and predicting over generators and sequences of batches."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import callbacks as cbks
from ..utils.enqueuers import GeneratorEnqueuer, OrderedEnqueuer, Sequence
from ..utils.generic_utils import Progbar, to_list, unpack_singleton
from .training_arrays import other_callbacks, training_callbacks
from .training_utils import is_generator_or_sequence, is_sequence, iter_sequence_infinite, should_run_validation
from .user_data import validation_arrays

__all__ = [
    "Sequence",
    "evaluate_generator",
    "fit_generator",
    "is_sequence",
    "iter_sequence_infinite",
    "predict_generator",
]


@contextlib.contextmanager
def _batches(
    generator: Any, workers: int, use_multiprocessing: bool, max_queue_size: int, shuffle: bool = False
) -> Iterator[Iterator[Any]]:
    """The batches of a generator or sequence, prepared by ``workers`` (0: here, when they are asked for)."""
    sequence = is_sequence(generator)
    if workers <= 0:
        yield iter_sequence_infinite(generator) if sequence else iter(generator)
        return
    if not sequence and use_multiprocessing and workers > 1:
        warnings.warn(
            "Using a generator with `use_multiprocessing=True` and multiple workers may duplicate your data. Please "
            "consider using the `keras.utils.Sequence` class.",
            stacklevel=6,
        )
    enqueuer: Any = (
        OrderedEnqueuer(generator, use_multiprocessing, shuffle)
        if sequence
        else GeneratorEnqueuer(generator, use_multiprocessing)
    )
    enqueuer.start(workers=workers, max_queue_size=max_queue_size)
    try:
        yield enqueuer.get()
    finally:
        enqueuer.stop()


def _steps(generator: Any, steps: int | None, name: str) -> int:
    if steps is not None:
        return int(steps)
    if is_sequence(generator):
        return len(generator)
    raise ValueError(
        f"`{name}=None` is only valid for a generator based on the `keras.utils.Sequence` class. Please specify "
        f"`{name}` or use the `keras.utils.Sequence` class."
    )


def _unpacked(output: Any, need_targets: bool = True) -> tuple[Any, Any, Any]:
    """Inputs, targets and sample weights of what a generator gave."""
    if isinstance(output, tuple) and len(output) in (2, 3):
        return output[0], output[1], output[2] if len(output) == 3 else None
    if not need_targets:
        return (output[0] if isinstance(output, tuple) and len(output) == 1 else output), None, None
    raise ValueError(
        "Output of generator should be a tuple `(x, y, sample_weight)` or `(x, y)`. Found: " + str(output)[:200]
    )


def _size(x: Any) -> int:
    first = next(iter(x.values())) if isinstance(x, dict) else x[0] if isinstance(x, (list, tuple)) else x
    size = int(np.shape(first)[0]) if np.ndim(first) else 0
    if size == 0:
        raise ValueError("Received an empty batch. Batches should contain at least one item.")
    return size


def _ran_out(steps: int) -> None:
    warnings.warn(
        "Your generator ran out of data; interrupting training. Make sure that your generator can generate at least "
        f"`steps_per_epoch * epochs` batches (in this case, {steps} batches).",
        stacklevel=5,
    )


def fit_generator(
    model: Any,
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
    """Epochs of ``steps_per_epoch`` batches; gives the ``History``."""
    steps = _steps(generator, steps_per_epoch, "steps_per_epoch")
    validates = bool(validation_data)
    from_generator = validates and is_generator_or_sequence(validation_data)
    if from_generator:
        validation_steps = _steps(validation_data, validation_steps, "validation_steps")
    how: dict[str, Any] = {"workers": workers, "use_multiprocessing": use_multiprocessing}
    how["max_queue_size"] = max_queue_size
    begin = functools.partial(_begin, model, callbacks, verbose, epochs, steps, validates, validation_data)
    # Before a worker asks for a batch: the generator may use what a callback sets up.
    hooks: Any = begin() if model.inputs and model._objective is not None else None
    given = False
    with _batches(generator, shuffle=shuffle, **how) as batches:
        for epoch in range(initial_epoch, epochs):
            model.reset_metrics()
            if hooks is not None:
                hooks.on_epoch_begin(epoch)
            finished = True
            for step in range(steps):
                try:
                    output = next(batches)
                except StopIteration:
                    _ran_out(steps * epochs)
                    model.stop_training, finished = True, False
                    break
                given = True
                x, y, weights = _unpacked(output)
                if hooks is None:  # the model gets its shapes, and its metrics, from the first batch
                    model._set_up(x)
                    hooks = begin()
                    hooks.on_epoch_begin(epoch)
                logs: dict[str, Any] = {"batch": step, "size": _size(x)}
                hooks.call_batch("train", "begin", step, logs)
                outs = model.train_on_batch(x, y, weights, class_weight, reset_metrics=False)
                logs.update(zip(model.metrics_names, to_list(outs), strict=False))
                hooks.call_batch("train", "end", step, logs)
                if model.stop_training:
                    finished = step == steps - 1
                    break
            if hooks is None or not given:
                raise ValueError("The generator gave no batch at all.")
            epoch_logs: dict[str, Any] = {}
            if finished and validates and should_run_validation(validation_freq, epoch):
                results = _validate(model, validation_data, from_generator, validation_steps, hooks, how)
                epoch_logs = {"val_" + n: v for n, v in zip(model.metrics_names, to_list(results), strict=False)}
            hooks.on_epoch_end(epoch, epoch_logs)
            if model.stop_training:
                break
            if workers <= 0 and is_sequence(generator):  # else the one that fills the queue does
                generator.on_epoch_end()
    if hooks is None:
        hooks = begin()
    hooks.call_end("train")
    return model.history


def _begin(
    model: Any, callbacks: Any, verbose: int, epochs: int, steps: int, validates: bool, validation_data: Any
) -> cbks.CallbackList:
    hooks = training_callbacks(model, callbacks, verbose, "steps")
    names = model.metrics_names
    hooks.set_params(
        {
            "epochs": epochs,
            "steps": steps,
            "verbose": verbose,
            "do_validation": validates,
            "metrics": names + ["val_" + n for n in names] if validates else names,
        }
    )
    if validates and not is_generator_or_sequence(validation_data):
        arrays = validation_arrays(model, validation_data, None)
        for callback in hooks:
            callback.validation_data = arrays[0] + arrays[1] + arrays[2]
    hooks.call_begin("train")
    model.stop_training = False
    return hooks


def _validate(model: Any, data: Any, from_generator: bool, steps: int | None, hooks: Any, how: dict[str, Any]) -> Any:
    if from_generator:
        return evaluate_generator(model, data, steps, callbacks=hooks, **how)
    x, y, *rest = data
    return model.evaluate(x, y, sample_weight=rest[0] if rest else None, verbose=0, callbacks=hooks)


def evaluate_generator(
    model: Any,
    generator: Any,
    steps: int | None = None,
    callbacks: Any = None,
    max_queue_size: int = 10,
    workers: int = 1,
    use_multiprocessing: bool = False,
    verbose: int = 0,
) -> Any:
    """The loss, averaged over samples, and the metrics at the end."""
    steps = _steps(generator, steps, "steps")
    model.reset_metrics()
    hooks = other_callbacks(model, callbacks, steps=steps, verbose=verbose)
    bar = Progbar(target=steps) if verbose == 1 else None
    hooks.call_begin("test")
    total, seen = 0.0, 0
    outs: list[Any] = []
    with _batches(generator, workers, use_multiprocessing, max_queue_size) as batches:
        for step in range(steps):
            try:
                x, y, weights = _unpacked(next(batches))
            except StopIteration:
                raise ValueError(f"The generator ended after {step} batches; {steps} were asked for.") from None
            size = _size(x)
            logs: dict[str, Any] = {"batch": step, "size": size}
            hooks.call_batch("test", "begin", step, logs)
            outs = to_list(model.test_on_batch(x, y, weights, reset_metrics=False))
            total, seen = total + float(outs[0]) * size, seen + size
            logs.update(zip(model.metrics_names, outs, strict=False))
            hooks.call_batch("test", "end", step, logs)
            if bar is not None:
                bar.update(step + 1)
    hooks.call_end("test")
    return unpack_singleton([total / max(seen, 1), *(float(v) for v in outs[1:])])


def predict_generator(
    model: Any,
    generator: Any,
    steps: int | None = None,
    callbacks: Any = None,
    max_queue_size: int = 10,
    workers: int = 1,
    use_multiprocessing: bool = False,
    verbose: int = 0,
) -> Any:
    """The outputs for all batches, one after the other."""
    steps = _steps(generator, steps, "steps")
    hooks = other_callbacks(model, callbacks, steps=steps, verbose=verbose)
    bar = Progbar(target=steps) if verbose == 1 else None
    hooks.call_begin("predict")
    pieces: list[list[Any]] = []
    with _batches(generator, workers, use_multiprocessing, max_queue_size) as batches:
        for step in range(steps):
            try:
                x, _, _ = _unpacked(next(batches), need_targets=False)
            except StopIteration:
                raise ValueError(f"The generator ended after {step} batches; {steps} were asked for.") from None
            logs: dict[str, Any] = {"batch": step, "size": _size(x)}
            hooks.call_batch("predict", "begin", step, logs)
            pieces.append(to_list(model.predict_on_batch(x)))
            logs["outputs"] = pieces[-1]
            hooks.call_batch("predict", "end", step, logs)
            if bar is not None:
                bar.update(step + 1)
    hooks.call_end("predict")
    return unpack_singleton([np.concatenate(parts) for parts in zip(*pieces, strict=True)])
