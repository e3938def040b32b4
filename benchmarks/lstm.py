"""Training speed of a recurrent network.

    python benchmarks/lstm.py
    python benchmarks/lstm.py --torch /path/to/python     # PyTorch in a process of its own, epoch by epoch in turn

The network is Embedding(20000, 128)-LSTM(128)-Dense(1), binary cross-entropy and Adam, batches of 32 of 3,200 random
sequences of 80 integers. Read the ratios, not the seconds.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

SAMPLES, STEPS, WORDS, SIZE, BATCH = 3200, 80, 20000, 128, 32

PEER = f"""
import sys, time, torch
torch.set_num_threads(2)
n = torch.nn
class Net(n.Module):
    def __init__(self):
        super().__init__()
        self.words, self.lstm = n.Embedding({WORDS}, {SIZE}), n.LSTM({SIZE}, {SIZE}, batch_first=True)
        self.dense = n.Linear({SIZE}, 1)
    def forward(self, x):
        return self.dense(self.lstm(self.words(x))[0][:, -1])[:, 0]
model, loss = Net(), n.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters())
x, y = torch.randint(0, {WORDS}, ({SAMPLES}, {STEPS})), torch.randint(0, 2, ({SAMPLES},)).float()
for line in sys.stdin:
    start = time.perf_counter()
    for i in range(0, {SAMPLES}, {BATCH}):
        optimizer.zero_grad()
        loss(model(x[i:i + {BATCH}]), y[i:i + {BATCH}]).backward()
        optimizer.step()
    print(time.perf_counter() - start, flush=True)
"""


def build() -> Any:
    """The compiled model."""
    from symgraph.keras import layers, models

    model = models.Sequential([layers.Embedding(WORDS, SIZE), layers.LSTM(SIZE), layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy")
    return model


def training(peer: Path | None, epochs: int) -> None:
    """Seconds of an epoch, of both libraries in turn."""
    model = build()
    random = np.random.default_rng(0)
    x = random.integers(0, WORDS, (SAMPLES, STEPS)).astype("int32")
    y = random.integers(0, 2, (SAMPLES, 1)).astype("float32")
    start = time.perf_counter()
    model.fit(x[:BATCH], y[:BATCH], batch_size=BATCH, verbose=0)
    print(f"first step: {time.perf_counter() - start:.2f} s", flush=True)
    other = None
    if peer is not None:
        pipe = subprocess.PIPE
        other = subprocess.Popen([str(peer), "-c", PEER], stdin=pipe, stdout=pipe, text=True)
    for _ in range(epochs):
        start = time.perf_counter()
        model.fit(x, y, batch_size=BATCH, verbose=0)
        ours = time.perf_counter() - start
        line = f"epoch: symgraph {ours:.2f} s"
        if other is not None and other.stdin is not None and other.stdout is not None:
            other.stdin.write("go\n")
            other.stdin.flush()
            theirs = float(other.stdout.readline())
            line += f", torch {theirs:.2f} s, ratio {ours / theirs:.2f}"
        print(line, flush=True)
    if other is not None and other.stdin is not None:
        other.stdin.close()
        other.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch", type=Path, help="a Python that has PyTorch")
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    training(arguments.torch, arguments.epochs)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main()
