"""In which order to multiply several tensors: the fewest multiplications over all orders, or a greedy one for many."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import prod

#: Up to so many operands every order is looked at.
EXHAUSTIVE = 8


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
    if len(labels) == 1:
        return (), 0
    return _best(labels, result, sizes) if len(labels) <= EXHAUSTIVE else _greedy(labels, result, sizes)


def _joined(left: str, right: str, needed: Collection[str]) -> str:
    return "".join(c for c in dict.fromkeys(left + right) if c in needed)


def _work(left: str, right: str, sizes: Mapping[str, int]) -> int:
    return prod(sizes[c] for c in set(left + right))


def _best(labels: Sequence[str], result: str, sizes: Mapping[str, int]) -> tuple[tuple[Step, ...], int]:
    """Dynamic programming over subsets of the operands."""
    n, everything = len(labels), (1 << len(labels)) - 1
    kept: dict[int, str] = {1 << k: label for k, label in enumerate(labels)}
    best: dict[int, tuple[int, int]] = {1 << k: (0, 0) for k in range(n)}
    for subset in sorted(range(1, everything + 1), key=int.bit_count):
        if subset in best:
            continue
        outside = set(result).union(*(labels[k] for k in range(n) if not subset >> k & 1))
        found: tuple[int, int] | None = None
        part = (subset - 1) & subset
        while part:
            other = subset ^ part
            if part & subset & -subset:  # each split once: the first operand is on the left
                cost = best[part][0] + best[other][0] + _work(kept[part], kept[other], sizes)
                if found is None or cost < found[0]:
                    found = (cost, part)
            part = (part - 1) & subset
        assert found is not None
        best[subset] = found
        kept[subset] = _joined(kept[found[1]], kept[subset ^ found[1]], outside)
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
