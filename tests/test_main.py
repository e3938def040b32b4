"""``python -m symgraph``: the report on a machine, and its exit status."""

from __future__ import annotations

import json

import pytest

from symgraph import __main__ as report
from symgraph.errors import TargetError
from symgraph.version import VERSION


def test_the_report_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert report.main(["--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["symgraph"] == VERSION
    assert all(found["packages"][name] for name in ("numpy", "llvmlite", "networkx", "pydot", "h5py"))
    assert found["cpu"]["vector_bytes"] in (16, 32, 64)
    assert {target: test["status"] for target, test in found["self_test"].items()} == {"llvm": "ok", "numpy": "ok"}


def test_the_report_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert report.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"symgraph {VERSION} on Python 3.")
    names = [line.split()[0] for line in lines[1:]]
    assert names == "numpy BLAS others graphviz processor features threads cache self-test self-test".split()


def test_a_wrong_value_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(report, "self_test", lambda target: {"status": "failed", "largest_error": 0.5, "seconds": 0.1})
    assert report.main([]) == 1
    assert "llvm: failed (largest error 5.0e-01" in capsys.readouterr().out


def test_a_target_that_cannot_serve_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise TargetError("this system refuses executable memory")

    monkeypatch.setattr("symgraph.function", refuse)
    assert report.main([]) == 0
    assert "llvm: unavailable (this system refuses executable memory)" in capsys.readouterr().out


def test_wrong_threads_are_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> int:
        raise report.ArgumentError("SYMGRAPH_THREADS must be a positive number, got 'x'")

    monkeypatch.setattr("symgraph.codegen.targets.llvm.pool.get_threads", refuse)
    monkeypatch.setattr(report, "self_test", lambda target: {"status": "ok", "largest_error": 0.0, "seconds": 0.1})
    assert report.main([]) == 0
    assert "SYMGRAPH_THREADS must be a positive number" in capsys.readouterr().out
