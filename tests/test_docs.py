"""Generated pages are current, and name everything that they promise."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import pytest

import symgraph as sg
from tests import theano_table
from tests.op_table import RENAMED, missing, page

PAGE = Path(__file__).parents[1] / "docs" / "ops.md"


def test_the_page_of_ops_is_current(request: pytest.FixtureRequest) -> None:
    text = page()
    if request.config.getoption("--update-golden"):
        PAGE.write_text(text, encoding="utf-8")
    lines = difflib.unified_diff(PAGE.read_text(encoding="utf-8").splitlines(), text.splitlines(), lineterm="", n=0)
    difference = "\n".join(lines)
    assert not difference, f"docs/ops.md: renew it with pytest tests/test_docs.py --update-golden\n{difference}"


def test_no_function_of_the_array_api_standard_is_missing() -> None:
    assert not missing()
    plain = [name for name in RENAMED.values() if name.isidentifier()]
    assert not [name for name in plain if not hasattr(sg, name)]


def test_no_name_of_theano_is_missing() -> None:
    assert not theano_table.missing()


def test_every_public_name_exists_once() -> None:
    assert len(set(sg.__all__)) == len(sg.__all__)
    assert not [name for name in sg.__all__ if not hasattr(sg, name)]


def test_nothing_is_public_by_accident() -> None:
    own = {name for name, x in vars(sg).items() if getattr(x, "__module__", "").startswith("symgraph")}
    assert own - {"__getattr__"} <= set(sg.__all__)


def test_decisions_have_a_number_of_their_own_and_one_form() -> None:
    files = sorted((PAGE.parent / "decisions").glob("*.md"))
    numbers = [file.name.partition("-")[0] for file in files]
    assert len(set(numbers)) == len(files)
    for number, file in zip(numbers, files, strict=True):
        text = file.read_text(encoding="utf-8")
        assert text.startswith(f"# {number}: "), file.name
        assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == ["Context", "Decision", "Consequence"], file.name
