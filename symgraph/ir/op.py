"""What an op is: one immutable record that holds everything any stage asks of it.

The fields of an op are its attributes; equality, hash, printed text and cache key follow from them. An op belongs to
exactly one *form*, which says how it is computed:

============== =======================================================================================================
`Elementwise`  ``scalar``: the result's element from the operands' elements at the same index (all shapes equal)
`Indexed`      ``element``: the result's element at an index, from operands' elements at indices computed from it
`Reduction`    a fold over some axes: ``init``, ``step``, ``merge``, ``finish`` on a tuple of scalars
`Contraction`  a sum of products of two operands (:mod:`.ops.contraction`)
`Accumulation` a fold along one axis of which every step is kept: ``init``, ``step`` on one scalar
`ArgSort`      the positions that sort rows of unsigned numbers (:mod:`.ops.ordering`)
`Scatter`      the first operand, into which elements of the second are put in order: ``target``, ``combine``
`Composite`    ``expand``: other ops; kept whole while stabilising rules want to see it
`Leaf`         no operands and no computation: input, state, constant
`Control`      runs graphs of its own (:mod:`.region`), any number of times
`Host`         ``perform``: Python on whole arrays, called by compiled code
============== =======================================================================================================

To add an op, write one class in the right file of :mod:`symgraph.ir.ops` and decorate it with :func:`register`, and
with :func:`record` if it has attributes; the
contract tests, the printer, the parser, both targets and the documentation then know it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from ..dtypes import DType
from ..errors import GradientError, InternalError
from .dims import Dim, Symbol, SymDim, product, substitute
from .types import Facts, TensorType

if TYPE_CHECKING:
    from .algebra import Algebra
    from .emitter import Emitter
    from .graph import Value

T = TypeVar("T")
V = TypeVar("V")
Array = np.ndarray[Any, Any]
Index = tuple[V, ...]
#: Reads one element of an operand at an index (a tuple of int64 algebra values).
Reader = Callable[[Sequence[V]], V]

REGISTRY: dict[str, type[Op]] = {}
O = TypeVar("O", bound="type[Op]")


def register(cls: O) -> O:
    """Class decorator: enter an op into the registry under its ``name`` (closed once ``symgraph.ir.ops`` is
    imported)."""
    if cls.name in REGISTRY:
        raise InternalError(f"two ops are named {cls.name}")
    REGISTRY[cls.name] = cls
    return cls


@dataclass(frozen=True)
class Sample:
    """One case for the contract tests: an op and operands, or an op and operands that must be refused.

    ``arrays`` are the operands. ``symbolic`` lists ``(operand, axis, symbol)``: which axes are also tried as
    unknown sizes. ``error`` is a fragment of the message where the operands are bad. ``differentiable`` lists the
    operands whose gradient is checked (None: all float ones); samples stay away from kinks.
    """

    op: Op
    arrays: tuple[Array, ...]
    symbolic: tuple[tuple[int, int, str], ...] = ()
    error: str = ""
    differentiable: tuple[int, ...] | None = None
    rtol: float = 1e-5
    atol: float = 1e-6


if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Any:
        return lambda decorator: decorator


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """Class decorator: a frozen dataclass whose methods are those of :class:`Op`, written once.

    The standard decorator compiles six methods for each class, half a millisecond of import time.
    """
    return dataclass(init=False, eq=False, repr=False, match_args=False)(cls)


@record
class Op:
    """Base of all ops. Subclasses set ``name`` and implement the methods of their form."""

    name: ClassVar[str] = ""
    _key: ClassVar[tuple[Any, ...]]
    #: Whether the operands may change places without changing a bit: equal nodes are then one in any order.
    commutative: ClassVar[bool] = False
    #: NumPy, Theano and Keras spellings, for the table of ops in the docs.
    equivalents: ClassVar[str] = ""

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        """The types of the results. Raises ShapeError or DTypeError for operands that do not fit; joins sizes in
        ``facts``."""
        raise NotImplementedError(f"{type(self).__name__}.infer")

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Sequence[Value | None]
    ) -> Sequence[Value | None]:
        """Cotangents of the operands (None: no dependence). ``cotangents`` matches ``results``; at least one is not
        None.

        Raises:
            GradientError: where no gradient exists (the default, so silence is impossible).
        """
        raise GradientError(f"op {self.name} has no gradient")

    def reference(self, *arrays: Array) -> Array | tuple[Array, ...]:
        """The results computed with plain NumPy, independently of ``scalar``/``element``/...; the truth for tests.

        Sizes among the attributes are integers here: the interpreter binds them first (:meth:`map_dims`)."""
        raise NotImplementedError(f"{type(self).__name__}.reference")

    def fold(self, e: Emitter, operands: Sequence[Value]) -> Value | None:
        """An equal value that needs no new node, e.g. for a reshape to the same shape. Exact, local, cheap."""
        return None

    def flops(self, operands: Sequence[TensorType], results: Sequence[TensorType]) -> Dim:
        """Arithmetic operations of one execution."""
        return 0

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        """Cases for the contract tests; every op has some, and bad inputs where there are any."""
        return ()

    # -- derived ------------------------------------------------------------------------------------------------
    def __init__(self, *values: Any, **named: Any) -> None:
        layout = _layout(type(self))  # type: ignore[arg-type]  # classes are hashable
        if len(values) > len(layout):
            raise TypeError(f"{type(self).__name__} has {len(layout)} attributes, got {len(values)}")
        own = self.__dict__
        for (name, _, _), value in zip(layout, values):  # noqa: B905 - the rest follows
            own[name] = value
        for name, default, _ in layout[len(values) :]:
            value = named.pop(name, default)
            if value is MISSING:
                raise TypeError(f"{type(self).__name__} needs the attribute {name}")
            own[name] = value
        if named:
            raise TypeError(f"{type(self).__name__} has no attribute {next(iter(named))} that is not given")
        own["_key"] = tuple([own[name] for name, _, compared in layout if compared])

    def __setattr__(self, name: str, value: Any) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot assign to {name}: ops do not change")

    def __delattr__(self, name: str) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot delete {name}: ops do not change")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._key == other._key  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        own = self.__dict__
        found: int | None = own.get("_hash")
        if found is None:
            found = own["_hash"] = hash((type(self).__name__, self._key))
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Without the hash, which another process computes in another way."""
        return {name: value for name, value in self.__dict__.items() if name != "_hash"}

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.attributes().items())
        return f"{type(self).__name__}({shown})"

    def attributes(self) -> dict[str, Any]:
        """Names and values of the fields that take part in equality, in declaration order."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.compare}

    @property
    def attribute_values(self) -> tuple[Any, ...]:
        """The values of these fields."""
        return self._key

    def map_dims(self, replace: dict[Symbol, Dim]) -> Op:
        """This op with symbols in its attributes replaced."""
        if not replace or not _has_dims(self._key):
            return self
        changed = {k: new for k, v in self.attributes().items() if (new := _map_dims(v, replace)) is not v}
        return dataclasses.replace(self, **changed) if changed else self


#: Types of attributes that have no sizes inside.
_WITHOUT_DIMS = frozenset((str, int, float, bool, type(None), DType))


def _has_dims(value: Any) -> bool:
    """Whether there may be symbols in an attribute."""
    kind = type(value)
    if kind is tuple:
        for part in value:  # noqa: SIM110 - a call less for each
            if _has_dims(part):
                return True
        return False
    return kind not in _WITHOUT_DIMS and (kind is SymDim or hasattr(value, "map_dims"))


@cache
def _layout(cls: type) -> tuple[tuple[str, Any, bool], ...]:
    """Name, default (or MISSING) and whether it takes part in equality, for each attribute of an op class."""
    return tuple((f.name, f.default, f.compare) for f in dataclasses.fields(cls))


def _map_dims(value: Any, replace: dict[Symbol, Dim]) -> Any:
    if isinstance(value, SymDim):
        return substitute(value, replace)
    if isinstance(value, tuple):
        mapped = tuple(_map_dims(v, replace) for v in value)
        return mapped if any(a is not b for a, b in zip(mapped, value, strict=True)) else value
    map_dims = getattr(value, "map_dims", None)  # a region
    return value if map_dims is None else map_dims(replace)


class Elementwise(Op):
    """All operands have the result's shape; the result's element depends on the operands' elements at the same
    index."""

    def result_dtype(self, *operands: TensorType) -> Any:
        """The DType of the result; raises DTypeError. Default: that of the operands, which must agree."""
        from .checks import same_dtype

        return same_dtype(self.name, operands)

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        shape = operands[0].shape
        for other in operands[1:]:
            shape = facts.unify_shapes(shape, other.shape, f"shapes of the operands of {self.name}")
        return (TensorType(self.result_dtype(*operands), shape),)

    def scalar(self, s: Algebra[V], *elements: V) -> V:
        raise NotImplementedError(f"{type(self).__name__}.scalar")

    def flops(self, operands: Sequence[TensorType], results: Sequence[TensorType]) -> Dim:
        return results[0].size


class Indexed(Op):
    """The result's element at an index is computed from operands' elements at computed indices (views, pad, take,
    iota ...)."""

    #: Whether operands are read at index 0 of their axes where the result does not depend on them. Code generation sees
    #: to it that there is an element to read, also where an axis of unknown size is empty.
    reads_under_mask: ClassVar[bool] = False

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        raise NotImplementedError(f"{type(self).__name__}.element")


@record
class Reduction(Op):
    """A fold of one operand over ``axes`` (sorted, non-negative), which disappear from the result."""

    axes: tuple[int, ...] = field(default=())

    #: Whether the fold of one element is that element.
    keeps_one: ClassVar[bool] = True

    def result_dtype(self, operand: TensorType) -> Any:
        return operand.dtype

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        from .checks import check_axes

        (x,) = operands
        check_axes(self.name, self.axes, x)
        shape = tuple(d for i, d in enumerate(x.shape) if i not in self.axes)
        return (TensorType(self.result_dtype(x), shape),)

    def init(self, s: Algebra[V], dtype: Any) -> tuple[V, ...]:
        """The state before any element of dtype ``dtype``."""
        raise NotImplementedError(f"{type(self).__name__}.init")

    def step(self, s: Algebra[V], state: tuple[V, ...], element: V, position: V) -> tuple[V, ...]:
        """The state after one more element. ``position`` (int64) is its flat index over the reduced axes."""
        raise NotImplementedError(f"{type(self).__name__}.step")

    def merge(self, s: Algebra[V], a: tuple[V, ...], b: tuple[V, ...]) -> tuple[V, ...]:
        """The state of two disjoint parts together (in any order)."""
        raise NotImplementedError(f"{type(self).__name__}.merge")

    def finish(self, s: Algebra[V], state: tuple[V, ...]) -> V:
        return state[0]

    def flops(self, operands: Sequence[TensorType], results: Sequence[TensorType]) -> Dim:
        return operands[0].size


@record
class Accumulation(Op):
    """A fold along ``axis`` whose state after every step is kept: the result has the operands' shape. Steps run in
    order, other axes in parallel."""

    axis: int

    def init(self, s: Algebra[V], dtype: Any) -> V:
        """The state before the first step."""
        raise NotImplementedError(f"{type(self).__name__}.init")

    def step(self, s: Algebra[V], state: V, *elements: V) -> V:
        """The state after one more element of every operand, which is the result's element there."""
        raise NotImplementedError(f"{type(self).__name__}.step")

    def flops(self, operands: Sequence[TensorType], results: Sequence[TensorType]) -> Dim:
        return results[0].size


class Scatter(Op):
    """The first operand, after elements of the second (the updates) were put into it one after the other, in row-major
    order; more operands say where to. Only axes along which different updates surely have different targets run in
    parallel, so that the bits do not depend on threads."""

    def target(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> Sequence[V]:  # fmt: skip
        """Where the update at ``index`` goes: an index of the result, checked by ``s.bounds`` where it is data."""
        raise NotImplementedError(f"{type(self).__name__}.target")

    def combine(self, s: Algebra[V], old: V, update: V) -> V:
        """The element after the update."""
        raise NotImplementedError(f"{type(self).__name__}.combine")

    def independent(self, operands: Sequence[TensorType]) -> tuple[bool, ...]:
        """For each axis of the updates, whether updates at different places along it have different targets."""
        raise NotImplementedError(f"{type(self).__name__}.independent")

    def flops(self, operands: Sequence[TensorType], results: Sequence[TensorType]) -> Dim:
        return operands[1].size


class Composite(Op):
    """Defined by its expansion into other ops."""

    def expand(self, e: Emitter, *operands: Value) -> Value:
        raise NotImplementedError(f"{type(self).__name__}.expand")


class Leaf(Op):
    """No operands: an input, a state, a constant."""


class Control(Op):
    """Runs graphs of its own: its attributes that are regions (:mod:`.region`)."""


class Host(Op):
    """Computed by Python on whole arrays: compiled code stops and calls ``perform``.

    ``perform`` gets arrays of its own, which it may keep; what it gives is checked against the inferred types and
    copied. Where it raises, the call ends with that exception and no state is changed.
    """

    #: Whether a call does more than to give results (it prints, it refuses values): it then runs at every step of a
    #: loop, also where its operands stay the same, and after the effects before it.
    has_effects: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """What errors call the op."""
        return self.name

    def perform(self, *arrays: Array) -> Array | tuple[Array, ...]:
        """The results. Sizes among the attributes are integers here."""
        raise NotImplementedError(f"{type(self).__name__}.perform")

    def explain(self, error: Exception, place: str) -> Exception:
        """What is raised for an exception that ``perform`` raised; ``place`` names the op and where it comes from."""
        if hasattr(error, "add_note"):
            error.add_note(f"raised in {place}")
        return error


def elements(type: TensorType) -> Dim:
    """Number of elements of a type."""
    return product(type.shape)
