"""The driver's code of steps that are more than a kernel: loops, which run tasks of their own, and calls of Python."""

from __future__ import annotations

CONTROL = """define void @sg_run_loop(ptr %loop, ptr %sizes, i64 %lo, i64 %hi, ptr %status, ptr %workspace) #0 {
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
  br i1 %ended, label %done, label %ask
ask:
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
}

define void @sg_run_host(ptr %buffers, ptr %record, i64 %lo, i64 %hi, ptr %status, ptr %workspace) #0 {
entry:
  %object = load i64, ptr %record, align 8
  %done = getelementptr i64, ptr %record, i64 1
  %p2 = getelementptr i64, ptr %record, i64 2
  %callback = load ptr, ptr %p2, align 8
  store i64 0, ptr %done, align 8
  %s10 = getelementptr i64, ptr %status, i64 10
  %callers = load i64, ptr %s10, align 8
  %ours = call i64 @float_state()
  call void @set_float_state(i64 %callers)
  call void %callback(i64 %object, ptr %buffers)
  call void @set_float_state(i64 %ours)
  %ended = load i64, ptr %done, align 8
  %fine = icmp eq i64 %ended, 1
  br i1 %fine, label %good, label %bad
bad:
  store i64 -2, ptr %status, align 8
  br label %good
good:
  ret void
}
"""
