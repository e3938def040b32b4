"""Tensor types, and the equality facts that joining unknown sizes leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..dtypes import DType
from ..errors import ShapeError
from .dim_order import is_nonnegative, is_one_if_any
from .dims import Dim, Shape, Symbol, SymDim, product, shape_text, substitute, symbols


@dataclass(frozen=True, slots=True)
class TensorType:
    """Element type and shape of a value: ``f32[N,10]``."""

    dtype: DType
    shape: Shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> Dim:
        """Number of elements."""
        return product(self.shape)

    @property
    def is_static(self) -> bool:
        return all(isinstance(d, int) for d in self.shape)

    def __str__(self) -> str:
        return f"{self.dtype.short}[{','.join(str(d) for d in self.shape)}]"

    def with_shape(self, shape: Sequence[Dim]) -> TensorType:
        return TensorType(self.dtype, tuple(shape))


class Facts:
    """Equalities between sizes that hold for every call; checked once at a function's entry.

    ``pairs`` lists what was joined, in order. ``resolve`` writes a size with the symbols that the facts determine
    replaced.
    """

    __slots__ = ("_replace", "pairs")

    def __init__(self, pairs: Sequence[tuple[Dim, Dim]] = ()) -> None:
        self.pairs: list[tuple[Dim, Dim]] = []
        self._replace: dict[Symbol, Dim] = {}
        for a, b in pairs:
            self.unify(a, b)

    def resolve(self, dim: Dim) -> Dim:
        return substitute(dim, self._replace)

    def resolve_shape(self, shape: Shape) -> Shape:
        return tuple(substitute(d, self._replace) for d in shape) if self._replace else shape

    @property
    def replacements(self) -> dict[Symbol, Dim]:
        return dict(self._replace)

    def are_equal(self, a: Dim, b: Dim) -> bool:
        """True where the two sizes are equal for certain."""
        return a == b or self._is_known(self.resolve(a) - self.resolve(b))

    def unify(self, a: Dim, b: Dim, what: str = "sizes") -> Dim:
        """Join two sizes; returns the better known one.

        Raises:
            ShapeError: if they differ for certain.
        """
        if a == b:
            return a
        x, y = self.resolve(a), self.resolve(b)
        if x == y:
            return x
        if isinstance(x, int) and isinstance(y, int):
            raise ShapeError(f"{what} differ: {a} and {b}")
        difference = x - y
        if is_nonnegative(difference - 1) or is_nonnegative(-1 - difference):
            raise ShapeError(f"{what} differ: {a} and {b}")
        better = y if isinstance(y, int) else x
        if self._is_known(difference):
            return better
        self.pairs.append((a, b))
        for lone, other in ((x, y), (y, x)):
            name = _lone_symbol(lone)
            if name is not None and name not in symbols([other]):
                self._bind(name, other)
                break
        return self.resolve(better)

    def unify_shapes(self, a: Shape, b: Shape, what: str = "shapes") -> Shape:
        """Join two shapes of one rank, axis by axis.

        Raises:
            ShapeError: if ranks or sizes differ for certain.
        """
        if a == b:
            return a
        if len(a) != len(b):
            raise ShapeError(f"{what} differ: {shape_text(a)} and {shape_text(b)}")
        try:
            return tuple(self.unify(x, y) for x, y in zip(a, b, strict=True))
        except ShapeError:
            raise ShapeError(f"{what} differ: {shape_text(a)} and {shape_text(b)}") from None

    def broadcast_shapes(self, a: Shape, b: Shape) -> Shape:
        """NumPy broadcasting; a size unknown on one side joins the other side's, and stretches from 1 only where it
        cannot be larger.

        Raises:
            ShapeError: if the shapes cannot broadcast.
        """
        rank = max(len(a), len(b))
        a_full, b_full = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
        out: list[Dim] = []
        for x, y in zip(a_full, b_full, strict=True):
            if x == y or y == 1:
                out.append(x)
                continue
            if x == 1 or is_one_if_any(x) != is_one_if_any(y):
                out.append(y if x == 1 or is_one_if_any(x) else x)
                continue
            try:
                out.append(self.unify(x, y))
            except ShapeError:
                raise ShapeError(f"shapes {shape_text(a)} and {shape_text(b)} do not broadcast") from None
        return tuple(out)

    def _is_known(self, difference: Dim) -> bool:
        """True where the difference of two resolved sizes is 0, or a recorded fact that no symbol could be bound by
        (``M*N = 3``) says that it is."""
        if isinstance(difference, int):
            return difference == 0
        known = (self.resolve(a) - self.resolve(b) for a, b in self.pairs)
        return any(difference == d or difference == -d for d in known)

    def _bind(self, name: Symbol, to: Dim) -> None:
        one = {name: to}
        for key, value in self._replace.items():
            self._replace[key] = substitute(value, one)
        self._replace[name] = to


def _lone_symbol(dim: Dim) -> Symbol | None:
    if isinstance(dim, SymDim) and len(dim.terms) == 1:
        monomial, coefficient = dim.terms[0]
        if coefficient == 1 and len(monomial) == 1 and isinstance(monomial[0], Symbol):
            return monomial[0]
    return None
