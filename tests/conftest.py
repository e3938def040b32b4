"""Options and fixtures of all tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.golden_text import check_golden


@pytest.fixture(scope="session", autouse=True)
def private_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compiled code of a test run goes to a folder of its own: fast, and the user's is not touched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYMGRAPH_CACHE", str(tmp_path_factory.mktemp("cache") / "symgraph"))
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden texts instead of comparing")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """``golden(name, text)`` compares a text with ``tests/golden/<name>.txt``."""
    update = bool(request.config.getoption("--update-golden"))
    return lambda name, text: check_golden(name, text, update)
