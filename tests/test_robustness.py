"""Sizes 0 and 1 through many functions, and functions in threads, forks and spawned processes."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.ir.interp import interpret

targets = pytest.mark.parametrize("target", ["llvm", "numpy"])
Two = Callable[[sg.Tensor, sg.Tensor], Any]

#: Functions of a matrix [N, M] and a vector [M], defined also where a size is 0 or 1.
EMPTY_TOO: dict[str, Two] = {
    "elementwise": lambda x, v: sg.tanh(x) * v + sg.exp(x),
    "sums": lambda x, v: [x.sum(), x.sum(axis=0), x.sum(axis=1), x.prod(axis=0)],
    "mean_of_squares": lambda x, v: (x * x).mean(),
    "dot": lambda x, v: [sg.dot(x, v), sg.dot(x, x.T), sg.dot(x.T, x)],
    "outer": lambda x, v: sg.outer(v, v) * 2,
    "cumulative": lambda x, v: [sg.cumsum(x, axis=0), sg.cumprod(x, axis=1)],
    "views": lambda x, v: [x[::-1], x[:, ::-1], x.T, x.reshape((-1,)), sg.flip(v)],
    "joined": lambda x, v: [sg.concatenate([x, x], axis=0), sg.stack([v, v]), sg.tile(v, 2), sg.repeat(v, 3)],
    "padded": lambda x, v: sg.pad(x, ((1, 2), (0, 1))),
    "sorted": lambda x, v: [sg.sort(x, axis=1), sg.argsort(v)],
    "where": lambda x, v: sg.where(x > v, x, v),
    "rolled": lambda x, v: sg.roll(v, 1),
    "gradient": lambda x, v: sg.grad((sg.tanh(sg.dot(x, v)) ** 2).sum(), [x, v]),
    "scan": lambda x, v: sg.scan(lambda row, h: h * 0.5 + row, sequences=[x], outputs_info=[sg.zeros_like(v)])[0],
    "all_any": lambda x, v: [sg.all(x > 0), sg.any(x > 0, axis=0), sg.count_nonzero(x)],
}  # fmt: skip
#: Those that need at least one element along the axes they fold.
FILLED_ONLY: dict[str, Two] = {
    "extremes": lambda x, v: [x.max(), x.min(axis=0), x.argmax(axis=1), sg.argmin(v)],
    "softmax": lambda x, v: [sg.softmax(x), sg.log_softmax(v), sg.logsumexp(x, axis=1)],
    "moments": lambda x, v: [sg.std(x, axis=0), sg.var(x), sg.median(v)],
    "scan_gradient": lambda x, v: sg.grad(
        sg.scan(lambda row, h: sg.tanh(h + row), sequences=[x], outputs_info=[v])[0].sum(), [x, v]
    ),
}


def check(rows: int, columns: int, fn: sg.Function) -> None:
    """The compiled function, and the interpreter of what was built."""
    rng = np.random.default_rng(rows * 10 + columns)
    x, v = rng.normal(size=(rows, columns)).astype("float32"), rng.normal(size=columns).astype("float32")
    expected = interpret(fn.stages.imported, [x, v]).outputs
    got = fn(x, v)
    for a, b in zip(got, expected, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def compiled(make: Two, target: str) -> sg.Function:
    x = sg.placeholder((None, None), name="x")
    v = sg.placeholder((x.shape[1],), name="v")
    made = make(x, v)
    return sg.function([x, v], list(made) if isinstance(made, (list, tuple)) else [made], target=target)


@targets
@pytest.mark.parametrize("name", EMPTY_TOO)
def test_one_executable_serves_sizes_0_and_1(name: str, target: str) -> None:
    fn = compiled(EMPTY_TOO[name], target)
    for rows, columns in ((3, 5), (0, 5), (3, 0), (0, 0), (1, 1), (1, 5), (3, 1), (0, 1), (1, 0)):
        check(rows, columns, fn)


@targets
@pytest.mark.parametrize("name", FILLED_ONLY)
def test_one_executable_serves_size_1(name: str, target: str) -> None:
    fn = compiled(FILLED_ONLY[name], target)
    for rows, columns in ((3, 5), (1, 1), (1, 5), (3, 1)):
        check(rows, columns, fn)


# -- threads and processes --------------------------------------------------------------------------------------------


def work(seed: int, target: str = "llvm") -> float:
    """Compile something new and run it over enough rows for the thread pool; how far it is from NumPy."""
    x = sg.placeholder((None, 64), name="x")
    same = sg.constant(np.eye(64, dtype="float32"))
    fn = sg.function([x], (sg.tanh(x * (seed + 0.5)) @ same).sum(axis=1), target=target)
    a = np.random.default_rng(seed).normal(size=(5000, 64)).astype("float32")
    return float(np.abs(fn(a) - np.tanh(a * np.float32(seed + 0.5)).sum(axis=1)).max())


def test_compiling_in_several_threads_at_once() -> None:
    errors: list[float] = []
    threads = [threading.Thread(target=lambda k=k: errors.append(work(k))) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 8 and max(errors) < 1e-3


def test_one_function_in_eight_threads_with_sizes_of_their_own() -> None:
    x = sg.placeholder((None, 8), name="x")
    total = sg.variable(np.float64(0), name="total")
    fn = sg.function([x], (x * 2).sum(axis=1), updates=[(total, total + sg.cast(x.sum(), "float64"))])
    wrong: list[int] = []

    def call(k: int) -> None:
        for n in range(1, 30):
            a = np.full((n, 8), k, "float32")
            if not np.array_equal(fn(a), np.full(n, 16 * k)):
                wrong.append(k)

    threads = [threading.Thread(target=call, args=[k]) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert float(total.get_value()) == sum(range(8)) * 8 * sum(range(1, 30))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_calls_and_compiles() -> None:
    x = sg.placeholder((None, 64), name="x")
    fn = sg.function([x], sg.exp(x).sum(axis=1))
    a = np.zeros((20_000, 64), "float32")
    np.testing.assert_array_equal(fn(a), 64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 warns of threads and forks
        child = os.fork()
    if child == 0:
        code = 1
        try:
            code = int(not ((fn(a) == 64).all() and work(3) < 1e-3))
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    np.testing.assert_array_equal(fn(a), 64)


def ends_well(child: int, seconds: float = 60) -> bool:
    """Whether a child process ends, and with 0; one that does not is ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_compiles_that_was_forked_while_other_threads_did() -> None:
    """LLVM's locks are not held by threads that the child does not have."""
    assert work(5) < 1e-3  # what is imported at first use is there: Python's own locks of modules have no remedy
    stop = threading.Event()
    numbers = itertools.count(10)

    def compiling() -> None:
        while not stop.is_set():
            work(next(numbers))

    threads = [threading.Thread(target=compiling) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for number in range(3):
            time.sleep(0.01 * number)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 warns of threads and forks
                child = os.fork()
            if child == 0:
                code = 1
                try:
                    code = int(not work(1000 + number) < 1e-3)
                finally:
                    os._exit(code)
            assert ends_well(child)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.slow
def test_a_spawned_process_compiles() -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert max(pool.map(work, [1, 2])) < 1e-3
