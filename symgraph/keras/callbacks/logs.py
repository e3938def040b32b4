"""Results of epochs to a file, or to a server."""

from __future__ import annotations

import csv
import json
import os
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from .base import Callback
from .monitor import Logs


class CSVLogger(Callback):
    """Writes a line for each epoch; with ``append`` below what the file has."""

    def __init__(self, filename: str, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.sep = separator
        self.filename = filename
        self.append = append
        self.writer: Any = None
        self.keys: list[str] | None = None
        self.append_header = True
        self.file_flags = ""
        self.csv_file: Any = None

    def on_train_begin(self, logs: Logs = None) -> None:
        if self.append:
            if os.path.exists(self.filename):
                with open(self.filename) as file:
                    self.append_header = not file.readline()
            mode = "a"
        else:
            mode = "w"
        self.csv_file = open(self.filename, mode, newline="")  # noqa: SIM115  (closed when training ends)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = logs or {}
        if self.keys is None:
            self.keys = sorted(logs)
        if self.model.stop_training:  # an epoch that was cut short may lack some
            logs = {k: logs.get(k, "NA") for k in self.keys}
        if self.writer is None:
            self.writer = csv.writer(self.csv_file, delimiter=self.sep, lineterminator="\n")
            if self.append_header:
                self.writer.writerow(["epoch", *self.keys])
        self.writer.writerow([epoch, *(_cell(logs[key]) for key in self.keys)])
        self.csv_file.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        self.csv_file.close()
        self.writer = None

    def __del__(self) -> None:
        if getattr(self, "csv_file", None) is not None:
            self.csv_file.close()


def _cell(value: Any) -> Any:
    if isinstance(value, str) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value
    if isinstance(value, Iterable):
        return f'"[{", ".join(map(str, value))}]"'
    return value


class RemoteMonitor(Callback):
    """Sends each epoch's results to a server by HTTP POST: as a form field, or as JSON."""

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        from urllib.parse import urlencode
        from urllib.request import Request, urlopen

        send: dict[str, Any] = {"epoch": epoch}
        for name, value in (logs or {}).items():
            send[name] = value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
        if self.send_as_json:
            body, kind = json.dumps(send).encode(), "application/json"
        else:
            body, kind = urlencode({self.field: json.dumps(send)}).encode(), "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind, **(self.headers or {})}
        try:
            with urlopen(Request(self.root + self.path, data=body, headers=headers), timeout=10):
                pass
        except OSError as error:  # a server that is away does not stop training
            warnings.warn(f"Could not reach RemoteMonitor root server at {self.root}: {error}", stacklevel=2)
