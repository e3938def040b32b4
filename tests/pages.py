"""The Python in the pages of ``docs``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def python_blocks(name: str) -> list[str]:
    """The blocks of code in a page, named from the root of the repository."""
    return re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)


def run_page(name: str) -> dict[str, Any]:
    """Run the blocks of a page one after the other; gives the names that they define."""
    names: dict[str, Any] = {}
    for block in python_blocks(name):
        exec(compile(block, name, "exec"), names)
    return names
