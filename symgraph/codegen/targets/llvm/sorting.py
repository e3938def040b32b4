"""Sorting as code: each row by one digit of 8 bits after the other, the lowest first (a radix sort, which is stable).

A record holds 32 bits of a key over the 32 bits of its position; keys of 64 bits are sorted by their lower half and
then by their upper one. Digits that are equal in all records are skipped. Up to ``SHORT`` wanted elements are found by
insertion. Where more are wanted, but not all, they are picked first: by the counts of the highest digit among all, then
of the next one among those that have the digits found so far.
"""

from __future__ import annotations

from collections.abc import Callable

from ....dtypes import int64
from ....ir.dims import Dim, floordiv, product
from ...loop.grammar import Kernel, Sort
from .compiled import Phase
from .expression import declare_failure
from .statement import StatementWriter
from .vector import Value, memory_text
from .writer import FunctionWriter, Module

#: So many wanted elements are found by insertion.
SHORT = 32
#: Elements that make a task worth its hand-over.
TASK = 1 << 13
_LOW = 0xFFFFFFFF


def sort_text(
    module: Module, sort: Sort, kernel: Kernel, header: str, begin: Callable[[FunctionWriter], StatementWriter],
    symbol: str,
) -> tuple[str, tuple[Phase, ...], Dim]:  # fmt: skip
    """The LLVM text of a kernel that is a sort, its phase, and the bytes of workspace it needs."""
    w = FunctionWriter(module)
    writer = begin(w)
    keys, target = writer.x.buffers[sort.keys], writer.x.buffers[sort.target]
    columns, wanted = keys.shape[-1], target.shape[-1]
    rows = product(keys.shape[:-1])
    key = memory_text(keys.dtype)
    module.declare("sg_pick", _pick(key, keys.dtype.bits))
    module.declare("sg_sort_row", _sort_row(key, keys.dtype.bits))
    n, count = writer.s.size(columns), writer.s.size(wanted)
    _refuse(w, sort, f"icmp sgt i64 {count.text}, {n.text}", w.pure(f"sub i64 {count.text}, 1", 0), n.text)
    _refuse(w, sort, f"icmp ugt i64 {n.text}, {_LOW}", n.text, str(_LOW + 1))
    with w.loop("%lo", "%hi") as opened:
        row = Value(opened.counter, int64, 1, opened.level)
        first, start = writer.s.mul(row, n), writer.s.mul(row, count)
        pointers = [
            w.here(f"getelementptr inbounds {kind}, ptr {memory}, i64 {at.text}")
            for kind, memory, at in (
                (key, keys.pointer, first), ("i64", target.pointer, start), ("i64", "%workspace", start)
            )
        ]  # fmt: skip
        arguments = ", ".join(f"ptr {p}" for p in pointers)
        w.effect(f"call void @sg_sort_row({arguments}, i64 {n.text}, i64 {count.text})")
    module.declare(symbol, w.finish(header))
    grain = max(1, TASK // max(1, columns)) if isinstance(columns, int) else floordiv(TASK, columns + 1) + 1
    return module.text(), (Phase(symbol, rows, grain),), rows * wanted * 8


def _refuse(w: FunctionWriter, sort: Sort, condition: str, index: str, size: str) -> None:
    """Record a failed check and leave where a condition holds."""
    failed, fine = w.label("failed"), w.label("fine")
    test = w.here(condition)
    w.effect(f"br i1 {test}, label %{failed}, label %{fine}")
    w.start_block(failed)
    w.effect(f"call void @{declare_failure(w.module)}(ptr %status, i64 {1 + sort.check}, i64 {index}, i64 {size})")
    w.effect("ret void")
    w.start_block(fine)


def _zero(x: str, before: str, size: int, after: str) -> str:
    """Zero the first ``size`` bytes of the counts (by hand: a call of memset would need linking)."""
    return f"""{x}:
  %{x}.i = phi i64 [ 0, %{before} ], [ %{x}.i.next, %{x} ]
  %{x}.p = getelementptr inbounds i8, ptr %counts, i64 %{x}.i
  store <8 x i64> zeroinitializer, ptr %{x}.p, align 64
  %{x}.i.next = add nuw nsw i64 %{x}.i, 64
  %{x}.more = icmp slt i64 %{x}.i.next, {size}
  br i1 %{x}.more, label %{x}, label %{after}"""


def _widened(key: str, name: str, of: str) -> str:
    """A key as 64 bits."""
    return f"%{name} = {f'add i64 0, %{of}' if key == 'i64' else f'zext {key} %{of} to i64'}"


def _sort_row(key: str, bits: int) -> str:
    """``sg_sort_row(keys, out, room, n, count)``: the ``count`` first positions of a row of ``n``."""
    words = "\n".join(_sort_word(key, min(bits, 32) // 8, w, last=32 * (w + 1) >= bits) for w in range(-(-bits // 32)))
    return f"""define internal void @sg_sort_row(
  ptr noalias %keys, ptr noalias %out, ptr noalias %room, i64 %n, i64 %count) noinline #0 {{
entry:
  %counts = alloca [1024 x i32], align 64
  %some = icmp sgt i64 %count, 0
  br i1 %some, label %start, label %end
start:
  %short = icmp sle i64 %count, {SHORT}
  %last = sub i64 %count, 1
  %last.p = getelementptr inbounds i64, ptr %out, i64 %last
  br i1 %short, label %insert, label %long
long:
  %all = icmp eq i64 %count, %n
  br i1 %all, label %number, label %pick
pick:
  call void @sg_pick(ptr %keys, ptr %out, i64 %n, i64 %count)
  br label %word0
number:
  %i = phi i64 [ 0, %long ], [ %i.next, %number ]
  %i.p = getelementptr inbounds i64, ptr %out, i64 %i
  store i64 %i, ptr %i.p, align 8
  %i.next = add nuw nsw i64 %i, 1
  %i.more = icmp slt i64 %i.next, %count
  br i1 %i.more, label %number, label %word0
insert:
  %a = phi i64 [ 0, %start ], [ %a.next, %inserted ]
  %a.kp = getelementptr inbounds {key}, ptr %keys, i64 %a
  %a.key = load {key}, ptr %a.kp, align 1
  %full = icmp sge i64 %a, %count
  br i1 %full, label %weigh, label %shift
weigh:
  %last.at = load i64, ptr %last.p, align 8
  %last.kp = getelementptr inbounds {key}, ptr %keys, i64 %last.at
  %last.key = load {key}, ptr %last.kp, align 1
  %last.larger = icmp ugt {key} %last.key, %a.key
  br i1 %last.larger, label %shift, label %inserted
shift:
  %b = phi i64 [ %a, %insert ], [ %last, %weigh ], [ %b.next, %moved ]
  %b.any = icmp sgt i64 %b, 0
  br i1 %b.any, label %look, label %placed
look:
  %b.next = sub nuw nsw i64 %b, 1
  %b.p = getelementptr inbounds i64, ptr %out, i64 %b.next
  %b.at = load i64, ptr %b.p, align 8
  %b.kp = getelementptr inbounds {key}, ptr %keys, i64 %b.at
  %b.key = load {key}, ptr %b.kp, align 1
  %b.larger = icmp ugt {key} %b.key, %a.key
  br i1 %b.larger, label %moved, label %placed
moved:
  %b.to = getelementptr inbounds i64, ptr %out, i64 %b
  store i64 %b.at, ptr %b.to, align 8
  br label %shift
placed:
  %b.here = getelementptr inbounds i64, ptr %out, i64 %b
  store i64 %a, ptr %b.here, align 8
  br label %inserted
inserted:
  %a.next = add nuw nsw i64 %a, 1
  %a.more = icmp slt i64 %a.next, %n
  br i1 %a.more, label %insert, label %end
{words}
end:
  ret void
}}"""


def _sort_word(key: str, digits: int, word: int, last: bool) -> str:
    """Sort the positions in ``out`` by one word of their keys."""
    x = f"w{word}"
    counting = "\n".join(
        f"""  %{x}.f.s{d} = lshr i64 %{x}.f.z, {8 * d}
  %{x}.f.d{d} = and i64 %{x}.f.s{d}, 255
  %{x}.f.a{d} = add nuw nsw i64 %{x}.f.d{d}, {256 * d}
  %{x}.f.p{d} = getelementptr inbounds i32, ptr %counts, i64 %{x}.f.a{d}
  %{x}.f.c{d} = load i32, ptr %{x}.f.p{d}, align 4
  %{x}.f.n{d} = add i32 %{x}.f.c{d}, 1
  store i32 %{x}.f.n{d}, ptr %{x}.f.p{d}, align 4"""
        for d in range(digits)
    )
    passes = "\n".join(_pass(f"{x}.d{d}", d, *_previous(x, d)) for d in range(digits))
    source = f"%{x}.d{digits - 1}.to"
    return f"""word{word}:
  br label %{x}.zero
{_zero(f"{x}.zero", f"word{word}", 1024 * digits, f"{x}.fill")}
{x}.fill:
  %{x}.f = phi i64 [ 0, %{x}.zero ], [ %{x}.f.next, %{x}.fill ]
  %{x}.f.p = getelementptr inbounds i64, ptr %out, i64 %{x}.f
  %{x}.f.at = load i64, ptr %{x}.f.p, align 8
  %{x}.f.kp = getelementptr inbounds {key}, ptr %keys, i64 %{x}.f.at
  %{x}.f.key = load {key}, ptr %{x}.f.kp, align 1
  {_widened(key, f"{x}.f.wide", f"{x}.f.key")}
  %{x}.f.low = lshr i64 %{x}.f.wide, {32 * word}
  %{x}.f.z = and i64 %{x}.f.low, {_LOW}
  %{x}.f.high = shl i64 %{x}.f.z, 32
  %{x}.f.record = or i64 %{x}.f.high, %{x}.f.at
  store i64 %{x}.f.record, ptr %{x}.f.p, align 8
{counting}
  %{x}.f.next = add nuw nsw i64 %{x}.f, 1
  %{x}.f.more = icmp slt i64 %{x}.f.next, %count
  br i1 %{x}.f.more, label %{x}.fill, label %{x}.d0
{passes}
{x}.d{digits}:
  br label %{x}.strip
{x}.strip:
  %{x}.s = phi i64 [ 0, %{x}.d{digits} ], [ %{x}.s.next, %{x}.strip ]
  %{x}.s.from = getelementptr inbounds i64, ptr {source}, i64 %{x}.s
  %{x}.s.record = load i64, ptr %{x}.s.from, align 8
  %{x}.s.at = and i64 %{x}.s.record, {_LOW}
  %{x}.s.p = getelementptr inbounds i64, ptr %out, i64 %{x}.s
  store i64 %{x}.s.at, ptr %{x}.s.p, align 8
  %{x}.s.next = add nuw nsw i64 %{x}.s, 1
  %{x}.s.more = icmp slt i64 %{x}.s.next, %count
  br i1 %{x}.s.more, label %{x}.strip, label %{"end" if last else f"word{word + 1}"}"""


def _previous(x: str, digit: int) -> tuple[str, str, str]:
    """Where the records are and where they may go before a pass, and the label of the pass after it."""
    after = f"{x}.d{digit + 1}"
    return ("%out", "%room", after) if digit == 0 else (f"%{x}.d{digit - 1}.to", f"%{x}.d{digit - 1}.from", after)


def _pass(x: str, digit: int, source: str, free: str, after: str) -> str:
    """Records from ``source`` to ``free`` in the order of a digit; afterwards ``x.to`` is where they are."""
    return f"""{x}:
  %{x}.h = getelementptr inbounds i32, ptr %counts, i64 {256 * digit}
  %{x}.first = load i64, ptr {source}, align 8
  %{x}.first.s = lshr i64 %{x}.first, {32 + 8 * digit}
  %{x}.first.d = and i64 %{x}.first.s, 255
  %{x}.first.p = getelementptr inbounds i32, ptr %{x}.h, i64 %{x}.first.d
  %{x}.first.c = load i32, ptr %{x}.first.p, align 4
  %{x}.first.n = zext i32 %{x}.first.c to i64
  %{x}.equal = icmp eq i64 %{x}.first.n, %count
  br i1 %{x}.equal, label %{x}.done, label %{x}.sum
{x}.sum:
  %{x}.b = phi i64 [ 0, %{x} ], [ %{x}.b.next, %{x}.sum ]
  %{x}.total = phi i32 [ 0, %{x} ], [ %{x}.total.next, %{x}.sum ]
  %{x}.b.p = getelementptr inbounds i32, ptr %{x}.h, i64 %{x}.b
  %{x}.b.c = load i32, ptr %{x}.b.p, align 4
  store i32 %{x}.total, ptr %{x}.b.p, align 4
  %{x}.total.next = add i32 %{x}.total, %{x}.b.c
  %{x}.b.next = add nuw nsw i64 %{x}.b, 1
  %{x}.b.more = icmp slt i64 %{x}.b.next, 256
  br i1 %{x}.b.more, label %{x}.sum, label %{x}.deal
{x}.deal:
  %{x}.i = phi i64 [ 0, %{x}.sum ], [ %{x}.i.next, %{x}.deal ]
  %{x}.i.p = getelementptr inbounds i64, ptr {source}, i64 %{x}.i
  %{x}.i.r = load i64, ptr %{x}.i.p, align 8
  %{x}.i.s = lshr i64 %{x}.i.r, {32 + 8 * digit}
  %{x}.i.d = and i64 %{x}.i.s, 255
  %{x}.i.h = getelementptr inbounds i32, ptr %{x}.h, i64 %{x}.i.d
  %{x}.i.c = load i32, ptr %{x}.i.h, align 4
  %{x}.i.n = add i32 %{x}.i.c, 1
  store i32 %{x}.i.n, ptr %{x}.i.h, align 4
  %{x}.i.at = zext i32 %{x}.i.c to i64
  %{x}.i.to = getelementptr inbounds i64, ptr {free}, i64 %{x}.i.at
  store i64 %{x}.i.r, ptr %{x}.i.to, align 8
  %{x}.i.next = add nuw nsw i64 %{x}.i, 1
  %{x}.i.more = icmp slt i64 %{x}.i.next, %count
  br i1 %{x}.i.more, label %{x}.deal, label %{x}.done
{x}.done:
  %{x}.to = phi ptr [ {source}, %{x} ], [ {free}, %{x}.deal ]
  %{x}.from = phi ptr [ {free}, %{x} ], [ {source}, %{x}.deal ]
  br label %{after}"""


def _pick(key: str, bits: int) -> str:
    """``sg_pick(keys, out, n, count)``: the positions of the ``count`` smallest keys (fewer than ``n``, at least one),
    by position."""
    return f"""define internal void @sg_pick(ptr noalias %keys, ptr noalias %out, i64 %n, i64 %count) noinline #0 {{
entry:
  %counts = alloca [256 x i64], align 64
  br label %digit
digit:
  %shift = phi i64 [ {bits - 8}, %entry ], [ %shift.next, %onward ]
  %prefix = phi i64 [ 0, %entry ], [ %prefix.next, %onward ]
  %mask = phi i64 [ 0, %entry ], [ %mask.next, %onward ]
  %left = phi i64 [ %count, %entry ], [ %l, %onward ]
  br label %zero
{_zero("zero", "digit", 2048, "tally")}
tally:
  %i = phi i64 [ 0, %zero ], [ %i.next, %tallied ]
  %i.p = getelementptr inbounds {key}, ptr %keys, i64 %i
  %i.key = load {key}, ptr %i.p, align 1
  {_widened(key, "i.z", "i.key")}
  %i.masked = and i64 %i.z, %mask
  %i.same = icmp eq i64 %i.masked, %prefix
  br i1 %i.same, label %count.it, label %tallied
count.it:
  %i.s = lshr i64 %i.z, %shift
  %i.d = and i64 %i.s, 255
  %i.h = getelementptr inbounds i64, ptr %counts, i64 %i.d
  %i.c = load i64, ptr %i.h, align 8
  %i.n = add i64 %i.c, 1
  store i64 %i.n, ptr %i.h, align 8
  br label %tallied
tallied:
  %i.next = add nuw nsw i64 %i, 1
  %i.more = icmp slt i64 %i.next, %n
  br i1 %i.more, label %tally, label %find
find:
  %b = phi i64 [ 0, %tallied ], [ %b.next, %beyond ]
  %l = phi i64 [ %left, %tallied ], [ %l.next, %beyond ]
  %b.p = getelementptr inbounds i64, ptr %counts, i64 %b
  %b.c = load i64, ptr %b.p, align 8
  %b.less = icmp ult i64 %b.c, %l
  br i1 %b.less, label %beyond, label %found
beyond:
  %b.next = add nuw nsw i64 %b, 1
  %l.next = sub i64 %l, %b.c
  br label %find
found:
  %b.at = shl i64 %b, %shift
  %prefix.next = or i64 %prefix, %b.at
  %ones = shl i64 255, %shift
  %mask.next = or i64 %mask, %ones
  %exact = icmp eq i64 %l, %b.c
  %lowest = icmp eq i64 %shift, 0
  %done = or i1 %exact, %lowest
  br i1 %done, label %collect, label %onward
onward:
  %shift.next = sub i64 %shift, 8
  br label %digit
collect:
  %j = phi i64 [ 0, %found ], [ %j.next, %collected ]
  %m = phi i64 [ 0, %found ], [ %m.next, %collected ]
  %ties = phi i64 [ %l, %found ], [ %ties.next, %collected ]
  %j.p = getelementptr inbounds {key}, ptr %keys, i64 %j
  %j.key = load {key}, ptr %j.p, align 1
  {_widened(key, "j.z", "j.key")}
  %j.masked = and i64 %j.z, %mask.next
  %below = icmp ult i64 %j.masked, %prefix.next
  %same = icmp eq i64 %j.masked, %prefix.next
  %open = icmp sgt i64 %ties, 0
  %tie = and i1 %same, %open
  %take = or i1 %below, %tie
  br i1 %take, label %put, label %collected
put:
  %m.p = getelementptr inbounds i64, ptr %out, i64 %m
  store i64 %j, ptr %m.p, align 8
  %m.more = add nuw nsw i64 %m, 1
  br label %collected
collected:
  %m.next = phi i64 [ %m, %collect ], [ %m.more, %put ]
  %tie.n = zext i1 %tie to i64
  %ties.next = sub i64 %ties, %tie.n
  %j.next = add nuw nsw i64 %j, 1
  %j.more = icmp slt i64 %j.next, %n
  br i1 %j.more, label %collect, label %end
end:
  ret void
}}"""
