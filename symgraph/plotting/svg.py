"""A diagram as SVG, with no program but this one."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from .diagram import Box, Cluster, Diagram, Item, boxes_of
from .layout import Layout, lay_out
from .levels import Point, Rect, Size
from .text import text_width

FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
TITLE_SIZE = 13.0
FIELD_SIZE = 11.5
ROW = 19.0  # height of a line of the table
PAD = 9.0  # beside text
TALL = 30.0  # a box with a title only


@dataclass(frozen=True, slots=True)
class Ink:
    """Colours of one kind of box."""

    fill: str
    edge: str


INKS = {
    "plain": Ink("#f7f9fc", "#5b6b82"),
    "input": Ink("#e4f1e4", "#4f8a53"),
    "state": Ink("#e6eefb", "#4a6fb5"),
    "constant": Ink("#f1f1f1", "#8a8a8a"),
    "output": Ink("#fdeedc", "#c07f2c"),
}
LINE = "#46505f"
TEXT = "#1d2530"
FAINT = "#5d6878"


def to_svg(diagram: Diagram, dpi: int = 96) -> str:
    """The text of an SVG file. At ``dpi`` 96 a unit of the drawing is one pixel."""
    layout = lay_out(diagram, measure)
    scale = dpi / 96
    width, height = layout.width, layout.height
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width * scale)}" height="{_n(height * scale)}" '
        f'viewBox="0 0 {_n(width)} {_n(height)}" font-family={quoteattr(FONT)} text-anchor="middle">',
        f"<title>{escape(diagram.title or 'graph')}</title>",
        f'<rect width="{_n(width)}" height="{_n(height)}" fill="#ffffff"/>',
        *_frames(diagram.items, layout),
        *(_arrow(route, diagram.direction) for route in layout.routes),
        *(line for box in boxes_of(diagram.items) for line in _box(box, layout.boxes[box.key])),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def measure(box: Box) -> Size:
    """Width and height that the text of a box needs."""
    title = text_width(box.title, TITLE_SIZE) + 2 * PAD
    if not box.fields:
        return title, TALL
    names, values = _columns(box)
    return title + names + values, max(TALL, ROW * len(box.fields))


def _columns(box: Box) -> tuple[float, float]:
    names = max(text_width(name, FIELD_SIZE) for name, _ in box.fields) + 2 * PAD
    values = max(text_width(value, FIELD_SIZE) for _, value in box.fields) + 2 * PAD
    return names if names > 2 * PAD else 0.0, values


def _box(box: Box, rect: Rect) -> list[str]:
    ink = INKS[box.kind]
    parts = [
        "<g>",
        f'<rect x="{_n(rect.x)}" y="{_n(rect.y)}" width="{_n(rect.width)}" height="{_n(rect.height)}" rx="4" '
        f'fill="{ink.fill}" stroke="{ink.edge}" stroke-width="1.2"/>',
    ]
    middle = rect.y + rect.height / 2
    if not box.fields:
        return [*parts, _text(box.title, rect.centre, middle, TITLE_SIZE, TEXT), "</g>"]
    names, values = _columns(box)
    first = rect.x + rect.width - names - values
    second = rect.x + rect.width - values
    rules = [f"M{_n(first)} {_n(rect.y)}V{_n(rect.bottom)}"]
    if names:
        rules.append(f"M{_n(second)} {_n(rect.y)}V{_n(rect.bottom)}")
    row = rect.height / len(box.fields)
    rules += [f"M{_n(first)} {_n(rect.y + row * i)}H{_n(rect.x + rect.width)}" for i in range(1, len(box.fields))]
    parts.append(f'<path d="{"".join(rules)}" stroke="{ink.edge}" stroke-width="0.8" fill="none"/>')
    parts.append(_text(box.title, (rect.x + first) / 2, middle, TITLE_SIZE, TEXT))
    for i, (name, value) in enumerate(box.fields):
        y = rect.y + row * (i + 0.5)
        if names:
            parts.append(_text(name, (first + second) / 2, y, FIELD_SIZE, FAINT))
        parts.append(_text(value, (second + rect.x + rect.width) / 2, y, FIELD_SIZE, TEXT))
    return [*parts, "</g>"]


def _frames(items: tuple[Item, ...], layout: Layout) -> list[str]:
    lines = []
    for item in items:
        if isinstance(item, Cluster):
            rect = layout.frames[item.key]
            lines.append(
                f'<rect x="{_n(rect.x)}" y="{_n(rect.y)}" width="{_n(rect.width)}" height="{_n(rect.height)}" rx="6" '
                f'fill="#000000" fill-opacity="0.025" stroke="{FAINT}" stroke-dasharray="5 4"/>'
            )
            lines.append(_text(item.title, rect.x + 10, rect.y + 14, FIELD_SIZE, FAINT, anchor="start"))
            lines.extend(_frames(item.items, layout))
    return lines


def _text(text: str, x: float, middle: float, size: float, colour: str, anchor: str = "") -> str:
    attribute = f' text-anchor="{anchor}"' if anchor else ""
    baseline = middle + 0.35 * size
    place = f'x="{_n(x)}" y="{_n(baseline)}" font-size="{_n(size)}"'
    return f'<text {place} fill="{colour}"{attribute}>{escape(text)}</text>'


def _arrow(route: tuple[Point, ...], direction: str) -> str:
    """A smooth line through ``route`` that runs along the direction at every point, with a head at the end."""
    sideways = direction in ("LR", "RL")
    forward = 1.0 if direction in ("TB", "LR") else -1.0
    x, y = route[-1]
    back = 7.0 * forward
    stop = (x - back, y) if sideways else (x, y - back)
    points = [*route[:-1], stop]
    path = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if abs(y1 - y0 if sideways else x1 - x0) < 0.05:
            path.append(f"L{_n(x1)} {_n(y1)}")
        elif sideways:
            path.append(f"C{_n((x0 + x1) / 2)} {_n(y0)} {_n((x0 + x1) / 2)} {_n(y1)} {_n(x1)} {_n(y1)}")
        else:
            path.append(f"C{_n(x0)} {_n((y0 + y1) / 2)} {_n(x1)} {_n((y0 + y1) / 2)} {_n(x1)} {_n(y1)}")
    dx, dy = (0.0, 3.5) if sideways else (3.5, 0.0)
    corners = ((stop[0] - dx, stop[1] - dy), (x, y), (stop[0] + dx, stop[1] + dy))
    head = " ".join(f"{_n(a)},{_n(b)}" for a, b in corners)
    return (
        f'<path d="{"".join(path)}" fill="none" stroke="{LINE}" stroke-width="1.2"/>'
        f'<polygon points="{head}" fill="{LINE}"/>'
    )


def _n(value: float) -> str:
    """A coordinate with one decimal, none where it is whole."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")  # adding 0.0 turns -0.0 into 0.0
