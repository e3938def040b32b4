"""Integer index forms: sums of sizes times atoms, what range they lie in, and how they divide.

An *atom* is a loop variable or any other int64 expression that is not a sum itself. The coefficients and the constant
are sizes (:mod:`symgraph.ir.dims`), so ``i*N + j`` is affine in ``i`` and ``j``. Symbols stand for sizes, hence are
never negative.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..ir.dim_order import is_nonnegative, least_sizes, raised
from ..ir.dims import Dim, Symbol, SymDim, divide_exact, floordiv
from .loop.grammar import Expr

#: Least and greatest value of an atom.
Range = tuple[Dim, Dim]


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """``constant + sum(coefficient * atom)``; no coefficient is zero."""

    terms: tuple[tuple[Expr, Dim], ...]
    constant: Dim

    def scaled(self, factor: Dim) -> Affine:
        if factor == 0:
            return Affine((), 0)
        return Affine(tuple((a, c * factor) for a, c in self.terms), self.constant * factor)

    def plus(self, other: Affine, sign: int = 1) -> Affine:
        total: dict[Expr, Dim] = dict(self.terms)
        for atom, coefficient in other.terms:
            total[atom] = total.get(atom, 0) + sign * coefficient
        return affine(total.items(), self.constant + sign * other.constant)


def affine(terms: Iterable[tuple[Expr, Dim]], constant: Dim) -> Affine:
    """The form without terms that vanish."""
    return Affine(tuple((a, c) for a, c in terms if c != 0), constant)


def is_positive(dim: Dim) -> bool:
    """True where a size is >= 1 wherever code that divides by it runs: a size that is no sum of negative parts."""
    return dim > 0 if isinstance(dim, int) else is_nonnegative(dim)


class Ranges:
    """What is known about atoms: their ranges, and how large symbols are at least where they are alive."""

    __slots__ = ("_least", "_ranges")

    def __init__(self) -> None:
        self._ranges: dict[Expr, Range] = {}
        self._least: dict[Expr, Mapping[Symbol, int]] = {}

    def declare(self, atom: Expr, low: Dim, high: Dim) -> None:
        self._ranges[atom] = (low, high)

    def declare_loop(self, variable: Expr, extent: Dim) -> None:
        """``variable`` runs over ``0..extent``; where it is alive the extent is at least 1."""
        self._ranges[variable] = (0, extent - 1)
        self._least[variable] = least_sizes(extent)

    def of_atom(self, atom: Expr) -> Range | None:
        return self._ranges.get(atom)

    def are_known(self, form: Affine) -> bool:
        """True where every atom has a range, so that the sum is an index that cannot overflow."""
        return all(a in self._ranges for a, _ in form.terms)

    def of(self, form: Affine) -> Range | None:
        """Least and greatest value of a form."""
        low = high = form.constant
        for atom, coefficient in form.terms:
            known = self._ranges.get(atom)
            if known is None:
                return None
            if is_nonnegative(coefficient):
                low, high = low + coefficient * known[0], high + coefficient * known[1]
            elif is_nonnegative(-1 * coefficient):
                low, high = low + coefficient * known[1], high + coefficient * known[0]
            else:
                return None
        return low, high

    def least(self, form: Affine) -> Mapping[Symbol, int]:
        """How large symbols are at least where all atoms of a form are alive."""
        out: dict[Symbol, int] = {}
        for atom, _ in form.terms:
            for symbol, size in self._least.get(atom, {}).items():
                out[symbol] = max(out.get(symbol, 0), size)
        return out

    def is_within(self, form: Affine, size: Dim) -> bool:
        """True where ``0 <= form < size`` for certain."""
        known = self.of(form)
        if known is None:
            return False
        least = self.least(form)
        return all(is_nonnegative(raised(d, least)) for d in (known[0], size - 1 - known[1]))

    def compare(self, form: Affine) -> tuple[bool, bool, bool]:
        """For certain: ``form >= 0``, ``form < 0``, ``form > 0``."""
        known = self.of(form)
        if known is None:
            return False, False, False
        low, high = known
        least = self.least(form)
        above, below, greater = (is_nonnegative(raised(d, least)) for d in (low, -1 - high, low - 1))
        return above, below, greater


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """``whole + scale*(rest mod/div divisor)``: what a division by a size comes down to.

    The quotient is ``whole + rest // divisor``; the remainder is ``scale * (rest mod divisor) + low``. With
    ``divisor`` 1 nothing is left to divide.
    """

    whole: Affine
    rest: Affine
    divisor: Dim
    scale: Dim
    low: Affine


def divide(form: Affine, by: Dim, ranges: Ranges) -> Division:
    """Split ``form // by`` and ``form mod by`` as far as the ranges of the atoms prove; every atom has one."""
    whole, rest = _split(form, by)
    if ranges.is_within(rest, by):
        return Division(whole, Affine((), 0), 1, 0, rest)
    for factor in _common_factors(rest, by):
        high, low = _split(rest, factor)
        smaller = divide_exact(by, factor)
        if smaller is None or not ranges.is_within(low, factor):
            continue
        inner = divide(high, smaller, ranges)
        return Division(
            whole.plus(inner.whole), inner.rest, inner.divisor, factor * inner.scale, inner.low.scaled(factor).plus(low)
        )
    return Division(whole, rest, by, 1, Affine((), 0))


def _split(form: Affine, by: Dim) -> tuple[Affine, Affine]:
    """``(q, r)`` with ``form == q*by + r`` where ``r`` keeps what ``by`` does not divide."""
    whole: list[tuple[Expr, Dim]] = []
    rest: list[tuple[Expr, Dim]] = []
    for atom, coefficient in form.terms:
        exact = divide_exact(coefficient, by)
        if exact is not None:
            whole.append((atom, exact))
        elif isinstance(by, int) and isinstance(coefficient, int) and abs(coefficient) > by:
            whole.append((atom, coefficient // by))
            rest.append((atom, coefficient % by))
        else:
            rest.append((atom, coefficient))
    constant, left = _split_constant(form.constant, by)
    return affine(whole, constant), affine(rest, left)


def _split_constant(constant: Dim, by: Dim) -> tuple[Dim, Dim]:
    exact = divide_exact(constant, by)
    if exact is not None:
        return exact, 0
    quotient = floordiv(constant, by)
    if isinstance(quotient, SymDim) and not all(isinstance(a, Symbol) for m, _ in quotient.terms for a in m):
        return 0, constant
    return quotient, constant - quotient * by


def _common_factors(form: Affine, by: Dim) -> Iterator[Dim]:
    """Sizes that divide ``by`` and some coefficient, the likely ones."""
    seen: set[Dim] = {1, by}
    for _, coefficient in form.terms:
        candidate: Dim = coefficient
        if isinstance(coefficient, int) and isinstance(by, int):
            candidate = math.gcd(coefficient, by)
        if candidate not in seen and is_positive(candidate) and divide_exact(by, candidate) is not None:
            seen.add(candidate)
            yield candidate


def range_of_quotient(known: Range, by: Dim) -> Range | None:
    """The range of a floor division by a positive size."""
    low, high = known
    if not isinstance(by, int):
        return (0, high) if is_nonnegative(low) else None
    return floordiv(low, by), floordiv(high, by)
