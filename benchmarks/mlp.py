"""Training speed of one multilayer perceptron with several libraries, side by side.

    python benchmarks/mlp.py                                  # symgraph, and what else this interpreter can import
    python benchmarks/mlp.py --python jax=/path/to/python --python torch=/path/to/python

The model is the classic one for MNIST: 784-512-512-10, ReLU, dropout 0.2, softmax and cross-entropy, RMSprop, batches
    of
128, float32, shuffled each epoch, the short last batch included. Every library runs in a process of its own; all are
started first, then they take turns epoch by epoch, so that whatever else the machine does hits them alike. Read the
ratios, not the seconds. ``first step`` is the time from building the model to the end of its first training step, with
empty caches.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PEERS = ("symgraph", "jax", "torch", "tensorflow", "pytensor")
BUSY = """
import os, sys
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {int(sys.argv[1])})
while True:
    pass
"""


@dataclass
class Peer:
    """One library in its process; it answers each line it is sent with one line of JSON."""

    name: str
    process: subprocess.Popen[str]
    version: str = ""
    first_step: float = 0.0
    epochs: list[float] = field(default_factory=list)
    accuracy: float = 0.0

    def ask(self, command: str) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended with status {self.process.wait()}; its messages are above")
        return json.loads(line)


def main() -> None:
    arguments = parse()
    interpreters = dict(entry.split("=", 1) for entry in arguments.python)
    unknown = set(interpreters) - set(PEERS)
    if unknown:
        raise SystemExit(f"no benchmark for {', '.join(sorted(unknown))}; there are: {', '.join(PEERS)}")
    with ExitStack() as stack:
        caches = stack.enter_context(tempfile.TemporaryDirectory())
        peers = []
        for name in arguments.only or PEERS:
            python = interpreters.get(name, sys.executable)
            if name != "symgraph" and not can_import(python, name):
                print(f"{name}: not importable in {python}", file=sys.stderr)
                continue
            peers.append(start(stack, name, python, arguments, caches))
        for peer in peers:
            answer = peer.ask("build")
            peer.version, peer.first_step = answer["version"], answer["seconds"]
        for _ in range(arguments.warmup):
            for peer in peers:
                peer.ask("epoch")
        if arguments.busy:
            for core in range(arguments.busy):
                busy = subprocess.Popen([sys.executable, "-c", BUSY, str(core)])
                stack.callback(busy.kill)
        for number in range(arguments.epochs):
            for peer in peers[number % len(peers) :] + peers[: number % len(peers)]:
                peer.epochs.append(peer.ask("epoch")["seconds"])
        for peer in peers:
            peer.accuracy = peer.ask("accuracy")["accuracy"]
    report(peers, arguments)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Training speed of one multilayer perceptron, side by side.")
    parser.add_argument(
        "--python", action="append", default=[], metavar="NAME=PATH", help="the interpreter of a library"
    )
    parser.add_argument("--only", action="append", choices=PEERS, help="run these libraries only")
    parser.add_argument("--epochs", type=int, default=5, help="measured epochs (default: %(default)s)")
    parser.add_argument("--warmup", type=int, default=1, help="epochs before them (default: %(default)s)")
    parser.add_argument("--images", type=int, default=60000, help="how many training images (default: %(default)s)")
    parser.add_argument("--data", type=Path, default=find_data(), help="mnist.npz (random numbers where there is none)")
    parser.add_argument("--cores", type=int, help="use the first so many cores only")
    parser.add_argument("--busy", type=int, default=0, metavar="N", help="keep N cores busy with another process")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def find_data() -> Path | None:
    places = (HERE.parents[1] / "shared" / "data" / "mnist.npz", Path.home() / ".keras" / "datasets" / "mnist.npz")
    return next((place for place in places if place.exists()), None)


def can_import(python: str, name: str) -> bool:
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({name!r}) is None)"
    return subprocess.run([python, "-c", code], check=False).returncode == 0


def start(stack: ExitStack, name: str, python: str, arguments: argparse.Namespace, caches: str) -> Peer:
    command = [python, str(HERE / "mlp_peers" / "worker.py"), name, str(arguments.images), str(arguments.data or "")]
    environment = {
        **os.environ,
        "PYTHONPATH": str(HERE.parent) if name == "symgraph" else "",
        "XDG_CACHE_HOME": str(Path(caches) / name),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    if arguments.cores:
        command = ["taskset", "-c", f"0-{arguments.cores - 1}", *command]
        environment |= {"SYMGRAPH_THREADS": str(arguments.cores), "OMP_NUM_THREADS": str(arguments.cores)}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=HERE.parent
    )
    stack.callback(process.kill)
    return Peer(name, process)


def report(peers: list[Peer], arguments: argparse.Namespace) -> None:
    rows = [
        {
            "name": peer.name,
            "version": peer.version,
            "first_step": round(peer.first_step, 3),
            "epoch_median": round(statistics.median(peer.epochs), 3),
            "epochs": [round(seconds, 3) for seconds in peer.epochs],
            "accuracy": round(peer.accuracy, 4),
        }
        for peer in peers
    ]
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    base = rows[0]["epoch_median"]
    data = arguments.data or "random numbers"
    print(f"{arguments.images} images of {data}; {arguments.epochs} epochs measured after {arguments.warmup}", end="")
    print(f"; {arguments.busy} cores kept busy" if arguments.busy else "")
    print(f"{'library':<12}{'version':<12}{'first step':>11}{'epoch':>9}{'range':>16}{'ratio':>8}{'accuracy':>10}")
    for row in rows:
        spread = f"{min(row['epochs']):.2f}..{max(row['epochs']):.2f} s"
        print(
            f"{row['name']:<12}{row['version']:<12}{row['first_step']:>9.2f} s{row['epoch_median']:>7.2f} s"
            f"{spread:>16}{row['epoch_median'] / base:>8.2f}{row['accuracy']:>10.4f}"
        )


if __name__ == "__main__":
    main()
