"""A product of one row with a matrix: memory decides how long it takes, so the matrix is read in whole lines.

The sums of a piece of the row lie in the tile, in the first cache, and some lines of the matrix at a time are added to
them. Each element still is one sum in the order of k, with the bits of a register block's.
"""

from __future__ import annotations

from dataclasses import replace

from .emit import mangle
from .gemm_parts import PARAMETERS, Block, mask_lines
from .vector import type_text
from .writer import Module

#: Lines of the matrix that are added at a time: so many streams the processor fetches ahead.
DEPTH = 8

_ADD = "ptr %a, i64 %ak, ptr %b, i64 %bk, i64 %count, ptr %c"


def write_row(module: Module, name: str, block: Block, masks: bool) -> str:
    """Define a block function for one row and any number of columns up to the tile's; returns its name. Without
    ``masks`` columns are whole vectors."""
    kind, wide, align = type_text(block.dtype), type_text(block.dtype, block.lanes), block.dtype.itemsize
    a_step, b_step = (d if isinstance(d, int) else p for d, p in ((block.a_step, "%ak"), (block.b_step, "%bk")))
    for depth in (DEPTH, 1):
        module.declare(f"{name}_{depth}", _adding(module, f"{name}_{depth}", block, depth, masks))
    lines = [
        f"define internal void @{name}({PARAMETERS}) noinline #0 {{",
        "entry:",
        "br label %clear",
        "clear:",
        "%z = phi i64 [0, %entry], [%z2, %clear]",
        f"%zp = getelementptr {kind}, ptr %c, i64 %z",
        f"store {wide} zeroinitializer, ptr %zp, align {align}",
        f"%z2 = add nuw nsw i64 %z, {block.lanes}",
        "%unclear = icmp slt i64 %z2, %count",
        "br i1 %unclear, label %clear, label %some",
        "some:",
        "%p = phi i64 [0, %clear], [%p2, %deep], [%p3, %single]",
        f"%ao = mul i64 %p, {a_step}",
        f"%ap = getelementptr {kind}, ptr %a, i64 %ao",
        f"%bo = mul i64 %p, {b_step}",
        f"%bp = getelementptr {kind}, ptr %b, i64 %bo",
        f"%p2 = add nuw nsw i64 %p, {DEPTH}",
        "%fits = icmp sle i64 %p2, %k",
        "br i1 %fits, label %deep, label %rest",
        "deep:",
        f"call void @{name}_{DEPTH}(ptr %ap, i64 %ak, ptr %bp, i64 %bk, i64 %count, ptr %c)",
        "br label %some",
        "rest:",
        "%more = icmp slt i64 %p, %k",
        "br i1 %more, label %single, label %done",
        "single:",
        f"call void @{name}_1(ptr %ap, i64 %ak, ptr %bp, i64 %bk, i64 %count, ptr %c)",
        "%p3 = add nuw nsw i64 %p, 1",
        "br label %some",
        "done:",
        "ret void",
        "}",
    ]
    module.declare(name, "\n".join(lines))
    return name


def _adding(module: Module, name: str, block: Block, depth: int, masks: bool) -> str:
    """Add ``depth`` lines, each times its element of the row, to the sums of ``%count`` columns."""
    kind, wide, align = type_text(block.dtype), type_text(block.dtype, block.lanes), block.dtype.itemsize
    a_step, b_step = (d if isinstance(d, int) else p for d, p in ((block.a_step, "%ak"), (block.b_step, "%bk")))
    lines = [f"define internal void @{name}({_ADD}) noinline #0 {{", "entry:"]
    for q in range(depth):
        lines += [
            f"%ao{q} = mul i64 {q}, {a_step}",
            f"%ap{q} = getelementptr {kind}, ptr %a, i64 %ao{q}",
            f"%x{q} = load {kind}, ptr %ap{q}, align {align}",
            f"%y{q} = insertelement {wide} poison, {kind} %x{q}, i64 0",
            f"%a{q} = shufflevector {wide} %y{q}, {wide} poison, <{block.lanes} x i32> zeroinitializer",
            f"%bo{q} = mul i64 {q}, {b_step}",
            f"%b{q} = getelementptr {kind}, ptr %b, i64 %bo{q}",
        ]
    lines += [
        f"%whole = and i64 %count, {-block.lanes}",
        "%some = icmp sgt i64 %whole, 0",
        "br i1 %some, label %loop, label %last",
        "loop:",
        "%j = phi i64 [0, %entry], [%j2, %loop]",
        *_sums(module, block, depth, "%j", ""),
        f"%j2 = add nuw nsw i64 %j, {block.lanes}",
        "%again = icmp slt i64 %j2, %whole",
        "br i1 %again, label %loop, label %last",
        "last:",
    ]
    if masks:
        cut = replace(block, vectors=1, masked=True)
        lines += [
            "%left = sub i64 %count, %whole",
            "%cut = icmp sgt i64 %left, 0",
            "br i1 %cut, label %part, label %done",
            "part:",
            *(line.replace("%count ", "%left ") for line in mask_lines(cut)),
            *_sums(module, cut, depth, "%whole", "m"),
            "br label %done",
            "done:",
        ]
    return "\n".join([*lines, "ret void", "}"])


def _sums(module: Module, block: Block, depth: int, at: str, mark: str) -> list[str]:
    """The vector of sums at column ``at``, with the products of all lines added one after the other."""
    kind, wide, align = type_text(block.dtype), type_text(block.dtype, block.lanes), block.dtype.itemsize
    suffix, mask = mangle(block.dtype, block.lanes), f"<{block.lanes} x i1>"
    lines = [
        f"%to{mark} = getelementptr {kind}, ptr %c, i64 {at}",
        f"%s{mark}0 = load {wide}, ptr %to{mark}, align {align}",
    ]
    for q in range(depth):
        pointer, value, old, new = f"%p{mark}{q}", f"%v{mark}{q}", f"%s{mark}{q}", f"%s{mark}{q + 1}"
        lines.append(f"{pointer} = getelementptr {kind}, ptr %b{q}, i64 {at}")
        if block.masked:
            load = f"llvm.masked.load.{suffix}.p0"
            module.declare(load, f"declare {wide} @{load}(ptr, i32, {mask}, {wide})")
            arguments = f"ptr {pointer}, i32 {align}, {mask} %mask, {wide} zeroinitializer"
            lines.append(f"{value} = call {wide} @{load}({arguments})")
        else:
            lines.append(f"{value} = load {wide}, ptr {pointer}, align {align}")
        if block.fma:
            module.declare(f"llvm.fma.{suffix}", f"declare {wide} @llvm.fma.{suffix}({wide}, {wide}, {wide})")
            lines.append(f"{new} = call {wide} @llvm.fma.{suffix}({wide} %a{q}, {wide} {value}, {wide} {old})")
        else:
            lines += [f"%m{mark}{q} = fmul {wide} %a{q}, {value}", f"{new} = fadd {wide} {old}, %m{mark}{q}"]
    return [*lines, f"store {wide} %s{mark}{depth}, ptr %to{mark}, align {align}"]


__all__ = ["write_row"]
