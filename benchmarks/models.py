"""Typical models and steps, against PyTorch: milliseconds of processor time on one thread, and their ratio.

    python benchmarks/models.py
    python benchmarks/models.py --torch /path/to/python        # PyTorch in a process of its own, in turn
    python benchmarks/models.py --torch /path/to/python --only resnet   # cases with that in their names

``model_cases/with_symgraph.py`` and ``model_cases/with_torch.py`` hold the same cases by the same names. A case is
timed by the time its process computes, so that other work on the machine counts little; the shortest of some rounds
stands. Read the ratios, not the milliseconds.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Worker:
    """One library in its process; it answers every line, a case's name, by milliseconds a call."""

    def __init__(self, python: Path, module: str) -> None:
        pipe = subprocess.PIPE
        path = f"{HERE.parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
        environment = os.environ | {"SYMGRAPH_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
        command = [str(python), str(HERE / "model_cases" / "worker.py"), module]
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)

    def ask(self, line: str) -> str:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"a worker ended with status {self.process.wait()}; its messages are above")
        return answer.strip()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch", type=Path, help="a Python that has PyTorch")
    parser.add_argument("--only", default="", help="the cases whose names hold this")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    workers = [Worker(Path(sys.executable), "with_symgraph")]
    if arguments.torch is not None:
        workers.append(Worker(arguments.torch, "with_torch"))
    print(f"{'case':38} {'ours':>9} {'torch':>9} {'ratio':>6}")
    for name in workers[0].ask("cases").split(","):
        if arguments.only in name:
            rounds = [[float(worker.ask(name)) for worker in workers] for _ in range(arguments.rounds)]
            best = [min(times) for times in zip(*rounds, strict=True)]
            ratio = f" {best[1]:9.3f} {best[0] / best[1]:6.2f}" if len(best) > 1 else ""
            print(f"{name:38} {best[0]:9.3f}{ratio}", flush=True)
    for worker in workers:
        worker.close()


if __name__ == "__main__":
    main()
