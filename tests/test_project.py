"""The project's own files: metadata, package data, the rotation of slow tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import symgraph
from symgraph.version import VERSION
from tests.pages import python_blocks
from tests.rotation import SHARES, share_of

ROOT = Path(__file__).parents[1]


def test_the_version_is_one() -> None:
    assert symgraph.__version__ == VERSION
    assert f"## {VERSION}" in (ROOT / "CHANGELOG.md").read_text()


def test_what_the_package_needs_at_run_time_is_named_as_data() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    folder = ROOT / "symgraph"
    data = [
        p for p in folder.rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc") and "__pycache__" not in p.parts
    ]
    missing = [p.name for p in data if f'"{p.name}"' not in text]
    assert not missing


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.stem)
def test_benchmarks_find_what_they_measure(path: Path) -> None:
    """Their imports still hold; what they time is nobody's test."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", f"import benchmarks.{path.stem}"]
    subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, timeout=120)


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {p.parent for p in (ROOT / "symgraph").rglob("*.py")}
    assert not [str(f) for f in folders if not (f / "__init__.py").exists()]


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "docs/architecture.md"])
def test_links_between_documents_lead_somewhere(name: str) -> None:
    path = ROOT / name
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text())
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert not missing


def test_slow_tests_rotate_through_all_shares(tmp_path: Path) -> None:
    assert {share_of(f"tests/test_x.py::test_{i}") for i in range(100)} == set(range(SHARES))
    (tmp_path / "test_some.py").write_text(
        "import pytest\n\ndef test_fast(): pass\n"
        + "".join(f"@pytest.mark.slow\ndef test_slow_{i}(): pass\n" for i in range(30))
        + "@pytest.mark.slow\n@pytest.mark.parametrize('n', range(12))\ndef test_family(n): pass\n"
    )

    def collected(*options: str) -> set[str]:
        command = [sys.executable, "-m", "pytest", "-p", "tests.rotation", "-c", str(ROOT / "pyproject.toml")]
        command += ["--rootdir", str(tmp_path), "--collect-only", *options, str(tmp_path)]
        env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        return set(re.findall(r"::(test_\S+)", done.stdout))

    assert collected() == {"test_fast"}
    names = [f"test_slow_{i}" for i in range(30)]
    due = {name for name in names if share_of(f"test_some.py::{name}") == 100 % SHARES}
    assert 0 < len(due) < 30
    first = (100 - share_of("test_some.py::test_family")) % SHARES
    family = {f"test_family[{i}]" for i in (first, first + SHARES)}
    assert collected("--slow=only-share", "--slow-day=100") == due | family
    assert collected("--slow=only-share", "--slow-day=100", "-k", "family") == family


def test_the_tour_of_the_readme_runs(tmp_path: Path) -> None:
    (tour,) = python_blocks("README.md")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", tour], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    losses = [float(number) for number in done.stdout.splitlines()[0].strip("[]").split(",")]
    assert losses == sorted(losses, reverse=True)
    assert "Epoch 10/10" in done.stdout
