"""The programs of ``examples``: each runs, and reaches what its docstring states.

A row of ``CASES`` is a small run for every day; a row of ``FULL`` is the stated run on real data, among the slow tests.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("SYMGRAPH_TEST_DATA", ROOT.parent / "shared" / "data"))


@dataclass(frozen=True)
class Case:
    """A run of ``examples/<script>.py``: the last number that ``pattern`` finds in what it prints is within bounds.

    ``{data}`` in the arguments stands for the folder of real data, ``needs`` names the file there without which the
    case is skipped.
    """

    script: str
    arguments: str
    pattern: str
    low: float = float("-inf")
    high: float = float("inf")
    needs: str = ""

    def __str__(self) -> str:
        return f"{self.script} {self.arguments}".replace("{data}/", "")


ACCURACY = r"Test accuracy: ([\d.]+)"
CASES = [
    Case("mnist_mlp", "--data digits --epochs 5", ACCURACY, low=0.90),
    Case("mnist_cnn", "--data digits --epochs 3", ACCURACY, low=0.88),
    Case("multi_input_output", "--data digits --epochs 3", ACCURACY, low=0.75),
    Case("shared_layers", "--data digits --epochs 4", ACCURACY, low=0.85),
    Case("custom_layer", "--data digits --epochs 6", ACCURACY, low=0.92),
    Case("subclassed_model", "--data digits --epochs 6", ACCURACY, low=0.9),
    Case("intermediate_outputs", "--data digits --epochs 6", ACCURACY, low=0.9),
    Case("custom_training", "--data digits --epochs 6", ACCURACY, low=0.9),
    Case("gan", "--data digits --steps 60", r"Mean certainty: ([\d.]+)", low=0.2),
    Case("autoencoder", "--data digits --epochs 12", r"Error left: ([\d.]+)", high=0.6),
    Case("variational_autoencoder", "--data digits --epochs 20", r"the mean image: ([\d.]+)", high=0.99),
]
FULL = [
    Case("mnist_mlp", "--data mnist --epochs 3", ACCURACY, low=0.97, needs="mnist.npz"),
    Case("mnist_cnn", "--data mnist --epochs 1", ACCURACY, low=0.975, needs="mnist.npz"),
    Case("multi_input_output", "--data mnist", ACCURACY, low=0.93, needs="mnist.npz"),
    Case("shared_layers", "--data mnist", ACCURACY, low=0.955, needs="mnist.npz"),
    Case("custom_layer", "--data mnist", ACCURACY, low=0.97, needs="mnist.npz"),
    Case("subclassed_model", "--data mnist", ACCURACY, low=0.97, needs="mnist.npz"),
    Case("intermediate_outputs", "--data mnist", ACCURACY, low=0.965, needs="mnist.npz"),
    Case("custom_training", "--data mnist", ACCURACY, low=0.972, needs="mnist.npz"),
    Case("autoencoder", "--data mnist", r"Error left: ([\d.]+)", high=0.25, needs="mnist.npz"),
    Case("variational_autoencoder", "--data mnist", r"the mean image: ([\d.]+)", high=0.8, needs="mnist.npz"),
]


def check(case: Case, folder: Path) -> None:
    if case.needs and not (DATA / case.needs).exists():
        pytest.skip(f"needs {DATA / case.needs}")
    datasets = folder / "keras" / "datasets"
    datasets.mkdir(parents=True)
    if case.needs:
        (datasets / case.needs).symlink_to(DATA / case.needs)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_HOME": str(folder / "keras")}
    script = str(ROOT / "examples" / f"{case.script}.py")
    command = [sys.executable, "-m", "symgraph.keras", script, *case.arguments.format(data=DATA).split()]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    found = re.findall(case.pattern, done.stdout)
    assert found, f"no {case.pattern!r} in what the example printed:\n{done.stdout[-2000:]}"
    assert case.low <= float(found[-1]) <= case.high, done.stdout[-2000:]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_small_run(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("case", FULL, ids=str)
def test_the_stated_result(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


def test_every_example_is_run() -> None:
    scripts = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert scripts == {case.script for case in CASES}
