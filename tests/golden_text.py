"""Golden texts: ``tests/golden/<name>.txt`` holds what a stage printed when somebody last looked at it.

They are renewed only by ``pytest --update-golden``; the difference is then read in the commit.
"""

from __future__ import annotations

import difflib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "golden"


def check_golden(name: str, text: str, update: bool) -> None:
    """Compare ``text`` to the golden file ``name``, or write it.

    Raises:
        AssertionError: with the difference, or where there is no golden file yet.
    """
    path = FOLDER / f"{name}.txt"
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return
    assert path.exists(), f"no golden file {path}; write it with --update-golden"
    expected = path.read_text(encoding="utf-8")
    if text != expected:
        lines = difflib.unified_diff(expected.splitlines(), text.splitlines(), "golden", "now", lineterm="")
        raise AssertionError(f"{path.name} differs (renew with --update-golden):\n" + "\n".join(lines))
