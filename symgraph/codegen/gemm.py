"""The schedule of a matrix product: register block, tiles, and what is packed, from sizes and a few machine numbers.

A register block is ``rows`` x ``vectors`` accumulators of ``lanes`` elements, summed over the whole of k at once; so an
element's sum is in the order of k, whatever the tiles are. Tiles are the parallel units. Operands are read where they
lie as long as that is fast (columns of b contiguous, everything in reach of the second cache); otherwise they are
packed first, in panels as wide as the register block.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..ir.dims import Dim, Shape, evaluate, floordiv, product, symbols
from .loop.grammar import Contract, Load
from .loop.walk import linear

#: Floating operations that make a tile worth handing to another thread.
TASK_FLOPS = 2_000_000
#: What an unknown size is taken for where a choice needs a number.
TYPICAL = 256
#: Sums of at least so many positions may be cut, if the results take at most so many bytes.
LONG_SUM, LARGEST_TILES = 4096, 1 << 24
#: Packed lines are summed over so many positions at a time: a panel of each operand then fits the first cache.
CHUNK = 256
#: Bytes of an operand that is worth packing, where it lies in lines far apart: those fall into few sets of the caches,
#: and each into a page of its own.
FAR = 1 << 17
#: A number of rows that only a call knows: up to so many are few where b would be packed, or is read where it lies.
FEW_PACKED, FEW = 8, 1
#: The register block, rows and vectors, of few rows: b is read in long pieces, for each jump to a next row is dear.
FEW_BLOCK = (1, 8)
#: Elements of a lone row that are computed at a time: the more, the longer the lines of b that are read in a row; and
#: how many make a task at least.
STREAM, STREAM_TASK = 2048, 512


@dataclass(frozen=True, slots=True)
class Machine:
    """What a schedule needs of a processor: bytes of a vector register, how many there are, whether loads can be
    masked, bytes of the second cache of one core, and whether vectors are computed with in two halves."""

    vector_bytes: int
    registers: int
    masks: bool
    l2: int
    halves: bool = False


@dataclass(frozen=True, slots=True)
class Operand:
    """Where an operand lies in its buffer, in elements: ``offset`` and a stride for every batch variable, for every
    part of its lines (the rows of a, the columns of b) and for every part of the sum."""

    buffer: str
    offset: Dim
    batch: tuple[Dim, ...]
    lines: tuple[Dim, ...]
    steps: tuple[Dim, ...]

    @property
    def outer(self) -> Dim:
        """The stride from line to line, in the part that runs fastest."""
        return self.lines[-1]

    @property
    def inner(self) -> Dim:
        """The stride along the sum, in the part that runs fastest."""
        return self.steps[-1]


#: Parts of an index, outermost first: each an extent and its strides.
Parts = tuple[tuple[Dim, ...], ...]


@dataclass(frozen=True, slots=True)
class GemmSchedule:
    """``rows`` x (``vectors`` * ``lanes``) is the register block, ``tile_rows`` x ``tile_columns`` (multiples of it) a
    parallel unit; ``pack_a`` and ``pack_b`` say which operands are copied to panels first. ``outer_sums``: how many
    parts of the sum run outside a tile, whose sums are then kept in memory, so that operands are read once a tile;
    ``chunk``, where it is not 0: the same for packed operands, so many positions of the sum at a time. ``few``, where
    it is not 0: a call with at most so many rows takes :attr:`for_few`, in the same tiles. ``streamed``: one row, whose
    sums lie in memory while b is read in whole lines."""

    lanes: int
    rows: int
    vectors: int
    tile_rows: int
    tile_columns: int
    pack_a: bool
    pack_b: bool
    outer_sums: int = 0
    chunk: int = 0
    few: int = 0
    streamed: bool = False

    @property
    def columns(self) -> int:
        return self.lanes * self.vectors

    @property
    def for_few(self) -> GemmSchedule:
        """The schedule of a call with few rows: without packing; with blocks for few, if those are very few; and a lone
        row apart."""
        if self.few == FEW:
            return replace(self, rows=1, vectors=STREAM // self.lanes, pack_b=False, few=0, streamed=True)
        rows, vectors = (self.rows, self.vectors) if self.few > FEW_PACKED else FEW_BLOCK
        return replace(self, rows=rows, vectors=vectors, pack_b=False, few=FEW)

    def __str__(self) -> str:
        packed = "".join(name for name, on in (("a", self.pack_a), ("b", self.pack_b)) if on) or "none"
        block = "streamed" if self.streamed else f"block {self.rows}x{self.vectors}*{self.lanes}"
        cut = f" by {self.chunk}" if self.chunk else ""
        few = f", up to {self.few} rows apart" if self.few else ""
        return f"gemm {block} tile {self.tile_rows}x{self.tile_columns} packed {packed}{cut}{few}"


def merged(parts: Iterable[tuple[Dim, ...]]) -> Parts:
    """Parts with neighbours joined that lie in memory like one."""
    out: list[tuple[Dim, ...]] = []
    for part in parts:
        if out and all(stride == step * part[0] for stride, step in zip(out[-1][1:], part[1:], strict=True)):
            out[-1] = (out[-1][0] * part[0], *part[1:])
        else:
            out.append(part)
    return tuple(out)


def sum_extents(c: Contract) -> tuple[Dim, ...]:
    """The extents of the parts of the sum."""
    return tuple(d for _, d in c.k_parts) or (c.k,)


def row_parts(c: Contract, a: Operand) -> Parts:
    """The rows' extents and strides."""
    return merged(zip(tuple(d for _, d in c.m_parts) or (c.m,), a.lines, strict=True))


def sum_parts(c: Contract, *steps: Sequence[Dim]) -> Parts:
    """The sum's extents and the strides of some operands along it."""
    return merged(zip(sum_extents(c), *steps, strict=True))


def dense_steps(c: Contract, width: int) -> tuple[Dim, ...]:
    """The strides along the sum in a panel that holds ``width`` elements for each position."""
    out: list[Dim] = []
    step: Dim = width
    for extent in reversed(sum_extents(c)):
        out.append(step)
        step = step * extent
    return tuple(reversed(out))


def operand(load: Load, shapes: Mapping[str, Shape], c: Contract, lines: Sequence[str]) -> Operand | None:
    """The layout of an operand whose lines ``lines`` number, or None where its index is no sum of multiples."""
    total: dict[str, Dim] = {}
    offset: Dim = 0
    stride: Dim = 1
    for size, index in zip(reversed(shapes[load.buffer]), reversed(load.index), strict=True):
        form = linear(index)
        if form is None:
            return None
        for name, coefficient in form[0].items():
            total[name] = total.get(name, 0) + coefficient * stride
        offset = offset + form[1] * stride
        stride = stride * size
    sums = [v for v, _ in c.k_parts] or [c.k_var]
    if not set(total) <= {*c.batch_vars, *lines, *sums}:
        return None
    batch, outer, inner = (tuple(total.get(name, 0) for name in names) for names in (c.batch_vars, lines, sums))
    return Operand(load.buffer, offset, batch, outer, inner)


def choose_schedule(c: Contract, a: Operand, b: Operand, itemsize: int, machine: Machine) -> GemmSchedule:
    """The schedule for a product of float elements of ``itemsize`` bytes. It depends on sizes and the machine only."""
    lanes = machine.vector_bytes // itemsize
    if isinstance(c.n, int):
        while lanes > 4 and lanes // 2 >= c.n:
            lanes //= 2
    vectors = _vectors(c.m, c.n, lanes, machine.registers)
    rows = _rows(c.m, vectors, machine.registers)
    m, n, k = (d if isinstance(d, int) else TYPICAL for d in (c.m, c.n, c.k))
    even = isinstance(c.n, int) and c.n % lanes == 0
    fewest, far, few = _packing(machine, rows)
    many = m >= fewest and n >= TYPICAL
    pack_b = b.outer != 1 or not (machine.masks or even) or (many and k * n * itemsize > far)
    parted = len(row_parts(c, a)) > 1 or len(sum_parts(c, a.steps, b.steps)) > 1
    pack_a = not parted and many and a.inner != 1 and m * k * itemsize > far
    columns = lanes * vectors
    # Rows of several parts are windows, mostly, and those overlap: many of them fit the cache.
    high = min(-(-128 // rows) * rows, machine.l2 // 2 // (1 if parted else max(k * itemsize, 1)))
    if isinstance(c.m, int):
        high = min(high, -(-c.m // rows) * rows)
    tile_rows = max(rows, high // rows * rows)
    across = -(-max(n, 1) // columns)
    blocks = max(-(-TASK_FLOPS // max(2 * tile_rows * columns * k, 1)), 64 // machine.vector_bytes)
    if m * k * itemsize > machine.l2:  # rows come from far: use them for more than one block
        blocks = max(blocks, 4)
    if parted and columns * across * k * itemsize <= machine.l2 // 2:
        blocks = across
    blocks = max(1, min(blocks, across))
    outer = chunk = 0
    if _is_long(c, itemsize):
        if len(row_parts(c, a)) == 1 and m >= 4 * rows and n >= 4 * columns:
            pack_a, pack_b, chunk = True, True, CHUNK
        elif not (pack_a or pack_b):
            outer = _outer_sums(c, a, b)
    if outer or chunk:
        tile_rows, blocks = -(-m // (4 * rows)) * rows, max(1, min(across, -(-256 // columns)))
    is_wide = not isinstance(c.n, int) or c.n >= FEW_BLOCK[1] * lanes
    as_it_lies = is_wide and not parted and b.outer == 1 and (machine.masks or even)
    if as_it_lies and c.m == 1:
        vectors = min(STREAM, c.n + lanes - 1 if isinstance(c.n, int) else STREAM) // lanes
        task = min(max(n // 4 // lanes * lanes, STREAM_TASK), STREAM)
        return GemmSchedule(lanes, 1, vectors, 1, task, False, False, streamed=True)
    if as_it_lies and not (isinstance(c.m, int) or pack_a or chunk):
        few = few if pack_b else FEW
        blocks = -(-blocks * vectors // FEW_BLOCK[1]) * FEW_BLOCK[1] // vectors  # both kinds of blocks fill a tile
    else:
        few = 0
    return GemmSchedule(lanes, rows, vectors, tile_rows, columns * blocks, pack_a, pack_b, outer, chunk, few)


def _packing(machine: Machine, rows: int) -> tuple[int, int, int]:
    """How many rows, and how many bytes of an operand that lies in lines far apart, make packing pay; and how many rows
    of those that only a call knows do without.

    With sixteen registers a block is narrow, and each of its lines costs a miss, so that packing pays early; where
    vectors are computed with in halves, memory has twice the time."""
    if machine.registers <= 16:
        return 3 * rows, FAR, FEW_PACKED
    return (16 * rows, 2 * machine.l2, FEW_PACKED) if machine.halves else (8 * rows, FAR, 8 * rows - 1)


def _is_long(c: Contract, itemsize: int) -> bool:
    """Whether this is a long sum into a small result, as a weight's gradient is."""
    if c.batch_vars or not isinstance(c.m, int) or not isinstance(c.n, int) or c.m * c.n * itemsize > LARGEST_TILES:
        return False
    return evaluate(c.k, {s.name: TYPICAL for s in symbols([c.k])}) >= max(LONG_SUM, c.m)


def _outer_sums(c: Contract, a: Operand, b: Operand) -> int:
    """How many parts of a long sum run outside the tiles."""
    sizes = [d[0] if isinstance(d[0], int) else TYPICAL for d in sum_parts(c, a.steps, b.steps)]
    fitting = [q for q in range(1, len(sizes)) if math.prod(sizes[q:]) <= LONG_SUM // 4]
    return fitting[0] if fitting else len(sizes) - 1


def units(c: Contract, s: GemmSchedule) -> Dim:
    """How many tiles a product has."""
    return product((*c.batch_extents, ceil_div(c.m, s.tile_rows), ceil_div(c.n, s.tile_columns)))


def grain(c: Contract, s: GemmSchedule) -> Dim:
    """How many tiles a task takes at least."""
    rows = min(c.m, s.tile_rows) if isinstance(c.m, int) else c.m
    columns = min(c.n, s.tile_columns) if isinstance(c.n, int) else s.tile_columns
    return floordiv(TASK_FLOPS // 2, 2 * rows * columns * c.k + 1) + 1


def ceil_div(size: Dim, by: int) -> Dim:
    """``size / by``, rounded up."""
    return floordiv(size + (by - 1), by)


def _vectors(m: Dim, n: Dim, lanes: int, registers: int) -> int:
    """Vectors of the register block: more than two where the rows alone are too few to fill the pipelines."""
    usual = max(2, min(8 // m, registers // (2 if m == 1 else 4))) if isinstance(m, int) and m > 0 else 2
    return usual if not isinstance(n, int) else max(1, min(usual, -(-n // lanes)))


def _rows(m: Dim, vectors: int, registers: int) -> int:
    """Rows of the register block: about half the registers hold sums, which hides the latency of two pipelines; few
    rows all at once where that is possible."""
    usual = 8 if registers >= 32 or vectors == 1 else 6
    most = max((registers - vectors - 2) // vectors, 1)
    if isinstance(m, int) and 0 < m <= most:
        return m
    return usual


__all__ = [
    "GemmSchedule", "Machine", "Operand", "Parts", "ceil_div", "choose_schedule", "dense_steps", "grain", "operand",
    "row_parts", "sum_parts", "units",
]  # fmt: skip
