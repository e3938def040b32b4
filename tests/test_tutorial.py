"""The tutorial for users of Theano runs, and prints what it says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.pages import python_blocks

PAGE = "docs/theano_tutorial.md"


def test_the_tutorial_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    blocks = python_blocks(PAGE)
    assert len(blocks) >= 8
    for block in blocks:
        wanted = re.findall(r"# prints (.*)", block)
        exec(compile(block, PAGE, "exec"), names)
        assert capsys.readouterr().out.splitlines() == wanted, block
