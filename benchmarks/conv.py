"""Speed of convolutions: forward, data gradient and weight gradient, and the training of a small network.

    python benchmarks/conv.py
    python benchmarks/conv.py --torch /path/to/python     # PyTorch in a process of its own, epoch by epoch in turn

The network is conv32(3x3)-conv64(3x3)-maxpool-dense128-dense10 with Adadelta, batches of 128 of 12,800 random images
of 28 x 28. Read the ratios, not the seconds.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

PEER = """
import sys, time, torch
torch.set_num_threads(2)
n = torch.nn
model = n.Sequential(
    n.Conv2d(1, 32, 3), n.ReLU(), n.Conv2d(32, 64, 3), n.ReLU(), n.MaxPool2d(2), n.Flatten(), n.Linear(9216, 128),
    n.ReLU(), n.Linear(128, 10))
optimizer, loss = torch.optim.Adadelta(model.parameters()), n.CrossEntropyLoss()
x, y = torch.rand(12800, 1, 28, 28), torch.randint(0, 10, (12800,))
for line in sys.stdin:
    start = time.perf_counter()
    for i in range(0, 12800, 128):
        optimizer.zero_grad()
        loss(model(x[i:i + 128]), y[i:i + 128]).backward()
        optimizer.step()
    print(time.perf_counter() - start, flush=True)
"""


def best(function: Any, *arrays: Any) -> float:
    """The shortest of ten calls, after one that is not counted."""
    times = []
    for _ in range(11):
        start = time.perf_counter()
        function(*arrays)
        times.append(time.perf_counter() - start)
    return min(times[1:])


def kernels() -> None:
    """GFLOP/s of the three convolutions of both layers."""
    import symgraph as sg

    for size, channels, filters in ((28, 1, 32), (26, 32, 64)):
        x, kernel = sg.placeholder((None, size, size, channels)), sg.placeholder((3, 3, channels, filters))
        g = sg.placeholder((None, size - 2, size - 2, filters))
        y = sg.conv(x, kernel)
        of_x, of_kernel = sg.grad(sg.sum(y * g), [x, kernel])
        shapes = ((128, size, size, channels), (3, 3, channels, filters), (128, size - 2, size - 2, filters))
        arrays = [np.random.default_rng(0).uniform(-1, 1, s).astype("float32") for s in shapes]
        flops = 2 * 9 * channels * arrays[2].size
        for name, inputs, result in (
            ("forward", 2, y), ("data gradient", 3, of_x), ("weight gradient", 3, of_kernel)
        ):  # fmt: skip
            seconds = best(sg.function([x, kernel, g][:inputs], result), *arrays[:inputs])
            print(f"{channels:3} -> {filters} {name:16} {seconds * 1e3:7.2f} ms {flops / seconds / 1e9:6.0f} GFLOP/s")


def training(peer: Path | None, epochs: int) -> None:
    """Seconds of an epoch, of both libraries in turn."""
    from symgraph.keras import layers, models, optimizers

    model = models.Sequential([
        layers.Conv2D(32, 3, activation="relu", input_shape=(28, 28, 1)), layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(), layers.Flatten(), layers.Dense(128, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizers.Adadelta(), "categorical_crossentropy")
    random = np.random.default_rng(0)
    images = random.uniform(size=(12800, 28, 28, 1)).astype("float32")
    labels = np.eye(10, dtype="float32")[random.integers(0, 10, len(images))]
    model.fit(images[:128], labels[:128], batch_size=128, verbose=0)
    other = None
    if peer is not None:
        pipe = subprocess.PIPE
        other = subprocess.Popen([str(peer), "-c", PEER], stdin=pipe, stdout=pipe, text=True)
    for _ in range(epochs):
        start = time.perf_counter()
        model.fit(images, labels, batch_size=128, verbose=0)
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
    kernels()
    training(arguments.torch, arguments.epochs)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main()
