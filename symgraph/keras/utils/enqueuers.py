"""Batches that other threads (or processes) prepare while training runs."""

from __future__ import annotations

import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import numpy as np

_in_worker: dict[str, Any] = {}  # what a worker process works on, set once when it starts


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

    Use: ``start``, take from ``get()``, ``stop``.
    """

    def __init__(self, sequence: Any, use_multiprocessing: bool = False) -> None:
        self.sequence = sequence
        self.use_multiprocessing = use_multiprocessing
        self.workers = 0
        self.queue: queue.Queue[Any] = queue.Queue()
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
        self.run_thread = threading.Thread(target=self._run, daemon=True)
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

    def _put(self, item: Any) -> bool:
        """Wait for a place in the queue; False when stopped meanwhile."""
        while not self.stop_signal.is_set():
            try:
                self.queue.put(item, timeout=0.05)
            except queue.Full:
                continue
            return True
        return False

    def _take(self) -> Any:
        while self.is_running():
            try:
                return self.queue.get(timeout=0.5)
            except queue.Empty:
                continue
        raise StopIteration

    @abstractmethod
    def _run(self) -> None:
        """Fill the queue until stopped."""

    @abstractmethod
    def get(self) -> Iterator[Any]:
        """The batches."""


class OrderedEnqueuer(SequenceEnqueuer):
    """The batches of a :class:`Sequence` in order (``shuffle``: in a new order each epoch), epoch after epoch."""

    def __init__(self, sequence: Any, use_multiprocessing: bool = False, shuffle: bool = False) -> None:
        super().__init__(sequence, use_multiprocessing)
        self.shuffle = shuffle
        self.end_of_epoch_signal = threading.Event()

    def _run(self) -> None:
        order = list(range(len(self.sequence)))
        while not self.stop_signal.is_set():
            if self.shuffle:
                np.random.shuffle(order)
            with _pool(self.sequence, self.workers, self.use_multiprocessing) as (executor, task):
                futures: list[Future[Any]] = []
                for i in order:
                    futures.append(executor.submit(task, i))
                    if not self._put(futures[-1]):
                        for future in futures:
                            future.cancel()
                        return
                for future in futures:  # the sequence changes only when nobody works on it
                    future.exception()
            self.sequence.on_epoch_end()
            order = list(range(len(self.sequence)))
            self.end_of_epoch_signal.set()

    def join_end_of_epoch(self) -> None:
        """Wait for the end of the epoch that is being prepared."""
        self.end_of_epoch_signal.wait(timeout=30)
        self.end_of_epoch_signal.clear()

    def get(self) -> Iterator[Any]:
        try:
            while self.is_running():
                inputs = self._take().result()
                if inputs is not None:
                    yield inputs
        except StopIteration:
            return
        except BaseException:
            self.stop()
            raise


class GeneratorEnqueuer(SequenceEnqueuer):
    """The items of a generator; an end or an error of the generator comes after the items before it."""

    def __init__(
        self,
        sequence: Any,
        use_multiprocessing: bool = False,
        wait_time: float | None = None,
        random_seed: int | None = None,
    ) -> None:
        super().__init__(sequence, use_multiprocessing=False)  # a generator lives in one process
        self.random_seed = random_seed

    def _run(self) -> None:
        try:
            for item in self.sequence:
                if not self._put((item, None)):
                    return
        except BaseException as error:  # given to the one who takes the items
            self._put((None, error))
        else:
            self._put((None, StopIteration()))

    def get(self) -> Iterator[Any]:
        try:
            while self.is_running():
                item, error = self._take()
                if isinstance(error, StopIteration):
                    return
                if error is not None:
                    raise error
                yield item
        except StopIteration:
            return
        except BaseException:
            self.stop()
            raise


class _pool:
    """An executor, and the function from a number to a batch that it can run."""

    def __init__(self, sequence: Any, workers: int, processes: bool) -> None:
        self._task: Callable[[int], Any]
        self._executor: Executor
        if processes:
            self._executor = ProcessPoolExecutor(workers, initializer=_begin_worker, initargs=(sequence,))
            self._task = _batch_in_worker
        else:
            self._executor = ThreadPoolExecutor(workers)
            self._task = sequence.__getitem__

    def __enter__(self) -> tuple[Executor, Callable[[int], Any]]:
        return self._executor, self._task

    def __exit__(self, *error: object) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)


def _begin_worker(sequence: Any) -> None:
    _in_worker["sequence"] = sequence


def _batch_in_worker(index: int) -> Any:
    return _in_worker["sequence"][index]
