"""Object code in executable memory, for as long as somebody holds it."""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from ....errors import TargetError
from .cpu import Cpu, binding, can_run, target_machine
from .forking import llvm_lock


class Library:
    """Object files linked in memory. Symbols of one file are visible to the others, and those of the process to all.

    The memory is given back when the library is closed or dropped.

    Raises:
        TargetError: where the system refuses executable memory, or the code is for another processor.
    """

    def __init__(self, objects: Sequence[bytes], cpu: Cpu) -> None:
        self._engine: Any = None
        if not can_run(cpu):
            raise TargetError(f"code for the processor {cpu.name} cannot run on this machine")
        check_executable_memory()
        with llvm_lock:
            self._link(objects, cpu)

    def _link(self, objects: Sequence[bytes], cpu: Cpu) -> None:
        llvm = binding()
        self._context: Any = llvm.create_context()
        # Its own memory manager keeps all sections of an object within reach of each other.
        module = llvm.parse_assembly("", self._context)
        engine = llvm.create_mcjit_compiler(module, target_machine(cpu), use_lmm=True)
        try:
            for code in objects:
                engine.add_object_file(llvm.ObjectFileRef.from_data(code))
            engine.finalize_object()
        except RuntimeError as error:
            engine.close()
            raise TargetError(f"native code cannot be loaded: {error}") from error
        self._engine = engine

    def address(self, symbol: str) -> int:
        """The address of an exported function.

        Raises:
            TargetError: if there is none of that name.
        """
        with llvm_lock:
            address = int(self._engine.get_function_address(symbol))
        if not address:
            raise TargetError(f"native code has no symbol {symbol}")
        return address

    def addresses(self, symbols: Sequence[str]) -> Mapping[str, int]:
        return {name: self.address(name) for name in symbols}

    def close(self) -> None:
        """Give the memory back. No function of the library may run, now or later."""
        with llvm_lock:
            engine, self._engine = self._engine, None
            if engine is not None:
                engine.close()
            self._context = engine = None

    def keep(self) -> None:
        """Never give the memory back, not even when the library is dropped."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.detach()

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:  # at the end, modules are empty
        if not ending():
            self.close()


@lru_cache(maxsize=1)
def check_executable_memory() -> None:
    """Try whether memory may be made executable after it was written.

    Raises:
        TargetError: where the system refuses, as hardened ones do.
    """
    if not hasattr(mmap, "PROT_EXEC"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise TargetError(f"no memory for native code: {error}") from error
    view = ctypes.c_char.from_buffer(page)
    address = ctypes.c_void_p(ctypes.addressof(view))
    size = ctypes.c_size_t(mmap.PAGESIZE)
    refused = libc.mprotect(address, size, mmap.PROT_READ | mmap.PROT_EXEC) != 0
    if not refused:
        libc.mprotect(address, size, mmap.PROT_READ | mmap.PROT_WRITE)
    del view
    page.close()
    if refused:
        raise TargetError("this system refuses executable memory, which the llvm target needs; use target='numpy'")
