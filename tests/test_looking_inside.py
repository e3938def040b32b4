"""The page on looking inside does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from symgraph import events
from tests.pages import run_page

PAGE = Path(__file__).parents[1] / "docs" / "looking_inside.md"


@pytest.mark.slow
def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    names = run_page("docs/looking_inside.md")
    printed = capsys.readouterr().out
    assert "exp [id B] f32[" in printed and "profile of step: 10 call(s)" in printed
    assert re.search(r"20 NaN in what step 0 computes\n  first in log of", printed)
    assert {p.name for p in tmp_path.iterdir()} == {"step.svg", "clusters.dot", "calls.svg", "report.html"}
    assert names["report"].calls == 1


def test_the_page_lists_the_topics_of_events() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.M)
    assert tuple(rows) == events.TOPICS
