"""Batches that other threads (or processes) prepare while training runs."""

from __future__ import annotations

import functools
import itertools
import multiprocessing
import os
import queue
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import numpy as np

_in_worker: dict[int, Any] = {}  # what a worker process works on, by the enqueuer's uid; set once when it starts
_uids = itertools.count()


def init_pool(seqs: dict[int, Any]) -> None:
    """Begin a worker process: it is to know sequences by number."""
    _in_worker.clear()
    _in_worker.update(seqs)


def init_pool_generator(gens: dict[int, Any], random_seed: int | None = None) -> None:
    """Begin a worker process that has its own copies of generators, and random numbers of its own if seeded."""
    init_pool(gens)
    if random_seed is not None:
        np.random.seed((random_seed + os.getpid()) % 2**32)


def get_index(uid: int, i: int) -> Any:
    """In a worker process: batch ``i`` of a sequence."""
    return _in_worker[uid][i]


def next_sample(uid: int) -> Any:
    """In a worker process: the next item of its copy of a generator."""
    return next(_in_worker[uid])


class Sequence:
    """Data as batches by number: give ``__getitem__(index)`` and ``__len__()``; ``on_epoch_end()`` may change them."""

    use_sequence_api = True

    @abstractmethod
    def __getitem__(self, index: int) -> Any:
        """The batch of a number."""
        raise NotImplementedError

    @abstractmethod
    def __len__(self) -> int:
        """The number of batches."""
        raise NotImplementedError

    def on_epoch_end(self) -> None:
        """Called at the end of every epoch."""

    def __iter__(self) -> Iterator[Any]:
        for i in range(len(self)):
            yield self[i]


class SequenceEnqueuer(ABC):
    """Runs workers that fill a queue of batches; ``get`` gives them.

    Use: ``start``, take from ``get()``, ``stop``. An error of a worker is raised by ``get()``, after the batches that
    came before it.
    """

    def __init__(self, sequence: Any, use_multiprocessing: bool = False) -> None:
        self.sequence = sequence
        self.use_multiprocessing = use_multiprocessing
        self.uid = next(_uids)
        self.workers = 0
        self.queue: queue.Queue[Future[Any]] = queue.Queue()
        self.run_thread: threading.Thread | None = None
        self.stop_signal = threading.Event()

    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return self.run_thread is not None and not self.stop_signal.is_set()

    def start(self, workers: int = 1, max_queue_size: int = 10) -> None:
        """Start ``workers`` workers that stay at most ``max_queue_size`` batches ahead."""
        self.workers = max(1, workers)
        self.queue = queue.Queue(max(1, max_queue_size))
        self.stop_signal = threading.Event()
        self.run_thread = threading.Thread(target=self._run_and_report, daemon=True)
        self.run_thread.start()

    def stop(self, timeout: float | None = None) -> None:
        """Stop the workers; batches that are waiting are dropped."""
        self.stop_signal.set()
        while True:
            try:
                self.queue.get_nowait()
            except queue.Empty:
                break
        if self.run_thread is not None:
            self.run_thread.join(timeout)

    def _put(self, future: Future[Any]) -> bool:
        """Wait for a place in the queue; False when stopped meanwhile."""
        while not self.stop_signal.is_set():
            try:
                self.queue.put(future, timeout=0.05)
            except queue.Full:
                continue
            return True
        return False

    def _wait_until_taken(self) -> bool:
        """Wait until nothing is left in the queue; False when stopped meanwhile."""
        with self.queue.all_tasks_done:
            while self.queue.unfinished_tasks and not self.stop_signal.is_set():
                self.queue.all_tasks_done.wait(timeout=0.05)
        return not self.stop_signal.is_set()

    def _results(self) -> Iterator[Any]:
        """What the workers made, in order."""
        while self.is_running():
            try:
                future = self.queue.get(timeout=0.5)
            except queue.Empty:
                continue
            self.queue.task_done()
            try:
                inputs = future.result()
            except StopIteration:
                yield from self._rest()
                return
            except CancelledError:
                return  # stopped meanwhile
            except BaseException:
                self.stop()
                raise
            if inputs is not None:
                yield inputs

    def _rest(self) -> Iterator[Any]:
        """What is still waiting when a generator has ended (other processes may have had items left)."""
        self.stop_signal.set()
        while not self.queue.empty():
            future = self.queue.get_nowait()
            if not future.cancel() and future.exception() is None:
                yield future.result()

    def _run_and_report(self) -> None:
        try:
            self._run()
        except BaseException as error:  # given to the one who takes the batches
            self._put(_done(error=error))

    @abstractmethod
    def _run(self) -> None:
        """Fill the queue until stopped."""

    @abstractmethod
    def get(self) -> Iterator[Any]:
        """The batches."""


class OrderedEnqueuer(SequenceEnqueuer):
    """The batches of a :class:`Sequence` in order (``shuffle``: in a new order each epoch), epoch after epoch.

    ``on_epoch_end`` of the sequence runs once all batches of the epoch were taken, and before the next is prepared.
    """

    def __init__(self, sequence: Any, use_multiprocessing: bool = False, shuffle: bool = False) -> None:
        super().__init__(sequence, use_multiprocessing)
        self.shuffle = shuffle
        self.end_of_epoch_signal = threading.Event()

    def _run(self) -> None:
        while not self.stop_signal.is_set():
            order = list(range(len(self.sequence)))
            if self.shuffle:
                np.random.shuffle(order)
            pool, task = self._pool()
            with pool:
                pending: deque[Future[Any]] = deque()
                for i in order:
                    pending.append(pool.submit(task, i))
                    if not self._put(pending[-1]):
                        pool.shutdown(cancel_futures=True)
                        return
                    while pending and pending[0].done():  # what is done is held by the queue only
                        pending.popleft()
                for future in pending:  # the sequence changes only when nobody works on it
                    future.exception()
            if not self._wait_until_taken():
                return
            self.sequence.on_epoch_end()
            self.end_of_epoch_signal.set()

    def _pool(self) -> tuple[Executor, Callable[[int], Any]]:
        """Workers for an epoch, and the function from a number to a batch that they run."""
        if not self.use_multiprocessing:
            return ThreadPoolExecutor(self.workers), self.sequence.__getitem__
        known = ({self.uid: self.sequence},)
        pool = ProcessPoolExecutor(self.workers, initializer=init_pool, initargs=known)
        return pool, functools.partial(get_index, self.uid)

    def join_end_of_epoch(self) -> None:
        """Wait for the end of the epoch that is being prepared."""
        self.end_of_epoch_signal.wait(timeout=30)
        self.end_of_epoch_signal.clear()

    def get(self) -> Iterator[Any]:
        return self._results()


class GeneratorEnqueuer(SequenceEnqueuer):
    """The items of a generator; an end or an error of the generator comes after the items before it.

    A generator cannot be shared: threads take turns, so one works at a time. With ``use_multiprocessing``, each worker
    is a copy of this process with its own copy of the generator: all of them give every item, unless the generator
    draws them at random (``random_seed`` makes the copies draw differently).

    Raises:
        ValueError: with ``use_multiprocessing`` where processes cannot be copied (Windows).
    """

    def __init__(
        self,
        sequence: Any,
        use_multiprocessing: bool = False,
        wait_time: float | None = None,
        random_seed: int | None = None,
    ) -> None:
        if use_multiprocessing and "fork" not in multiprocessing.get_all_start_methods():
            raise ValueError(
                "Using a generator with `use_multiprocessing=True` is not supported on this system (no marshalling of "
                "generators across process boundaries). Use single thread/process or a `keras.utils.Sequence`."
            )
        super().__init__(sequence, use_multiprocessing)
        self.random_seed = random_seed

    def _run(self) -> None:
        if self.use_multiprocessing:
            self._run_copies()
            return
        for item in self.sequence:
            if not self._put(_done(item)):
                return
        self._put(_done(error=StopIteration()))

    def _run_copies(self) -> None:
        known = ({self.uid: iter(self.sequence)}, self.random_seed)
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(self.workers, context, initializer=init_pool_generator, initargs=known) as pool:
            while self._put(pool.submit(next_sample, self.uid)):
                pass
            pool.shutdown(cancel_futures=True)

    def get(self) -> Iterator[Any]:
        return self._results()


def _done(result: Any = None, error: BaseException | None = None) -> Future[Any]:
    """A future that has its result, or its error."""
    future: Future[Any] = Future()
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
    return future
