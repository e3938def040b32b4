"""Workers that prepare batches: order, errors, ends, memory, processes."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from symgraph.keras.utils import GeneratorEnqueuer, OrderedEnqueuer, Sequence, data_utils


class Numbers(Sequence):
    """Batch ``i`` is the number ``i``; some batches, or the end of an epoch, may fail."""

    def __init__(self, size: int, fails: dict[Any, BaseException] | None = None) -> None:
        self.size = size
        self.fails = fails or {}

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> Any:
        if index in self.fails:
            raise self.fails[index]
        return np.array([index])

    def on_epoch_end(self) -> None:
        if "end" in self.fails:
            raise self.fails["end"]


class Dying(Numbers):
    def __getitem__(self, index: int) -> Any:
        if index == 2:
            os._exit(3)
        return index


def taken(enqueuer: Any, count: int, workers: int = 2) -> list[Any]:
    enqueuer.start(workers=workers, max_queue_size=4)
    source = enqueuer.get()
    try:
        return [next(source) for _ in range(count)]
    finally:
        enqueuer.stop()
        assert not enqueuer.run_thread.is_alive()


@pytest.mark.parametrize("processes", [False, True])
def test_errors_come_after_the_batches_before_them(processes: bool) -> None:
    for fails, good in (({3: KeyError("mine")}, 3), ({"end": KeyError("mine")}, 5)):
        enqueuer = OrderedEnqueuer(Numbers(5, fails), use_multiprocessing=processes)
        enqueuer.start(workers=2)
        source = enqueuer.get()
        assert [int(next(source)[0]) for _ in range(good)] == list(range(good))
        with pytest.raises(KeyError, match="mine"):
            next(source)
        assert not enqueuer.is_running()


def test_a_worker_that_dies_is_an_error() -> None:
    from concurrent.futures.process import BrokenProcessPool

    with pytest.raises(BrokenProcessPool):
        taken(OrderedEnqueuer(Dying(50), use_multiprocessing=True), 50)


def test_a_shuffled_epoch_has_every_batch() -> None:
    first, second = np.split(np.concatenate(taken(OrderedEnqueuer(Numbers(20), shuffle=True), 40)), 2)
    assert sorted(first) == sorted(second) == list(range(20)) and first.tolist() != second.tolist()


@pytest.mark.parametrize("processes", [False, True])
def test_an_epoch_ends_when_its_batches_are_taken(processes: bool) -> None:
    class Growing(Numbers):  # the batches of an epoch show how many epochs ended before it
        ends = 0

        def on_epoch_end(self) -> None:
            self.ends += 1

        def __getitem__(self, index: int) -> Any:
            return self.ends * 10 + index

    numbers = Growing(2)
    enqueuer = OrderedEnqueuer(numbers, use_multiprocessing=processes)
    enqueuer.start(workers=2, max_queue_size=10)
    source = enqueuer.get()
    assert next(source) == 0
    enqueuer.run_thread.join(timeout=0.3)
    assert numbers.ends == 0  # the second batch is not taken
    assert [next(source) for _ in range(3)] == [1, 10, 11]
    enqueuer.stop()
    assert numbers.ends <= 2


def test_batches_that_were_taken_are_let_go() -> None:
    enqueuer = OrderedEnqueuer(Numbers(1000))
    enqueuer.start(workers=1, max_queue_size=2)
    source = enqueuer.get()
    seen = [weakref.ref(next(source)) for _ in range(40)]
    time.sleep(0.1)
    gc.collect()
    assert sum(ref() is not None for ref in seen) <= 8
    enqueuer.stop()


def test_generators_in_copies_of_the_process() -> None:
    def finite() -> Iterator[int]:
        yield from range(3)

    enqueuer = GeneratorEnqueuer(finite(), use_multiprocessing=True)
    enqueuer.start(workers=1)
    assert list(enqueuer.get()) == [0, 1, 2]
    enqueuer.stop()

    def endless() -> Iterator[tuple[int, float]]:
        while True:
            yield os.getpid(), float(np.random.uniform())
            time.sleep(0.01)

    found = taken(GeneratorEnqueuer(endless(), use_multiprocessing=True, random_seed=1), 30)
    assert os.getpid() not in {pid for pid, _ in found} and len({value for _, value in found}) == 30


def test_where_processes_cannot_be_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    with pytest.raises(ValueError, match="generator with `use_multiprocessing=True` is not supported"):
        GeneratorEnqueuer(iter([1]), use_multiprocessing=True)


def test_what_worker_processes_run() -> None:
    data_utils.init_pool({7: [10, 20, 30]})
    assert data_utils.get_index(7, 1) == 20
    data_utils.init_pool_generator({8: iter([1, 2])}, random_seed=3)
    assert [data_utils.next_sample(8), data_utils.next_sample(8)] == [1, 2]
    data_utils.init_pool({})


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["OrderedEnqueuer(Numbers()", "GeneratorEnqueuer(iter(int, 1)"])
@pytest.mark.parametrize("processes", [False, True])
def test_a_program_that_forgets_to_stop_still_ends(kind: str, processes: bool) -> None:
    program = f"""
from symgraph.keras.utils import OrderedEnqueuer, GeneratorEnqueuer, Sequence
class Numbers(Sequence):
    def __len__(self): return 5
    def __getitem__(self, i): return i
enqueuer = {kind}, use_multiprocessing={processes})
enqueuer.start(workers=2)
source = enqueuer.get()
print(next(source), next(source))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0 and done.stdout.split() in (["0", "1"], ["0", "0"]), done.stderr
