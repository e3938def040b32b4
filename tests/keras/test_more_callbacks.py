"""Callbacks that write files, send results, and lower the learning rate."""

from __future__ import annotations

import json
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras.callbacks import CSVLogger, LambdaCallback, ReduceLROnPlateau, RemoteMonitor, TensorBoard
from symgraph.keras.callbacks.event_file import masked_crc
from tests.keras.small_models import X, Y, linear

pytestmark = pytest.mark.usefixtures("session")


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    model = linear(metrics=["mae"])
    history = model.fit(X, Y, epochs=2, verbose=0, callbacks=[CSVLogger(str(path), separator=";")]).history
    lines = path.read_text().splitlines()
    name = next(n for n in history if n != "loss")
    assert lines[0] == f"epoch;loss;{name}" and len(lines) == 3
    assert float(lines[2].split(";")[1]) == pytest.approx(history["loss"][1])
    model.fit(X, Y, epochs=3, initial_epoch=2, verbose=0, callbacks=[CSVLogger(str(path), ";", append=True)])
    assert path.read_text().splitlines()[:3] == lines and path.read_text().splitlines()[3].startswith("2;")


def simulate(callback: ReduceLROnPlateau, values: list[float]) -> list[float]:
    model: Any = linear()
    callback.set_model(model)
    K.set_value(model.optimizer.lr, 1.0)
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"val_loss": value, "val_acc": -value})
        rates.append(float(K.get_value(model.optimizer.lr)))
    return rates


def test_lower_rate_on_a_plateau(capsys: pytest.CaptureFixture[str]) -> None:
    steady = [1.0] * 6
    assert simulate(ReduceLROnPlateau(patience=2, factor=0.5), steady) == [1, 1, 0.5, 0.5, 0.25, 0.25]
    assert simulate(ReduceLROnPlateau(patience=1, factor=0.5, cooldown=2), steady) == [1, 0.5, 0.5, 0.25, 0.25, 0.125]
    assert simulate(ReduceLROnPlateau(patience=1, factor=0.5, min_lr=0.4), steady)[-1] == pytest.approx(0.4)
    assert simulate(ReduceLROnPlateau(patience=1, min_delta=0.5), [3.0, 2.0, 1.0, 0.9])[-1] == pytest.approx(0.1)
    assert simulate(ReduceLROnPlateau("val_acc", patience=1), [3.0, 2.0, 1.0]) == [1, 1, 1]
    simulate(ReduceLROnPlateau(patience=1, verbose=1), steady)
    assert "ReduceLROnPlateau reducing learning rate to 0.1" in capsys.readouterr().out
    with pytest.raises(ValueError, match="factor"):
        ReduceLROnPlateau(factor=1.0)
    with pytest.warns(RuntimeWarning, match="not available"):
        simulate(ReduceLROnPlateau("nope"), [1.0])


def test_remote_monitor() -> None:
    received: list[tuple[str, str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, self.headers["Content-Type"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}"
    watchers = [RemoteMonitor(root), RemoteMonitor(root, path="/j", send_as_json=True)]
    linear().fit(X, Y, verbose=0, callbacks=watchers)
    server.shutdown()
    server.server_close()
    assert received[0][0] == "/publish/epoch/end/"
    assert json.loads(parse_qs(received[0][2].decode())["data"][0])["epoch"] == 0
    assert received[1][:2] == ("/j", "application/json") and "loss" in json.loads(received[1][2])
    with pytest.warns(UserWarning, match="Could not reach"):
        linear().fit(X, Y, verbose=0, callbacks=[RemoteMonitor(root)])


def fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a protobuf message: a decoder of its own."""

    def varint(at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            value |= (data[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if not data[at - 1] & 0x80:
                return value, at

    at = 0
    while at < len(data):
        key, at = varint(at)
        value: Any
        if key & 7 == 0:
            value, at = varint(at)
        elif key & 7 == 2:
            size, at = varint(at)
            value, at = data[at : at + size], at + size
        else:
            size, form = (8, "<d") if key & 7 == 1 else (4, "<f")
            (value,), at = struct.unpack(form, data[at : at + size]), at + size
        yield key >> 3, value


def events(folder: Path) -> list[dict[int, Any]]:
    (path,) = folder.glob("events.out.tfevents.*")
    data, found = path.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        assert struct.unpack("<I", data[8:12])[0] == masked_crc(data[:8])
        body = data[12 : 12 + length]
        assert struct.unpack("<I", data[12 + length : 16 + length])[0] == masked_crc(body)
        found.append(dict(fields(body)))
        data = data[16 + length :]
    return found


def test_tensorboard(tmp_path: Path) -> None:
    assert masked_crc(b"123456789") == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF
    model = linear()
    history = model.fit(X, Y, epochs=2, verbose=0, callbacks=[TensorBoard(tmp_path / "a", histogram_freq=1)])
    first, *rest = events(tmp_path / "a")
    assert first[3] == b"brain.Event:2" and [e[2] for e in rest] == [0, 0, 1, 1]
    value = dict(fields(next(v for k, v in fields(rest[2][5]) if k == 1)))
    assert value[1] == b"loss" and value[2] == pytest.approx(history.history["loss"][1], rel=1e-6)
    shown = [dict(fields(v)) for _, v in fields(rest[3][5])]
    assert [s[1].decode() for s in shown] == [w.name for w in model.weights]
    kernel = model.get_weights()[0].astype("float64")
    proto = dict(fields(shown[0][5]))
    assert (proto[1], proto[2], proto[3]) == (kernel.min(), kernel.max(), 8) and proto[4] == pytest.approx(kernel.sum())
    assert np.frombuffer(proto[7], "<f8").sum() == 8 and len(proto[6]) == len(proto[7])
    seen: list[int] = []
    count = LambdaCallback(on_batch_end=lambda batch, logs: seen.append(batch))
    model.fit(X, Y, batch_size=10, verbose=0, callbacks=[TensorBoard(str(tmp_path / "b"), update_freq=20), count])
    assert [e[2] for e in events(tmp_path / "b")[1:]] == [20, 40, 0] and len(seen) == 5
    with pytest.warns(UserWarning, match="write_images"):
        TensorBoard(str(tmp_path / "c"), write_images=True)
