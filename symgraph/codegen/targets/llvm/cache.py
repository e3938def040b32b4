"""Object code made once: by content, for all functions of a process and, on disk, for all processes.

A key is a hash of everything that decides the code: the kernel's text, the processor's name, features and caches, the
versions of LLVM and llvmlite, and symgraph's own sources. Object code holds no address of this process and no name
that depends on when it was made, so equal keys have equal bytes.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from .... import events
from ....ir.dim_parser import parse_dim
from ....ir.dims import Dim
from ...cache import Entry, content_key, open_store
from ...loop.table import KernelTable
from .compiled import CompiledKernel, Phase
from .cpu import Cpu, binding
from .forking import lock_of_forks
from .pipeline import compiler_for

if TYPE_CHECKING:
    from ...loop.grammar import Kernel


class KernelCache:
    """The most recently used compiled kernels, by key, up to ``limit`` bytes of object code and text.

    What is not in memory is looked for on disk, and what is not there is compiled and kept in both. ``hits`` counts
    what was in memory, ``loaded`` what was on disk, ``misses`` what was compiled."""

    def __init__(self, limit: int = 64 << 20) -> None:
        self.limit = limit
        self.hits = 0
        self.loaded = 0
        self.misses = 0
        self._size = 0
        self._kernels: OrderedDict[str, CompiledKernel] = OrderedDict()
        self._lock = lock_of_forks()

    def get(self, kernel: Kernel, cpu: Cpu) -> CompiledKernel:
        """The compiled kernel: known, kept, or made now."""
        return self.find(KernelTable({kernel.name: kernel}), kernel.name, cpu)

    def find(self, table: KernelTable, name: str, cpu: Cpu) -> CompiledKernel:
        """The compiled kernel of a table: known, kept, or made now."""
        key = text_key(table.text(name), cpu)
        with self._lock:
            known = self._kernels.get(key)
            if known is not None:
                self._kernels.move_to_end(key)
                self.hits += 1
                return known
        found = _load(key)
        made = found if found is not None else _make(table[name], cpu, key)
        with self._lock:
            if found is not None:
                self.loaded += 1
            else:
                self.misses += 1
            if key not in self._kernels:
                self._kernels[key] = made
                self._size += _weight(made)
                while self._size > self.limit and len(self._kernels) > 1:
                    self._size -= _weight(self._kernels.popitem(last=False)[1])
        return made

    def clear(self) -> None:
        """Forget what is in memory."""
        with self._lock:
            self._kernels.clear()
            self._size = 0


def kernel_key(kernel: Kernel, cpu: Cpu) -> str:
    """A hash of everything that decides a kernel's object code."""
    return text_key(KernelTable({"": kernel}).text(""), cpu)


def text_key(text: str, cpu: Cpu) -> str:
    """The same for a kernel's text."""
    return content_key("kernel", text, cpu.key, llvm_versions())


def module_code(name: str, text: str, cpu: Cpu) -> bytes:
    """Object code of a module that is not a kernel's (the driver, the thread pool), from its LLVM text, unoptimised;
    ``name`` is for people."""
    key = content_key("module", text, cpu.key, llvm_versions())
    store = open_store()
    entry = store.read(key) if store is not None else None
    if entry is not None:
        return entry.content
    watch = events.Stopwatch()
    code = compiler_for(cpu).object_code(text, optimize=False)
    events.tell("kernels", "%s: %d bytes in %.1f ms", name, len(code), watch.total())
    if store is not None:
        store.write(key, {"kind": "module", "name": name}, code)
    return code


def llvm_versions() -> str:
    """Versions of llvmlite and of LLVM."""
    import llvmlite

    return f"llvmlite {llvmlite.__version__} LLVM {'.'.join(map(str, binding().llvm_version_info))}"


def _make(kernel: Kernel, cpu: Cpu, key: str) -> CompiledKernel:
    from .kernel import compile_kernel

    watch = events.Stopwatch()
    made = compile_kernel(kernel, cpu, key)
    events.tell("kernels", "%s: %d bytes in %.1f ms", kernel.name, len(made.object_code), watch.total())
    store = open_store()
    if store is not None:
        phases = ";".join(f"{p.symbol} {_dim_text(p.units)} {_dim_text(p.grain)}" for p in made.phases)
        header = {
            "kind": "kernel", "name": kernel.name, "phases": phases, "sizes": " ".join(made.sizes),
            "workspace": _dim_text(made.workspace),
        }  # fmt: skip
        store.write(key, header, made.object_code)
    return made


def _load(key: str) -> CompiledKernel | None:
    store = open_store()
    entry = store.read(key) if store is not None else None
    if entry is None:
        return None
    events.tell("cache", "%s found: kernel %s", key[:16], entry.header["name"])
    sizes = tuple(entry.header["sizes"].split())
    return CompiledKernel(key, entry.content, _phases(entry), sizes, parse_dim(entry.header["workspace"]))


def _phases(entry: Entry) -> tuple[Phase, ...]:
    parts = [text.split(" ") for text in entry.header["phases"].split(";")]
    return tuple(Phase(symbol, parse_dim(units), parse_dim(grain)) for symbol, units, grain in parts)


def _dim_text(dim: Dim) -> str:
    return str(dim).replace(" ", "")


def _weight(compiled: CompiledKernel) -> int:
    return len(compiled.object_code) + len(compiled.ir)


#: The process's cache.
KERNELS = KernelCache()
