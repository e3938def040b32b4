"""Options and fixtures of all tests."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import symgraph as sg
from tests.golden_text import check_golden


@pytest.fixture(scope="session", autouse=True)
def private_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compiled code of a test run goes to a folder of its own, one for all its processes: fast, and the user's is not
    touched."""
    run = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # each worker has a folder in the run's
        run = run.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYMGRAPH_CACHE", str(run / "cache" / "symgraph"))
        yield


@pytest.fixture(autouse=True)
def seeded() -> None:
    """A test draws the same numbers whichever tests ran before it, in whichever process."""
    random.seed(0)
    np.random.seed(0)
    sg.set_random_seed(0)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden texts instead of comparing")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """``golden(name, text)`` compares a text with ``tests/golden/<name>.txt``."""
    update = bool(request.config.getoption("--update-golden"))
    return lambda name, text: check_golden(name, text, update)
