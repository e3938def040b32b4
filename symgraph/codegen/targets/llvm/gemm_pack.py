"""Packing: copies an operand of a matrix product into panels, so that the register blocks read it in a row.

A panel is ``width`` lines (rows of a, columns of b) and stores ``width`` elements for each position of the sum, one
position after the other. The lines that a last panel has too many repeat its last one (their sums are never used), so
nothing outside the operand is read. Panels side by side are packed in groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ....dtypes import DType
from ....ir.dims import Dim
from ...gemm import ceil_div
from .emit import mangle
from .vector import type_text
from .writer import Module

PARAMETERS = "ptr %from, i64 %line, i64 %step, i64 %lines, i64 %k, ptr %to, i64 %pitch"
#: Bytes of one position of a group of panels.
GROUP = 512


@dataclass(frozen=True, slots=True)
class Panel:
    """How an operand is packed: ``line`` and ``step`` are its strides, from line to line and along the sum; ``vector``
    is a register's lanes, and ``lanes``, which divides ``width``, those of a square that is transposed. ``masks``:
    vectors can be loaded in part."""

    dtype: DType
    width: int
    lanes: int
    vector: int
    line: Dim
    step: Dim
    masks: bool

    @property
    def is_transposed(self) -> bool:
        """Whether lines are contiguous along the sum, and turned square by square."""
        return self.step == 1 and self.lanes > 1 and self.masks

    @property
    def group(self) -> int:
        """How many panels are packed together."""
        return max(1, GROUP // (self.width * self.dtype.itemsize)) if self.line == 1 and not self.is_transposed else 1

    def elements(self, k: Dim) -> Dim:
        """The length of a panel; whole vectors of positions are written."""
        return ceil_div(k, self.lanes) * (self.lanes * self.width)


def write_pack(module: Module, name: str, panel: Panel) -> None:
    """Define ``name``, which packs the panels of a group: ``lines`` lines and ``k`` positions; a panel begins ``pitch``
    elements after the one before."""
    if panel.is_transposed:
        text = _transposing(module, name, panel)
    else:
        text = _plain(name, panel)
    module.declare(name, text)


def _plain(name: str, panel: Panel) -> str:
    """Position by position. Whole panels whose lines lie side by side are copied in vectors, a row of all of them at a
    time: what the caches fetch for one is used by the others. What is left goes element by element."""
    kind, width, align, group = type_text(panel.dtype), panel.width, panel.dtype.itemsize, panel.group
    line, step = (d if isinstance(d, int) else p for d, p in ((panel.line, "%line"), (panel.step, "%step")))
    lines = [
        f"define internal void @{name}({PARAMETERS}) noinline #0 {{",
        "entry:",
        "%some = icmp sgt i64 %k, 0",
        f"%whole = icmp eq i64 %lines, {group * width}",
        f"%fast = and i1 %whole, {'true' if panel.line == 1 else 'false'}",
        "br i1 %some, label %choose, label %done",
        "choose:",
        "br i1 %fast, label %vectors, label %panels",
        "vectors:",
        "%vp = phi i64 [0, %choose], [%vp2, %vectors]",
        f"%vfo = mul i64 %vp, {step}",
        f"%vf = getelementptr {kind}, ptr %from, i64 %vfo",
        f"%vto = mul i64 %vp, {width}",
        f"%vt0 = getelementptr {kind}, ptr %to, i64 %vto",
    ]
    for g in range(group):
        if g:
            lines.append(f"%vt{g} = getelementptr {kind}, ptr %vt{g - 1}, i64 %pitch")
        for at, lanes in _pieces(width, panel.vector):
            wide, v = f"<{lanes} x {kind}>", f"{g}.{at}"
            lines += [
                f"%f{v} = getelementptr {kind}, ptr %vf, i64 {g * width + at}",
                f"%t{v} = getelementptr {kind}, ptr %vt{g}, i64 {at}",
                f"%v{v} = load {wide}, ptr %f{v}, align {align}",
                f"store {wide} %v{v}, ptr %t{v}, align {align}",
            ]
    lines += [
        "%vp2 = add nuw nsw i64 %vp, 1",
        "%vmore = icmp slt i64 %vp2, %k",
        "br i1 %vmore, label %vectors, label %done",
        "panels:",
        "%g = phi i64 [0, %choose], [%g2, %after]",
        f"%first = mul i64 %g, {width}",
        "%left = sub i64 %lines, %first",
        "%last = sub i64 %left, 1",
        f"%go = mul i64 %first, {line}",
        f"%gf = getelementptr {kind}, ptr %from, i64 %go",
        "%gp = mul i64 %g, %pitch",
        f"%gt = getelementptr {kind}, ptr %to, i64 %gp",
        "br label %outer",
        "outer:",
        "%p = phi i64 [0, %panels], [%p2, %next]",
        f"%fo = mul i64 %p, {step}",
        f"%f = getelementptr {kind}, ptr %gf, i64 %fo",
        f"%to0 = mul i64 %p, {width}",
        f"%t = getelementptr {kind}, ptr %gt, i64 %to0",
        "br label %inner",
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
        "br i1 %again, label %outer, label %after",
        "after:",
        "%g2 = add nuw nsw i64 %g, 1",
        f"%rest = icmp sgt i64 %left, {width}",
        "br i1 %rest, label %panels, label %done",
        "done:",
        "ret void",
        "}",
    ]
    return "\n".join(lines)


def _pieces(width: int, largest: int) -> Iterator[tuple[int, int]]:
    """Where each vector of a row begins, and its lanes, a power of two."""
    at, lanes = 0, largest
    while at < width:
        while lanes > width - at:
            lanes //= 2
        yield at, lanes
        at += lanes


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
