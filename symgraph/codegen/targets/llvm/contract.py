"""Matrix products as code: packing phases where the schedule wants them, then the tiles.

A tile is computed block by block: a register block's sums go to a small buffer on the stack, and the epilogue runs over
that in lanes, like any vector loop. Packed panels live in the kernel's workspace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from ....dtypes import int64
from ....ir.dims import Dim, product
from ...gemm import Operand, Parts, ceil_div, dense_steps, grain, row_parts, sum_parts, units
from ...loop.grammar import Loop
from .access import Memory, load
from .compiled import Phase
from .contract_plan import Product, machine_of
from .cpu import Cpu
from .gemm_micro import tails_of, write_columns
from .gemm_pack import Panel, write_pack
from .gemm_parts import Block
from .gemm_row import write_row
from .gemm_table import fill_table, place_rows, row_digits
from .ranges import RangeWriter, choose_lanes
from .statement import StatementWriter
from .vector import Value, constant, type_text
from .writer import FunctionWriter, Module

#: Most lanes of a packing step: larger squares cost more code than they save time.
PACKED_LANES = 8
#: Elements that make packing worth handing to another thread.
PACKING = 1 << 16

#: What a phase's function hands to another.
ARGUMENTS = "ptr %buffers, ptr %sizes, i64 %lo, i64 %hi, ptr %status, ptr %workspace"

#: Begins a phase's function: reads pointers and sizes, so that statements of the kernel can be written.
Open = Callable[[FunctionWriter], StatementWriter]
#: The text before the body of a phase's function.
Header = Callable[[str], str]


def emit_contract(
    module: Module, symbol: str, planned: Product, cpu: Cpu, start: Open, header: Header
) -> tuple[tuple[Phase, ...], Dim]:
    """Write the phases of a product into ``module``; returns them and the bytes of workspace they share."""
    return _Emitter(module, symbol, planned, cpu, start, header).write()


class _Emitter:
    def __init__(
        self, module: Module, symbol: str, planned: Product, cpu: Cpu, start: Open, header: Header
    ) -> None:  # fmt: skip
        self.module, self.symbol, self.cpu, self.start, self.header = module, symbol, cpu, start, header
        self.planned, self.c, self.s = planned, planned.contract, planned.schedule
        self.operands = {"a": planned.a, "b": planned.b}
        self.kind = type_text(self.c.dtype)
        masks = machine_of(cpu).masks
        self.panels: dict[str, Panel] = {}
        self.cuts: dict[str, Parts] = {}  # the parts of the sum that a panel is packed by
        self.places: dict[str, Dim] = {}  # bytes of the workspace before an operand's panels
        self.workspace: Dim = 0
        widths = {"a": (self.s.pack_a, self.s.rows), "b": (self.s.pack_b, self.s.columns)}
        for name, (packed, width) in widths.items():
            if packed:
                lanes = min(self.s.lanes, PACKED_LANES)
                while width % lanes:
                    lanes //= 2
                x = self.operands[name]
                self.panels[name] = Panel(self.c.dtype, width, lanes, self.s.lanes, x.outer, x.inner, masks)
                self.cuts[name] = sum_parts(self.c, x.steps)
                self.places[name] = self.workspace
                each = self._panel_bytes(name)
                self.workspace = self.workspace + product(self._panel_grid(name)) * each

        self.rows = row_parts(self.c, planned.a)
        a_steps = dense_steps(self.c, self.s.rows) if self.s.pack_a else planned.a.steps
        b_steps = dense_steps(self.c, self.s.columns) if self.s.pack_b else planned.b.steps
        self.sums = sum_parts(self.c, a_steps, b_steps)
        self.outer_sums, self.sums = self.sums[: self.s.outer_sums], self.sums[self.s.outer_sums :]
        self.parted = len(self.rows) > 1 or len(self.sums) + len(self.outer_sums) > 1
        self.kept = self.workspace  # bytes of the workspace before the tiles that are kept
        if self.outer_sums or self.s.chunk:
            each = self.s.tile_rows * self.s.tile_columns * self.c.dtype.itemsize
            self.workspace = self.workspace + units(self.c, self.s) * each

    def write(self) -> tuple[tuple[Phase, ...], Dim]:
        phases = [self._pack(name) for name in self.panels]
        phases.append(self._tiles())
        return tuple(phases), self.workspace

    # -- packing ------------------------------------------------------------------------------------------------
    def _lines(self, name: str) -> Dim:
        return self.c.m if name == "a" else self.c.n

    def _panel_count(self, name: str) -> Dim:
        return ceil_div(self._lines(name), self.panels[name].width)

    def _panel_grid(self, name: str) -> tuple[Dim, ...]:
        """The panels: along each batch axis that the operand depends on, then along its lines."""
        steps = zip(self.c.batch_extents, self.operands[name].batch, strict=True)
        return (*(extent for extent, step in steps if step != 0), self._panel_count(name))

    def _panel_bytes(self, name: str) -> Dim:
        panel = self.panels[name]
        slack = panel.lanes if len(self.cuts[name]) > 1 else 0  # parts are packed in whole vectors, too
        return ceil_div(panel.elements(self.c.k + slack) * self.c.dtype.itemsize, 64) * 64

    def _pack(self, name: str) -> Phase:
        """A phase whose units are the groups of panels of all batches."""
        panel, x = self.panels[name], self.operands[name]
        symbol, function = f"{self.symbol}_pack_{name}", f"{self.symbol}_panel_{name}"
        write_pack(self.module, function, panel)
        w = FunctionWriter(self.module)
        writer = self.start(w)
        s = writer.s
        self._leave_if_few(writer)
        *batches, panels = self._panel_grid(name)
        grid, each = (*batches, ceil_div(panels, panel.group)), panel.group * panel.width
        pitch = s.instruction("sdiv exact", s.size(self._panel_bytes(name)), constant(self.c.dtype.itemsize, int64))
        strides = f"i64 {s.size(x.outer).text}, i64 {s.size(x.inner).text}"
        with w.loop("%lo", "%hi") as opened:
            number = Value(opened.counter, int64, 1, opened.level)
            at, found = self._split(writer, number, grid)
            places = iter(found)
            batch = [constant(0, int64) if step == 0 else next(places) for step in x.batch]
            first = s.mul(at, constant(each, int64))
            lines = s.minimum(s.sub(s.size(self._lines(name)), first), constant(each, int64))
            offset = s.add(self._offset(writer, x, batch), s.mul(first, s.size(x.outer)))
            source = self._pointer(writer, writer.x.buffers[x.buffer].pointer, offset)
            place = self._panel_number(writer, name, batch, s.mul(at, constant(panel.group, int64)))
            target = self._panel(writer, name, place)
            *outer, (k, _) = self.cuts[name]
            count = product(extent for extent, _ in outer)
            with w.loop("0", s.size(count).text, nonempty=count == 1) as segment:
                at = Value(segment.counter, int64, 1, segment.level)
                to = self._pointer(writer, target, s.mul(at, s.mul(s.size(k), constant(panel.width, int64))))
                offset = constant(0, int64)
                for extent, step in reversed(outer):
                    offset = s.add(offset, s.mul(s.instruction("urem", at, s.size(extent)), s.size(step)))
                    at = s.instruction("udiv", at, s.size(extent))
                start = self._pointer(writer, source, offset) if outer else source
                arguments = f"{strides}, i64 {lines.text}, i64 {s.size(k).text}, ptr {to}, i64 {pitch.text}"
                w.effect(f"call void @{function}(ptr {start}, {arguments})")
        self.module.declare(symbol, w.finish(self.header(symbol)))
        elements = self.c.k * each
        worth = -(-PACKING // elements) if isinstance(elements, int) and elements else 1
        return Phase(symbol, product(grid), worth)

    # -- tiles --------------------------------------------------------------------------------------------------
    def _tiles(self) -> Phase:
        c, schedule = self.c, self.s
        symbol = f"{self.symbol}_tiles"
        w = FunctionWriter(self.module)
        w.effect(f"%tile = alloca [{schedule.rows * schedule.columns} x {self.kind}], align 64")
        w.effect(f"%table = alloca [{schedule.rows + 3 * len(self.sums)} x i64], align 8")
        writer = self.start(w)
        s = writer.s
        if schedule.few:
            planned, few = replace(self.planned, schedule=schedule.for_few), f"{self.symbol}_few"
            phase = _Emitter(self.module, few, planned, self.cpu, self.start, self.header)._tiles()
            self._leave_if_few(writer, f"call void @{phase.symbol}({ARGUMENTS})")
        block = self._block()
        fill_table(writer, self.sums, schedule.rows)
        m, n, zero = s.size(c.m), s.size(c.n), constant(0, int64)
        wide = constant(schedule.tile_columns, int64)
        grid = (*c.batch_extents, ceil_div(c.n, schedule.tile_columns), ceil_div(c.m, schedule.tile_rows))
        if schedule.streamed and not c.batch_vars:  # all tiles of a task as one
            left = s.mul(Value("%lo", int64), wide)
            right = s.minimum(s.mul(Value("%hi", int64), wide), n)
            self._tile(writer, block, (), zero, (zero, m, left, right))
        else:
            with w.loop("%lo", "%hi") as opened, writer.x.scope():
                number = Value(opened.counter, int64, 1, opened.level)
                row_tile, outer = self._split(writer, number, grid)
                column_tile, batch = outer[-1], outer[:-1]
                for name, value in zip(c.batch_vars, batch, strict=True):
                    writer.x.names[name] = value
                high = constant(schedule.tile_rows, int64)
                top, left = s.mul(row_tile, high), s.mul(column_tile, wide)
                bottom, right = s.minimum(s.add(top, high), m), s.minimum(s.add(left, wide), n)
                self._tile(writer, block, batch, number, (top, bottom, left, right))
        self.module.declare(symbol, w.finish(self.header(symbol)))
        return Phase(symbol, units(c, schedule), grain(c, schedule))

    def _tile(
        self, writer: StatementWriter, block: str, batch: Sequence[Value], number: Value, area: Sequence[Value]
    ) -> None:
        """Compute tile ``number``, which is the rows and columns of ``area``."""
        s, zero = writer.s, constant(0, int64)
        if not self.outer_sums and not self.s.chunk:
            for i, j, height, width in self._blocks(writer, area):
                self._multiply(writer, block, batch, (i, j, height, width), (zero, zero), s.size(self.sums[-1][0]))
                self._epilogue(writer, i, j, height, width, "%tile")
        else:
            self._long_sums(writer, block, batch, number, area)
            for i, j, height, width in self._blocks(writer, area):
                self._epilogue(writer, i, j, height, width, self._kept(writer, number, i, j, area))

    def _leave_if_few(self, writer: StatementWriter, *before: str) -> None:
        """End the phase's function here, after some instructions, in a call with few rows."""
        s, w = writer.s, writer.s.w
        if self.s.few:
            test = s.instruction("icmp sle", s.size(self.c.m), constant(self.s.few, int64))
            w.effect(f"br i1 {test.text}, label %few, label %many")
            w.start_block("few")
            for line in (*before, "ret void"):
                w.effect(line)
            w.start_block("many")

    def _blocks(self, writer: StatementWriter, area: Sequence[Value]) -> Iterator[tuple[Value, Value, Value, Value]]:
        """Loops over the register blocks of a tile: first row and column, and how many of them exist."""
        s, w, c = writer.s, writer.s.w, self.c
        top, bottom, left, right = area
        rows, columns = constant(self.s.rows, int64), constant(self.s.columns, int64)
        with w.loop(left.text, right.text, columns.text) as across:
            j = Value(across.counter, int64, 1, across.level)
            is_whole = self._divides(c.n, self.s.columns) and self._divides(self.s.tile_columns, self.s.columns)
            width = columns if is_whole else s.minimum(s.sub(right, j), columns)
            with w.loop(top.text, bottom.text, rows.text) as down:
                i = Value(down.counter, int64, 1, down.level)
                height = rows if self._divides(c.m, self.s.rows) else s.minimum(s.sub(bottom, i), rows)
                yield i, j, height, width

    def _multiply(
        self, writer: StatementWriter, block: str, batch: Sequence[Value], place: tuple[Value, Value, Value, Value],
        shifts: tuple[Value, Value], k: Value,
    ) -> None:  # fmt: skip
        """Put the sums of a block into ``%tile``; ``shifts`` are where the operands' part of the sum begins."""
        s, (i, j, height, width) = writer.s, place
        if self.parted:
            place_rows(writer, self.rows, self.s.rows, i, height)
        a, a_step = self._source(writer, "a", batch, i, self.s.rows, shifts[0])
        b, b_step = self._source(writer, "b", batch, j, self.s.columns, shifts[1])
        a_stride = constant(1, int64) if self.s.pack_a else s.size(self.operands["a"].outer)
        s.w.effect(
            f"call void @{block}(ptr {a}, i64 {a_stride.text}, i64 {a_step.text}, ptr {b}, i64 {b_step.text}, "
            f"i64 {k.text}, i64 {width.text}, i64 {height.text}, ptr %tile, ptr %table)"
        )

    def _long_sums(
        self, writer: StatementWriter, block: str, batch: Sequence[Value], number: Value, area: Sequence[Value]
    ) -> None:
        """Add up a tile in the workspace, one position of the outer parts of the sum, or one chunk, after the other."""
        s, w, chunk = writer.s, writer.s.w, self.s.chunk
        outer = product(extent for extent, _, _ in self.outer_sums)
        count = s.size(ceil_div(self.c.k, chunk) if chunk else outer)
        empty, zero = s.eq(count, constant(0, int64)), constant(0, int64)
        k = s.select(empty, zero, s.size(self.sums[-1][0]))
        with w.loop("0", s.maximum(count, constant(1, int64)).text, nonempty=True) as opened:
            step = at = Value(opened.counter, int64, 1, opened.level)
            shifts = [zero, zero]
            for extent, *strides in reversed(self.outer_sums):
                size = s.maximum(s.size(extent), constant(1, int64))
                digit, at = s.instruction("urem", at, size), s.instruction("udiv", at, size)
                shifts = [s.add(t, s.mul(digit, s.size(d))) for t, d in zip(shifts, strides, strict=True)]
            if chunk:
                begin = s.mul(step, constant(chunk, int64))
                k = s.minimum(s.sub(s.size(self.c.k), begin), constant(chunk, int64))
                shifts = [s.mul(begin, constant(width, int64)) for width in (self.s.rows, self.s.columns)]
            for i, j, height, width in self._blocks(writer, area):
                self._multiply(writer, block, batch, (i, j, height, width), (shifts[0], shifts[1]), k)
                total = self._kept(writer, number, i, j, area)
                wide, align = type_text(self.c.dtype, self.s.lanes), self.c.dtype.itemsize
                with w.loop("0", str(self.s.rows * self.s.columns), str(self.s.lanes), nonempty=True) as lane:
                    here, there = (
                        w.here(f"getelementptr {self.kind}, ptr {x}, i64 {lane.counter}") for x in ("%tile", total)
                    )
                    more = w.here(f"load {wide}, ptr {here}, align {align}")
                    known = w.here(f"load {wide}, ptr {there}, align {align}")
                    both = w.here(f"fadd {wide} {known}, {more}")
                    first = w.here(f"icmp eq i64 {step.text}, 0")
                    value = w.here(f"select i1 {first}, {wide} {more}, {wide} {both}")
                    w.effect(f"store {wide} {value}, ptr {there}, align {align}")

    def _kept(self, writer: StatementWriter, number: Value, i: Value, j: Value, area: Sequence[Value]) -> str:
        """Where the workspace holds the sums of a block of tile ``number``."""
        s, (top, _, left, _) = writer.s, area
        each = self.s.tile_rows * self.s.tile_columns
        inside = s.add(
            s.mul(s.sub(i, top), constant(self.s.tile_columns, int64)),
            s.mul(s.sub(j, left), constant(self.s.rows, int64)),
        )
        start = s.w.pure(f"getelementptr i8, ptr %workspace, i64 {s.size(self.kept).text}", 0)
        return self._pointer(writer, start, s.add(s.mul(number, constant(each, int64)), inside))

    def _block(self) -> str:
        """The name of the function that computes a register block."""
        c, s, a, b = self.c, self.s, self.operands["a"], self.operands["b"]
        a_stride, a_step = (1, s.rows) if s.pack_a else (a.outer, a.inner)
        b_step = s.columns if s.pack_b else b.inner
        block = Block(
            c.dtype, s.lanes, s.rows, s.vectors, a_stride, a_step, b_step, s.columns, False, self.cpu.has_fma,
            self.sums if self.parted else (),
        )  # fmt: skip
        if s.streamed:
            return write_row(self.module, f"{self.symbol}_row", block, machine_of(self.cpu).masks)
        # Panels are whole, and a table repeats its last row: what is computed too much there is not used.
        tails = () if s.pack_a or self.parted else tails_of(c.m, s.rows)
        return write_columns(self.module, f"{self.symbol}_block", block, tails, s.columns if s.pack_b else c.n)

    def _epilogue(
        self, writer: StatementWriter, i: Value, j: Value, height: Value, width: Value, sums: str
    ) -> None:  # fmt: skip
        """Run the epilogue over the block's sums: rows one by one, columns in lanes."""
        c, s, w = self.c, writer.s, writer.s.w
        tile = Memory(sums, c.dtype, (self.s.rows, self.s.columns), True)
        cut = choose_lanes(self.cpu, Loop(c.n_var, c.n, "vec", c.epilogue), writer.x.buffers)
        with w.loop("0", height.text, nonempty=True) as opened:
            row = Value(opened.counter, int64, 1, opened.level)
            start = s.mul(row, constant(self.s.columns, int64))
            digits = row_digits(writer, [d for _, d in c.m_parts], s.add(i, row)) if c.m_parts else []

            def body(numbers: Value, lanes: int, mask: Value | None, carried: Sequence[Value]) -> Sequence[Value]:
                writer.lanes = lanes
                with writer.x.scope(mask):
                    writer.x.names[c.m_var] = s.add(i, row)
                    writer.x.names |= zip((v for v, _ in c.m_parts), digits, strict=False)
                    writer.x.names[c.n_var] = s.add(numbers, j)
                    writer.x.names[c.acc] = load(s, tile, s.add(numbers, start), mask)
                    writer.block(c.epilogue)
                writer.lanes = 1
                return ()

            RangeWriter(s, cut, body).write(constant(0, int64), width)

    # -- addresses ----------------------------------------------------------------------------------------------
    def _source(
        self, writer: StatementWriter, name: str, batch: Sequence[Value], first: Value, width: int, shift: Value
    ) -> tuple[str, Value]:
        """The address of an operand's lines from ``first`` on, and its stride along the sum."""
        s, x = writer.s, self.operands[name]
        if name not in self.panels:
            offset = s.add(self._offset(writer, x, batch), shift)
            if name == "b" or not self.parted:
                offset = s.add(offset, s.mul(first, s.size(x.outer)))
            return self._pointer(writer, writer.x.buffers[x.buffer].pointer, offset), s.size(x.inner)
        at = s.instruction("sdiv exact", first, constant(width, int64))
        number = self._panel_number(writer, name, batch, at)
        return self._panel(writer, name, number, shift), constant(width, int64)

    def _panel_number(self, writer: StatementWriter, name: str, batch: Sequence[Value], at: Value) -> Value:
        """The number, among all of an operand, of a batch's panel ``at``."""
        s, number = writer.s, constant(0, int64)
        for value, extent, step in zip(batch, self.c.batch_extents, self.operands[name].batch, strict=True):
            if step != 0:
                number = s.add(s.mul(number, s.size(extent)), value)
        return s.add(s.mul(number, s.size(self._panel_count(name))), at)

    def _panel(self, writer: StatementWriter, name: str, number: Value, shift: Value | None = None) -> str:
        """The address of a panel, or of its element ``shift``."""
        s = writer.s
        offset = s.add(s.mul(number, s.size(self._panel_bytes(name))), s.size(self.places[name]))
        if shift is not None:
            offset = s.add(offset, s.mul(shift, constant(self.c.dtype.itemsize, int64)))
        return s.w.pure(f"getelementptr i8, ptr %workspace, i64 {offset.text}", offset.level)

    @staticmethod
    def _offset(writer: StatementWriter, x: Operand, batch: Sequence[Value]) -> Value:
        s = writer.s
        offset = s.size(x.offset)
        for value, step in zip(batch, x.batch, strict=True):
            offset = s.add(offset, s.mul(value, s.size(step)))
        return offset

    def _pointer(self, writer: StatementWriter, base: str, offset: Value) -> str:
        return writer.s.w.pure(f"getelementptr {self.kind}, ptr {base}, i64 {offset.text}", offset.level)

    @staticmethod
    def _split(
        writer: StatementWriter, number: Value, extents: Sequence[Dim]
    ) -> tuple[Value, tuple[Value, ...]]:  # fmt: skip
        """The place of a unit in a grid: the last axis, which runs fastest, and the axes before."""
        s = writer.s
        found: list[Value] = []
        for extent in reversed(extents[1:]):
            size = s.size(extent)
            found.append(s.instruction("srem", number, size))
            number = s.instruction("sdiv", number, size)
        found.append(number)
        return found[0], tuple(reversed(found[1:]))

    @staticmethod
    def _divides(size: Dim, by: int) -> bool:
        return isinstance(size, int) and size % by == 0


__all__ = ["emit_contract"]
