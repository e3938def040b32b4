"""The tutorial for users of Theano runs, and prints what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "theano_tutorial.md"


def test_the_tutorial_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 8
    for block in blocks:
        wanted = re.findall(r"# prints (.*)", block)
        exec(compile(block, PAGE.name, "exec"), names)
        assert capsys.readouterr().out.splitlines() == wanted, block
