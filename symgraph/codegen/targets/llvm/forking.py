"""Locks and forks. A child has copies of the locks that other threads held, and no such threads: nobody would ever
release them, nor finish what they were doing inside LLVM."""

from __future__ import annotations

import os
import threading
from contextlib import AbstractContextManager


def lock_of_forks() -> AbstractContextManager[bool]:
    """A reentrant lock that a fork waits for, so that the child begins where no thread held it."""
    lock = threading.RLock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock


#: Held around all that LLVM does: it works for one caller at a time.
llvm_lock = lock_of_forks()

__all__ = ["llvm_lock", "lock_of_forks"]
