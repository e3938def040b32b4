"""Sizes of axes: integers, or integer polynomials of named symbols.

A static size is a plain ``int``. A symbolic one is a :class:`SymDim`: a polynomial with integer coefficients over
*atoms*, where an atom is a symbol (``N``) or a floor division of two sizes. Arithmetic keeps the canonical form, so
equal polynomials are equal objects, and a polynomial that turns out constant becomes an ``int`` again.

    >>> n = symbol("N")
    >>> str(2 * n + 3 - n), (n + 1) - n
    ('N+3', 1)
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias, Union

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

    def __str__(self) -> str:
        return f"(({self.numerator})//({self.denominator}))"


Atom: TypeAlias = Union[Symbol, FloorDiv]
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
        for monomial, coefficient in sorted(self.terms, key=lambda t: (-len(t[0]), str(t[0]))):
            body = "*".join(str(a) for a in monomial)
            sign = "-" if coefficient < 0 else "+"
            size = abs(coefficient)
            text = str(size) if not body else body if size == 1 else f"{size}*{body}"
            parts.append(sign + text)
        joined = "".join(parts)
        return joined[1:] if joined.startswith("+") else joined

    def __repr__(self) -> str:
        return f"<size {self}>"


def _terms(dim: Dim) -> tuple[tuple[Monomial, int], ...]:
    if isinstance(dim, SymDim):
        return dim.terms
    return (((), dim),) if dim else ()


def _canonical(terms: Mapping[Monomial, int]) -> Dim:
    kept = sorted(((m, c) for m, c in terms.items() if c), key=lambda t: (len(t[0]), str(t[0])))
    if not kept:
        return 0
    if len(kept) == 1 and not kept[0][0]:
        return kept[0][1]
    return SymDim(tuple(kept))


def _combine(a: Dim, b: Dim, sign: int) -> Dim:
    total: dict[Monomial, int] = dict(_terms(a))
    for monomial, coefficient in _terms(b):
        total[monomial] = total.get(monomial, 0) + sign * coefficient
    return _canonical(total)


def _multiply(a: Dim, b: Dim) -> Dim:
    total: dict[Monomial, int] = {}
    for m1, c1 in _terms(a):
        for m2, c2 in _terms(b):
            m = tuple(sorted(m1 + m2, key=str))
            total[m] = total.get(m, 0) + c1 * c2
    return _canonical(total)


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
        whole = {m: c // b for m, c in _terms(a) if c % b == 0}
        rest = {m: c for m, c in _terms(a) if c % b}
        if set(rest) <= {()}:  # only a constant rest: floor((b*q + r)/b) = q + floor(r/b)
            return _combine(_canonical(whole), sum(rest.values()) // b, 1)
        if whole:
            return _combine(_canonical(whole), floordiv(_canonical(rest), b), 1)
    exact = divide_exact(a, b)
    if exact is not None:
        return exact
    return SymDim((((FloorDiv(a, b),), 1),))


def divide_exact(a: Dim, b: Dim) -> Dim | None:
    """``a / b`` where it is a polynomial for certain (``b`` a single monomial), else None."""
    divisor = _terms(b)
    if len(divisor) != 1:
        return 1 if a == b and divisor else None
    (monomial, coefficient) = divisor[0]
    quotient: dict[Monomial, int] = {}
    for m, c in _terms(a):
        left = list(m)
        for atom in monomial:
            if atom not in left:
                return None
            left.remove(atom)
        if c % coefficient:
            return None
        quotient[tuple(left)] = c // coefficient
    return _canonical(quotient)


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
        for monomial, _ in _terms(dim):
            for atom in monomial:
                if isinstance(atom, Symbol):
                    seen[atom] = None
                else:
                    visit(atom.numerator)
                    visit(atom.denominator)

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
                part = part * floordiv(substitute(atom.numerator, mapping), substitute(atom.denominator, mapping))
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
            if isinstance(atom, Symbol):
                if atom.name not in sizes:
                    raise InternalError(f"size {atom.name} has no value")
                part *= sizes[atom.name]
            else:
                part *= evaluate(atom.numerator, sizes) // evaluate(atom.denominator, sizes)
        total += part
    return total


@lru_cache(maxsize=4096)
def evaluator(dim: Dim) -> Callable[[Mapping[str, int]], int]:
    """``evaluate`` specialised to one size: a function of the mapping from symbol names to values."""
    if isinstance(dim, int):
        constant = dim
        return lambda sizes: constant
    # The text is made here, of integers and quoted names alone.
    compiled: Callable[[Mapping[str, int]], int] = eval(f"lambda sizes: {_python(dim)}", {"__builtins__": {}})
    return compiled


def _python(dim: Dim) -> str:
    if isinstance(dim, int):
        return f"({dim})"
    terms = []
    for monomial, coefficient in dim.terms:
        atoms = [str(coefficient)]
        for atom in monomial:
            if isinstance(atom, Symbol):
                atoms.append(f"sizes[{atom.name!r}]")
            else:
                atoms.append(f"({_python(atom.numerator)}//{_python(atom.denominator)})")
        terms.append("*".join(atoms))
    return "(" + "+".join(terms) + ")"


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


def parse_dim(text: str) -> Dim:
    """The inverse of ``str`` on sizes.

    Raises:
        ValueError: where the text is not a size.
    """
    return _DimParser(text).parse()


class _DimParser:
    """Recursive descent over ``+ - * //``, integers, names and parentheses."""

    def __init__(self, text: str) -> None:
        import re

        self.tokens = re.findall(r"\d+|[A-Za-z_][\w.]*|//|[-+*()]", text)
        if "".join(self.tokens) != text.replace(" ", ""):
            raise ValueError(f"not a size: {text!r}")
        self.text, self.at = text, 0

    def parse(self) -> Dim:
        value = self._sum()
        if self.at != len(self.tokens):
            raise ValueError(f"not a size: {self.text!r}")
        return value

    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _take(self) -> str:
        token = self._next()
        self.at += 1
        return token

    def _sum(self) -> Dim:
        value: Dim = 0
        sign = -1 if self._next() == "-" else 1
        if self._next() == "-":
            self._take()
        value = value + sign * self._product()
        while self._next() in ("+", "-"):
            sign = 1 if self._take() == "+" else -1
            value = value + sign * self._product()
        return value

    def _product(self) -> Dim:
        value = self._atom()
        while self._next() in ("*", "//"):
            value = value * self._atom() if self._take() == "*" else floordiv(value, self._atom())
        return value

    def _atom(self) -> Dim:
        token = self._take()
        if token == "(":
            value = self._sum()
            if self._take() != ")":
                raise ValueError(f"not a size: {self.text!r}")
            return value
        if token.isdigit():
            return int(token)
        if token.isidentifier():
            return symbol(token)
        raise ValueError(f"not a size: {self.text!r}")
