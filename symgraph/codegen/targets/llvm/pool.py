"""The process-wide thread pool, in native code.

``sg_parallel_for(fn, buffers, sizes, units, chunk, status, workspace)`` runs a kernel phase over ``[0, units)``: the
calling thread and the workers claim chunks of ``chunk`` units from an atomic counter until none is left; it returns
when all are done. The pool serves one caller at a time; another one, and a task that calls it again, runs its whole
range itself. So nothing ever waits for the pool, and a task may call what it likes.

Between jobs a worker spins for some 50 us and then sleeps. A caller whose last chunks are in other hands spins for some
30 us and then sleeps too: where another process took a worker's core, the worker can have the caller's.
A worker that finds itself on the caller's core sleeps at once: woken again, it is given an idle core where there is
one.

Protocol. ``epoch`` is odd while a job is open. A worker first adds itself to ``joined``, then looks whether the job
is open; the caller first closes the job, then waits for ``joined`` to reach 0. All of this is sequentially
consistent, so a worker either is waited for or does not start; one that never woke up is not waited for. Sleeping
works the same way: a worker adds itself to ``sleepers``, then looks at ``epoch``; the caller moves ``epoch``, then
looks at ``sleepers``.

Threads start with the first job that wants them. After a fork the child begins with no threads and starts its own.
"""

from __future__ import annotations

import ctypes
import os
import sys

from ....errors import ArgumentError
from .cache import module_code
from .cpu import binding, host_cpu
from .engine import Library
from .once import once
from .pool_code import pool_text

SYMBOL = "sg_parallel_for"
_NEEDED = (
    "pthread_create", "pthread_attr_init", "pthread_attr_destroy", "pthread_attr_setstacksize",
    "pthread_attr_setdetachstate", "pthread_mutex_init", "pthread_mutex_lock", "pthread_mutex_unlock",
    "pthread_cond_init", "pthread_cond_wait",
    "pthread_cond_signal", "pthread_cond_broadcast", "pthread_sigmask", "sigfillset", "clock_gettime",
)  # fmt: skip


def _resolve() -> bool:
    """Make the functions of the C library that the pool calls known to LLVM; False where there are none."""
    if os.name != "posix":
        return False
    process = ctypes.CDLL(None)
    names = (*_NEEDED, "sched_getcpu") if sys.platform.startswith("linux") else _NEEDED
    for name in names:
        function = getattr(process, name, None)
        if function is None:
            return False
        binding().add_symbol(name, ctypes.cast(function, ctypes.c_void_p).value)
    return True


class Pool:
    """The pool's machine code; it stays for the life of the process."""

    def __init__(self) -> None:
        cpu = host_cpu()
        self.threaded = _resolve()
        library = Library([module_code("pool", pool_text(cpu, self.threaded), cpu)], cpu)
        self.address = library.address(SYMBOL)
        self._limit = ctypes.CFUNCTYPE(None, ctypes.c_int32)(library.address("sg_pool_limit"))
        self._reset = ctypes.CFUNCTYPE(None)(library.address("sg_pool_reset"))
        # Workers may sleep in this code until the process ends.
        library.keep()
        self.threads = 1
        self.limit(_wanted_threads())
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._reset)

    def limit(self, threads: int) -> None:
        self.threads = threads if self.threaded else 1
        self._limit(self.threads)


def _wanted_threads() -> int:
    """``SYMGRAPH_THREADS``, or the processors this process may use."""
    text = os.environ.get("SYMGRAPH_THREADS", "")
    if not text:
        return host_cpu().cores
    if not text.isdigit() or int(text) < 1:
        raise ArgumentError(f"SYMGRAPH_THREADS must be a positive number, got {text!r}")
    return int(text)


@once
def _pool() -> Pool:
    return Pool()


def address() -> int:
    """The address of ``sg_parallel_for``."""
    return _pool().address


def set_threads(n: int) -> None:
    """Use ``n`` threads, the calling one included, from the next call on.

    Raises:
        ArgumentError: unless ``n`` is a positive integer.
    """
    if type(n) is not int or n < 1:
        raise ArgumentError(f"the number of threads must be a positive integer, got {n!r}")
    _pool().limit(n)


def get_threads() -> int:
    """How many threads a call uses at most, the calling one included."""
    return _pool().threads
