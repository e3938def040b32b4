"""Which slow tests a run takes: none by default, all, or a share that changes from day to day.

Continuous integration has little time, so it runs one share of the slow tests a day; in ``SHARES`` days every slow test
has run. The parameter sets of one test go to the shares in turn, so that no day gets all the long runs of a family. A
share depends on the tests alone, so a run can be repeated: ``pytest --slow=share --slow-day=17``. A test named in full
on the command line (``file.py::test``) always runs.
"""

from __future__ import annotations

import datetime
import zlib
from collections import Counter

import pytest

SHARES = 6


def share_of(test: str, number: int = 0) -> int:
    """The share, ``0 <= share < SHARES``, of the parameter set ``number`` of a test (its node id without brackets)."""
    return (zlib.crc32(test.encode()) + number) % SHARES


def pytest_addoption(parser: pytest.Parser) -> None:
    today = datetime.date.today().timetuple().tm_yday
    group = parser.getgroup("slow tests")
    modes = ("none", "share", "only-share", "all")
    group.addoption("--slow", choices=modes, default="none", help="which slow tests to run")
    group.addoption("--slow-day", type=int, default=today, help="day that decides the share (default: day of the year)")


@pytest.hookimpl(tryfirst=True)  # before -k and -m leave out parameter sets, which would renumber the others
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    mode = config.getoption("--slow")
    if mode == "all" or any("::" in argument for argument in config.args):
        return
    share = config.getoption("--slow-day") % SHARES
    kept, left = [], []
    slow_sets: Counter[str] = Counter()
    for item in items:
        is_slow = item.get_closest_marker("slow") is not None
        is_due = False
        if is_slow:
            test = item.nodeid.partition("[")[0]
            is_due = mode != "none" and share_of(test, slow_sets[test]) == share
            slow_sets[test] += 1
        (kept if is_due or (not is_slow and mode != "only-share") else left).append(item)
    items[:] = kept
    if left:
        config.hook.pytest_deselected(items=left)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A share may be empty; that is not a failure."""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and session.config.getoption("--slow") == "only-share":
        session.exitstatus = pytest.ExitCode.OK
