"""The steps of a register block, and the block whose rows and sum are several axes, such as windows of an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ....dtypes import DType
from ....ir.dims import Dim
from ...gemm import Parts
from .emit import mangle
from .vector import type_text
from .writer import Module

#: Parameters of a block function: operands with their strides, length of the sum, columns, rows, the tile that takes
#: the sums, and the table (see :func:`write_parts`).
PARAMETERS = "ptr %a, i64 %as, i64 %ak, ptr %b, i64 %bk, i64 %k, i64 %count, i64 %rows, ptr %c, ptr %table"
#: The innermost part of a sum is written out if it has at most so many positions.
UNROLLED = 8


@dataclass(frozen=True, slots=True)
class Block:
    """A register block. ``a_stride`` (from row to row), ``a_step`` and ``b_step`` (along the sum) are in elements;
    symbolic ones are taken from the parameters. ``pitch`` is the distance of rows in the tile. ``masked``: the last
    vector is cut at ``count`` columns. ``fma``: multiply and add in one rounding. ``parts``, where it is not empty:
    extent, step of a and step of b for each part of the sum; rows are then found in a table."""

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
    parts: Parts = ()

    @property
    def cells(self) -> list[tuple[int, int]]:
        """The accumulators: row and vector."""
        return [(r, v) for r in range(self.rows) for v in range(self.vectors)]


def write_parts(module: Module, name: str, block: Block) -> str:
    """A block whose row ``r`` begins ``table[r]`` elements after ``a``, whatever rows those are, and whose sum is a
    nest of loops over ``parts``. What is symbolic of the outer parts (extent, step of a, step of b) follows the rows in
    the table; of the innermost part it is in the parameters."""
    kind, wide = type_text(block.dtype), type_text(block.dtype, block.lanes)
    lines = [f"define internal void @{name}({PARAMETERS}) noinline #0 {{", "entry:", *mask_lines(block)]
    for r in range(block.rows):
        lines += [
            f"%q{r} = getelementptr i64, ptr %table, i64 {r}",
            f"%o{r} = load i64, ptr %q{r}, align 8",
            f"%row{r} = getelementptr {kind}, ptr %a, i64 %o{r}",
        ]
    parts = [_named(part, level, block, lines) for level, part in enumerate(block.parts)]
    copies = 1
    extent, a_step, b_step = block.parts[-1]
    is_known = isinstance(a_step, int) and isinstance(b_step, int)
    if len(parts) > 1 and is_known and isinstance(extent, int) and 0 < extent <= UNROLLED:
        copies = extent
        parts.pop()
    lines.append("%x0 = icmp sgt i64 %k, 0")
    for level, (count, _, _) in enumerate(parts):
        lines += [f"%y{level} = icmp sgt i64 {count}, 0", f"%x{level + 1} = and i1 %x{level}, %y{level}"]
    lines.append(f"br i1 %x{len(parts)}, label %h0, label %done")
    last = len(parts) - 1
    for level in range(len(parts)):
        before, back = f"h{level - 1}" if level else "entry", f"e{level}" if level < last else f"h{level}"
        lines += [
            f"h{level}:",
            f"%n{level} = phi i64 [0, %{before}], [%m{level}, %{back}]",
            f"%a{level} = phi i64 [{f'%a{level - 1}' if level else 0}, %{before}], [%c{level}, %{back}]",
            f"%b{level} = phi ptr [%b{level - 1 if level else ''}, %{before}], [%d{level}, %{back}]",
        ]
        for r, v in block.cells:
            first = f"%s{level - 1}.{r}.{v}" if level else "zeroinitializer"
            lines.append(f"%s{level}.{r}.{v} = phi {wide} [{first}, %{before}], [%t{copies}.{r}.{v}, %{back}]")
        if level < last:
            lines.append(f"br label %h{level + 1}")
    for copy in range(copies):
        lines += [
            f"%ai{copy} = add i64 %a{last}, {copy * a_step if copy and isinstance(a_step, int) else 0}",
            f"%bi{copy} = getelementptr {kind}, ptr %b{last}, "
            f"i64 {copy * b_step if copy and isinstance(b_step, int) else 0}",
        ]
        rows = [(f"%row{r}", f"%ai{copy}") for r in range(block.rows)]
        sums = f"%t{copy}." if copy else f"%s{last}."
        lines += product_lines(module, block, rows, f"%bi{copy}", sums, f"%t{copy + 1}.", f".{copy}")
    for level in reversed(range(len(parts))):
        count, a, b = parts[level]
        if level < last:
            lines.append(f"e{level}:")
        lines += [
            f"%m{level} = add nuw nsw i64 %n{level}, 1",
            f"%c{level} = add i64 %a{level}, {a}",
            f"%d{level} = getelementptr {kind}, ptr %b{level}, i64 {b}",
            f"%z{level} = icmp slt i64 %m{level}, {count}",
            f"br i1 %z{level}, label %h{level}, label %{f'e{level - 1}' if level else 'done'}",
        ]
    lines.append("done:")
    final = "e0" if last else "h0"
    return "\n".join([*lines, *store_lines(block, {"entry": "zeroinitializer", final: f"%t{copies}."})])


def _named(part: tuple[Dim, ...], level: int, block: Block, lines: list[str]) -> tuple[str, ...]:
    """Extent and steps of a part as text: numbers, parameters or what is in the table."""
    if level == len(block.parts) - 1:
        return tuple(str(d) if isinstance(d, int) else p for d, p in zip(part, ("%k", "%ak", "%bk"), strict=True))
    out: list[str] = []
    for i, d in enumerate(part):
        if not isinstance(d, int):
            at = block.rows + 3 * level + i
            lines += [f"%g{at} = getelementptr i64, ptr %table, i64 {at}", f"%l{at} = load i64, ptr %g{at}, align 8"]
        out.append(str(d) if isinstance(d, int) else f"%l{at}")
    return tuple(out)


def product_lines(
    module: Module, block: Block, rows: Sequence[tuple[str, object]], b: str, sums: str, following: str, mark: str = ""
) -> list[str]:
    """One position of the sum: elements of a at ``rows`` (pointer and index) times the vectors at ``b``, added to the
    values named ``sums`` give those named ``following``."""
    kind, wide = type_text(block.dtype), type_text(block.dtype, block.lanes)
    suffix, align = mangle(block.dtype, block.lanes), block.dtype.itemsize
    lines: list[str] = []
    for v in range(block.vectors):
        lines.append(f"%bp{mark}.{v} = getelementptr {kind}, ptr {b}, i64 {v * block.lanes}")
        if block.masked and v == block.vectors - 1:
            load, mask = f"llvm.masked.load.{suffix}.p0", f"<{block.lanes} x i1>"
            module.declare(load, f"declare {wide} @{load}(ptr, i32, {mask}, {wide})")
            arguments = f"ptr %bp{mark}.{v}, i32 {align}, {mask} %mask, {wide} zeroinitializer"
            lines.append(f"%b{mark}.{v} = call {wide} @{load}({arguments})")
        else:
            lines.append(f"%b{mark}.{v} = load {wide}, ptr %bp{mark}.{v}, align {align}")
    for r, (pointer, index) in enumerate(rows):
        lines += [
            f"%ap{mark}.{r} = getelementptr {kind}, ptr {pointer}, i64 {index}",
            f"%x{mark}.{r} = load {kind}, ptr %ap{mark}.{r}, align {align}",
            f"%y{mark}.{r} = insertelement {wide} poison, {kind} %x{mark}.{r}, i64 0",
            f"%a{mark}.{r} = shufflevector {wide} %y{mark}.{r}, {wide} poison, <{block.lanes} x i32> zeroinitializer",
        ]
        for v in range(block.vectors):
            old, new = f"{sums}{r}.{v}", f"{following}{r}.{v}"
            if block.fma:
                module.declare(f"llvm.fma.{suffix}", f"declare {wide} @llvm.fma.{suffix}({wide}, {wide}, {wide})")
                arguments = f"{wide} %a{mark}.{r}, {wide} %b{mark}.{v}, {wide} {old}"
                lines.append(f"{new} = call {wide} @llvm.fma.{suffix}({arguments})")
            else:
                lines.append(f"%m{mark}.{r}.{v} = fmul {wide} %a{mark}.{r}, %b{mark}.{v}")
                lines.append(f"{new} = fadd {wide} {old}, %m{mark}.{r}.{v}")
    return lines


def store_lines(block: Block, sums: Mapping[str, str]) -> list[str]:
    """The sums go to the tile; ``sums`` gives the names they have by the block they come from."""
    kind, wide, align = type_text(block.dtype), type_text(block.dtype, block.lanes), block.dtype.itemsize
    lines = []
    for r, v in block.cells:
        found = [(f"{s}{r}.{v}" if s.startswith("%") else s, at) for at, s in sums.items()]
        lines.append(f"%f{r}.{v} = phi {wide} " + ", ".join(f"[{value}, %{at}]" for value, at in found))
    for r, v in block.cells:
        lines.append(f"%cp{r}.{v} = getelementptr {kind}, ptr %c, i64 {r * block.pitch + v * block.lanes}")
        lines.append(f"store {wide} %f{r}.{v}, ptr %cp{r}.{v}, align {align}")
    return [*lines, "ret void", "}"]


def mask_lines(block: Block) -> list[str]:
    """``%mask``: the lanes of the block's last vector that are among the first ``%count`` columns."""
    if not block.masked:
        return []
    lanes, before = block.lanes, block.lanes * (block.vectors - 1)
    numbers = ", ".join(f"i32 {i + before}" for i in range(lanes))
    return [
        "%count32 = trunc i64 %count to i32",
        f"%count1 = insertelement <{lanes} x i32> poison, i32 %count32, i64 0",
        f"%counts = shufflevector <{lanes} x i32> %count1, <{lanes} x i32> poison, <{lanes} x i32> zeroinitializer",
        f"%mask = icmp sgt <{lanes} x i32> %counts, <{numbers}>",
    ]


__all__ = ["PARAMETERS", "Block", "mask_lines", "product_lines", "store_lines", "write_parts"]
