"""The processor that code is made for: its name and features for LLVM, and the few numbers that schedules need."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ....errors import ArgumentError, TargetError
from .forking import llvm_lock


@dataclass(frozen=True, slots=True)
class Cpu:
    """A processor as code generation sees it.

    ``name`` and ``features`` (``"+avx2,-avx512f,..."``) are LLVM's; together with ``triple`` they fix the machine
    code. ``vector_bytes`` is the width of a vector register, ``l1`` and ``l2`` are data cache sizes in bytes of one
    core, ``cores`` the cores this process may use. """

    name: str
    features: str
    triple: str
    vector_bytes: int
    has_fma: bool
    l1: int
    l2: int
    cores: int

    @property
    def lanes(self) -> int:
        """Lanes of a vector of 4-byte elements: the lane count of every kernel's vector code."""
        return self.vector_bytes // 4

    @property
    def arch(self) -> str:
        """The first part of the triple, ``x86_64`` or ``aarch64`` mostly."""
        return self.triple.split("-", 1)[0]

    def has(self, feature: str) -> bool:
        """True where ``features`` switches ``feature`` on (LLVM's names, such as ``f16c``)."""
        return f"+{feature}" in self.features.split(",")

    @property
    def key(self) -> str:
        """What of the processor decides the machine code (caches decide tiles); a part of cache keys."""
        return f"{self.triple}/{self.name}/{self.features}/{self.vector_bytes}/{self.has_fma}/{self.l1}/{self.l2}"


@lru_cache(maxsize=1)
def binding() -> Any:
    """``llvmlite.binding`` with this machine's code generator ready.

    Raises:
        TargetError: where llvmlite is missing or has no code generator for this machine.
    """
    try:
        import llvmlite.binding as llvm
    except ImportError as error:
        raise TargetError("the llvm target needs llvmlite, which cannot be imported here") from error
    try:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
    except RuntimeError as error:
        raise TargetError(f"llvmlite cannot generate code for this machine: {error}") from error
    return llvm


@lru_cache(maxsize=1)
def host_cpu() -> Cpu:
    """The processor this process runs on."""
    llvm = binding()
    with llvm_lock:
        features, name = llvm.get_host_cpu_features(), llvm.get_host_cpu_name()
        triple = llvm.get_process_triple()
    flags = {name for name, on in features.items() if on}
    arch = triple.split("-", 1)[0]
    if arch in ("x86_64", "amd64", "i686", "i386"):
        wide = {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= flags
        vector_bytes = 64 if wide else 32 if "avx2" in flags else 16
        has_fma = "fma" in flags
    else:
        vector_bytes, has_fma = 16, arch in ("aarch64", "arm64")
    return Cpu(name, features.flatten(), triple, vector_bytes, has_fma, _cache(1), _cache(2), _cores())


_X86_64_V2 = "+cmov,+cx8,+fxsr,+mmx,+sse,+sse2,+cx16,+sahf,+popcnt,+sse3,+ssse3,+sse4.1,+sse4.2,+crc32"
_X86_64_V3 = _X86_64_V2 + ",+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe,+xsave"
_X86_64_V4 = _X86_64_V3 + ",+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl"
_LEVELS = {
    "avx512": ("x86-64-v4", _X86_64_V4, 64, True),
    "avx2": ("x86-64-v3", _X86_64_V3, 32, True),
    "baseline": ("x86-64", "+cmov,+cx8,+fxsr,+mmx,+sse,+sse2", 16, False),
}


def cpu_for(level: str) -> Cpu:
    """An x86-64 processor of a feature level: ``avx512``, ``avx2`` or ``baseline`` (SSE2, no FMA), with this
    machine's caches.

    Raises:
        ArgumentError: for another level, or on a machine that is not x86-64.
    """
    if level not in _LEVELS:
        raise ArgumentError(f"no processor level {level!r}; the levels are: {', '.join(_LEVELS)}")
    host = host_cpu()
    if host.arch != "x86_64":
        raise ArgumentError(f"processor level {level} is one of x86_64, and this machine is {host.arch}")
    name, features, vector_bytes, has_fma = _LEVELS[level]
    return Cpu(name, features, host.triple, vector_bytes, has_fma, host.l1, host.l2, host.cores)


def can_run(cpu: Cpu) -> bool:
    """True where this machine has every feature of ``cpu``."""
    host = host_cpu()
    needed = [f for f in cpu.features.split(",") if f.startswith("+")]
    return cpu.triple == host.triple and all(host.has(f[1:]) for f in needed)


def target_machine(cpu: Cpu, opt: int = 2) -> Any:
    """A new llvmlite ``TargetMachine`` for ``cpu``; position independent, so objects can be loaded anywhere."""
    llvm = binding()
    target = llvm.Target.from_triple(cpu.triple)
    return target.create_target_machine(
        cpu=cpu.name, features=cpu.features, opt=opt, reloc="pic", codemodel="small", jit=True
    )


def function_attributes(cpu: Cpu) -> str:
    """Attributes, as LLVM text, that every generated function carries."""
    bits = 8 * cpu.vector_bytes
    wide = f' "prefer-vector-width"="{bits}" "min-legal-vector-width"="{bits}"' if cpu.arch == "x86_64" else ""
    return f'nounwind "no-trapping-math"="true"{wide}'


_DEFAULT_CACHE = {1: 32 * 1024, 2: 512 * 1024}


def _cache(level: int) -> int:
    """Bytes of the data cache of ``level`` of one core, or a usual size where the system does not say."""
    for place in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            if int((place / "level").read_text()) != level or (place / "type").read_text().strip() == "Instruction":
                continue
            text = (place / "size").read_text().strip()
            scale = {"K": 1024, "M": 1024 * 1024}.get(text[-1:], 1)
            return int(text.rstrip("KM")) * scale
        except (OSError, ValueError):
            continue
    return _DEFAULT_CACHE[level]


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
