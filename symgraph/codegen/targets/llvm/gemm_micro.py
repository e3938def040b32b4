"""The innermost functions of a matrix product: a register block summed over k, for every number of rows that occurs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ....dtypes import DType
from ....ir.dims import Dim
from .emit import mangle
from .vector import type_text
from .writer import Module

#: Parameters of a block function: operands with their strides, length of the sum, columns, rows, and the tile that
#: takes the sums.
PARAMETERS = "ptr %a, i64 %as, i64 %ak, ptr %b, i64 %bk, i64 %k, i64 %count, i64 %rows, ptr %c"


@dataclass(frozen=True, slots=True)
class Block:
    """A register block. ``a_stride`` (from row to row), ``a_step`` and ``b_step`` (along the sum) are in elements;
    symbolic ones are taken from the parameters. ``pitch`` is the distance of rows in the tile. ``masked``: the last
    vector is cut at ``count`` columns. ``fma``: multiply and add in one rounding."""

    dtype: DType
    lanes: int
    rows: int
    vectors: int
    a_stride: Dim
    a_step: Dim
    b_step: Dim
    pitch: int
    masked: bool
    fma: bool


def write_block(module: Module, name: str, block: Block, tails: tuple[int, ...]) -> str:
    """Define a function that computes ``rows`` rows, which is ``block.rows`` or a sum of some of ``tails`` (falling
    powers of two); returns its name."""
    sizes = (block.rows, *tails)
    arguments = "i64 %as, i64 %ak, ptr %b, i64 %bk, i64 %k, i64 %count, i64 %rows"
    for rows in sizes:
        module.declare(f"{name}_{rows}", _micro(module, f"{name}_{rows}", replace(block, rows=rows)))
    if not tails:
        return f"{name}_{block.rows}"
    stride = block.a_stride if isinstance(block.a_stride, int) else "%as"
    kind = type_text(block.dtype)
    lines = [
        f"define internal void @{name}({PARAMETERS}) noinline #0 {{",
        "entry:",
        f"%full = icmp eq i64 %rows, {block.rows}",
        "br i1 %full, label %whole, label %t0",
        "whole:",
        f"call void @{name}_{block.rows}(ptr %a, {arguments}, ptr %c)",
        "ret void",
    ]
    previous = "entry"
    for i, rows in enumerate(tails):
        first = f"[0, %{previous}]" if i == 0 else f"[%o{i - 1}, %t{i - 1}], [%p{i - 1}, %u{i - 1}]"
        lines += [
            f"t{i}:",
            f"%o{i} = phi i64 {first}",
            f"%m{i} = and i64 %rows, {rows}",
            f"%h{i} = icmp ne i64 %m{i}, 0",
            f"br i1 %h{i}, label %u{i}, label %t{i + 1}",
            f"u{i}:",
            f"%x{i} = mul i64 %o{i}, {stride}",
            f"%a{i} = getelementptr {kind}, ptr %a, i64 %x{i}",
            f"%y{i} = mul i64 %o{i}, {block.pitch}",
            f"%c{i} = getelementptr {kind}, ptr %c, i64 %y{i}",
            f"call void @{name}_{rows}(ptr %a{i}, {arguments}, ptr %c{i})",
            f"%p{i} = add i64 %o{i}, {rows}",
            f"br label %t{i + 1}",
        ]
    module.declare(name, "\n".join([*lines, f"t{len(tails)}:", "ret void", "}"]))
    return name


def write_columns(module: Module, name: str, block: Block, tails: tuple[int, ...], n: Dim) -> str:
    """Define a function like that of :func:`write_block` for ``count`` columns, which is the block's whole width or
    what ``n`` columns leave; returns its name."""
    width = block.lanes * block.vectors
    if isinstance(n, int):
        rest = n % width
        last = replace(block, vectors=-(-rest // block.lanes), masked=rest % block.lanes != 0)
        if n < width:
            return write_block(module, name, last, tails)
        whole = write_block(module, f"{name}_full", block, tails)
        if not rest:
            return whole
        parts = {0: write_block(module, f"{name}_rest", last, tails)}
    else:
        whole = write_block(module, f"{name}_full", block, tails)
        one = write_block(module, f"{name}_rest", replace(block, vectors=1, masked=True), tails)
        parts = {v * block.lanes: one for v in range(block.vectors)}
    kind = type_text(block.dtype)
    arguments = "ptr %a, i64 %as, i64 %ak"
    lines = [
        f"define internal void @{name}({PARAMETERS}) noinline #0 {{",
        "entry:",
        f"%full = icmp sge i64 %count, {width}",
        "br i1 %full, label %whole, label %p0",
        "whole:",
        f"call void @{whole}({arguments}, ptr %b, i64 %bk, i64 %k, i64 %count, i64 %rows, ptr %c)",
        "ret void",
    ]
    for i, (first, function) in enumerate(parts.items()):
        lines += [
            f"p{i}:",
            f"%h{i} = icmp sgt i64 %count, {first}",
            f"br i1 %h{i}, label %q{i}, label %p{len(parts)}",
            f"q{i}:",
            f"%b{i} = getelementptr {kind}, ptr %b, i64 {first}",
            f"%c{i} = getelementptr {kind}, ptr %c, i64 {first}",
            f"%n{i} = sub i64 %count, {first}",
            f"call void @{function}({arguments}, ptr %b{i}, i64 %bk, i64 %k, i64 %n{i}, i64 %rows, ptr %c{i})",
            f"br label %p{i + 1}",
        ]
    module.declare(name, "\n".join([*lines, f"p{len(parts)}:", "ret void", "}"]))
    return name


def tails_of(m: Dim, rows: int) -> tuple[int, ...]:
    """The row counts, besides ``rows``, of which a last incomplete block of ``m`` rows may be made."""
    bits = [1 << i for i in reversed(range(max(rows - 1, 1).bit_length())) if 1 << i < rows]
    return tuple(b for b in bits if not isinstance(m, int) or m % rows & b)


def _micro(module: Module, name: str, block: Block) -> str:
    """One block of exactly ``block.rows`` rows: sums stay in registers over the whole of k."""
    kind, wide = type_text(block.dtype), type_text(block.dtype, block.lanes)
    suffix, align = mangle(block.dtype, block.lanes), block.dtype.itemsize
    cells = [(r, v) for r in range(block.rows) for v in range(block.vectors)]
    a_step, b_step = (d if isinstance(d, int) else p for d, p in ((block.a_step, "%ak"), (block.b_step, "%bk")))
    lines = [f"define internal void @{name}({PARAMETERS}) noinline #0 {{", "entry:"]
    stride = block.a_stride
    rows = [r * stride if isinstance(stride, int) else f"%r{r}" for r in range(block.rows)]
    if not isinstance(block.a_stride, int):
        lines += [f"%r{r} = mul i64 %as, {r}" for r in range(block.rows)]
    if block.masked:
        lines += _mask(block.lanes, block.lanes * (block.vectors - 1))
    lines += [
        "%some = icmp sgt i64 %k, 0",
        "br i1 %some, label %loop, label %done",
        "loop:",
        "%p = phi i64 [0, %entry], [%p2, %loop]",
        "%ap = phi ptr [%a, %entry], [%ap2, %loop]",
        "%bp = phi ptr [%b, %entry], [%bp2, %loop]",
    ]
    lines += [f"%s{r}.{v} = phi {wide} [zeroinitializer, %entry], [%d{r}.{v}, %loop]" for r, v in cells]
    for v in range(block.vectors):
        lines.append(f"%bp.{v} = getelementptr {kind}, ptr %bp, i64 {v * block.lanes}")
        if block.masked and v == block.vectors - 1:
            load = f"llvm.masked.load.{suffix}.p0"
            mask = f"<{block.lanes} x i1>"
            module.declare(load, f"declare {wide} @{load}(ptr, i32, {mask}, {wide})")
            arguments = f"ptr %bp.{v}, i32 {align}, {mask} %mask, {wide} zeroinitializer"
            lines.append(f"%b.{v} = call {wide} @{load}({arguments})")
        else:
            lines.append(f"%b.{v} = load {wide}, ptr %bp.{v}, align {align}")
    for r in range(block.rows):
        lines += [
            f"%ap.{r} = getelementptr {kind}, ptr %ap, i64 {rows[r]}",
            f"%x.{r} = load {kind}, ptr %ap.{r}, align {align}",
            f"%y.{r} = insertelement {wide} poison, {kind} %x.{r}, i64 0",
            f"%a.{r} = shufflevector {wide} %y.{r}, {wide} poison, <{block.lanes} x i32> zeroinitializer",
        ]
        for v in range(block.vectors):
            if block.fma:
                module.declare(f"llvm.fma.{suffix}", f"declare {wide} @llvm.fma.{suffix}({wide}, {wide}, {wide})")
                arguments = f"{wide} %a.{r}, {wide} %b.{v}, {wide} %s{r}.{v}"
                lines.append(f"%d{r}.{v} = call {wide} @llvm.fma.{suffix}({arguments})")
            else:
                lines.append(f"%m{r}.{v} = fmul {wide} %a.{r}, %b.{v}")
                lines.append(f"%d{r}.{v} = fadd {wide} %s{r}.{v}, %m{r}.{v}")
    lines += [
        "%p2 = add nuw nsw i64 %p, 1",
        f"%ap2 = getelementptr {kind}, ptr %ap, i64 {a_step}",
        f"%bp2 = getelementptr {kind}, ptr %bp, i64 {b_step}",
        "%again = icmp slt i64 %p2, %k",
        "br i1 %again, label %loop, label %done",
        "done:",
    ]
    lines += [f"%e{r}.{v} = phi {wide} [zeroinitializer, %entry], [%d{r}.{v}, %loop]" for r, v in cells]
    for r, v in cells:
        lines.append(f"%cp{r}.{v} = getelementptr {kind}, ptr %c, i64 {r * block.pitch + v * block.lanes}")
        lines.append(f"store {wide} %e{r}.{v}, ptr %cp{r}.{v}, align {align}")
    return "\n".join([*lines, "ret void", "}"])


def _mask(lanes: int, before: int) -> list[str]:
    """``%mask``: the lanes of a vector that begins at column ``before`` that are among the first ``%count`` columns."""
    numbers = ", ".join(f"i32 {i + before}" for i in range(lanes))
    return [
        "%count32 = trunc i64 %count to i32",
        f"%count1 = insertelement <{lanes} x i32> poison, i32 %count32, i64 0",
        f"%counts = shufflevector <{lanes} x i32> %count1, <{lanes} x i32> poison, <{lanes} x i32> zeroinitializer",
        f"%mask = icmp sgt <{lanes} x i32> %counts, <{numbers}>",
    ]


__all__ = ["PARAMETERS", "Block", "tails_of", "write_columns"]
