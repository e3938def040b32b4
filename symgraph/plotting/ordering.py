"""Order of the vertices within each rank, so that few edges cross.

Sweeps down and up that sort each rank by the median of its neighbours, then exchanges of adjacent vertices: E. Gansner,
E. Koutsofios, S. North and K. Vo, "A technique for drawing directed graphs" (1993), section 3.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence

from .ranks import Edge

_SWEEPS = 16
_LARGE = 2000  # vertices from which on fewer sweeps must do


class Ranking:
    """Vertices by rank (``rows``) with their neighbours in the rank above and below; every edge spans one rank."""

    def __init__(self, rank: Sequence[int], edges: Sequence[Edge]) -> None:
        count = len(rank)
        self.rank = list(rank)
        self.above: list[list[int]] = [[] for _ in range(count)]
        self.below: list[list[int]] = [[] for _ in range(count)]
        for source, target in edges:
            self.below[source].append(target)
            self.above[target].append(source)
        self.rows: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
        self.position = [0] * count
        for vertex in self._depth_first(count):
            self.rows[rank[vertex]].append(vertex)
        self.renumber()

    def _depth_first(self, count: int) -> list[int]:
        """Vertices so that a connected piece, and a chain in it, starts out in one place."""
        seen = [False] * count
        order: list[int] = []
        for root in range(count):
            stack = [root]
            while stack:
                vertex = stack.pop()
                if not seen[vertex]:
                    seen[vertex] = True
                    order.append(vertex)
                    stack.extend(reversed(self.above[vertex] + self.below[vertex]))
        return order

    def renumber(self) -> None:
        for row in self.rows:
            for position, vertex in enumerate(row):
                self.position[vertex] = position


def order(ranking: Ranking) -> None:
    """Reorder ``ranking.rows`` in place."""
    best = [list(row) for row in ranking.rows]
    fewest = crossings(ranking)
    stale = 0
    for sweep in range(_SWEEPS if len(ranking.position) < _LARGE else 4):
        if not fewest or stale == 4:
            break
        _sort_by_median(ranking, down=sweep % 2 == 0)
        _exchange(ranking)
        found = crossings(ranking)
        stale += 1
        if found < fewest:
            best, fewest, stale = [list(row) for row in ranking.rows], found, 0
    ranking.rows = best
    ranking.renumber()


def crossings(ranking: Ranking) -> int:
    """How many pairs of edges cross, over all ranks."""
    total = 0
    for row in ranking.rows:
        seen: list[int] = []
        for vertex in row:
            ends = sorted(ranking.position[child] for child in ranking.below[vertex])
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _sort_by_median(ranking: Ranking, down: bool) -> None:
    neighbours = ranking.above if down else ranking.below
    for row in ranking.rows if down else reversed(ranking.rows):
        wanted = {v: _median([ranking.position[n] for n in neighbours[v]]) for v in row}
        free = iter(sorted((v for v in row if wanted[v] is not None), key=lambda v: wanted[v] or 0.0))
        row[:] = [v if wanted[v] is None else next(free) for v in row]  # vertices without a wish stay in place
        for position, vertex in enumerate(row):
            ranking.position[vertex] = position


def _median(positions: list[int]) -> float | None:
    """The median, between two middle values nearer to where the others crowd."""
    if not positions:
        return None
    positions.sort()
    middle = len(positions) // 2
    if len(positions) % 2 or len(positions) == 2:
        return (positions[middle] + positions[(len(positions) - 1) // 2]) / 2
    left, right = positions[middle - 1] - positions[0], positions[-1] - positions[middle]
    if left + right == 0:
        return (positions[middle - 1] + positions[middle]) / 2
    return (positions[middle - 1] * right + positions[middle] * left) / (left + right)


def _exchange(ranking: Ranking) -> None:
    """Exchange neighbours in a rank while that removes crossings."""
    improved = True
    while improved:
        improved = False
        for row in ranking.rows:
            for i in range(len(row) - 1):
                left, right = row[i], row[i + 1]
                kept = _pair_crossings(ranking, left, right)
                if kept and _pair_crossings(ranking, right, left) < kept:
                    row[i], row[i + 1] = right, left
                    ranking.position[right], ranking.position[left] = i, i + 1
                    improved = True


def _pair_crossings(ranking: Ranking, left: int, right: int) -> int:
    """Crossings between the edges of two vertices if ``left`` stands left of ``right``."""
    total = 0
    for neighbours in (ranking.above, ranking.below):
        ends = sorted(ranking.position[n] for n in neighbours[right])
        total += sum(_count_less(ends, ranking.position[n]) for n in neighbours[left])
    return total


def _count_less(ends: list[int], limit: int) -> int:
    return next((i for i, end in enumerate(ends) if end >= limit), len(ends))
