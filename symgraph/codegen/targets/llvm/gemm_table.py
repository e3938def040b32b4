"""The table of a register block whose rows are several axes: where each row begins."""

from __future__ import annotations

from collections.abc import Sequence

from ....dtypes import int64
from ....ir.dims import Dim
from ...gemm import Parts
from .statement import StatementWriter
from .vector import Value, constant


def fill_table(writer: StatementWriter, sums: Parts, rows: int) -> None:
    """What the block function reads of the sum's outer parts."""
    s = writer.s
    for level, part in enumerate(sums[:-1]):
        for i, d in enumerate(part):
            if not isinstance(d, int):
                _enter(writer, rows + 3 * level + i, s.size(d))


def place_rows(writer: StatementWriter, parts: Parts, rows: int, first: Value, height: Value) -> None:
    """Where the rows from ``first`` on begin; beyond ``height`` the last one again, so that all exist."""
    s = writer.s
    digits: list[Value] = []
    offset, rest = constant(0, int64), first
    for i, (extent, stride) in enumerate(reversed(parts)):
        size, last = s.size(extent), i == len(parts) - 1
        digit = rest if last else s.instruction("urem", rest, size)
        rest = rest if last else s.instruction("udiv", rest, size)
        digits.append(digit)
        offset = s.add(offset, s.mul(digit, s.size(stride)))
    _enter(writer, 0, offset)
    for r in range(1, rows):
        following = offset
        carry: Value | None = None
        for i, (extent, stride) in enumerate(reversed(parts)):
            step = s.size(stride)
            more, digit = s.add(following, step), s.add(digits[i], constant(1, int64))
            if carry is not None:
                more, digit = s.select(carry, more, following), s.select(carry, digit, digits[i])
            following = more
            if i < len(parts) - 1:
                full = s.eq(digit, s.size(extent))
                following = s.select(full, s.sub(more, s.mul(step, s.size(extent))), more)
                digit = s.select(full, constant(0, int64), digit)
                carry = full
            digits[i] = digit
        offset = s.select(s.lt(constant(r, int64), height), following, offset)
        _enter(writer, r, offset)


def _enter(writer: StatementWriter, at: int, value: Value) -> None:
    """Write an entry of the table."""
    w = writer.s.w
    w.effect(f"%entry{at} = getelementptr i64, ptr %table, i64 {at}", 0)
    w.effect(f"store i64 {value.text}, ptr %entry{at}, align 8")


def row_digits(writer: StatementWriter, extents: Sequence[Dim], row: Value) -> list[Value]:
    """The parts of a row's number; what no one uses is cleaned away."""
    found: list[Value] = []
    for extent in reversed(extents[1:]):
        size = writer.s.size(extent)
        found.append(writer.s.instruction("urem", row, size))
        row = writer.s.instruction("udiv", row, size)
    return [row, *reversed(found)]


__all__ = ["fill_table", "place_rows", "row_digits"]
