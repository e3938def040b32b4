"""The driver: the one native function that runs a plan, step by step.

It reads a frame's tables, so it is the same code for every plan and is made once. A call of a compiled
function is one foreign call of it, with the address of a *context* of nine 8-byte fields::

    io        addresses of the call's Python arrays (inputs, states, outputs)
    data      where in a Python array's object the pointer to its elements is
    patches   pairs (number of an array, address of a field that needs its pointer)
    patched   how many
    tasks     records of seven fields: function, buffers, sizes, units, chunk, step, spare
    count     how many
    status    four int64
    workspace scratch memory
    pool      the address of sg_parallel_for

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
"""

from __future__ import annotations

from functools import lru_cache

from .cache import module_code
from .cpu import function_attributes, host_cpu
from .engine import Library

CONTEXT_FIELDS = 9
TASK_FIELDS = 7
MOVE_FIELDS = 6
SYMBOL = "sg_run_plan"
LOOP_SYMBOL = "sg_run_loop"

_TEXT = """target triple = "{triple}"

define i64 @sg_run_plan(ptr %context) #0 {{
entry:
  %io = load ptr, ptr %context, align 8
  %p1 = getelementptr i64, ptr %context, i64 1
  %data = load i64, ptr %p1, align 8
  %p2 = getelementptr i64, ptr %context, i64 2
  %patches = load ptr, ptr %p2, align 8
  %p3 = getelementptr i64, ptr %context, i64 3
  %patched = load i64, ptr %p3, align 8
  %p4 = getelementptr i64, ptr %context, i64 4
  %tasks = load ptr, ptr %p4, align 8
  %p5 = getelementptr i64, ptr %context, i64 5
  %count = load i64, ptr %p5, align 8
  %p6 = getelementptr i64, ptr %context, i64 6
  %status = load ptr, ptr %p6, align 8
  %p7 = getelementptr i64, ptr %context, i64 7
  %workspace = load ptr, ptr %p7, align 8
  %p8 = getelementptr i64, ptr %context, i64 8
  %pool = load ptr, ptr %p8, align 8
  store i64 0, ptr %status, align 8
  br label %patch
patch:
  %k = phi i64 [ 0, %entry ], [ %k1, %fill ]
  %filled = icmp eq i64 %k, %patched
  br i1 %filled, label %run, label %fill
fill:
  %k2 = shl i64 %k, 1
  %pp = getelementptr i64, ptr %patches, i64 %k2
  %number = load i64, ptr %pp, align 8
  %wp = getelementptr i64, ptr %pp, i64 1
  %where = load ptr, ptr %wp, align 8
  %op = getelementptr ptr, ptr %io, i64 %number
  %object = load ptr, ptr %op, align 8
  %dp = getelementptr i8, ptr %object, i64 %data
  %elements = load ptr, ptr %dp, align 8
  store ptr %elements, ptr %where, align 8
  %k1 = add i64 %k, 1
  br label %patch
run:
  %failed = call i64 @sg_run_tasks(ptr %tasks, i64 %count, ptr %status, ptr %workspace, ptr %pool)
  ret i64 %failed
}}

define i64 @sg_run_tasks(ptr %tasks, i64 %count, ptr %status, ptr %workspace, ptr %pool) #0 {{
entry:
  br label %next
next:
  %t = phi i64 [ 0, %entry ], [ %t1, %check ]
  %ended = icmp eq i64 %t, %count
  br i1 %ended, label %good, label %run
run:
  %at = mul i64 %t, 7
  %f0 = getelementptr i64, ptr %tasks, i64 %at
  %function = load ptr, ptr %f0, align 8
  %f1 = getelementptr i64, ptr %f0, i64 1
  %buffers = load ptr, ptr %f1, align 8
  %f2 = getelementptr i64, ptr %f0, i64 2
  %sizes = load ptr, ptr %f2, align 8
  %f3 = getelementptr i64, ptr %f0, i64 3
  %units = load i64, ptr %f3, align 8
  %f4 = getelementptr i64, ptr %f0, i64 4
  %chunk = load i64, ptr %f4, align 8
  %t1 = add i64 %t, 1
  %few = icmp sle i64 %units, %chunk
  br i1 %few, label %here, label %shared
here:
  call void %function(ptr %buffers, ptr %sizes, i64 0, i64 %units, ptr %status, ptr %workspace)
  br label %check
shared:
  call void %pool(ptr %function, ptr %buffers, ptr %sizes, i64 %units, i64 %chunk, ptr %status, ptr %workspace)
  br label %check
check:
  %failed = load i64, ptr %status, align 8
  %fine = icmp eq i64 %failed, 0
  br i1 %fine, label %next, label %bad
bad:
  %f5 = getelementptr i64, ptr %f0, i64 5
  %step = load i64, ptr %f5, align 8
  %loop = icmp slt i64 %step, 0
  br i1 %loop, label %told, label %tell
tell:
  %s3 = getelementptr i64, ptr %status, i64 3
  store i64 %step, ptr %s3, align 8
  br label %told
told:
  ret i64 %failed
good:
  ret i64 0
}}

define void @sg_run_loop(ptr %loop, ptr %sizes, i64 %lo, i64 %hi, ptr %status, ptr %workspace) #0 {{
entry:
  %length = load i64, ptr %loop, align 8
  %p1 = getelementptr i64, ptr %loop, i64 1
  %moves = load ptr, ptr %p1, align 8
  %p2 = getelementptr i64, ptr %loop, i64 2
  %moved = load i64, ptr %p2, align 8
  %p3 = getelementptr i64, ptr %loop, i64 3
  %tasks = load ptr, ptr %p3, align 8
  %p4 = getelementptr i64, ptr %loop, i64 4
  %count = load i64, ptr %p4, align 8
  %p5 = getelementptr i64, ptr %loop, i64 5
  %pool = load ptr, ptr %p5, align 8
  %p6 = getelementptr i64, ptr %loop, i64 6
  %condition = load ptr, ptr %p6, align 8
  %p7 = getelementptr i64, ptr %loop, i64 7
  %wanted = load i64, ptr %p7, align 8
  %counted = icmp eq ptr %condition, null
  br label %next
next:
  %i = phi i64 [ 0, %entry ], [ %i1, %run ]
  %ended = icmp sge i64 %i, %length
  br i1 %ended, label %done, label %look
look:
  br i1 %counted, label %begin, label %test
test:
  %cp = load ptr, ptr %condition, align 8
  %c8 = load i8, ptr %cp, align 1
  %c64 = zext i8 %c8 to i64
  %holds = icmp eq i64 %c64, %wanted
  br i1 %holds, label %begin, label %done
begin:
  br label %move
move:
  %k = phi i64 [ 0, %begin ], [ %k1, %set ]
  %ready = icmp eq i64 %k, %moved
  br i1 %ready, label %run, label %set
set:
  %at = mul i64 %k, 6
  %m0 = getelementptr i64, ptr %moves, i64 %at
  %cell = load ptr, ptr %m0, align 8
  %m1 = getelementptr i64, ptr %m0, i64 1
  %source = load ptr, ptr %m1, align 8
  %m2 = getelementptr i64, ptr %m0, i64 2
  %first = load i64, ptr %m2, align 8
  %m3 = getelementptr i64, ptr %m0, i64 3
  %step = load i64, ptr %m3, align 8
  %m4 = getelementptr i64, ptr %m0, i64 4
  %mask = load i64, ptr %m4, align 8
  %m5 = getelementptr i64, ptr %m0, i64 5
  %bytes = load i64, ptr %m5, align 8
  %base = load ptr, ptr %source, align 8
  %far = mul i64 %i, %step
  %place = add i64 %first, %far
  %row = and i64 %place, %mask
  %offset = mul i64 %row, %bytes
  %pointer = getelementptr i8, ptr %base, i64 %offset
  store ptr %pointer, ptr %cell, align 8
  %k1 = add i64 %k, 1
  br label %move
run:
  %i1 = add i64 %i, 1
  %failed = call i64 @sg_run_tasks(ptr %tasks, i64 %count, ptr %status, ptr %workspace, ptr %pool)
  %fine = icmp eq i64 %failed, 0
  br i1 %fine, label %next, label %done
done:
  ret void
}}
attributes #0 = {{ {attributes} }}
"""


def driver_text() -> str:
    """The driver in LLVM's text form."""
    cpu = host_cpu()
    return _TEXT.format(triple=cpu.triple, attributes=function_attributes(cpu))


@lru_cache(maxsize=1)
def _library() -> Library:
    cpu = host_cpu()
    return Library([module_code("driver", driver_text(), cpu)], cpu)


@lru_cache(maxsize=1)
def driver_address() -> int:
    """The address of the driver, ready to run."""
    return _library().address(SYMBOL)


@lru_cache(maxsize=1)
def loop_address() -> int:
    """The address of the function of tasks that are loops."""
    return _library().address(LOOP_SYMBOL)
