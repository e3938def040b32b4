"""What compiling one kernel gives: object code and how to call it.

Every phase is a function with C calling convention::

    void <symbol>(void** buffers, int64_t* sizes, int64_t lo, int64_t hi, int64_t* status, void* workspace)

that executes units ``lo .. hi`` of the phase. ``buffers`` are pointers in the order of ``Kernel.buffers`` and
``sizes`` the values of ``Kernel.sizes``. ``status`` is four int64, zero at first; a failed bounds check writes ``{1 +
check, index, size}`` to it, once, and the function returns. Phases of a kernel run one after the other, each whole
before the next begins. """

from __future__ import annotations

from dataclasses import dataclass

from ....ir.dims import Dim


@dataclass(frozen=True, slots=True)
class Phase:
    """One function of a kernel. ``units`` and ``grain`` are sizes over the kernel's symbols: how many units there
    are, and how many consecutive ones a task takes at least."""

    symbol: str
    units: Dim
    grain: Dim


def symbol_of(key: str) -> str:
    """The name that a kernel's functions begin with: it depends on the kernel's content alone."""
    return f"sg_{key[:24]}"


@dataclass(frozen=True, slots=True)
class CompiledKernel:
    """Machine code of a kernel.

    ``sizes`` are the kernel's symbols, ``workspace`` the bytes of scratch memory (64-byte aligned) that all phases
    share; ``ir`` is the LLVM text it was made from (before optimisation), or empty where the code came from disk.
    """

    key: str
    object_code: bytes
    phases: tuple[Phase, ...]
    sizes: tuple[str, ...]
    workspace: Dim = 0
    ir: str = ""
