"""The innermost functions of a matrix product: a register block summed over k, for every number of rows that occurs."""

from __future__ import annotations

from dataclasses import replace

from ....ir.dims import Dim
from .gemm_parts import PARAMETERS, Block, mask_lines, product_lines, store_lines, write_parts
from .vector import type_text
from .writer import Module


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
        f"call void @{name}_{block.rows}(ptr %a, {arguments}, ptr %c, ptr %table)",
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
            f"call void @{name}_{rows}(ptr %a{i}, {arguments}, ptr %c{i}, ptr %table)",
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
        f"call void @{whole}({arguments}, ptr %b, i64 %bk, i64 %k, i64 %count, i64 %rows, ptr %c, ptr %table)",
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
            f"call void @{function}({arguments}, ptr %b{i}, i64 %bk, i64 %k, i64 %n{i}, i64 %rows, ptr %c{i}, "
            "ptr %table)",
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
    if block.parts:
        return write_parts(module, name, block)
    kind, wide = type_text(block.dtype), type_text(block.dtype, block.lanes)
    a_step, b_step = (d if isinstance(d, int) else p for d, p in ((block.a_step, "%ak"), (block.b_step, "%bk")))
    lines = [f"define internal void @{name}({PARAMETERS}) noinline #0 {{", "entry:"]
    stride = block.a_stride
    rows = [("%ap", r * stride if isinstance(stride, int) else f"%r{r}") for r in range(block.rows)]
    if not isinstance(block.a_stride, int):
        lines += [f"%r{r} = mul i64 %as, {r}" for r in range(block.rows)]
    lines += mask_lines(block)
    lines += [
        "%some = icmp sgt i64 %k, 0",
        "br i1 %some, label %loop, label %done",
        "loop:",
        "%p = phi i64 [0, %entry], [%p2, %loop]",
        "%ap = phi ptr [%a, %entry], [%ap2, %loop]",
        "%bp = phi ptr [%b, %entry], [%bp2, %loop]",
    ]
    lines += [f"%s{r}.{v} = phi {wide} [zeroinitializer, %entry], [%d{r}.{v}, %loop]" for r, v in block.cells]
    lines += product_lines(module, block, rows, "%bp", "%s", "%d")
    lines += [
        "%p2 = add nuw nsw i64 %p, 1",
        f"%ap2 = getelementptr {kind}, ptr %ap, i64 {a_step}",
        f"%bp2 = getelementptr {kind}, ptr %bp, i64 {b_step}",
        "%again = icmp slt i64 %p2, %k",
        "br i1 %again, label %loop, label %done",
        "done:",
    ]
    return "\n".join([*lines, *store_lines(block, {"entry": "zeroinitializer", "loop": "%d"})])


__all__ = ["PARAMETERS", "Block", "tails_of", "write_columns"]
