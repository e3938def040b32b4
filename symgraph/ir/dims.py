"""Sizes of axes: integers, or integer polynomials of named symbols.

A static size is a plain ``int``. A symbolic one is a :class:`SymDim`: a polynomial with integer coefficients over
*atoms*, where an atom is a symbol (``N``), a floor division of two sizes or the smallest of several. Arithmetic keeps
the canonical form, so equal polynomials are equal objects, and a polynomial that turns out constant becomes an ``int``
again. Symbols stand for sizes of axes, hence are never negative.

    >>> n = symbol("N")
    >>> str(2 * n + 3 - n), (n + 1) - n
    ('N+3', 1)
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, TypeAlias, Union

from ..errors import InternalError

Dim: TypeAlias = Union[int, "SymDim"]
Shape: TypeAlias = tuple[Dim, ...]
#: Sizes and offsets are signed 64-bit numbers in native code.
LARGEST = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Symbol:
    """An unknown size with a name; two symbols are the same size exactly if their names are equal."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class FloorDiv:
    """``floor(numerator / denominator)``, kept whole where it does not divide evenly."""

    numerator: Dim
    denominator: Dim
    #: The scalar intrinsic that computes it.
    intrinsic: ClassVar[str] = "floordiv"

    @property
    def parts(self) -> Shape:
        """The sizes it is made of."""
        return (self.numerator, self.denominator)

    def remade(self, parts: Sequence[Dim]) -> Dim:
        """The same of other sizes."""
        return floordiv(*parts)

    def compute(self, parts: Sequence[int]) -> int:
        return parts[0] // parts[1]

    def python(self, parts: Sequence[str]) -> str:
        """Python for it, from that for its parts."""
        return f"({parts[0]}//({parts[1]}))"

    def __str__(self) -> str:
        return f"(({self.numerator})//({self.denominator}))"


@dataclass(frozen=True, slots=True)
class Min:
    """The smallest of several sizes, none of which is known to be the smallest. They have no common factor, and no
    term that all of them have: these stand outside (:func:`.dim_order.minimum`)."""

    parts: Shape
    intrinsic: ClassVar[str] = "minimum"

    def remade(self, parts: Sequence[Dim]) -> Dim:
        from .dim_order import minimum

        return minimum(*parts)

    def compute(self, parts: Sequence[int]) -> int:
        return min(parts)

    def python(self, parts: Sequence[str]) -> str:
        return f"min({', '.join(parts)})"

    def __str__(self) -> str:
        return f"min({','.join(str(d) for d in self.parts)})"


Atom: TypeAlias = Union[Symbol, FloorDiv, Min]
Monomial: TypeAlias = tuple[Atom, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SymDim:
    """A symbolic size in canonical form: sorted ``(monomial, coefficient)`` pairs, the empty monomial being the
    constant."""

    terms: tuple[tuple[Monomial, int], ...]

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, SymDim) and self.terms == other.terms)

    def __hash__(self) -> int:
        return hash(self.terms)

    def __add__(self, other: Dim) -> Dim:
        return _combine(self, other, 1)

    __radd__ = __add__

    def __sub__(self, other: Dim) -> Dim:
        return _combine(self, other, -1)

    def __rsub__(self, other: Dim) -> Dim:
        return _combine(other, self, -1)

    def __neg__(self) -> Dim:
        return 0 - self

    def __mul__(self, other: Dim) -> Dim:
        return _multiply(self, other)

    __rmul__ = __mul__

    def __floordiv__(self, other: Dim) -> Dim:
        return floordiv(self, other)

    def __rfloordiv__(self, other: Dim) -> Dim:
        return floordiv(other, self)

    def __str__(self) -> str:
        parts: list[str] = []
        for monomial, coefficient in sorted(self.terms, key=lambda t: (-len(t[0]), t[1] < 0, str(t[0]))):
            body = "*".join(map(str, monomial))
            sign = "-" if coefficient < 0 else "+"
            size = abs(coefficient)
            text = str(size) if not body else body if size == 1 else f"{size}*{body}"
            parts.append(sign + text)
        joined = "".join(parts)
        return joined[1:] if joined.startswith("+") else joined

    def __repr__(self) -> str:
        return f"<size {self}>"


def terms_of(dim: Dim) -> tuple[tuple[Monomial, int], ...]:
    """The terms of a size, which may be a number."""
    if isinstance(dim, SymDim):
        return dim.terms
    return (((), dim),) if dim else ()


def canonical(terms: Mapping[Monomial, int]) -> Dim:
    """The size with these coefficients."""
    kept = [(m, c) for m, c in terms.items() if c]
    if not kept:
        return 0
    if len(kept) == 1 and not kept[0][0]:
        return kept[0][1]
    return SymDim(tuple(sorted(kept, key=_rank) if len(kept) > 1 else kept))


def _rank(term: tuple[Monomial, int]) -> tuple[int, list[str]]:
    monomial, _ = term
    return len(monomial), [a.name if isinstance(a, Symbol) else str(a) for a in monomial]


def _combine(a: Dim, b: Dim, sign: int) -> Dim:
    total: dict[Monomial, int] = dict(terms_of(a))
    for monomial, coefficient in terms_of(b):
        total[monomial] = total.get(monomial, 0) + sign * coefficient
    return canonical(total)


def _multiply(a: Dim, b: Dim) -> Dim:
    for number, other in ((a, b), (b, a)):
        if isinstance(number, int) and isinstance(other, SymDim):
            return SymDim(tuple((m, c * number) for m, c in other.terms)) if number else 0
    total: dict[Monomial, int] = {}
    for m1, c1 in terms_of(a):
        for m2, c2 in terms_of(b):
            m = tuple(sorted(m1 + m2, key=str))
            total[m] = total.get(m, 0) + c1 * c2
    return canonical(total)


_fresh = itertools.count()


def symbol(name: str) -> SymDim:
    """The size named ``name``."""
    return SymDim((((Symbol(name),), 1),))


def fresh(hint: str = "n") -> SymDim:
    """A new unknown size, different from all others in this process."""
    return symbol(f"{hint}{next(_fresh)}")


def floordiv(a: Dim, b: Dim) -> Dim:
    """``floor(a / b)``; exact divisions by a constant or of a multiple simplify."""
    if isinstance(a, int) and isinstance(b, int):
        if b == 0:
            raise InternalError("division of a size by zero")
        return a // b
    if b == 1:
        return a
    if a == b:
        return 1
    if isinstance(b, int) and b > 0:
        # Terms that b divides move out of the floor; the rest stays in.
        whole = {m: c // b for m, c in terms_of(a) if c % b == 0}
        rest = {m: c for m, c in terms_of(a) if c % b}
        if set(rest) <= {()}:  # only a constant rest: floor((b*q + r)/b) = q + floor(r/b)
            return _combine(canonical(whole), sum(rest.values()) // b, 1)
        if whole:
            return _combine(canonical(whole), floordiv(canonical(rest), b), 1)
        minima = list(lone_minima(a))
        if len(minima) == 1:  # rounding keeps order, so it moves into a minimum
            from .dim_order import maximum, minimum

            cases = [floordiv(case, b) for case in cases_of(a, *minima[0])]
            return minimum(*cases) if minima[0][1] > 0 else maximum(*cases)
    exact = divide_exact(a, b)
    if exact is not None:
        return exact
    return SymDim((((FloorDiv(a, b),), 1),))


def divide_exact(a: Dim, b: Dim) -> Dim | None:
    """``a / b`` where it is a polynomial for certain (``b`` a single monomial), else None."""
    divisor = terms_of(b)
    if len(divisor) != 1:
        return 1 if a == b and divisor else None
    (monomial, coefficient) = divisor[0]
    quotient: dict[Monomial, int] = {}
    for m, c in terms_of(a):
        left = list(m)
        for atom in monomial:
            if atom not in left:
                return None
            left.remove(atom)
        if c % coefficient:
            return None
        quotient[tuple(left)] = c // coefficient
    return canonical(quotient)


def lone_minima(dim: Dim) -> Iterator[tuple[Min, int]]:
    """The minima that a size has as terms, with their coefficients."""
    for monomial, coefficient in terms_of(dim):
        if len(monomial) == 1 and isinstance(monomial[0], Min):
            yield monomial[0], coefficient


def cases_of(dim: Dim, atom: Min, coefficient: int) -> list[Dim]:
    """A size with each of a minimum's operands in the place of the term of the minimum."""
    rest = dim - coefficient * SymDim((((atom,), 1),))
    return [rest + coefficient * part for part in atom.parts]


def product(shape: Iterable[Dim]) -> Dim:
    """The number of elements of a shape."""
    total: Dim = 1
    for dim in shape:
        total = total * dim
    return total


def symbols(dims: Iterable[Dim]) -> tuple[Symbol, ...]:
    """The symbols that occur in some sizes, each once, in order of first occurrence."""
    seen: dict[Symbol, None] = {}

    def visit(dim: Dim) -> None:
        for monomial, _ in terms_of(dim):
            for atom in monomial:
                if isinstance(atom, Symbol):
                    seen[atom] = None
                else:
                    for part in atom.parts:
                        visit(part)

    for dim in dims:
        visit(dim)
    return tuple(seen)


def substitute(dim: Dim, mapping: Mapping[Symbol, Dim]) -> Dim:
    """``dim`` with symbols replaced."""
    if isinstance(dim, int) or not mapping:
        return dim
    total: Dim = 0
    for monomial, coefficient in dim.terms:
        part: Dim = coefficient
        for atom in monomial:
            if isinstance(atom, Symbol):
                part = part * mapping.get(atom, SymDim((((atom,), 1),)))
            else:
                part = part * atom.remade([substitute(d, mapping) for d in atom.parts])
        total = total + part
    return total


def evaluate(dim: Dim, sizes: Mapping[str, int]) -> int:
    """The value of ``dim`` where the symbols have the given sizes.

    Raises:
        InternalError: for a symbol without a size.
    """
    if isinstance(dim, int):
        return dim
    total = 0
    for monomial, coefficient in dim.terms:
        part = coefficient
        for atom in monomial:
            if not isinstance(atom, Symbol):
                part *= atom.compute([evaluate(d, sizes) for d in atom.parts])
            elif atom.name in sizes:
                part *= sizes[atom.name]
            else:
                raise InternalError(f"size {atom.name} has no value")
        total += part
    return total


@lru_cache(maxsize=4096)
def evaluator(dim: Dim) -> Callable[[Mapping[str, int]], int]:
    """``evaluate`` specialised to one size: a function of the mapping from symbol names to values."""
    if isinstance(dim, int):
        constant = dim
        return lambda sizes: constant
    # The text is made here, of integers, quoted names and two functions alone.
    text = python_text(dim, lambda s: f"sizes[{s.name!r}]")
    compiled: Callable[[Mapping[str, int]], int] = eval(f"lambda sizes: {text}", {"__builtins__": {}, "min": min})
    return compiled


def python_text(dim: Dim, name: Callable[[Symbol], str]) -> str:
    """A size as Python, an operand of any operator but ``**``; ``name`` writes the symbols."""
    if isinstance(dim, int):
        return str(dim)
    terms = []
    for monomial, coefficient in dim.terms:
        atoms = [name(a) if isinstance(a, Symbol) else a.python([python_text(d, name) for d in a.parts])
                 for a in monomial]  # fmt: skip
        if coefficient != 1 or not atoms:
            atoms.insert(0, str(coefficient))
        terms.append("*".join(atoms))
    return terms[0] if len(terms) == 1 else "(" + " + ".join(terms) + ")"


def static_size(dim: Dim) -> int:
    """A size that is known to be an integer here.

    Raises:
        InternalError: for a symbolic one.
    """
    if not isinstance(dim, int):
        raise InternalError(f"size {dim} is not bound")
    return dim


def static_shape(shape: Iterable[Dim]) -> tuple[int, ...]:
    """A shape whose sizes are known to be integers here (:func:`static_size`)."""
    return tuple(static_size(d) for d in shape)


def shape_text(shape: Iterable[Dim]) -> str:
    """``(N,10)``: a shape as the printer writes it."""
    return "(" + ",".join(str(d) for d in shape) + ")"
