"""Packing: copies an operand of a matrix product into panels, so that the register blocks read it in a row.

A panel is ``width`` lines (rows of a, columns of b) and stores ``width`` elements for each position of the sum, one
position after the other. The lines that a last panel has too many repeat its last one (their sums are never used), so
nothing outside the operand is read.
"""

from __future__ import annotations

from dataclasses import dataclass

from ....dtypes import DType
from ....ir.dims import Dim
from ...gemm import ceil_div
from .emit import mangle
from .vector import type_text
from .writer import Module

PARAMETERS = "ptr %from, i64 %line, i64 %step, i64 %lines, i64 %k, ptr %to"


@dataclass(frozen=True, slots=True)
class Panel:
    """How an operand is packed: ``line`` and ``step`` are its strides, from line to line and along the sum; ``lanes``
    divides ``width``. ``masks``: vectors can be loaded in part."""

    dtype: DType
    width: int
    lanes: int
    line: Dim
    step: Dim
    masks: bool

    def elements(self, k: Dim) -> Dim:
        """The length of a panel; whole vectors of positions are written."""
        return ceil_div(k, self.lanes) * (self.lanes * self.width)


def write_pack(module: Module, name: str, panel: Panel) -> None:
    """Define ``name``, which packs one panel of ``lines`` <= ``width`` lines and ``k`` positions."""
    if panel.step == 1 and panel.lanes > 1 and panel.masks:
        text = _transposing(module, name, panel)
    else:
        text = _plain(name, panel)
    module.declare(name, text)


def _plain(name: str, panel: Panel) -> str:
    """Element by element in the source's order, vectors of lines at once where those are contiguous and whole."""
    kind, width, align = type_text(panel.dtype), panel.width, panel.dtype.itemsize
    wide = f"<{panel.lanes} x {kind}>"
    line, step = (d if isinstance(d, int) else p for d, p in ((panel.line, "%line"), (panel.step, "%step")))
    lines = [
        f"define internal void @{name}({PARAMETERS}) noinline #0 {{",
        "entry:",
        "%last = sub i64 %lines, 1",
        "%some = icmp sgt i64 %k, 0",
        f"%whole = icmp eq i64 %lines, {width}",
        f"%fast = and i1 %whole, {'true' if panel.line == 1 else 'false'}",
        "br i1 %some, label %outer, label %done",
        "outer:",
        "%p = phi i64 [0, %entry], [%p2, %next]",
        "%fo = mul i64 %p, " + str(step),
        f"%f = getelementptr {kind}, ptr %from, i64 %fo",
        f"%to0 = mul i64 %p, {width}",
        f"%t = getelementptr {kind}, ptr %to, i64 %to0",
        "br i1 %fast, label %vectors, label %inner",
        "vectors:",
    ]
    for v in range(0, width, panel.lanes):
        lines += [
            f"%vf{v} = getelementptr {kind}, ptr %f, i64 {v}",
            f"%vt{v} = getelementptr {kind}, ptr %t, i64 {v}",
            f"%v{v} = load {wide}, ptr %vf{v}, align {align}",
            f"store {wide} %v{v}, ptr %vt{v}, align {align}",
        ]
    lines += [
        "br label %next",
        "inner:",
        "%i = phi i64 [0, %outer], [%i2, %inner]",
        "%over = icmp sgt i64 %i, %last",
        "%j = select i1 %over, i64 %last, i64 %i",
        f"%jo = mul i64 %j, {line}",
        f"%sf = getelementptr {kind}, ptr %f, i64 %jo",
        f"%st = getelementptr {kind}, ptr %t, i64 %i",
        f"%x = load {kind}, ptr %sf, align {align}",
        f"store {kind} %x, ptr %st, align {align}",
        "%i2 = add nuw nsw i64 %i, 1",
        f"%more = icmp slt i64 %i2, {width}",
        "br i1 %more, label %inner, label %next",
        "next:",
        "%p2 = add nuw nsw i64 %p, 1",
        "%again = icmp slt i64 %p2, %k",
        "br i1 %again, label %outer, label %done",
        "done:",
        "ret void",
        "}",
    ]
    return "\n".join(lines)


def _transposing(module: Module, name: str, panel: Panel) -> str:
    """Squares of ``lanes`` lines by ``lanes`` positions, transposed in registers."""
    kind, lanes, align = type_text(panel.dtype), panel.lanes, panel.dtype.itemsize
    wide, mask = f"<{lanes} x {kind}>", f"<{lanes} x i1>"
    line = panel.line if isinstance(panel.line, int) else "%line"
    load = f"llvm.masked.load.{mangle(panel.dtype, lanes)}.p0"
    module.declare(load, f"declare {wide} @{load}(ptr, i32, {mask}, {wide})")
    lines = [
        f"define internal void @{name}({PARAMETERS}) noinline #0 {{",
        "entry:",
        "%last = sub i64 %lines, 1",
        "%some = icmp sgt i64 %k, 0",
        "br i1 %some, label %outer, label %done",
        "outer:",
        "%g = phi i64 [0, %entry], [%g2, %next]",
        f"%t = getelementptr {kind}, ptr %to, i64 %g",
    ]
    for i in range(lanes):
        lines += [
            f"%l{i} = add nuw nsw i64 %g, {i}",
            f"%over{i} = icmp sgt i64 %l{i}, %last",
            f"%c{i} = select i1 %over{i}, i64 %last, i64 %l{i}",
            f"%o{i} = mul i64 %c{i}, {line}",
            f"%f{i} = getelementptr {kind}, ptr %from, i64 %o{i}",
        ]
    numbers = ", ".join(f"i32 {i}" for i in range(lanes))
    lines += [
        "br label %inner",
        "inner:",
        "%p = phi i64 [0, %outer], [%p2, %inner]",
        "%left = sub i64 %k, %p",
        f"%cut = icmp slt i64 %left, {lanes}",
        f"%few = select i1 %cut, i64 %left, i64 {lanes}",
        "%few32 = trunc i64 %few to i32",
        f"%few1 = insertelement <{lanes} x i32> poison, i32 %few32, i64 0",
        f"%fews = shufflevector <{lanes} x i32> %few1, <{lanes} x i32> poison, <{lanes} x i32> zeroinitializer",
        f"%mask = icmp sgt <{lanes} x i32> %fews, <{numbers}>",
    ]
    rows = []
    for i in range(lanes):
        lines.append(f"%a{i} = getelementptr {kind}, ptr %f{i}, i64 %p")
        lines.append(f"%x{i} = call {wide} @{load}(ptr %a{i}, i32 {align}, {mask} %mask, {wide} zeroinitializer)")
        rows.append(f"%x{i}")
    rows = _transposed(rows, wide, lanes, lines)
    for i, row in enumerate(rows):
        lines += [
            f"%q{i} = add nuw nsw i64 %p, {i}",
            f"%z{i} = mul i64 %q{i}, {panel.width}",
            f"%s{i} = getelementptr {kind}, ptr %t, i64 %z{i}",
            f"store {wide} {row}, ptr %s{i}, align {align}",
        ]
    lines += [
        f"%p2 = add nuw nsw i64 %p, {lanes}",
        "%again = icmp slt i64 %p2, %k",
        "br i1 %again, label %inner, label %next",
        "next:",
        f"%g2 = add nuw nsw i64 %g, {lanes}",
        f"%more = icmp slt i64 %g2, {panel.width}",
        "br i1 %more, label %outer, label %done",
        "done:",
        "ret void",
        "}",
    ]
    return "\n".join(lines)


def _transposed(rows: list[str], wide: str, lanes: int, lines: list[str]) -> list[str]:
    """The columns of a square of rows: at each stage, rows ``span`` apart trade their blocks of ``span`` lanes off the
    diagonal."""
    span = 1
    while span < lanes:
        following = list(rows)
        low = ", ".join(f"i32 {i if not i & span else lanes + (i ^ span)}" for i in range(lanes))
        high = ", ".join(f"i32 {i ^ span if not i & span else lanes + i}" for i in range(lanes))
        for i in range(lanes):
            if i & span:
                continue
            a, b = rows[i], rows[i + span]
            for name, picked, at in ((f"%u{span}.{i}", low, i), (f"%w{span}.{i}", high, i + span)):
                lines.append(f"{name} = shufflevector {wide} {a}, {wide} {b}, <{lanes} x i32> <{picked}>")
                following[at] = name
        rows = following
        span *= 2
    return rows


__all__ = ["PARAMETERS", "Panel", "write_pack"]
