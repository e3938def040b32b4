"""The driver: the one native function that runs a plan, step by step.

It reads a frame's tables, so it is the same code for every plan and is made once. A call of a compiled
function is one foreign call of it, with the address of a *context* of twelve 8-byte fields::

    io        addresses of the call's Python arrays (inputs, states, outputs)
    data      where in a Python array's object the pointer to its elements is
    patches   pairs (number of an array, address of a field that needs its pointer)
    patched   how many
    tasks     records of eight fields: function, buffers, sizes, units, chunk, step, free, record
    count     how many
    status    eleven int64
    workspace scratch memory
    pool      the address of sg_parallel_for
    undo      records of three fields: address of a pointer to a state, where to save its elements, how many bytes
    saved     how many
    flush     bits that are set in the state of the floating-point unit meanwhile

A task of more than one chunk goes through the pool. After each task the status is looked at; a failed check ends the
run with the number of the step in ``status[3]``. The result is ``status[0]``.

A loop is a task like others: its function is ``sg_run_loop``, its buffers are a record of eight fields, its step is -1
(the tasks inside have numbers)::

    length    how often the tasks run
    moves     records of six fields: cell, source, first, step, mask, bytes. Before run i the cell gets the pointer in
              the source, moved by ((first + i * step) & mask) * bytes
    moved     how many
    tasks     as above
    count     how many
    pool      the address of sg_parallel_for
    condition where the pointer to a bool is that is looked at before every run, or 0
    wanted    the loop ends where the bool is not this

A call of Python is a task whose function is ``sg_run_host`` and whose sizes are a record of three fields::

    object    the Python object that the callback gets, with the address of the task's buffers
    done      0 before, 1 where the callback came to its end
    callback  its address

Where it did not come to its end, the run ends, with the result ``REFUSED``.

The driver is called with the GIL, releases it and takes it back at the end. In the thread that handles Python's signals
it does so also in between, after a task, every tenth of a second: a handler that raises (Ctrl-C) ends the run. That
happens, with the result -1, only after tasks that are ``free``: all before the first that writes more to states than
was saved at the beginning. What was saved is put back where a run ends at a task that is free, also by a failed check;
so a call updates all variables or none. An exception at other tasks waits for the end of the run; a second one stops it
in any case. ``status[4:10]`` are the thread's state, the time of the next look, the exception that waits (three), and
whether the run ended at a free task; ``status[10]`` is the caller's state of the floating-point unit, which Python gets
back wherever it runs.

The *watched* driver, for profiles and guards, is the same with four more fields for a task that has a ``record``::

    time      nanoseconds spent, added to by every run of the task
    runs      how often the task ran
    observer  a function of (number, 0) before and (number, 1) after the task; not 0 after it ends the run; or 0
    number    what the observer is called with
"""

from __future__ import annotations

import ctypes
import os
import threading
from dataclasses import dataclass

from .cache import module_code
from .cpu import binding, host_cpu
from .driver_code import driver_text
from .engine import Library
from .once import once

CONTEXT_FIELDS = 12
TASK_FIELDS = 8
MOVE_FIELDS = 6
STATUS_FIELDS = 11
UNDO_FIELDS = 3
SYMBOL = "sg_run_plan"
LOOP_SYMBOL = "sg_run_loop"
HOST_SYMBOL = "sg_run_host"
HOST_FIELDS = 3
#: The result of a run in which Python raised.
REFUSED = -2
_PYTHON = (
    "PyEval_SaveThread", "PyEval_RestoreThread", "PyErr_CheckSignals", "PyErr_Fetch", "PyErr_Restore", "Py_DecRef",
)  # fmt: skip


@dataclass(frozen=True)
class Driver:
    """The addresses of the driver and of the functions of tasks that are loops or call Python; ``library`` keeps them
    valid."""

    run: int
    loop: int
    host: int
    library: Library


@once
def driver(watched: bool = False) -> Driver:
    """The driver, ready to run."""
    cpu = host_cpu()
    text = driver_text(cpu, clocks=_resolve(), watched=watched)
    library = Library([module_code("driver", text, cpu)], cpu)
    set_main = ctypes.CFUNCTYPE(None, ctypes.c_size_t)(library.address("sg_set_main"))
    set_main(threading.main_thread().ident)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: set_main(threading.get_ident()))
    run, loop, host = (library.address(name) for name in (SYMBOL, LOOP_SYMBOL, HOST_SYMBOL))
    return Driver(run, loop, host, library)


def _resolve() -> bool:
    """Make the functions that the driver calls known to LLVM; False where the system has not POSIX's clocks."""
    for name in _PYTHON:
        binding().add_symbol(name, ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value)
    if os.name != "posix":
        return False
    process = ctypes.CDLL(None)
    for name in ("clock_gettime", "pthread_self"):
        function = getattr(process, name, None)
        if function is None:
            return False
        binding().add_symbol(name, ctypes.cast(function, ctypes.c_void_p).value)
    return True
