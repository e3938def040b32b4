"""What this machine can do at most, measured once: arithmetic operations and bytes moved, a second."""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ....errors import TargetError
from . import pool
from .cache import module_code
from .cpu import Cpu, function_attributes, host_cpu
from .engine import Library

#: Independent sums, so that the latency of one addition is hidden.
_SUMS = 12
_ROUNDS = 20_000
_REPEATS = 7
_COPIED = 96 << 20

_TEXT = """target triple = "{triple}"
declare {vector} @llvm.fma.{suffix}({vector}, {vector}, {vector})

define void @sg_peak_flops(ptr %buffers, ptr %sizes, i64 %lo, i64 %hi, ptr %status, ptr %workspace) #0 {{
entry:
  %count = sub i64 %hi, %lo
  %rounds = mul i64 %count, {rounds}
  %x0 = load volatile {vector}, ptr %buffers, align 64
  br label %next
next:
  %i = phi i64 [ 0, %entry ], [ %i1, %next ]
{phis}
{sums}
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %rounds
  br i1 %more, label %next, label %done
done:
{ends}
  %out = getelementptr i8, ptr %workspace, i64 0
  store volatile {vector} %t{last}, ptr %out, align 64
  ret void
}}

define void @sg_peak_bytes(ptr %buffers, ptr %sizes, i64 %lo, i64 %hi, ptr %status, ptr %workspace) #0 {{
entry:
  %first = shl i64 %lo, 12
  %end = shl i64 %hi, 12
  %from = load ptr, ptr %buffers, align 8
  %tp = getelementptr ptr, ptr %buffers, i64 1
  %to = load ptr, ptr %tp, align 8
  br label %next
next:
  %i = phi i64 [ %first, %entry ], [ %i1, %next ]
  %f = getelementptr i8, ptr %from, i64 %i
  %t = getelementptr i8, ptr %to, i64 %i
  %v = load {vector}, ptr %f, align {width}
  store {vector} %v, ptr %t, align {width}, !nontemporal !0
  %i1 = add i64 %i, {width}
  %more = icmp slt i64 %i1, %end
  br i1 %more, label %next, label %done
done:
  ret void
}}
attributes #0 = {{ {attributes} }}
!0 = !{{ i32 1 }}
"""


@dataclass(frozen=True)
class Peaks:
    """Operations a second on float32 (half as many on float64; a fused multiply-add is two), and bytes a second read
    or written in memory, with all threads."""

    flops: float
    bytes: float


@lru_cache(maxsize=1)
def machine_peaks() -> Peaks:
    """The peaks of this machine; the first call measures them for about a quarter of a second.

    Raises:
        TargetError: where native code cannot run.
    """
    cpu = host_cpu()
    library = Library([module_code("peaks", peaks_text(cpu), cpu)], cpu)
    signature = ctypes.CFUNCTYPE(
        None, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p,
        ctypes.c_void_p,
    )  # fmt: skip
    run = signature(pool.address())
    raw = np.zeros(256, np.uint8)
    scratch = raw.ctypes.data + -raw.ctypes.data % 64
    units = 64
    best = min(_time(lambda: run(library.address("sg_peak_flops"), scratch, None, units, 1, None, scratch + 64)))
    lanes = cpu.vector_bytes // 4
    flops = units * _ROUNDS * _SUMS * lanes * 2 / best
    source, target = (np.full(_COPIED + 64, k, np.uint8) for k in (1, 0))
    source, target = (a[-a.ctypes.data % 64 :][:_COPIED] for a in (source, target))
    pointers = np.array([source.ctypes.data, target.ctypes.data], np.uint64)
    pages = _COPIED >> 12
    address = library.address("sg_peak_bytes")
    best = min(_time(lambda: run(address, pointers.ctypes.data, None, pages, 256, None, None)))
    if not target.all():
        raise TargetError("memory could not be copied to measure its speed")
    return Peaks(flops, 2 * _COPIED / best)


def _time(call: object) -> list[float]:
    assert callable(call)
    found: list[float] = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return found


def peaks_text(cpu: Cpu) -> str:
    """The two kernels, in LLVM's text form."""
    lanes = cpu.vector_bytes // 4
    vector = f"<{lanes} x float>"
    phis = "\n".join(
        f"  %s{k} = phi {vector} [ {'%x0' if k == 0 else 'zeroinitializer'}, %entry ], [ %r{k}, %next ]"
        for k in range(_SUMS)
    )
    if cpu.has_fma:
        one = f"  %r{{k}} = call {vector} @llvm.fma.v{lanes}f32({vector} %x0, {vector} %s{{k}}, {vector} %s{{k}})"
    else:
        one = f"  %m{{k}} = fmul {vector} %x0, %s{{k}}\n  %r{{k}} = fadd {vector} %m{{k}}, %s{{k}}"
    ends = [f"  %t0 = fadd {vector} %r0, %r0"]
    ends += [f"  %t{k} = fadd {vector} %t{k - 1}, %r{k}" for k in range(1, _SUMS)]
    return _TEXT.format(
        triple=cpu.triple, vector=vector, suffix=f"v{lanes}f32", rounds=_ROUNDS, phis=phis,
        sums="\n".join(one.format(k=k) for k in range(_SUMS)), ends="\n".join(ends), last=_SUMS - 1,
        attributes=function_attributes(cpu), width=cpu.vector_bytes,
    )  # fmt: skip
