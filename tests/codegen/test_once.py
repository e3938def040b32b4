"""What a process makes once."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from symgraph.codegen.targets.llvm.once import once


def test_threads_that_start_together_get_one_object() -> None:
    barrier = threading.Barrier(8)
    made: list[str] = []

    @once
    def make(name: str = "a") -> object:
        made.append(name)
        return object()

    def ask(k: int) -> object:
        barrier.wait()
        return make(name="ab"[k % 2])

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert len(set(found)) == 2 and sorted(made) == ["a", "b"]


def test_an_error_is_not_kept() -> None:
    tries = iter([ValueError("first"), None])

    @once
    def make() -> int:
        error = next(tries)
        if error:
            raise error
        return 3

    with pytest.raises(ValueError, match="first"):
        make()
    assert make() == make() == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_has_a_free_lock() -> None:
    entered, done = threading.Event(), threading.Event()

    @once
    def make(slow: bool = False) -> int:
        if slow:
            entered.set()
            done.wait()
        return 1

    thread = threading.Thread(target=lambda: make(slow=True))
    thread.start()
    entered.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if make() == 1 else 1)
    status = os.waitpid(child, 0)[1]
    done.set()
    thread.join()
    assert status == 0
