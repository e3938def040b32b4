"""Positions for one level of a diagram, without clusters: ranks, order, coordinates, and the routes of arrows.

Arrows point down here; :mod:`.layout` turns the finished picture.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .coordinates import place, straighten
from .ordering import Ranking, order
from .ranks import acyclic, assign

Point: TypeAlias = tuple[float, float]
Size: TypeAlias = tuple[float, float]

GAP = 24.0  # between two boxes of a rank
RANK_GAP = 36.0  # between two ranks
THREAD = 5.0  # half the room that a passing arrow takes in a rank
PORT_STEP = 16.0  # between two arrows at one side of a box


@dataclass(frozen=True, slots=True)
class Rect:
    """``x, y`` is the upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> float:
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def moved(self, dx: float, dy: float) -> Rect:
        return Rect(self.x + dx, self.y + dy, self.width, self.height)


@dataclass(frozen=True, slots=True)
class Link:
    """An arrow between two vertices, each end at ``port`` from the vertex's centre (None: wherever there is room)."""

    source: int
    target: int
    source_port: float | None = None
    target_port: float | None = None


@dataclass(frozen=True, slots=True)
class Flat:
    """Where the vertices of one level are, and the points that its links run through."""

    width: float
    height: float
    rects: list[Rect]
    routes: list[list[Point]]


def arrange_flat(
    sizes: Sequence[Size], links: Sequence[Link], upper: Collection[int] = (), lower: Collection[int] = ()
) -> Flat:
    """Rectangles and routes for boxes without clusters; ``upper`` vertices stand above all others, ``lower`` ones
    below."""
    count = len(sizes)
    straight = acyclic(count, [(link.source, link.target) for link in links])
    gates = {*upper, *lower}
    rank = assign(count, [(s, t) for s, t in straight if s not in gates and t not in gates])
    if upper:
        rank = [0 if v in upper else r + 1 for v, r in enumerate(rank)]
    lowest = max((r for v, r in enumerate(rank) if v not in lower), default=-1)
    rank = [lowest + 1 if v in lower else r for v, r in enumerate(rank)]
    chains, rank, edges = _threaded(rank, straight)
    ports = {}
    for link, chain in zip(links, chains, strict=True):
        if len(chain) > 1:
            turned = chain[0] != link.source
            first, last = link.source_port or 0.0, link.target_port or 0.0
            ports[chain[0], chain[1], "upper"] = last if turned else first
            ports[chain[-2], chain[-1], "lower"] = first if turned else last

    def pull(upper: int, lower: int) -> tuple[float, float]:
        strength = (1.0, 2.0, 8.0)[(upper >= count) + (lower >= count)]
        return strength, ports.get((upper, lower, "upper"), 0.0) - ports.get((upper, lower, "lower"), 0.0)

    ranking = Ranking(rank, edges)
    order(ranking)
    half_widths = [w / 2 for w, _ in sizes] + [THREAD] * (len(rank) - count)
    centre = place(ranking, half_widths, GAP, pull)
    for chain in chains:
        straighten(ranking, chain[1:-1], centre, half_widths, GAP)
    leftmost = min((c - h for c, h in zip(centre, half_widths, strict=True)), default=0.0)
    centre = [c - leftmost for c in centre]
    bands = _bands(ranking, sizes)
    rects = []
    for vertex, (width, height) in enumerate(sizes):
        top, bottom = bands[rank[vertex]]
        rects.append(Rect(centre[vertex] - width / 2, (top + bottom - height) / 2, width, height))
    routes = _routes(links, chains, rects, centre, rank, bands)
    right = max((c + h for c, h in zip(centre, half_widths, strict=True)), default=0.0)
    right = max([right, *(x for points in routes for x, _ in points)])
    return Flat(right, bands[-1][1] if bands else 0.0, rects, routes)


def _threaded(
    rank: list[int], edges: Sequence[tuple[int, int]]
) -> tuple[list[list[int]], list[int], list[tuple[int, int]]]:
    """Edges over several ranks cut into pieces by new vertices: the chain of each edge, all ranks, and the pieces."""
    rank = list(rank)
    chains: list[list[int]] = []
    pieces: list[tuple[int, int]] = []
    for source, target in edges:
        chain = [source]
        for level in range(rank[source] + 1, rank[target]):
            chain.append(len(rank))
            rank.append(level)
        if target != source:
            chain.append(target)
        pieces.extend(itertools.pairwise(chain))
        chains.append(chain)
    return chains, rank, pieces


def _bands(ranking: Ranking, sizes: Sequence[Size]) -> list[Point]:
    """Top and bottom of each rank."""
    bands = []
    top = 0.0
    for row in ranking.rows:
        height = max((sizes[v][1] for v in row if v < len(sizes)), default=0.0)
        bands.append((top, top + height))
        top += height + RANK_GAP
    return bands


def _routes(
    links: Sequence[Link],
    chains: Sequence[list[int]],
    rects: Sequence[Rect],
    centre: Sequence[float],
    rank: Sequence[int],
    bands: Sequence[Point],
) -> list[list[Point]]:
    leaving = _ports(rects, [(c[0], centre[c[1]]) if len(c) > 1 else None for c in chains])
    entering = _ports(rects, [(c[-1], centre[c[-2]]) if len(c) > 1 else None for c in chains])
    routes = []
    for i, (link, chain) in enumerate(zip(links, chains, strict=True)):
        if len(chain) == 1:
            routes.append(_loop(rects[chain[0]]))
            continue
        turned = chain[0] != link.source
        first_port, last_port = link.source_port, link.target_port
        if turned:
            first_port, last_port = last_port, first_port
        upper, lower = rects[chain[0]], rects[chain[-1]]
        start = upper.centre + (leaving[i] if first_port is None else first_port)
        end = lower.centre + (entering[i] if last_port is None else last_port)
        points = [(start, upper.bottom), (start, bands[rank[chain[0]]][1])]
        for vertex in chain[1:-1]:
            points.extend((centre[vertex], y) for y in bands[rank[vertex]])
        points += [(end, bands[rank[chain[-1]]][0]), (end, lower.y)]
        points = [p for n, p in enumerate(points) if n == 0 or p != points[n - 1]]
        routes.append(points[::-1] if turned else points)
    return routes


def _ports(rects: Sequence[Rect], ends: Sequence[tuple[int, float] | None]) -> list[float]:
    """Where each arrow meets its box, from the box's centre: side by side, in the order of where they come from."""
    at: dict[int, list[tuple[float, int]]] = {}
    for i, end in enumerate(ends):
        if end is not None:
            at.setdefault(end[0], []).append((end[1], i))
    offsets = [0.0] * len(ends)
    for vertex, arrows in at.items():
        step = min(PORT_STEP, 0.7 * rects[vertex].width / len(arrows))
        for slot, (_, i) in enumerate(sorted(arrows)):
            offsets[i] = step * (slot - (len(arrows) - 1) / 2)
    return offsets


def _loop(rect: Rect) -> list[Point]:
    """An arrow from a box to itself, round its right side."""
    x = rect.x + rect.width
    return [(x - 8, rect.bottom), (x + 12, rect.bottom - rect.height / 2), (x - 8, rect.y)]
