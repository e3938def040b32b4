"""One library's side of ``benchmarks/mlp.py``: builds, trains and tests when told to, and answers with seconds.

``with_<library>.py`` beside this file has one class ``Trainer``: the constructor builds the model from the shapes of
the data, ``step(x, y)`` trains on one batch and waits for it, ``epoch(x, y, order)`` trains on all images in an order,
``predict(x)`` gives class probabilities, ``version`` names the library's version.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

BATCH = 128


def load(images: int, path: str):
    """Training and test images as float32 rows in 0..1, labels as integers."""
    if not path:
        rng = np.random.default_rng(0)
        x, y = rng.random((70000, 784), np.float32), rng.integers(0, 10, 70000)
        return x[:images], y[:images], x[60000:], y[60000:]
    with np.load(path, allow_pickle=False) as data:
        x_train, x_test = (data[name].reshape(-1, 784).astype(np.float32) / 255 for name in ("x_train", "x_test"))
        return x_train[:images], data["y_train"][:images], x_test, data["y_test"]


def main() -> None:
    name, images, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not get between the answers
    sys.path.pop(0)
    x, y, x_test, y_test = load(images, path)
    targets = np.eye(10, dtype=np.float32)[y]
    spec = importlib.util.spec_from_file_location("peer", Path(__file__).with_name(f"with_{name}.py"))
    peer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peer)
    rng = np.random.default_rng(1)
    trainer = None
    for line in sys.stdin:
        command = line.strip()
        answer = {}
        if command == "build":
            start = time.perf_counter()
            trainer = peer.Trainer(BATCH)
            trainer.step(x[:BATCH], targets[:BATCH])
            answer = {"seconds": time.perf_counter() - start, "version": trainer.version}
        elif command == "epoch":
            order = rng.permutation(len(x))
            start = time.perf_counter()
            trainer.epoch(x, targets, order)
            answer = {"seconds": time.perf_counter() - start}
        elif command == "accuracy":
            answer = {"accuracy": float(np.mean(np.argmax(trainer.predict(x_test), axis=1) == y_test))}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
