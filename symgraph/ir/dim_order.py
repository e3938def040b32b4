"""Which sizes are smaller than others: minima, maxima, and what is known for certain.

>>> from symgraph.ir.dims import symbol
>>> n = symbol("N")
>>> str(minimum(n, n + 3, 5)), str(maximum(n - 1, 0))
('min(N,5)', 'N-min(N,1)')
>>> is_nonnegative(n - minimum(n, 1)), is_nonnegative(n - 1)
(True, False)
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from .dims import (
    Atom,
    Dim,
    FloorDiv,
    Min,
    Symbol,
    SymDim,
    canonical,
    cases_of,
    divide_exact,
    lone_minima,
    static_size,
    substitute,
    terms_of,
)

#: A sum of minima is a minimum of sums; of more than this many it is left as it is.
_MANY = 12
#: How many choices of operands, one for each minimum of a size, are looked at.
_CASES = 128


@lru_cache(maxsize=4096)
def minimum(*dims: Dim) -> Dim:
    """The smallest of some sizes. What can be told is decided; equal minima are equal objects, whatever they were
    made of.

    Terms that all operands share are taken out, so that the rest has no negative term:
    ``min(N-1, 0)`` is ``min(N,1)-1``.
    """
    if all(isinstance(d, int) for d in dims):
        return min(dims)  # type: ignore[type-var]  # integers
    outside: Dim = 0
    operands = list(dims)
    shared = _shared_terms(operands)
    while True:
        if shared != 0:
            outside, operands = outside + shared, [d - shared for d in operands]
        least = _least(operands)
        if len(least) == 1:
            return outside + least[0]
        shared = 0 if least == operands else _shared_terms(least)
        operands = least
        if shared == 0:
            break
    factor = _shared_factor(operands)
    if factor != 1:
        parts = [divide_exact(d, factor) for d in operands]
        return outside + factor * minimum(*(d for d in parts if d is not None))
    ordered = sorted(operands, key=lambda d: (isinstance(d, int), str(d)))
    return outside + SymDim((((Min(tuple(ordered)),), 1),))


def maximum(*dims: Dim) -> Dim:
    """The largest of some sizes, written with :func:`minimum`."""
    if all(isinstance(d, int) for d in dims):
        return max(dims)  # type: ignore[type-var]  # integers
    return 0 - minimum(*(0 - d for d in dims))


def _least(dims: Iterable[Dim]) -> list[Dim]:
    """Sizes with the same minimum: minima among them give their operands, and those that others undercut go."""
    kept: list[Dim] = []
    for dim in (part for d in dims for part in _flattened(d)):
        above = [dim - other for other in kept]
        if not any(map(is_nonnegative, above)):
            kept = [other for other, gap in zip(kept, above, strict=True) if not is_nonnegative(0 - gap)] + [dim]
    return kept


def _flattened(dim: Dim) -> list[Dim]:
    """Sizes of which the smallest is ``dim``, without minima that are added in them."""
    added = [(atom, coefficient) for atom, coefficient in lone_minima(dim) if coefficient > 0]
    if not added or math.prod(len(atom.parts) for atom, _ in added) > _MANY:
        return [dim]
    return [part for case in cases_of(dim, *added[0]) for part in _flattened(case)]


def _shared_terms(dims: Sequence[Dim]) -> Dim:
    """What all sizes have in common: of each monomial the smallest coefficient."""
    tables = [dict(terms_of(d)) for d in dims]
    return canonical({m: min(t.get(m, 0) for t in tables) for m in dict.fromkeys(m for t in tables for m in t)})


def _shared_factor(dims: Sequence[Dim]) -> Dim:
    """The largest number, times all the atoms, that divide every term of the sizes (none of which has a negative
    one)."""
    terms = [t for d in dims for t in terms_of(d)]
    number = math.gcd(*(c for _, c in terms))
    atoms = Counter(terms[0][0])
    for monomial, _ in terms[1:]:
        atoms &= Counter(monomial)
    shared = tuple(a for a in atoms.elements() if _is_nonnegative_atom(a))
    return SymDim(((shared, number),)) if shared else number


@lru_cache(maxsize=4096)
def is_nonnegative(dim: Dim) -> bool:
    """True where a size is >= 0 for all sizes of its symbols for certain."""
    if isinstance(dim, int):
        return dim >= 0
    if all(c >= 0 and all(map(_is_nonnegative_atom, m)) for m, c in dim.terms):
        return True
    if _choices(dim) > _CASES:
        return False
    for sign in (1, -1):  # a minimum to be added may be any of its operands; one to be taken off is at most each
        for atom, coefficient in lone_minima(dim):
            if coefficient * sign > 0:
                return (all if sign > 0 else any)(map(is_nonnegative, cases_of(dim, atom, coefficient)))
    for quotient, coefficient in _lone_quotients(dim):
        rest, by = dim - coefficient * SymDim((((quotient,), 1),)), static_size(quotient.denominator)
        if coefficient > 0 and _is_nonnegative_atom(quotient) and is_nonnegative(rest):
            return True
        least = quotient.numerator if coefficient < 0 else quotient.numerator - (by - 1)
        return is_nonnegative(by * rest + coefficient * least)
    return False


def _choices(dim: Dim) -> int:
    """In how many ways operands can stand in the places of the minima of a size."""
    return math.prod(len(atom.parts) for atom, _ in lone_minima(dim))


def is_one_if_any(dim: Dim) -> bool:
    """True for an unknown size that can be 0 and 1 only, such as that of ``x[:1]``: it broadcasts as 1 does."""
    return not isinstance(dim, int) and is_nonnegative(1 - dim)


def _is_nonnegative_atom(atom: Atom) -> bool:
    return isinstance(atom, Symbol) or all(map(is_nonnegative, atom.parts))


def _lone_quotients(dim: SymDim) -> Iterator[tuple[FloorDiv, int]]:
    """The quotients by numbers that a size has as terms, with their coefficients."""
    for monomial, coefficient in dim.terms:
        atom = monomial[0] if len(monomial) == 1 else None
        if isinstance(atom, FloorDiv) and isinstance(atom.denominator, int) and atom.denominator > 0:
            yield atom, coefficient


@lru_cache(maxsize=4096)
def least_sizes(positive: Dim) -> Mapping[Symbol, int]:
    """How large symbols are at least wherever the size ``positive`` is >= 1, so far as that can be told.

    >>> from symgraph.ir.dims import symbol
    >>> n = symbol("N")
    >>> least_sizes(maximum(n - 3, 0))
    {Symbol(name='N'): 4}
    """
    terms, constant = [t for t in terms_of(positive) if t[0]], dict(terms_of(positive)).get((), 0)
    if len(terms) == 1 and terms[0][1] > 0:
        monomial, number = terms[0][0], -((constant - 1) // terms[0][1])  # the product of the atoms is at least this
        if number <= 0:
            return {}
        if len(monomial) > 1:
            factors = monomial if all(map(_is_nonnegative_atom, monomial)) else ()
            return _where_all([least_sizes(SymDim((((a,), 1),))) for a in factors])
        (atom,) = monomial
        if isinstance(atom, Symbol):
            return {atom: number}
        if isinstance(atom, Min):
            return _where_all([least_sizes(part - number + 1) for part in atom.parts])
        by = atom.denominator
        return least_sizes(atom.numerator - number * by + 1) if isinstance(by, int) and by > 0 else {}
    if _choices(positive) > _CASES:
        return {}
    for atom, coefficient in sorted(lone_minima(positive), key=lambda t: t[1] < 0):
        cases = cases_of(positive, atom, coefficient)
        if coefficient > 0:
            return _where_all([least_sizes(case) for case in cases])
        return _where_any([least_sizes(case) for case in cases if not is_nonnegative(0 - case)])
    return {}


def _where_all(found: Sequence[Mapping[Symbol, int]]) -> Mapping[Symbol, int]:
    """What symbols are at least where each of some statements holds."""
    return {s: max(least.get(s, 0) for least in found) for least in found for s in least}


def _where_any(found: Sequence[Mapping[Symbol, int]]) -> Mapping[Symbol, int]:
    """What symbols are at least where one of some statements holds."""
    return {s: min(least[s] for least in found) for s in (found[0] if found else ()) if all(s in f for f in found)}


def raised(dim: Dim, least: Mapping[Symbol, int]) -> Dim:
    """A size for symbols that are at least so large: it is written with what they have beyond that."""
    return substitute(dim, {s: SymDim((((s,), 1),)) + n for s, n in least.items()}) if least else dim
