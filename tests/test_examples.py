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

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("SYMGRAPH_TEST_DATA", ROOT.parent / "shared" / "data"))


@dataclass(frozen=True)
class Case:
    """A run of ``examples/<script>.py``: the last number that ``pattern`` finds in what it prints is within bounds.

    ``{data}`` in the arguments stands for the folder of real data, ``{root}`` for that of the repository, ``{reviews}``
    for an archive of made-up reviews; ``needs`` names the file of real data without which the case is skipped.
    """

    script: str
    arguments: str
    pattern: str
    low: float = float("-inf")
    high: float = float("inf")
    needs: str = ""

    def __str__(self) -> str:
        return f"{self.script} {self.arguments}".replace("{data}/", "").replace("{root}/", "")


ACCURACY = r"Test accuracy: ([\d.]+)"
REVIEWS = "--data {reviews} --length 12 --units 16 --batch-size 8 --epochs 6"
STYLE = r"Style loss left: ([\d.]+)"
CIFAR = "{data}/cifar10_subset.npz"
CASES = [
    Case("mnist_mlp", "--data digits --epochs 5", ACCURACY, low=0.90),
    Case("mnist_cnn", "--data digits --epochs 3", ACCURACY, low=0.88),
    Case("multi_input_output", "--data digits --epochs 3", ACCURACY, low=0.75),
    Case("shared_layers", "--data digits --epochs 4", ACCURACY, low=0.85),
    Case("custom_layer", "--data digits --epochs 6", ACCURACY, low=0.92),
    Case("subclassed_model", "--data digits --epochs 6", ACCURACY, low=0.9),
    Case("intermediate_outputs", "--data digits --epochs 6", ACCURACY, low=0.9),
    Case("custom_training", "--data digits --epochs 6", ACCURACY, low=0.9),
    Case("cifar10_cnn", "--data digits --epochs 2", ACCURACY, low=0.6),
    Case("style_transfer", "--data digits --epochs 1 --steps 60", STYLE, high=0.3),
    Case("gan", "--data digits --steps 200", r"statistics left: ([\d.]+)", high=0.75),
    Case("autoencoder", "--data digits --epochs 12", r"Error left: ([\d.]+)", high=0.6),
    Case("variational_autoencoder", "--data digits --epochs 20", r"the mean image: ([\d.]+)", high=0.99),
    Case("imdb_lstm", REVIEWS, ACCURACY, low=0.8),
    Case("imdb_cnn_lstm", REVIEWS, ACCURACY, low=0.8),
    Case("imdb_bidirectional_gru", REVIEWS, ACCURACY, low=0.8),
    Case(
        "lstm_text_generation",
        "--data {root}/docs/loops.md --letters 3000 --length 20 --units 32 --batch-size 32 --epochs 3 --write 20",
        r"Loss of the last epoch: ([\d.]+)",
        high=3.2,
    ),
    Case("cifar10_augmentation", "--data digits --epochs 3 --width 4 --workers 2", ACCURACY, low=0.15),
    Case("sentence_cnn", "--data {data} --samples 1500 --epochs 1", ACCURACY, low=0.4, needs="rt-polarity.pos"),
]
FULL = [
    Case("sentence_cnn", "--data {data}", ACCURACY, low=0.73, needs="rt-polarity.pos"),
    Case(
        "cifar10_augmentation", f"--data {CIFAR} --epochs 5 --width 16", ACCURACY, low=0.4, needs="cifar10_subset.npz"
    ),
    Case("mnist_mlp", "--data mnist --epochs 3", ACCURACY, low=0.97, needs="mnist.npz"),
    Case("mnist_cnn", "--data mnist --epochs 1", ACCURACY, low=0.975, needs="mnist.npz"),
    Case("multi_input_output", "--data mnist", ACCURACY, low=0.93, needs="mnist.npz"),
    Case("shared_layers", "--data mnist", ACCURACY, low=0.955, needs="mnist.npz"),
    Case("custom_layer", "--data mnist", ACCURACY, low=0.97, needs="mnist.npz"),
    Case("subclassed_model", "--data mnist", ACCURACY, low=0.97, needs="mnist.npz"),
    Case("intermediate_outputs", "--data mnist", ACCURACY, low=0.965, needs="mnist.npz"),
    Case("custom_training", "--data mnist", ACCURACY, low=0.972, needs="mnist.npz"),
    Case("imdb_lstm", "--data {data}/imdb_subset.npz", ACCURACY, low=0.78, needs="imdb_subset.npz"),
    Case("imdb_cnn_lstm", "--data {data}/imdb_subset.npz", ACCURACY, low=0.78, needs="imdb_subset.npz"),
    Case("imdb_bidirectional_gru", "--data {data}/imdb_subset.npz", ACCURACY, low=0.78, needs="imdb_subset.npz"),
    Case(
        "lstm_text_generation",
        "--data {data}/nietzsche.txt --letters 150000 --epochs 3 --write 100",
        r"Loss of the last epoch: ([\d.]+)",
        high=2.1,
        needs="nietzsche.txt",
    ),
    Case("cifar10_cnn", "--data {data}/cifar10_subset.npz --epochs 4", ACCURACY, low=0.5, needs="cifar10_subset.npz"),
    Case("style_transfer", "--data {data}/cifar10_subset.npz", STYLE, high=0.1, needs="cifar10_subset.npz"),
    Case("gan", "--data mnist", r"at least 10 times in 1000: (\d+)", low=9, needs="mnist.npz"),
    Case("autoencoder", "--data mnist", r"Error left: ([\d.]+)", high=0.25, needs="mnist.npz"),
    Case("variational_autoencoder", "--data mnist", r"the mean image: ([\d.]+)", high=0.8, needs="mnist.npz"),
]


def write_reviews(path: Path) -> None:
    """Reviews of 8 to 14 words, of which the good ones have more of the words 10 to 19, the others of 20 to 29."""
    rng = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {}
    for part, count in (("train", 320), ("test", 100)):
        labels = rng.integers(0, 2, count)
        texts = [
            np.where(rng.random(n := rng.integers(8, 15)) < 0.7, 20 - 10 * y, 10 + 10 * y) + rng.integers(0, 10, n)
            for y in labels
        ]
        arrays[f"x_{part}_flat"] = np.concatenate(texts).astype("int32")
        arrays[f"x_{part}_offsets"] = np.cumsum([0, *map(len, texts)])
        arrays[f"y_{part}"] = labels.astype("uint8")
    np.savez(path, **arrays)  # type: ignore[arg-type]


def check(case: Case, folder: Path) -> None:
    if case.needs and not (DATA / case.needs).exists():
        pytest.skip(f"needs {DATA / case.needs}")
    datasets = folder / "keras" / "datasets"
    datasets.mkdir(parents=True)
    if case.needs:
        (datasets / case.needs).symlink_to(DATA / case.needs)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_HOME": str(folder / "keras")}
    script = str(ROOT / "examples" / f"{case.script}.py")
    if "{reviews}" in case.arguments:
        write_reviews(folder / "reviews.npz")
    arguments = case.arguments.format(data=DATA, root=ROOT, reviews=folder / "reviews.npz")
    command = [sys.executable, "-m", "symgraph.keras", script, *arguments.split()]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    found = re.findall(case.pattern, done.stdout)
    assert found, f"no {case.pattern!r} in what the example printed:\n{done.stdout[-2000:]}"
    assert case.low <= float(found[-1]) <= case.high, done.stdout[-2000:]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_small_run(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


def test_sentences_made_up(tmp_path: Path) -> None:
    """The program over sentences runs where there is no real data, too."""
    for name, mood in (("pos", "fine"), ("neg", "dull")):
        lines = [f"the {i} film, {mood} café" for i in range(150)]
        (tmp_path / f"rt-polarity.{name}").write_text("\n".join(lines), encoding="latin-1")
    check(Case("sentence_cnn", "--data . --epochs 6", ACCURACY, low=0.9), tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("case", FULL, ids=str)
def test_the_stated_result(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


def test_every_example_is_run() -> None:
    scripts = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert scripts == {case.script for case in CASES}
