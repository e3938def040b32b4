"""Callbacks that write files, send results, and lower the learning rate."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from symgraph.keras import backend as K
from symgraph.keras.callbacks import CSVLogger, ReduceLROnPlateau, RemoteMonitor
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
