"""In which order to multiply several tensors: the fewest multiplications over all orders, or a greedy one for many.

Front and passes share it: ``einsum``, ``linalg.multi_dot``, and chains of products that a graph happens to have.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from operator import itemgetter

from .emitter import Emitter
from .graph import Value

#: Up to so many operands every order is looked at, and of a chain of matrices up to so many.
EXHAUSTIVE, LONGEST_CHAIN = 8, 64


@dataclass(frozen=True)
class Step:
    """Operands ``left`` and ``right`` (numbers: first the given ones, then results of earlier steps) give ``out``."""

    left: int
    right: int
    out: str


def contraction_order(labels: Sequence[str], result: str, sizes: Mapping[str, int]) -> tuple[tuple[Step, ...], int]:
    """The steps that reduce operands of these labels to the letters of ``result``, and their multiplications.

    Letters that nobody else needs are summed in the step that meets them last. ``sizes`` may be estimates.
    """
    n = len(labels)
    if n == 1:
        return (), 0
    if n <= LONGEST_CHAIN and _is_chain(labels, result):
        runs = [(1 << length) - 1 << start for length in range(2, n + 1) for start in range(n - length + 1)]
        steps, work = _best(labels, result, sizes, runs, _cuts)
    elif n <= EXHAUSTIVE:
        subsets = sorted((k for k in range(1, 1 << n) if k & (k - 1)), key=int.bit_count)
        steps, work = _best(labels, result, sizes, subsets, _splits)
    else:
        steps, work = _greedy(labels, result, sizes)
    last = steps[-1]
    return (*steps[:-1], Step(last.left, last.right, "".join(c for c in result if c in last.out))), work


def multiply(e: Emitter, terms: Sequence[tuple[str, Value]], steps: Sequence[Step]) -> tuple[str, Value]:
    """The product of labelled operands by the steps of an order, and its label."""
    known = list(terms)
    for step in steps:
        (left, x), (right, y) = known[step.left], known[step.right]
        left, x = sum_out(e, left, x, {*right, *step.out})
        right, y = sum_out(e, right, y, {*left, *step.out})
        known.append((step.out, e.contract(f"{left},{right}->{step.out}", x, y)))
    return known[-1]


def sum_out(e: Emitter, label: str, value: Value, needed: Collection[str]) -> tuple[str, Value]:
    """The sum over the axes whose letters nobody else needs."""
    gone = [k for k, c in enumerate(label) if c not in needed]
    return "".join(c for c in label if c in needed), e.sum(value, gone) if gone else value


def _joined(left: str, right: str, needed: Collection[str]) -> str:
    return "".join(c for c in dict.fromkeys(left + right) if c in needed)


def _work(left: str, right: str, sizes: Mapping[str, int]) -> int:
    return prod(sizes[c] for c in set(left + right))


def _is_chain(labels: Sequence[str], result: str) -> bool:
    """Whether the operands are matrices, each of which shares an axis with the next, and no other."""
    shared = [set(a) & set(b) for a, b in pairwise(labels)]
    inner = [left | right for left, right in pairwise(shared)]
    return (
        all(len(letters) == 1 for letters in shared)
        and all(len(label) == 2 and set(label) == letters for label, letters in zip(labels[1:-1], inner, strict=True))
        and max(len(labels[0]), len(labels[-1])) <= 2
        and len(set("".join(labels))) == len("".join(labels)) - len(shared)
        and not set.union(*shared) & set(result)
    )


def _splits(subset: int) -> Iterator[int]:
    """One part of every split of a subset in two, once: that with its first operand."""
    part = (subset - 1) & subset
    while part:
        if part & subset & -subset:
            yield part
        part = (part - 1) & subset


def _cuts(run: int) -> Iterator[int]:
    """The first part of every cut of a run of operands: no other split of a chain costs less."""
    part = run & -run
    while part != run:
        yield part
        part |= part << 1


def _best(
    labels: Sequence[str], result: str, sizes: Mapping[str, int], subsets: Sequence[int],
    splits: Callable[[int], Iterator[int]],
) -> tuple[tuple[Step, ...], int]:  # fmt: skip
    """Dynamic programming over ``subsets`` of operands (as bits), smaller ones first, each made of a split."""
    n, everything = len(labels), (1 << len(labels)) - 1
    kept: dict[int, str] = {1 << k: label for k, label in enumerate(labels)}
    best: dict[int, tuple[int, int]] = {1 << k: (0, 0) for k in range(n)}
    for subset in subsets:
        outside = set(result).union(*(labels[k] for k in range(n) if not subset >> k & 1))
        cost, part = min(
            ((best[p][0] + best[subset ^ p][0] + _work(kept[p], kept[subset ^ p], sizes), p) for p in splits(subset)),
            key=itemgetter(0),
        )
        best[subset] = cost, part
        kept[subset] = _joined(kept[part], kept[subset ^ part], outside)
    steps: list[Step] = []

    def write(subset: int) -> int:
        if not subset & (subset - 1):
            return subset.bit_length() - 1
        left = write(best[subset][1])
        right = write(subset ^ best[subset][1])
        steps.append(Step(left, right, kept[subset]))
        return n + len(steps) - 1

    write(everything)
    return tuple(steps), best[everything][0]


def _greedy(labels: Sequence[str], result: str, sizes: Mapping[str, int]) -> tuple[tuple[Step, ...], int]:
    """Always the pair whose product grows least over its operands, then that of least work."""
    alive = dict(enumerate(labels))
    steps: list[Step] = []
    total = 0
    while len(alive) > 1:
        choice: tuple[tuple[int, int], int, int, str] | None = None
        for left in alive:
            for right in alive:
                if right <= left:
                    continue
                needed = set(result).union(*(t for k, t in alive.items() if k not in (left, right)))
                out = _joined(alive[left], alive[right], needed)
                room = [prod(sizes[c] for c in t) for t in (out, alive[left], alive[right])]
                rank = (room[0] - room[1] - room[2], _work(alive[left], alive[right], sizes))
                if choice is None or rank < choice[0]:
                    choice = (rank, left, right, out)
        assert choice is not None
        (_, work), left, right, out = choice
        total += work
        del alive[left], alive[right]
        alive[len(labels) + len(steps)] = out
        steps.append(Step(left, right, out))
    return tuple(steps), total
