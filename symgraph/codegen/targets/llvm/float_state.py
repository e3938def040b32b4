"""The state of a thread's floating-point unit, in LLVM's text form: rounding, and what becomes of subnormal numbers.

Subnormal numbers, below 1.2e-38 in float32, cost some processors a hundred cycles an operation, and running averages
of gradients that vanish are full of them. Native code can take them for zero, and make zero of them, as TensorFlow
and XLA do.
"""

from __future__ import annotations

from dataclasses import dataclass

from .cpu import Cpu


@dataclass(frozen=True, slots=True)
class FloatState:
    """How an architecture sees the state: ``text`` defines ``@float_state() -> i64`` and
    ``@set_float_state(i64)``; ``flush`` are the bits that make zero of subnormal numbers."""

    text: str
    flush: int


_X86_64 = FloatState(
    """declare void @llvm.x86.sse.stmxcsr(ptr)
declare void @llvm.x86.sse.ldmxcsr(ptr)
define internal i64 @float_state() alwaysinline nounwind {
  %p = alloca i32, align 4
  call void @llvm.x86.sse.stmxcsr(ptr %p)
  %all = load i32, ptr %p, align 4
  %control = and i32 %all, -64 ; the rest tells what happened
  %state = zext i32 %control to i64
  ret i64 %state
}
define internal void @set_float_state(i64 %state) alwaysinline nounwind {
  %p = alloca i32, align 4
  %control = trunc i64 %state to i32
  store i32 %control, ptr %p, align 4
  call void @llvm.x86.sse.ldmxcsr(ptr %p)
  ret void
}""",
    0x8040,
)
_AARCH64 = FloatState(
    """declare i64 @llvm.aarch64.get.fpcr()
declare void @llvm.aarch64.set.fpcr(i64)
define internal i64 @float_state() alwaysinline nounwind {
  %state = call i64 @llvm.aarch64.get.fpcr()
  ret i64 %state
}
define internal void @set_float_state(i64 %state) alwaysinline nounwind {
  call void @llvm.aarch64.set.fpcr(i64 %state)
  ret void
}""",
    1 << 24,
)
_OTHERS = FloatState(
    """define internal i64 @float_state() alwaysinline nounwind { ret i64 0 }
define internal void @set_float_state(i64 %state) alwaysinline nounwind { ret void }""",
    0,
)


def float_state(cpu: Cpu) -> FloatState:
    """What there is on ``cpu``."""
    return {"x86_64": _X86_64, "amd64": _X86_64, "aarch64": _AARCH64, "arm64": _AARCH64}.get(cpu.arch, _OTHERS)
