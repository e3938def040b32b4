"""How one op reads its operands: which elements, and how much arithmetic one result element costs.

Clustering must know whether a value is read at the very element that is being computed (then producer and consumer
share a loop) or elsewhere (then the producer's array must exist). Ops say so themselves: their ``scalar``/``element``
is run once with an algebra of *abstract* values, in which an index is an affine function of the result's axes, or
unknown. Axes of length one do not count: axes are numbered among those that are longer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..dtypes import DType, bool_, int64
from ..errors import InternalError
from ..ir.algebra import COMPARE, PORTABLE, TEST, Algebra
from ..ir.dims import Dim, Shape
from ..ir.graph import Node
from ..ir.op import Elementwise, Indexed

#: Where an operand is read, one entry per operand axis: the number of a result axis (among those longer than one),
#: ``ZERO`` (element 0) or None (computed).
Access: TypeAlias = tuple["int | None", ...]
ZERO = -1

#: Relative costs of intrinsics; those not listed cost 1.
WEIGHTS = {
    **dict.fromkeys(("div", "floordiv", "mod", "sqrt"), 4),
    **dict.fromkeys(("exp", "exp2", "log", "log2", "log10", "expm1", "log1p", "sigmoid", "softplus", "tanh"), 16),
    **dict.fromkeys(("sin", "cos", "tan", "erf", "asin", "acos", "atan"), 24),
    **dict.fromkeys(("sinh", "cosh", "asinh", "acosh", "atanh", "atan2", "pow"), 32),
    "mulhi": 2,
}
WEIGHTS |= {name: WEIGHTS[function] for name, function in PORTABLE.items()}


@dataclass(frozen=True, slots=True)
class Affine:
    """``offset + sum(coefficient * axis)`` over result axes."""

    terms: tuple[tuple[int, Dim], ...]
    offset: Dim = 0


@dataclass(frozen=True, slots=True)
class Abstract:
    """A value of which only the dtype is known, and, for an index, its affine form (None: data or not affine)."""

    dtype: DType
    index: Affine | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """One element of operand ``operand`` read at ``access``; ``affine`` holds the exact index functions."""

    operand: int
    access: Access
    affine: tuple[Affine | None, ...]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one result element of an op needs: operand reads and the weight of its arithmetic."""

    reads: tuple[Read, ...]
    cost: int


class TraceAlgebra(Algebra[Abstract]):
    """Counts the weight of data arithmetic and keeps affine indices exact."""

    def __init__(self) -> None:
        self.cost = 0

    def dtype(self, x: Abstract) -> DType:
        return x.dtype

    def const(self, value: bool | int | float, dtype: DType) -> Abstract:
        return Abstract(dtype, Affine((), int(value)) if dtype is int64 else None)

    def size(self, dim: Dim) -> Abstract:
        return Abstract(int64, Affine((), dim))

    def intrinsic(self, name: str, *args: Abstract) -> Abstract:
        dtype = bool_ if name in COMPARE or name in TEST else args[0].dtype
        index = _affine(name, args) if dtype is int64 else None
        if index is None:
            self.cost += WEIGHTS.get(name, 1)
        return Abstract(dtype, index)

    def select(self, condition: Abstract, if_true: Abstract, if_false: Abstract) -> Abstract:
        self.cost += 1
        return Abstract(if_true.dtype)

    def cast(self, x: Abstract, dtype: DType) -> Abstract:
        if x.dtype is not dtype:
            self.cost += 1
        return Abstract(dtype, x.index if dtype is int64 else None)

    def bitcast(self, x: Abstract, dtype: DType) -> Abstract:
        return Abstract(dtype)

    def bounds(self, index: Abstract, size: Abstract, axis: int) -> Abstract:
        self.cost += 2
        return Abstract(int64)


def _affine(name: str, args: Sequence[Abstract]) -> Affine | None:
    """The affine form of an int64 intrinsic, where it has one."""
    if any(a.index is None for a in args):
        return None
    forms = [a.index for a in args if a.index is not None]
    if name in ("add", "sub"):
        sign = 1 if name == "add" else -1
        total = dict(forms[0].terms)
        for axis, coefficient in forms[1].terms:
            total[axis] = total.get(axis, 0) + sign * coefficient
        terms = tuple((a, c) for a, c in sorted(total.items()) if c != 0)
        return Affine(terms, forms[0].offset + sign * forms[1].offset)
    if name == "mul" and any(not f.terms for f in forms):
        scale, form = (forms[0].offset, forms[1]) if not forms[0].terms else (forms[1].offset, forms[0])
        if scale == 0:
            return Affine((), 0)
        return Affine(tuple((a, c * scale) for a, c in form.terms), form.offset * scale)
    if name == "neg":
        return Affine(tuple((a, -c) for a, c in forms[0].terms), -forms[0].offset)
    return None


def result_index(shape: Shape) -> tuple[Abstract, ...]:
    """The abstract index of a result element: its own axes, with axes of length one at 0."""
    return tuple(Abstract(int64, Affine(((k, 1),)) if k != ZERO else Affine(())) for k in axis_numbers(shape))


def axis_numbers(shape: Shape) -> tuple[int, ...]:
    """The number of every axis: 0, 1, ... for those longer than one, ``ZERO`` for the others."""
    numbers: list[int] = []
    count = 0
    for d in shape:
        if type(d) is int and d == 1:
            numbers.append(ZERO)
        else:
            numbers.append(count)
            count += 1
    return tuple(numbers)


def squeeze(shape: Shape) -> Shape:
    """A shape without its axes of length one."""
    return tuple([d for d in shape if type(d) is not int or d != 1])


def access_of(affine: Sequence[Affine | None], operand_shape: Shape) -> Access:
    """Affine index functions as an access pattern (axes of length one are read at 0, whatever computes it)."""
    out: list[int | None] = []
    for form, dim in zip(affine, operand_shape, strict=True):
        if dim == 1 or form == Affine(()):
            out.append(ZERO)
        elif form is not None and form.offset == 0 and len(form.terms) == 1 and form.terms[0][1] == 1:
            out.append(form.terms[0][0])
        else:
            out.append(None)
    return tuple(out)


def identity(shape: Shape) -> Access:
    """Every element read where it is computed."""
    return axis_numbers(shape)


class Meanings:
    """The :class:`Meaning` of nodes, traced once per op and operand types."""

    def __init__(self) -> None:
        self._known: dict[object, Meaning] = {}
        self._seen: dict[int, tuple[Node, Meaning]] = {}  # the node is kept alive: ids of dead objects are reused

    def of(self, node: Node) -> Meaning:
        """The meaning of an elementwise or indexed node (its only result)."""
        seen = self._seen.get(id(node))
        if seen is not None:
            return seen[1]
        key = (node.op, tuple([v.type for v in node.inputs]), node.output.type)
        meaning = self._known.get(key)
        if meaning is None:
            meaning = self._known[key] = _trace(node)
        self._seen[id(node)] = node, meaning
        return meaning


def _trace(node: Node) -> Meaning:
    algebra = TraceAlgebra()
    op, types = node.op, [v.type for v in node.inputs]
    if isinstance(op, Elementwise):
        op.scalar(algebra, *(Abstract(t.dtype) for t in types))
        same = identity(node.output.shape)
        affine = tuple(a.index for a in result_index(node.output.shape))
        return Meaning(tuple(Read(i, same, affine) for i in range(len(types))), algebra.cost)
    if not isinstance(op, Indexed):
        raise InternalError(f"op {op.name} has no element meaning")
    reads: dict[Read, None] = {}

    def reader(i: int) -> Callable[[Sequence[Abstract]], Abstract]:
        def read(index: Sequence[Abstract]) -> Abstract:
            affine = tuple(a.index for a in index)
            reads[Read(i, access_of(affine, types[i].shape), affine)] = None
            return Abstract(types[i].dtype)

        return read

    readers = [reader(i) for i in range(len(types))]
    op.element(algebra, result_index(node.output.shape), readers, types, node.output.type)
    return Meaning(tuple(reads), algebra.cost)


def is_view(meaning: Meaning) -> bool:
    """One read of one operand at a permutation, selection or repetition of the result's axes, with no arithmetic."""
    return meaning.cost == 0 and len(meaning.reads) == 1


def compose(outer: Access, child: Shape, inner: Access) -> Access:
    """The access of a grandchild: the child (of that shape) is read at ``outer``, and reads the grandchild at
    ``inner``."""
    long = [at for at, d in zip(outer, child, strict=True) if d != 1]
    return tuple(long[k] if k is not None and k >= 0 else k for k in inner)
