"""Callbacks, and what training prints."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras.callbacks import (
    Callback,
    CallbackList,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ProgbarLogger,
    TerminateOnNaN,
)
from symgraph.keras.layers import Dense
from symgraph.keras.models import Sequential
from symgraph.keras.utils import Progbar, progbar

pytestmark = pytest.mark.usefixtures("session")

X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
Y = X[:, :2].copy()


def compiled(**arguments: Any) -> Sequential:
    model = Sequential([Dense(2, input_shape=(4,))])
    model.compile("sgd", "mse", **arguments)
    return model


class Recorder(Callback):
    """Writes down which hooks were called."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("on_"):
            return super().__getattribute__(name)

        def note(*args: Any, **kwargs: Any) -> None:
            self.calls.append(name)

        return note


def test_hooks_come_in_order() -> None:
    recorder = Recorder()
    CallbackList([recorder])
    model = compiled()
    calls: list[str] = []
    names = [n for n in dir(Callback) if n.startswith("on_") and "_train_batch_" not in n]
    watcher = Callback()
    for name in names:
        setattr(watcher, name, lambda *args, name=name, **kwargs: calls.append(name))
    model.fit(X, Y, batch_size=20, epochs=1, validation_data=(X, Y), verbose=0, callbacks=[watcher])
    test = ["on_test_begin", *["on_test_batch_begin", "on_test_batch_end"] * 2, "on_test_end"]
    assert calls == [
        "on_train_begin",
        "on_epoch_begin",
        *["on_batch_begin", "on_batch_end"] * 2,
        *test,
        "on_epoch_end",
        "on_train_end",
    ]
    calls.clear()
    model.evaluate(X, Y, batch_size=20, verbose=0, callbacks=[watcher])
    assert calls == test
    calls.clear()
    model.predict(X, batch_size=20, callbacks=[watcher])
    assert calls == [name.replace("test", "predict") for name in test]


def test_callbacks_know_model_and_parameters() -> None:
    seen: dict[str, Any] = {}

    class Watcher(Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            seen.update(self.params, model=self.model)

        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            seen["logs"] = dict(logs or {})

    model = compiled(metrics=["mae"])
    model.fit(X, Y, batch_size=16, epochs=2, validation_split=0.2, verbose=0, callbacks=[Watcher()])
    logs = seen.pop("logs")
    assert seen.pop("model") is model
    assert seen == {
        "batch_size": 16,
        "epochs": 2,
        "steps": None,
        "samples": 32,
        "verbose": 0,
        "do_validation": True,
        "metrics": ["loss", "mae", "val_loss", "val_mae"],
    }
    assert sorted(logs) == ["batch", "loss", "mae", "size"] and logs["size"] == 16 and logs["batch"] == 1


def test_only_listeners_are_called_at_batches() -> None:
    hooks = CallbackList([Callback(), LambdaCallback(on_batch_end=lambda batch, logs: None), EarlyStopping()])
    hooks.call_batch("train", "begin", 0, {})
    hooks.call_batch("train", "end", 0, {})
    assert [len(v) for v in hooks._at_batch.values()] == [0, 1]


def test_early_stopping() -> None:
    values = iter([3.0, 2.0, 2.5, 2.4, 2.6, 1.0])

    def report(epoch: int, logs: Any) -> None:
        logs["val_loss"] = next(values)

    model = compiled()
    kept: list[Any] = []
    stopper = EarlyStopping(patience=2, restore_best_weights=True)
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(model.get_weights()))
    report_first = LambdaCallback(on_epoch_end=report)
    history = model.fit(X, Y, epochs=6, verbose=0, callbacks=[report_first, keep, stopper])
    assert history.epoch == [0, 1, 2, 3] and stopper.stopped_epoch == 3 and stopper.best == 2.0
    np.testing.assert_array_equal(model.get_weights()[0], kept[1][0])


def test_early_stopping_of_accuracy_rises() -> None:
    assert EarlyStopping("val_accuracy").monitor_op is np.greater
    assert EarlyStopping("val_loss").monitor_op is np.less
    assert EarlyStopping("val_loss", mode="max").monitor_op is np.greater
    with pytest.warns(RuntimeWarning, match="EarlyStopping mode up is unknown, fallback to auto mode"):
        EarlyStopping("val_loss", mode="up")
    with pytest.warns(RuntimeWarning, match="Early stopping conditioned on metric `val_loss` which is not available"):
        compiled().fit(X, Y, verbose=0, callbacks=[EarlyStopping()])


def test_early_stopping_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    stopper = EarlyStopping("loss", baseline=0.0, verbose=1, patience=2)
    compiled().fit(X, Y, epochs=5, verbose=0, callbacks=[stopper])
    assert capsys.readouterr().out == "Epoch 00002: early stopping\n"


def test_terminate_on_nan(capsys: pytest.CaptureFixture[str]) -> None:
    model = compiled()
    model.fit(X, np.full_like(Y, np.nan), batch_size=10, verbose=0, callbacks=[TerminateOnNaN()])
    assert capsys.readouterr().out == "Batch 0: Invalid loss, terminating training\n"
    assert K.get_value(model.optimizer.iterations) == 1


@pytest.mark.parametrize("schedule", [lambda epoch: 0.5 / (epoch + 1), lambda epoch, lr: lr / 2 if epoch else 0.5])
def test_learning_rate_scheduler(schedule: Any) -> None:
    model = compiled()
    history = model.fit(X, Y, epochs=2, verbose=0, callbacks=[LearningRateScheduler(schedule)])
    assert history.history["lr"] == [0.5, 0.25] and K.get_value(model.optimizer.lr) == 0.25


def test_learning_rate_scheduler_wants_floats() -> None:
    with pytest.raises(ValueError, match='The output of the "schedule" function should be float'):
        compiled().fit(X, Y, verbose=0, callbacks=[LearningRateScheduler(lambda epoch: "fast")])


# -- what is printed ---------------------------------------------------------------------------------------------------
def test_lines_of_an_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    model = compiled(metrics=["mae"])
    history = model.fit(X, Y, epochs=2, batch_size=10, validation_data=(X, Y), verbose=1).history
    lines = capsys.readouterr().out.split("\n")
    assert lines[0] == "Train on 40 samples, validate on 40 samples"
    assert lines[1] == "Epoch 1/2" and lines[3] == "Epoch 2/2" and lines[5:] == [""]
    for epoch, line in enumerate([lines[2], lines[4]]):
        values = {name: history[name][epoch] for name in ("loss", "mae", "val_loss", "val_mae")}
        shown = " - ".join(f"{name}: {value:.4f}" for name, value in values.items())
        assert re.fullmatch(
            re.escape("40/40 [" + "=" * 30 + "] - ") + r"\d+s \d+(us|ms|s)/step - " + re.escape(shown), line
        )


def test_lines_of_verbose_2(capsys: pytest.CaptureFixture[str]) -> None:
    history = compiled().fit(X, Y, epochs=1, verbose=2).history
    assert re.fullmatch(rf"Epoch 1/1\n - 0s - loss: {history['loss'][0]:.4f}\n", capsys.readouterr().out)


def test_verbose_0_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    model = compiled()
    model.fit(X, Y, verbose=0)
    model.evaluate(X, Y, verbose=0)
    model.predict(X)
    assert capsys.readouterr().out == ""


def test_evaluate_shows_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    compiled().evaluate(X, Y)
    assert re.fullmatch(r"40/40 \[={30}\] - 0s \d+(us|ms)/step\n", capsys.readouterr().out)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(progbar, "time", found)
    return found


def test_bar_on_a_terminal(clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    bar = Progbar(200, stateful_metrics=["acc"])
    first = " 20/200 [==>...........................] - ETA: 9s - loss: 2.0000 - acc: 0.1000"
    clock.now += 1
    bar.update(20, [("loss", 2.0), ("acc", 0.1)])
    assert capsys.readouterr().out == "\r" + first
    clock.now += 0.01
    bar.update(40, [("loss", 1.0), ("acc", 0.2)])
    assert capsys.readouterr().out == ""
    clock.now += 1
    bar.update(200, [("loss", 1.0), ("acc", 5e-4)])
    last = "200/200 [==============================] - 2s 10ms/step - loss: 1.1000 - acc: 5.0000e-04"
    assert capsys.readouterr().out == "\b" * len(first) + "\r" + last + "\n"


def test_bar_elsewhere_writes_few_whole_lines(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(1000)
    for i in range(1, 1001):
        clock.now += 0.025
        bar.update(i)
    lines = capsys.readouterr().out.split("\n")
    assert len(lines) == 4 and lines[-1] == "" and "\r" not in "".join(lines)
    assert lines[0] == " 401/1000 [===========>..................] - ETA: 14s"
    assert lines[2] == "1000/1000 [==============================] - 25s 25ms/step"


@pytest.mark.parametrize(("seconds", "text"), [(5, "5s"), (75, "1:15"), (3700, "1:01:40")])
def test_time_left(seconds: int, text: str) -> None:
    assert progbar._clock(float(seconds)) == text


def test_bar_of_unknown_length(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(None)
    clock.now += 6
    bar.add(3)
    assert capsys.readouterr().out == "      3/Unknown - 6s 2s/step\n"


def test_count_mode() -> None:
    with pytest.raises(ValueError, match="Unknown `count_mode`: batches"):
        ProgbarLogger("batches")
