"""Positions along the ranks: vertices near their neighbours, never overlapping, long edges straight.

Each sweep gives every vertex of a rank the position its neighbours ask for, and then the nearest positions that keep
the order and the distances. "Nearest" is a least-squares problem with a chain of constraints, solved exactly by pooling
adjacent violators (R. Barlow et al., "Statistical inference under order restrictions", 1972).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from .ordering import Ranking

_SWEEPS = 60
_LARGE = 2000  # vertices from which on fewer sweeps must do


def place(
    ranking: Ranking,
    half_widths: Sequence[float],
    gap: float,
    pull: Callable[[int, int], tuple[float, float]],
) -> list[float]:
    """The centre of each vertex.

    Args:
        half_widths: half the extent of each vertex along its rank.
        gap: space between two vertices of a rank.
        pull: for an edge (upper vertex, lower vertex): how strongly it wants to be straight, and where the lower end
            should be relative to the upper one.
    """
    centre = [0.0] * len(half_widths)
    for row in ranking.rows:
        at = 0.0
        for left, right in itertools.pairwise(row):
            at += half_widths[left] + gap + half_widths[right]
            centre[right] = at
        for vertex in row:
            centre[vertex] -= at / 2
    sweeps = _SWEEPS if len(centre) < _LARGE else 12
    for sweep in range(sweeps):
        # At first each rank follows the one before it, which carries a wish through the whole drawing in one sweep.
        one_sided = sweep < sweeps // 3
        down = sweep % 2 == 0
        for row in ranking.rows if down else reversed(ranking.rows):
            upper = [() if one_sided and not down and ranking.below[v] else ranking.above[v] for v in row]
            lower = [() if one_sided and down and ranking.above[v] else ranking.below[v] for v in row]
            _settle(row, upper, lower, centre, half_widths, gap, pull)
    return centre


def straighten(
    ranking: Ranking, chain: Sequence[int], centre: list[float], half_widths: Sequence[float], gap: float
) -> None:
    """Give as many consecutive vertices of ``chain`` as their neighbours in the rank allow one common position."""
    run: list[int] = []
    low, high = float("-inf"), float("inf")
    for vertex in chain:
        left, right = _room(ranking, vertex, centre, half_widths, gap)
        if max(low, left) > min(high, right):
            _align(run, centre, low, high)
            run, low, high = [], float("-inf"), float("inf")
        run.append(vertex)
        low, high = max(low, left), min(high, right)
    _align(run, centre, low, high)


def _room(
    ranking: Ranking, vertex: int, centre: list[float], half_widths: Sequence[float], gap: float
) -> tuple[float, float]:
    """The positions that ``vertex`` can take between its neighbours in the rank."""
    row = ranking.rows[ranking.rank[vertex]]
    at = ranking.position[vertex]
    low, high = float("-inf"), float("inf")
    if at > 0:
        low = centre[row[at - 1]] + half_widths[row[at - 1]] + gap + half_widths[vertex]
    if at + 1 < len(row):
        high = centre[row[at + 1]] - half_widths[row[at + 1]] - gap - half_widths[vertex]
    return low, max(low, high)


def _align(run: Sequence[int], centre: list[float], low: float, high: float) -> None:
    if run:
        common = min(max(sum(centre[v] for v in run) / len(run), low), high)
        for vertex in run:
            centre[vertex] = common


def _settle(
    row: Sequence[int],
    upper: Sequence[Sequence[int]],
    lower: Sequence[Sequence[int]],
    centre: list[float],
    half_widths: Sequence[float],
    gap: float,
    pull: Callable[[int, int], tuple[float, float]],
) -> None:
    """Move the vertices of one rank to where the given neighbours above and below want them."""
    wishes, weights = [], []
    for vertex, parents, children in zip(row, upper, lower, strict=True):
        total = weighted = 0.0
        for parent in parents:
            strength, offset = pull(parent, vertex)
            total += strength
            weighted += strength * (centre[parent] + offset)
        for child in children:
            strength, offset = pull(vertex, child)
            total += strength
            weighted += strength * (centre[child] - offset)
        wishes.append(weighted / total if total else centre[vertex])
        weights.append(total or 0.05)
    distances = [half_widths[a] + gap + half_widths[b] for a, b in itertools.pairwise(row)]
    for vertex, position in zip(row, nearest_in_order(wishes, weights, distances), strict=True):
        centre[vertex] = position


def nearest_in_order(wishes: Sequence[float], weights: Sequence[float], distances: Sequence[float]) -> list[float]:
    """Positions with ``p[i+1] - p[i] >= distances[i]`` that minimise ``sum(weights * (p - wishes)**2)``.

    Example:
        >>> nearest_in_order([0.0, 0.0], [1.0, 1.0], [10.0])
        [-5.0, 5.0]
    """
    shift = [0.0]
    for distance in distances:
        shift.append(shift[-1] + distance)
    blocks: list[tuple[float, float, int]] = []  # sum of weight * wish, sum of weights, how many
    for wish, weight, moved in zip(wishes, weights, shift, strict=False):
        block = (weight * (wish - moved), weight, 1)
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:  # means compared without a division
            head = blocks.pop()
            block = (head[0] + block[0], head[1] + block[1], head[2] + block[2])
        blocks.append(block)
    means = [total / weight for total, weight, size in blocks for _ in range(size)]
    return [mean + moved for mean, moved in zip(means, shift, strict=False)]
