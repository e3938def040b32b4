"""The driver's code in LLVM's text form; :mod:`.driver` says how it works."""

from __future__ import annotations

from .cpu import Cpu, function_attributes
from .driver_clocks import LOOK_NS, clock_text, watching
from .driver_control import CONTROL
from .float_state import float_state

_TEXT = """target triple = "{triple}"

@main = internal global i64 0, align 8

declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare i32 @PyErr_CheckSignals()
declare void @PyErr_Fetch(ptr, ptr, ptr)
declare void @PyErr_Restore(ptr, ptr, ptr)
declare void @Py_DecRef(ptr)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
{declarations}
{float_state}

; The thread that Python runs the handlers of signals in.
define void @sg_set_main(i64 %thread) #0 {{
  store i64 %thread, ptr @main, align 8
  ret void
}}

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
  %p9 = getelementptr i64, ptr %context, i64 9
  %undo = load ptr, ptr %p9, align 8
  %p10 = getelementptr i64, ptr %context, i64 10
  %saved = load i64, ptr %p10, align 8
  %p11 = getelementptr i64, ptr %context, i64 11
  %flush = load i64, ptr %p11, align 8
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
  %s4 = getelementptr ptr, ptr %status, i64 4
  %s5 = getelementptr i64, ptr %status, i64 5
  %s6 = getelementptr ptr, ptr %status, i64 6
  %s7 = getelementptr ptr, ptr %status, i64 7
  %s8 = getelementptr ptr, ptr %status, i64 8
  %deadline = call i64 @first_look()
  store i64 %deadline, ptr %s5, align 8
  store ptr null, ptr %s6, align 8
  call void @copy_saved(ptr %undo, i64 %saved, i1 0)
  %thread = call ptr @PyEval_SaveThread()
  store ptr %thread, ptr %s4, align 8
  %callers = call i64 @float_state()
  %s10 = getelementptr i64, ptr %status, i64 10
  store i64 %callers, ptr %s10, align 8
  %ours = or i64 %callers, %flush
  call void @set_float_state(i64 %ours)
  %failed = call i64 @sg_run_tasks(ptr %tasks, i64 %count, ptr %status, ptr %workspace, ptr %pool)
  call void @set_float_state(i64 %callers)
  %back = load ptr, ptr %s4, align 8
  call void @PyEval_RestoreThread(ptr %back)
  %well = icmp eq i64 %failed, 0
  br i1 %well, label %kept, label %ended
ended:
  %s9 = getelementptr i64, ptr %status, i64 9
  %free = load i64, ptr %s9, align 8
  %undoable = icmp ne i64 %free, 0
  br i1 %undoable, label %restore, label %kept
restore:
  call void @copy_saved(ptr %undo, i64 %saved, i1 1)
  br label %kept
kept:
  %waiting = load ptr, ptr %s6, align 8
  %quiet = icmp eq ptr %waiting, null
  br i1 %quiet, label %end, label %raise
raise:
  %value = load ptr, ptr %s7, align 8
  %trace = load ptr, ptr %s8, align 8
  call void @PyErr_Restore(ptr %waiting, ptr %value, ptr %trace)
  br label %end
end:
  ret i64 %failed
}}

; Saves the states of %count records, or puts them %back.
define internal void @copy_saved(ptr %records, i64 %count, i1 %back) #0 {{
entry:
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %k1, %copy ]
  %ended = icmp eq i64 %k, %count
  br i1 %ended, label %done, label %copy
copy:
  %at = mul i64 %k, 3
  %r0 = getelementptr i64, ptr %records, i64 %at
  %cell = load ptr, ptr %r0, align 8
  %state = load ptr, ptr %cell, align 8
  %r1 = getelementptr i64, ptr %r0, i64 1
  %save = load ptr, ptr %r1, align 8
  %r2 = getelementptr i64, ptr %r0, i64 2
  %bytes = load i64, ptr %r2, align 8
  %to = select i1 %back, ptr %state, ptr %save
  %from = select i1 %back, ptr %save, ptr %state
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %from, i64 %bytes, i1 false)
  %k1 = add i64 %k, 1
  br label %next
done:
  ret void
}}

define i64 @sg_run_tasks(ptr %tasks, i64 %count, ptr %status, ptr %workspace, ptr %pool) #0 {{
entry:
  br label %next
next:
  %t = phi i64 [ 0, %entry ], [ %t1, %fine ], [ %t1, %looked ]
  %ended = icmp eq i64 %t, %count
  br i1 %ended, label %good, label %run
run:
  %at = shl i64 %t, 3
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
  {before}
  %few = icmp sle i64 %units, %chunk
  br i1 %few, label %here, label %shared
here:
  call void %function(ptr %buffers, ptr %sizes, i64 0, i64 %units, ptr %status, ptr %workspace)
  br label %check
shared:
  call void %pool(ptr %function, ptr %buffers, ptr %sizes, i64 %units, i64 %chunk, ptr %status, ptr %workspace)
  br label %check
check:
  {after}
  %failed = load i64, ptr %status, align 8
  %well = icmp eq i64 %failed, 0
  br i1 %well, label %fine, label %bad
fine:
  %s5 = getelementptr i64, ptr %status, i64 5
  %deadline = load i64, ptr %s5, align 8
  %time = call i64 @coarse()
  %late = icmp sgt i64 %time, %deadline
  br i1 %late, label %look, label %next
look:
  %f6 = getelementptr i64, ptr %f0, i64 6
  %free = load i64, ptr %f6, align 8
  %stopped = call i64 @look(ptr %status, i64 %free)
  %on = icmp eq i64 %stopped, 0
  br i1 %on, label %looked, label %told
looked:
  br label %next
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
  %g6 = getelementptr i64, ptr %f0, i64 6
  %open = load i64, ptr %g6, align 8
  %s9 = getelementptr i64, ptr %status, i64 9
  store i64 %open, ptr %s9, align 8
  %result = load i64, ptr %status, align 8
  ret i64 %result
good:
  ret i64 0
}}

; Runs the handlers of signals that came. Where one raises, the run stops (-1) if it is %free to, or if this is the
; second time; else the exception waits in the status for the end.
define internal i64 @look(ptr %status, i64 %free) #0 {{
entry:
  %s4 = getelementptr ptr, ptr %status, i64 4
  %s5 = getelementptr i64, ptr %status, i64 5
  %s6 = getelementptr ptr, ptr %status, i64 6
  %s7 = getelementptr ptr, ptr %status, i64 7
  %s8 = getelementptr ptr, ptr %status, i64 8
  %s10 = getelementptr i64, ptr %status, i64 10
  %callers = load i64, ptr %s10, align 8
  %ours = call i64 @float_state()
  call void @set_float_state(i64 %callers)
  %thread = load ptr, ptr %s4, align 8
  call void @PyEval_RestoreThread(ptr %thread)
  %r = call i32 @PyErr_CheckSignals()
  %raised = icmp ne i32 %r, 0
  br i1 %raised, label %which, label %go
which:
  %waiting = load ptr, ptr %s6, align 8
  %second = icmp ne ptr %waiting, null
  br i1 %second, label %forget, label %first
forget:
  call void @Py_DecRef(ptr %waiting)
  %value = load ptr, ptr %s7, align 8
  call void @Py_DecRef(ptr %value)
  %trace = load ptr, ptr %s8, align 8
  call void @Py_DecRef(ptr %trace)
  store ptr null, ptr %s6, align 8
  br label %stop
first:
  %may = icmp ne i64 %free, 0
  br i1 %may, label %stop, label %keep
keep:
  call void @PyErr_Fetch(ptr %s6, ptr %s7, ptr %s8)
  br label %go
stop:
  store i64 -1, ptr %status, align 8
  br label %go
go:
  %result = phi i64 [ 0, %entry ], [ 0, %keep ], [ -1, %stop ]
  %again = call ptr @PyEval_SaveThread()
  store ptr %again, ptr %s4, align 8
  call void @set_float_state(i64 %ours)
  %now = call i64 @coarse()
  %later = add i64 %now, {look}
  store i64 %later, ptr %s5, align 8
  ret i64 %result
}}

{control}
attributes #0 = {{ {attributes} }}
"""


def driver_text(cpu: Cpu, clocks: bool = True, watched: bool = False) -> str:
    """The driver's LLVM text. ``clocks``: the system has those of POSIX, so that runs can look for signals.
    ``watched``: the variant that fills the tasks' records.
    """
    before, after = watching() if watched else ("", "")
    return _TEXT.format(
        triple=cpu.triple,
        attributes=function_attributes(cpu),
        declarations=clock_text(clocks),
        float_state=float_state(cpu).text,
        control=CONTROL,
        look=LOOK_NS,
        before=before,
        after=after,
    )
