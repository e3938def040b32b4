"""Pieces of HTML: escaped text, blocks that fold, tables."""

from __future__ import annotations

import html
from collections.abc import Collection, Iterable, Sequence


def escaped(value: object) -> str:
    """What a value prints as, escaped."""
    return html.escape(str(value))


def pre(content: str) -> str:
    """Text whose lines and spaces stay."""
    return f"<pre>{escaped(content.rstrip())}</pre>"


def fold(title: str, inside: str, note: str = "", is_open: bool = False) -> str:
    """A block that opens and closes under its title; ``inside`` is HTML."""
    small = f"<small>{escaped(note)}</small>" if note else ""
    return f"<details{' open' if is_open else ''}><summary>{escaped(title)}{small}</summary>{inside}</details>"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], numbers: Collection[int] = ()) -> str:
    """A table of values; the columns ``numbers`` stand to the right."""
    return raw_table(heads, [[escaped(cell) for cell in row] for row in rows], numbers)


def raw_table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Collection[int] = ()) -> str:
    """The same for cells that are HTML."""

    def line(cells: Sequence[str], tag: str) -> str:
        sides = ["right" if k in numbers else "left" for k in range(len(cells))]
        pairs = zip(cells, sides, strict=True)
        return "<tr>" + "".join(f'<{tag} style="text-align:{side}">{cell}</{tag}>' for cell, side in pairs) + "</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f"<table><thead>{line(heads, 'th')}</thead><tbody>{body}</tbody></table>"
