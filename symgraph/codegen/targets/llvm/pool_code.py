"""The thread pool's code in LLVM's text form; :mod:`.pool` says how it works."""

from __future__ import annotations

import sys

from .cpu import Cpu
from .float_state import float_state

#: How long a worker looks for the next job before it sleeps, and a caller for the last chunks of its own.
WORKER_SPIN_NS = 50_000
CALLER_SPIN_NS = 30_000
#: For how long no worker is woken after one had to share the caller's core.
CROWDED_NS = 1_000_000
#: Address space of a worker's stack.
STACK_BYTES = 8 << 20

_SERIAL = """
define void @sg_parallel_for(
  ptr %fn, ptr %buffers, ptr %sizes, i64 %units, i64 %chunk, ptr %status, ptr %workspace) #0 {
  %some = icmp sgt i64 %units, 0
  br i1 %some, label %run, label %out
run:
  call void %fn(ptr %buffers, ptr %sizes, i64 0, i64 %units, ptr %status, ptr %workspace)
  br label %out
out:
  ret void
}
define void @sg_pool_limit(i32 %threads) #0 { ret void }
define void @sg_pool_reset() #0 { ret void }
"""

_THREADED = """
%job_type = type { ptr, ptr, ptr, i64, i64, ptr, ptr, i64 }
@job = internal global %job_type zeroinitializer, align 128
@next = internal global i64 0, align 128
@joined = internal global i32 0, align 128
@epoch = internal global i32 0, align 128
@busy = internal global i32 0, align 128
@sleepers = internal global i32 0, align 128
@waiting = internal global i32 0, align 4
@started = internal global i32 0, align 4
@limit = internal global i32 1, align 4
@core = internal global i32 -1, align 4
@crowded = internal global i64 0, align 8
@mutex = internal global [128 x i8] zeroinitializer, align 128
@wake = internal global [128 x i8] zeroinitializer, align 128
@done = internal global [128 x i8] zeroinitializer, align 128

declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_attr_init(ptr)
declare i32 @pthread_attr_destroy(ptr)
declare i32 @pthread_attr_setstacksize(ptr, i64)
declare i32 @pthread_attr_setdetachstate(ptr, i32)
declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_signal(ptr)
declare i32 @pthread_cond_broadcast(ptr)
declare i32 @pthread_sigmask(i32, ptr, ptr)
declare i32 @sigfillset(ptr)
declare i32 @clock_gettime(i32, ptr)
{declarations}

; The number of the core this thread runs on, or -1 where the system does not tell.
{current_core}

define internal i64 @now() #0 {
  %t = alloca { i64, i64 }, align 8
  %r = call i32 @clock_gettime(i32 {monotonic}, ptr %t)
  %seconds = load i64, ptr %t, align 8
  %p = getelementptr { i64, i64 }, ptr %t, i32 0, i32 1
  %rest = load i64, ptr %p, align 8
  %whole = mul i64 %seconds, 1000000000
  %sum = add i64 %whole, %rest
  ret i64 %sum
}

; Claims chunks and runs them until none is left.
define internal void @claim() #0 {
entry:
  %fn = load ptr, ptr @job, align 8
  %buffers = load ptr, ptr getelementptr (%job_type, ptr @job, i32 0, i32 1), align 8
  %sizes = load ptr, ptr getelementptr (%job_type, ptr @job, i32 0, i32 2), align 8
  %units = load i64, ptr getelementptr (%job_type, ptr @job, i32 0, i32 3), align 8
  %chunk = load i64, ptr getelementptr (%job_type, ptr @job, i32 0, i32 4), align 8
  %status = load ptr, ptr getelementptr (%job_type, ptr @job, i32 0, i32 5), align 8
  %workspace = load ptr, ptr getelementptr (%job_type, ptr @job, i32 0, i32 6), align 8
  br label %again
again:
  %lo = atomicrmw add ptr @next, i64 %chunk seq_cst, align 8
  %some = icmp slt i64 %lo, %units
  br i1 %some, label %run, label %out
run:
  %end = add i64 %lo, %chunk
  %over = icmp sgt i64 %end, %units
  %hi = select i1 %over, i64 %units, i64 %end
  call void %fn(ptr %buffers, ptr %sizes, i64 %lo, i64 %hi, ptr %status, ptr %workspace)
  br label %again
out:
  ret void
}

; True where a job other than number %seen is open.
define internal i1 @news(i32 %seen) alwaysinline #0 {
  %e = load atomic i32, ptr @epoch seq_cst, align 4
  %odd = trunc i32 %e to i1
  %new = icmp ne i32 %e, %seen
  %both = and i1 %odd, %new
  ret i1 %both
}

define internal ptr @worker(ptr %argument) #0 {
entry:
  %number64 = ptrtoint ptr %argument to i64
  %number = trunc i64 %number64 to i32
  br label %look
look:
  %seen = phi i32 [ 0, %entry ], [ %current, %leave ], [ %current, %signal ], [ %seen, %rise ]
  %begin = call i64 @now()
  br label %burst
burst:
  %k = phi i32 [ 0, %look ], [ %k1, %again ], [ 0, %polite ]
  %ready = call i1 @news(i32 %seen)
  br i1 %ready, label %join, label %idle
idle:
  {pause}
  %k1 = add i32 %k, 1
  %enough = icmp ugt i32 %k1, 31
  br i1 %enough, label %time, label %again
again:
  br label %burst
time:
  %t = call i64 @now()
  %spent = sub i64 %t, %begin
  %long = icmp sgt i64 %spent, {worker_spin}
  br i1 %long, label %sleep, label %polite
polite:
  ; On the caller's own core it is in the way; woken from sleep it is given an idle core where there is one.
  %here = call i32 @current_core()
  %there = load atomic i32, ptr @core monotonic, align 4
  %same = icmp eq i32 %here, %there
  %known = icmp sge i32 %here, 0
  %shared = and i1 %same, %known
  br i1 %shared, label %yield, label %burst
yield:
  %later = add i64 %t, {crowded}
  store atomic i64 %later, ptr @crowded monotonic, align 8
  br label %sleep
sleep:
  %l = call i32 @pthread_mutex_lock(ptr @mutex)
  %s0 = atomicrmw add ptr @sleepers, i32 1 seq_cst, align 4
  %before = load atomic i32, ptr @epoch seq_cst, align 4
  %missed = call i1 @news(i32 %seen)
  br i1 %missed, label %rise, label %wait
wait:
  %w = call i32 @pthread_cond_wait(ptr @wake, ptr @mutex)
  %after = load atomic i32, ptr @epoch seq_cst, align 4
  %moved = icmp ne i32 %after, %before
  br i1 %moved, label %rise, label %wait
rise:
  ; Awake and looking, even if the job is over already: where there was one there may soon be another.
  %s1 = atomicrmw sub ptr @sleepers, i32 1 seq_cst, align 4
  %u = call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %look
join:
  %j0 = atomicrmw add ptr @joined, i32 1 seq_cst, align 4
  %current = load atomic i32, ptr @epoch seq_cst, align 4
  %open = trunc i32 %current to i1
  br i1 %open, label %allowed, label %leave
allowed:
  %most = load atomic i32, ptr @limit monotonic, align 4
  %wanted = icmp slt i32 %number, %most
  br i1 %wanted, label %work, label %leave
work:
  %state = load i64, ptr getelementptr (%job_type, ptr @job, i32 0, i32 7), align 8
  call void @set_float_state(i64 %state)
  call void @claim()
  br label %leave
leave:
  %j1 = atomicrmw sub ptr @joined, i32 1 seq_cst, align 4
  %last = icmp eq i32 %j1, 1
  %waits = load atomic i32, ptr @waiting seq_cst, align 4
  %asleep = icmp ne i32 %waits, 0
  %tell = and i1 %last, %asleep
  br i1 %tell, label %signal, label %look
signal:
  %l2 = call i32 @pthread_mutex_lock(ptr @mutex)
  %g = call i32 @pthread_cond_signal(ptr @done)
  %u2 = call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %look
}

; Starts threads until there are %threads with the caller; all signals stay with the threads of the program.
define internal void @start(i32 %threads) #0 {
entry:
  %attributes = alloca [128 x i8], align 16
  %thread = alloca i64, align 8
  %all = alloca [128 x i8], align 16
  %old = alloca [128 x i8], align 16
  %have = load i32, ptr @started, align 4
  %fresh = icmp eq i32 %have, 0
  br i1 %fresh, label %first, label %go
first:
  %m = call i32 @pthread_mutex_init(ptr @mutex, ptr null)
  %c = call i32 @pthread_cond_init(ptr @wake, ptr null)
  %d = call i32 @pthread_cond_init(ptr @done, ptr null)
  br label %go
go:
  %a0 = call i32 @pthread_attr_init(ptr %attributes)
  %a1 = call i32 @pthread_attr_setstacksize(ptr %attributes, i64 {stack})
  %a2 = call i32 @pthread_attr_setdetachstate(ptr %attributes, i32 {detached})
  %f = call i32 @sigfillset(ptr %all)
  %k = call i32 @pthread_sigmask(i32 {sig_setmask}, ptr %all, ptr %old)
  br label %more
more:
  %n = phi i32 [ %have, %go ], [ %n1, %made ]
  %n1 = add i32 %n, 1
  %enough = icmp sge i32 %n1, %threads
  br i1 %enough, label %out, label %make
make:
  %number64 = zext i32 %n1 to i64
  %number = inttoptr i64 %number64 to ptr
  %r = call i32 @pthread_create(ptr %thread, ptr %attributes, ptr @worker, ptr %number)
  %ok = icmp eq i32 %r, 0
  br i1 %ok, label %made, label %refused
made:
  store i32 %n1, ptr @started, align 4
  br label %more
refused:
  ; No more threads here: be content with those that run.
  store atomic i32 %n1, ptr @limit monotonic, align 4
  br label %out
out:
  %k2 = call i32 @pthread_sigmask(i32 {sig_setmask}, ptr %old, ptr null)
  %a3 = call i32 @pthread_attr_destroy(ptr %attributes)
  ret void
}

define void @sg_parallel_for(
  ptr %fn, ptr %buffers, ptr %sizes, i64 %units, i64 %chunk, ptr %status, ptr %workspace) #0 {
entry:
  %some = icmp sgt i64 %units, 0
  br i1 %some, label %tasks, label %out
tasks:
  %threads = load atomic i32, ptr @limit monotonic, align 4
  %many = icmp sgt i32 %threads, 1
  %several = icmp sgt i64 %units, %chunk
  %parallel = and i1 %many, %several
  br i1 %parallel, label %enter, label %alone
enter:
  %taken = cmpxchg ptr @busy, i32 0, i32 1 seq_cst seq_cst, align 4
  %mine = extractvalue { i32, i1 } %taken, 1
  br i1 %mine, label %prepare, label %alone
alone:
  call void %fn(ptr %buffers, ptr %sizes, i64 0, i64 %units, ptr %status, ptr %workspace)
  br label %out
prepare:
  %have = load i32, ptr @started, align 4
  %short = add i32 %have, 1
  %few = icmp slt i32 %short, %threads
  br i1 %few, label %begin, label %publish
begin:
  call void @start(i32 %threads)
  br label %publish
publish:
  %positive = icmp sgt i64 %chunk, 0
  %step = select i1 %positive, i64 %chunk, i64 1
  store ptr %fn, ptr @job, align 8
  store ptr %buffers, ptr getelementptr (%job_type, ptr @job, i32 0, i32 1), align 8
  store ptr %sizes, ptr getelementptr (%job_type, ptr @job, i32 0, i32 2), align 8
  store i64 %units, ptr getelementptr (%job_type, ptr @job, i32 0, i32 3), align 8
  store i64 %step, ptr getelementptr (%job_type, ptr @job, i32 0, i32 4), align 8
  store ptr %status, ptr getelementptr (%job_type, ptr @job, i32 0, i32 5), align 8
  store ptr %workspace, ptr getelementptr (%job_type, ptr @job, i32 0, i32 6), align 8
  %state = call i64 @float_state()
  store i64 %state, ptr getelementptr (%job_type, ptr @job, i32 0, i32 7), align 8
  %core = call i32 @current_core()
  store atomic i32 %core, ptr @core monotonic, align 4
  store atomic i64 0, ptr @next seq_cst, align 8
  %e0 = atomicrmw add ptr @epoch, i32 1 seq_cst, align 4
  %s = load atomic i32, ptr @sleepers seq_cst, align 4
  %asleep = icmp sgt i32 %s, 0
  br i1 %asleep, label %room, label %own
room:
  ; Not where the last one that woke up found no core of its own: it would only push the caller aside.
  %instant = call i64 @now()
  %until = load atomic i64, ptr @crowded monotonic, align 8
  %free = icmp sgt i64 %instant, %until
  br i1 %free, label %rouse, label %own
rouse:
  %l = call i32 @pthread_mutex_lock(ptr @mutex)
  %b = call i32 @pthread_cond_broadcast(ptr @wake)
  %u = call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %own
own:
  call void @claim()
  %e1 = atomicrmw add ptr @epoch, i32 1 seq_cst, align 4
  %left0 = load atomic i32, ptr @joined seq_cst, align 4
  %free0 = icmp eq i32 %left0, 0
  br i1 %free0, label %finish, label %linger
linger:
  %since = call i64 @now()
  br label %burst
burst:
  %k = phi i32 [ 0, %linger ], [ %k1, %again ], [ 0, %time ]
  %left1 = load atomic i32, ptr @joined seq_cst, align 4
  %free1 = icmp eq i32 %left1, 0
  br i1 %free1, label %finish, label %idle
idle:
  {pause}
  %k1 = add i32 %k, 1
  %enough = icmp ugt i32 %k1, 31
  br i1 %enough, label %time, label %again
again:
  br label %burst
time:
  %t = call i64 @now()
  %spent = sub i64 %t, %since
  %long = icmp sgt i64 %spent, {caller_spin}
  br i1 %long, label %sleep, label %burst
sleep:
  %l2 = call i32 @pthread_mutex_lock(ptr @mutex)
  store atomic i32 1, ptr @waiting seq_cst, align 4
  br label %check
check:
  %left2 = load atomic i32, ptr @joined seq_cst, align 4
  %free2 = icmp eq i32 %left2, 0
  br i1 %free2, label %rise, label %wait
wait:
  %w = call i32 @pthread_cond_wait(ptr @done, ptr @mutex)
  br label %check
rise:
  store atomic i32 0, ptr @waiting seq_cst, align 4
  %u2 = call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %finish
finish:
  store atomic i32 0, ptr @busy seq_cst, align 4
  br label %out
out:
  ret void
}

define void @sg_pool_limit(i32 %threads) #0 {
  store atomic i32 %threads, ptr @limit monotonic, align 4
  ret void
}

; For the child of a fork, which has no threads but the one that forked.
define void @sg_pool_reset() #0 {
  store atomic i32 0, ptr @busy seq_cst, align 4
  store atomic i32 0, ptr @joined seq_cst, align 4
  store atomic i32 0, ptr @epoch seq_cst, align 4
  store atomic i32 0, ptr @sleepers seq_cst, align 4
  store atomic i32 0, ptr @waiting seq_cst, align 4
  store i32 0, ptr @started, align 4
  ret void
}
"""

_CORE_KNOWN = """declare i32 @sched_getcpu()
define internal i32 @current_core() #0 {
  %core = call i32 @sched_getcpu()
  ret i32 %core
}"""
_CORE_UNKNOWN = "define internal i32 @current_core() #0 { ret i32 -1 }"

#: Per architecture: the instruction that eases a spinning core, and its declaration.
_ARCHITECTURES = {
    "x86_64": ("declare void @llvm.x86.sse2.pause()", "call void @llvm.x86.sse2.pause()"),
    "aarch64": ("declare void @llvm.aarch64.hint(i32)", "call void @llvm.aarch64.hint(i32 1)"),
}


def pool_text(cpu: Cpu, threaded: bool) -> str:
    """The pool's LLVM text; ``threaded`` needs pthreads."""
    body = _SERIAL
    if threaded:
        arch = {"arm64": "aarch64", "amd64": "x86_64"}.get(cpu.arch, cpu.arch)
        declaration, pause = _ARCHITECTURES.get(arch, ("", ""))
        apple = sys.platform.startswith("darwin")
        values = {
            "declarations": f"{declaration}\n{float_state(cpu).text}", "pause": pause, "monotonic": 6 if apple else 1,
            "sig_setmask": 3 if apple else 2, "detached": 2 if apple else 1, "stack": STACK_BYTES,
            "worker_spin": WORKER_SPIN_NS, "caller_spin": CALLER_SPIN_NS,
            "crowded": CROWDED_NS, "current_core": _CORE_KNOWN if sys.platform.startswith("linux") else _CORE_UNKNOWN,
        }  # fmt: skip
        body = _THREADED
        for name, value in values.items():
            body = body.replace("{" + name + "}", str(value))
    return f'target triple = "{cpu.triple}"\n{body}\nattributes #0 = {{ nounwind }}\n'
