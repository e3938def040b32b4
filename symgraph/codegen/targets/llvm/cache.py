"""Kernels compiled once in a process: by content, for all functions."""

from __future__ import annotations

import threading
from collections import OrderedDict

from ...loop.grammar import Kernel
from .compiled import CompiledKernel
from .cpu import Cpu
from .kernel import compile_kernel, kernel_key


class KernelCache:
    """The most recently used compiled kernels, by key, up to ``limit`` bytes of object code and text."""

    def __init__(self, limit: int = 64 << 20) -> None:
        self.limit = limit
        self.hits = 0
        self.misses = 0
        self._size = 0
        self._kernels: OrderedDict[str, CompiledKernel] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, kernel: Kernel, cpu: Cpu) -> CompiledKernel:
        """The compiled kernel: known, or made now."""
        key = kernel_key(kernel, cpu)
        with self._lock:
            known = self._kernels.get(key)
            if known is not None:
                self._kernels.move_to_end(key)
                self.hits += 1
                return known
        made = compile_kernel(kernel, cpu, key)
        with self._lock:
            self.misses += 1
            if key not in self._kernels:
                self._kernels[key] = made
                self._size += _weight(made)
                while self._size > self.limit and len(self._kernels) > 1:
                    self._size -= _weight(self._kernels.popitem(last=False)[1])
        return made

    def clear(self) -> None:
        with self._lock:
            self._kernels.clear()
            self._size = 0


def _weight(compiled: CompiledKernel) -> int:
    return len(compiled.object_code) + len(compiled.ir)


#: The process's cache.
KERNELS = KernelCache()
