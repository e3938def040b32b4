"""``SYMGRAPH_LOG``: which events reach standard error, and that none cost anything when nobody asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from symgraph import events

ROOT = Path(__file__).parents[1]
PROGRAM = """
import symgraph as sg
x = sg.placeholder((None, 3), name="x")
double = sg.function([x], sg.exp(x) * 2 - 0, name="double", target="{target}")
import sys; print("logging" in sys.modules)
"""


def run(topics: str, cache: Path | str, target: str = "llvm") -> tuple[str, list[str]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SYMGRAPH_LOG": topics, "SYMGRAPH_CACHE": str(cache)}
    command = [sys.executable, "-c", PROGRAM.format(target=target)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip(), done.stderr.splitlines()


def test_nothing_is_said_or_loaded_when_nobody_asks(tmp_path: Path) -> None:
    assert run("", tmp_path / "cache", "numpy") == ("False", [])


def test_all_topics(tmp_path: Path) -> None:
    _, cold = run("all", tmp_path / "cache")
    starts = {" ".join(line.split()[:2]) for line in cold}
    assert starts == {"symgraph passes:", "symgraph kernels:", "symgraph compile:"}
    assert any(line.startswith("symgraph passes: double: canonicalize: ") for line in cold)
    assert any(line.startswith("symgraph compile: double for llvm: ") and "ms (" in line for line in cold)
    assert any("bytes in" in line for line in cold)
    _, warm = run("all", tmp_path / "cache")
    assert {" ".join(line.split()[:2]) for line in warm} == {"symgraph cache:", "symgraph compile:"}
    assert any("found: plan of double" in line for line in warm)


def test_chosen_topics(tmp_path: Path) -> None:
    _, lines = run("compile, Kernels", tmp_path / "cache")
    assert {line.split()[1] for line in lines} == {"compile:", "kernels:"}


def test_an_unknown_topic_is_named(tmp_path: Path) -> None:
    _, lines = run("compiel", "off")
    assert lines == ["SYMGRAPH_LOG: no topic compiel; the topics are: cache, passes, kernels, compile, all"]


def test_why_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    _, lines = run("cache", tmp_path / "file" / "cache")
    assert len(lines) == 1 and "compiled code is not kept" in lines[0]
    _, silent = run("", tmp_path / "file" / "cache")
    assert silent == []


def test_topics_are_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYMGRAPH_LOG", raising=False)
    assert not any(events.is_on(topic) for topic in events.TOPICS)
    monkeypatch.setenv("SYMGRAPH_LOG", "passes")
    assert [topic for topic in events.TOPICS if events.is_on(topic)] == ["passes"]
    monkeypatch.setenv("SYMGRAPH_LOG", "all")
    assert all(events.is_on(topic) for topic in events.TOPICS)


def test_a_stopwatch_counts_laps() -> None:
    watch = events.Stopwatch()
    laps = [watch.lap() for _ in range(3)]
    assert all(lap >= 0 for lap in laps)
    assert watch.total() >= sum(laps)
