"""Every name of Keras 2.3.1, but those that ``spec_missing.txt`` lists. The list only gets shorter."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.keras.api_table import page, unknown
from tests.keras.spec_walk import backend_problems, problems

HERE = Path(__file__).parent
SPEC = Path(os.environ.get("KERAS_SPEC", HERE.parents[2] / "shared" / "spec" / "keras-2.3.1-api.json"))
LISTED = HERE / "spec_missing.txt"
PAGE = HERE.parents[1] / "docs" / "keras_api.md"
needs_spec = pytest.mark.skipif(not SPEC.exists(), reason=f"the recorded API is not at {SPEC}")


@needs_spec
def test_the_api_of_keras(request: pytest.FixtureRequest) -> None:
    spec = json.loads(SPEC.read_text())
    shown = sorted([*problems(spec["modules"]), *backend_problems(spec["backend_functions"])])
    found = {line.partition(": ")[0] for line in shown}
    listed = set(LISTED.read_text().split())
    if request.config.getoption("--update-golden"):
        listed &= found  # names that are here now leave the list; none is ever added
        LISTED.write_text("".join(f"{name}\n" for name in sorted(listed)))
    new = [line for line in shown if line.partition(": ")[0] not in listed]
    assert not new, "missing or different from Keras:\n" + "\n".join(new)
    assert not listed - found, "here now (run with --update-golden to shorten the list): " + str(listed - found)


@needs_spec
def test_the_page_of_names_is_current(request: pytest.FixtureRequest) -> None:
    modules = json.loads(SPEC.read_text())["modules"]
    text = page(modules, set(LISTED.read_text().split()))
    if request.config.getoption("--update-golden"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text, "renew it with pytest tests/keras/test_spec.py --update-golden"
    assert not unknown(modules)
