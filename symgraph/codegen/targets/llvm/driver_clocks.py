"""The driver's clocks, when it looks for signals, and what a watched driver does around a task: LLVM's text form."""

from __future__ import annotations

import sys

#: How long a run goes on before it looks for signals, and between two looks.
LOOK_NS = 100_000_000

#: The kernel's clock of a few milliseconds costs less than a load from memory.
_CLOCKS = """declare i32 @clock_gettime(i32, ptr)
declare i64 @pthread_self()

define internal i64 @clock(i32 %which) #0 {{
  %t = alloca {{ i64, i64 }}, align 8
  %r = call i32 @clock_gettime(i32 %which, ptr %t)
  %seconds = load i64, ptr %t, align 8
  %p = getelementptr {{ i64, i64 }}, ptr %t, i32 0, i32 1
  %rest = load i64, ptr %p, align 8
  %whole = mul i64 %seconds, 1000000000
  %sum = add i64 %whole, %rest
  ret i64 %sum
}}
define internal i64 @coarse() alwaysinline #0 {{
  %t = call i64 @clock(i32 {coarse})
  ret i64 %t
}}
; When to look for signals first: never in a thread that handles none.
define internal i64 @first_look() #0 {{
  %self = call i64 @pthread_self()
  %main = load i64, ptr @main, align 8
  %mine = icmp eq i64 %self, %main
  br i1 %mine, label %ask, label %never
ask:
  %now = call i64 @coarse()
  %later = add i64 %now, {look}
  ret i64 %later
never:
  ret i64 9223372036854775807
}}"""
_NO_CLOCKS = """define internal i64 @coarse() alwaysinline #0 {{ ret i64 0 }}
define internal i64 @first_look() #0 {{ ret i64 0 }}"""

#: What a watched run does besides, for tasks that have a record: the time, how often, and a call of the observer.
_BEFORE = """  %f7 = getelementptr i64, ptr %f0, i64 7
  %record = load ptr, ptr %f7, align 8
  %watched = icmp ne ptr %record, null
  br i1 %watched, label %begin, label %start
begin:
  %w2 = getelementptr i64, ptr %record, i64 2
  %observer = load ptr, ptr %w2, align 8
  %w3 = getelementptr i64, ptr %record, i64 3
  %number = load i64, ptr %w3, align 8
  %seen = icmp ne ptr %observer, null
  br i1 %seen, label %show, label %start
show:
  %e0 = call i64 %observer(i64 %number, i64 0)
  br label %start
start:
  %since = call i64 @clock(i32 {fine})"""
_AFTER = """  %until = call i64 @clock(i32 {fine})
  br i1 %watched, label %note, label %on0
note:
  %spent = sub i64 %until, %since
  %n0 = load i64, ptr %record, align 8
  %n1 = add i64 %n0, %spent
  store i64 %n1, ptr %record, align 8
  %r1 = getelementptr i64, ptr %record, i64 1
  %n2 = load i64, ptr %r1, align 8
  %n3 = add i64 %n2, 1
  store i64 %n3, ptr %r1, align 8
  %r2 = getelementptr i64, ptr %record, i64 2
  %observer2 = load ptr, ptr %r2, align 8
  %r3 = getelementptr i64, ptr %record, i64 3
  %number2 = load i64, ptr %r3, align 8
  %seen2 = icmp ne ptr %observer2, null
  br i1 %seen2, label %show2, label %on0
show2:
  %e1 = call i64 %observer2(i64 %number2, i64 1)
  %halt = icmp ne i64 %e1, 0
  br i1 %halt, label %refuse, label %on0
refuse:
  store i64 -1, ptr %status, align 8
  br label %on0
on0:"""


def _numbers() -> dict[str, int]:
    """The numbers of the system's clocks, and the time between two looks."""
    apple = sys.platform.startswith("darwin")
    return {"fine": 6 if apple else 1, "coarse": 5 if apple else 6, "look": LOOK_NS}


def clock_text(clocks: bool) -> str:
    """Definitions of ``@clock``, ``@coarse`` and ``@first_look``; without ``clocks`` a run never looks."""
    return (_CLOCKS if clocks else _NO_CLOCKS).format(**_numbers())


def watching() -> tuple[str, str]:
    """What stands before and after a task in the watched driver."""
    before, after = (text.format(**_numbers()).strip() for text in (_BEFORE, _AFTER))
    return before, after


__all__ = ["LOOK_NS", "clock_text", "watching"]
