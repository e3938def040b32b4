"""Values as loop expressions: inlined nodes are computed, arrays are loaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..dtypes import DType
from ..errors import InternalError
from ..ir.dims import Shape
from ..ir.graph import Node, Value
from ..ir.op import Elementwise, Indexed
from ..ir.ops.leaves import Constant
from .algebra import LoopAlgebra
from .demand import is_splat
from .loop.grammar import Buffer, Expr

Index = tuple[Expr, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Scratch:
    """An array between two kernels of one cluster; it belongs to no value of the graph."""

    dtype: DType
    shape: Shape


#: What a kernel's parameter stands for.
Array = Value | Scratch


class Evaluator:
    """Expressions of one kernel. ``is_array`` says which values are loaded; ``buffers`` collects the parameters met.

    ``given`` holds values that lowering has computed (folds, accumulators, random words), by ``id``. Constants of equal
    elements are written into the code, except where an array is asked for (``splats_are_code`` is off).
    """

    def __init__(self, is_array: Callable[[Value], bool]) -> None:
        self.s = LoopAlgebra()
        self.is_array = is_array
        self.given: dict[int, Expr] = {}
        self.splats_are_code = True
        self.arrays: dict[str, Array] = {}
        self.buffers: dict[str, Buffer] = {}
        self._names: dict[tuple[int, bool], str] = {}
        self._known: dict[tuple[int, ...], tuple[Index, Expr]] = {}

    def value(self, value: Value, index: Index) -> Expr:
        """The element of ``value`` at ``index``."""
        given = self.given.get(id(value))
        if given is not None:
            return given
        key = (id(value), *map(id, index))
        known = self._known.get(key)
        if known is None:
            # The index is kept alive with the entry: ids of dead objects are reused.
            known = self._known[key] = (index, self._compute(value, index))
        return known[1]

    def _compute(self, value: Value, index: Index) -> Expr:
        node = value.node
        if self.splats_are_code and is_splat(value) and isinstance(node.op, Constant):
            return self.s.const(node.op.literal.array.reshape(-1)[0].item(), value.dtype)
        if self.is_array(value):
            return self.s.load(self.buffer(value), index)
        return self.element(node, index)

    def element(self, node: Node, index: Index) -> Expr:
        """The only result of an elementwise or indexed node at ``index``, from its operands."""
        op = node.op
        site, self.s.site = self.s.site, node
        try:
            if isinstance(op, Elementwise):
                return op.scalar(self.s, *(self.value(v, index) for v in node.inputs))
            if isinstance(op, Indexed):
                readers = [self.reader(v) for v in node.inputs]
                self.s.site = node
                return op.element(self.s, index, readers, [v.type for v in node.inputs], node.output.type)
        finally:
            self.s.site = site
        raise InternalError(f"{op.name} is read where it is not computed")

    def reader(self, value: Value) -> Callable[[Sequence[Expr]], Expr]:
        """Reads elements of ``value``; axes of length one at 0."""
        zero = self.s.index(0)

        def read(index: Sequence[Expr]) -> Expr:
            return self.value(value, tuple(zero if d == 1 else i for i, d in zip(index, value.shape, strict=True)))

        return read

    def buffer(self, array: Array, write: bool = False, shape: Shape | None = None) -> Buffer:
        """The parameter for an array that is read or written (a kernel that does both has two, until bufferization)."""
        key = (id(array), write)
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = f"{'y' if write else 'x'}{len(self.buffers)}"
            at = array.shape if shape is None else shape
            self.buffers[name] = Buffer(name, array.dtype, at, "out" if write else "in")
            self.arrays[name] = array
        return self.buffers[name]

    def forget(self) -> None:
        """Drop what was given and computed; names, parameters and checks stay."""
        self.given.clear()
        self._known.clear()
