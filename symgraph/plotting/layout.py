"""Positions for a diagram: a layered drawing, clusters laid out by themselves and then placed as one big box.

Everything is computed for arrows that point down and turned at the end, so the steps know one direction only.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .coordinates import place, straighten
from .diagram import Arrow, Box, Cluster, Diagram, Item, boxes_of
from .ordering import Ranking, order
from .ranks import acyclic, assign

Point: TypeAlias = tuple[float, float]
Size: TypeAlias = tuple[float, float]

GAP = 24.0  # between two boxes of a rank
RANK_GAP = 36.0  # between two ranks
THREAD = 5.0  # half the room that a passing arrow takes in a rank
PORT_STEP = 16.0  # between two arrows at one side of a box
FRAME = 14.0  # inside a cluster's border
TITLE = 18.0  # for a cluster's title
MARGIN = 10.0


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
class Layout:
    """Where everything is: boxes and cluster frames by key, and for each arrow of the diagram the points it runs
    through.

    At every point of a route the arrow runs along the direction of the diagram.
    """

    width: float
    height: float
    boxes: dict[str, Rect]
    frames: dict[str, Rect]
    routes: tuple[tuple[Point, ...], ...]


@dataclass(frozen=True, slots=True)
class _Link:
    """An arrow at one level: between items, each end at ``port`` from the item's centre (None: wherever there is
    room)."""

    source: int
    target: int
    source_port: float | None
    target_port: float | None


@dataclass(slots=True)
class _Piece:
    """A laid out group of items; routes by number of the arrow."""

    width: float
    height: float
    boxes: dict[str, Rect]
    frames: dict[str, Rect]
    routes: dict[int, list[Point]]


def lay_out(diagram: Diagram, measure: Callable[[Box], Size]) -> Layout:
    """The layout of ``diagram``, with boxes as large as ``measure`` says."""
    sideways = diagram.direction in ("LR", "RL")

    def size_of(box: Box) -> Size:
        width, height = measure(box)
        return (height, width) if sideways else (width, height)

    # A cluster's title stands at the top of the finished picture.
    left, top, bottom = FRAME, FRAME, FRAME
    if sideways:
        left += TITLE
    elif diagram.direction == "TB":
        top += TITLE
    else:
        bottom += TITLE
    piece = _arrange(diagram.items, list(enumerate(diagram.arrows)), size_of, (left, top, FRAME, bottom))
    return _turned(piece, diagram.direction, len(diagram.arrows))


def _arrange(
    items: Sequence[Item],
    arrows: list[tuple[int, Arrow]],
    size_of: Callable[[Box], Size],
    padding: tuple[float, float, float, float],
) -> _Piece:
    """Lay out ``items``; ``padding`` (left, top, right, bottom) goes round what is in a cluster."""
    owner = {box.key: i for i, item in enumerate(items) for box in boxes_of((item,))}
    inner: dict[int, _Piece] = {}
    sizes: list[Size] = []
    for i, item in enumerate(items):
        if isinstance(item, Cluster):
            own = [(n, a) for n, a in arrows if owner[a.source] == owner[a.target] == i]
            inner[i] = _framed(item.key, _arrange(item.items, own, size_of, padding), padding)
            sizes.append((inner[i].width, inner[i].height))
        else:
            sizes.append(size_of(item))

    def port(key: str) -> float | None:
        i = owner[key]
        return inner[i].boxes[key].centre - inner[i].width / 2 if i in inner else None

    links = {
        n: _Link(owner[a.source], owner[a.target], port(a.source), port(a.target))
        for n, a in arrows
        if owner[a.source] != owner[a.target] or owner[a.source] not in inner
    }
    rects, routes, width, height = arrange_flat(sizes, list(links.values()))
    piece = _Piece(width, height, {}, {}, dict(zip(links, routes, strict=True)))
    for i, item in enumerate(items):
        if i not in inner:
            piece.boxes[item.key] = rects[i]
            continue
        x, y = rects[i].x, rects[i].y
        piece.boxes.update({k: r.moved(x, y) for k, r in inner[i].boxes.items()})
        piece.frames.update({k: r.moved(x, y) for k, r in inner[i].frames.items()})
        piece.routes.update({n: [(px + x, py + y) for px, py in points] for n, points in inner[i].routes.items()})
    numbered = dict(arrows)
    for n, link in links.items():  # on from the frame to the box inside
        if link.source in inner:
            source = piece.boxes[numbered[n].source]
            piece.routes[n].insert(0, (source.centre, source.bottom))
        if link.target in inner:
            target = piece.boxes[numbered[n].target]
            piece.routes[n].append((target.centre, target.y))
    return piece


def _framed(key: str, piece: _Piece, padding: tuple[float, float, float, float]) -> _Piece:
    left, top, right, bottom = padding
    width, height = piece.width + left + right, piece.height + top + bottom
    frames = {k: r.moved(left, top) for k, r in piece.frames.items()}
    frames[key] = Rect(0.0, 0.0, width, height)
    boxes = {k: r.moved(left, top) for k, r in piece.boxes.items()}
    routes = {n: [(x + left, y + top) for x, y in points] for n, points in piece.routes.items()}
    return _Piece(width, height, boxes, frames, routes)


def arrange_flat(sizes: Sequence[Size], links: Sequence[_Link]) -> tuple[list[Rect], list[list[Point]], float, float]:
    """Rectangles and routes for boxes without clusters, and the extent of the whole."""
    count = len(sizes)
    ends = [(link.source, link.target) for link in links]
    straight = acyclic(count, ends)
    rank = assign(count, straight)
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
    return rects, routes, right, bands[-1][1] if bands else 0.0


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
    links: Sequence[_Link],
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
        for place_, (_, i) in enumerate(sorted(arrows)):
            offsets[i] = step * (place_ - (len(arrows) - 1) / 2)
    return offsets


def _loop(rect: Rect) -> list[Point]:
    """An arrow from a box to itself, round its right side."""
    x = rect.x + rect.width
    return [(x - 8, rect.bottom), (x + 12, rect.bottom - rect.height / 2), (x - 8, rect.y)]


def _turned(piece: _Piece, direction: str, arrows: int) -> Layout:
    width, height = piece.width + 2 * MARGIN, piece.height + 2 * MARGIN

    def point(p: Point) -> Point:
        x, y = p[0] + MARGIN, p[1] + MARGIN
        return {"TB": (x, y), "BT": (x, height - y), "LR": (y, x), "RL": (height - y, x)}[direction]

    def rect(r: Rect) -> Rect:
        (x0, y0), (x1, y1) = point((r.x, r.y)), point((r.x + r.width, r.bottom))
        return Rect(min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0))

    if direction in ("LR", "RL"):
        extent = (height, width)
    else:
        extent = (width, height)
    return Layout(
        *extent,
        boxes={k: rect(r) for k, r in piece.boxes.items()},
        frames={k: rect(r) for k, r in piece.frames.items()},
        routes=tuple(tuple(point(p) for p in piece.routes[n]) for n in range(arrows)),
    )
