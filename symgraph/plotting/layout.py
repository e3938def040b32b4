"""Positions for a diagram: a layered drawing, clusters laid out by themselves and then placed as one big box.

Everything is computed for arrows that point down and turned at the end, so the steps know one direction only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .diagram import Box, Diagram, Item, boxes_of
from .levels import THREAD, Link, Point, Rect, Size, arrange_flat

FRAME = 14.0  # inside a cluster's border
TITLE = 18.0  # for a cluster's title
MARGIN = 10.0


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
class _Run:
    """What one level sees of arrow ``number``: an end that is None lies outside."""

    number: int
    source: str | None
    target: str | None


@dataclass(slots=True)
class _Piece:
    """A laid out group of items. By number of the arrow: routes, and where arrows cross the upper or lower edge."""

    width: float
    height: float
    boxes: dict[str, Rect]
    frames: dict[str, Rect]
    routes: dict[int, list[Point]]
    entries: dict[int, float]
    exits: dict[int, float]

    def moved(self, dx: float, dy: float) -> _Piece:
        return _Piece(
            self.width,
            self.height,
            {key: rect.moved(dx, dy) for key, rect in self.boxes.items()},
            {key: rect.moved(dx, dy) for key, rect in self.frames.items()},
            {number: [(x + dx, y + dy) for x, y in points] for number, points in self.routes.items()},
            {number: x + dx for number, x in self.entries.items()},
            {number: x + dx for number, x in self.exits.items()},
        )


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
    runs = [_Run(number, arrow.source, arrow.target) for number, arrow in enumerate(diagram.arrows)]
    piece = _arrange(diagram.items, runs, size_of, (left, top, FRAME, bottom))
    return _turned(piece, diagram.direction, len(diagram.arrows))


def _arrange(
    items: Sequence[Item], runs: list[_Run], size_of: Callable[[Box], Size], padding: tuple[float, float, float, float]
) -> _Piece:
    """Lay out ``items``; ``padding`` (left, top, right, bottom) goes round what is in a cluster.

    An arrow that enters or leaves is led to the upper or lower edge, past what is in its way.
    """
    owner = {box.key: i for i, item in enumerate(items) for box in boxes_of((item,))}
    ends = {run.number: (owner.get(run.source or ""), owner.get(run.target or "")) for run in runs}
    inner: dict[int, _Piece] = {}
    sizes: list[Size] = []
    for i, item in enumerate(items):
        if isinstance(item, Box):
            sizes.append(size_of(item))
            continue
        own = [
            _Run(
                run.number,
                run.source if ends[run.number][0] == i else None,
                run.target if ends[run.number][1] == i else None,
            )
            for run in runs
            if i in ends[run.number]
        ]
        inner[i] = _framed(item.key, _arrange(item.items, own, size_of, padding), padding)
        sizes.append((inner[i].width, inner[i].height))
    outside = _Gates(len(items))
    links: dict[int, Link] = {}
    for run in runs:
        source, target = ends[run.number]
        if source == target and source in inner:
            continue
        links[run.number] = Link(
            outside.entry(run.target) if source is None else source,
            outside.exit(run.source) if target is None else target,
            _port(inner[source].exits[run.number], inner[source]) if source in inner else None,
            _port(inner[target].entries[run.number], inner[target]) if target in inner else None,
        )
    sizes += [(2 * THREAD, 0.0)] * outside.count
    flat = arrange_flat(sizes, list(links.values()), outside.upper.values(), outside.lower.values())
    piece = _Piece(flat.width, flat.height, {}, {}, dict(zip(links, flat.routes, strict=True)), {}, {})
    for run in runs:
        if run.source is None:
            piece.entries[run.number] = flat.rects[outside.entry(run.target)].centre
        if run.target is None:
            piece.exits[run.number] = flat.rects[outside.exit(run.source)].centre
    for i, item in enumerate(items):
        if i not in inner:
            piece.boxes[item.key] = flat.rects[i]
            continue
        part = inner[i].moved(flat.rects[i].x, flat.rects[i].y)
        piece.boxes |= part.boxes
        piece.frames |= part.frames
        for number, points in part.routes.items():
            source, target = ends[number]
            if source == target:
                piece.routes[number] = points
            elif source == i:
                piece.routes[number] = points + piece.routes[number][1:]
            else:
                piece.routes[number] = piece.routes[number] + points[1:]
    return piece


class _Gates:
    """Vertices on the edges of a level where arrows enter and leave it: one for each box inside and edge."""

    def __init__(self, first: int) -> None:
        self._first = first
        self.upper: dict[str | None, int] = {}
        self.lower: dict[str | None, int] = {}

    @property
    def count(self) -> int:
        return len(self.upper) + len(self.lower)

    def entry(self, target: str | None) -> int:
        return self.upper.setdefault(target, self._first + self.count)

    def exit(self, source: str | None) -> int:
        return self.lower.setdefault(source, self._first + self.count)


def _port(x: float, piece: _Piece) -> float:
    return x - piece.width / 2


def _framed(key: str, piece: _Piece, padding: tuple[float, float, float, float]) -> _Piece:
    left, top, right, bottom = padding
    top = 0.0 if piece.entries else top  # the gates are on the frame, with the room of a rank inside
    bottom = 0.0 if piece.exits else bottom
    framed = piece.moved(left, top)
    framed.width, framed.height = piece.width + left + right, piece.height + top + bottom
    framed.frames[key] = Rect(0.0, 0.0, framed.width, framed.height)
    return framed


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
