"""Loads and stores as basic slices: which index expressions are, and the text of the view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ....ir.dims import Dim, python_text
from ...loop.grammar import Buffer, Expr
from ...loop.walk import linear


@dataclass(frozen=True, slots=True)
class Axis:
    """A loop variable that is an array axis: its position (0 is outermost) and extent."""

    position: int
    extent: Dim


@dataclass(frozen=True, slots=True)
class View:
    """A basic slice: ``items`` index the buffer; the axes it leaves belong, in order, to the loops at ``positions``."""

    items: tuple[str, ...]
    positions: tuple[int, ...]

    @property
    def rank(self) -> int:
        return max(self.positions, default=-1) + 1


def dim_text(dim: Dim) -> str:
    """A size as Python: the symbols are variables."""
    return python_text(dim, str)


def find_view(
    index: Sequence[Expr], buffer: Buffer, axes: Mapping[str, Axis], counters: Mapping[str, str]
) -> View | None:  # fmt: skip
    """The view that reads every element a load needs at once, if each index is a plain or scaled loop variable.

    ``counters`` gives the Python variables of the loops that run in Python.
    """
    items: list[str] = []
    positions: list[int] = []
    for expr, size in zip(index, buffer.shape, strict=True):
        form = linear(expr)
        if form is None or any(name not in axes and name not in counters for name in form[0]):
            return None
        along = [name for name in form[0] if name in axes]
        offset = _offset_text({n: c for n, c in form[0].items() if n in counters}, form[1], counters)
        if not along:
            items.append(offset)
            continue
        axis = axes[along[0]]
        if len(along) > 1 or axis.position in positions:
            return None
        positions.append(axis.position)
        items.append(_slice_text(offset, form[0][along[0]], axis.extent, size))
    return View(tuple(items), tuple(positions))


def _offset_text(scaled: Mapping[str, Dim], constant: Dim, counters: Mapping[str, str]) -> str:
    parts = [counters[n] if c == 1 else f"{dim_text(c)}*{counters[n]}" for n, c in scaled.items()]
    if constant != 0 or not parts:
        parts.append(dim_text(constant))
    return " + ".join(parts)


def _slice_text(offset: str, step: Dim, extent: Dim, size: Dim) -> str:
    count = dim_text(extent)
    if step == 1:
        if offset == "0":
            return ":" if extent == size else f":{count}"
        return f"{offset}:{offset} + {count}"
    return f"rt.span({offset}, {dim_text(step)}, {count})"


def view_text(name: str, view: View, first: int = -1, rank: int = -1) -> str:
    """The view of array ``name`` with its axes in the order of the loops, and axes of length 1 where it has none.

    From the outermost axis it has (or ``first``) to the innermost (or up to ``rank``).
    """
    order = sorted(view.positions)
    start = first if first >= 0 else order[0] if order else 0
    stop = rank if rank >= 0 else view.rank
    if list(view.positions) == order:
        pieces: list[str] = []
        position = start
        for item in view.items:
            if _is_axis(item):
                here = order[len([p for p in pieces if _is_axis(p)])]
                pieces += ["None"] * (here - position)
                position = here + 1
            pieces.append(item)
        pieces += ["None"] * max(0, stop - max(position, start))
        return _indexed(name, pieces)
    text = _indexed(name, view.items)
    permutation = [view.positions.index(p) for p in order]
    text += ".T" if permutation == [1, 0] else f".transpose({', '.join(map(str, permutation))})"
    pieces = [":" if p in view.positions else "None" for p in range(start, stop)]
    return _indexed(text, pieces)


def _is_axis(item: str) -> bool:
    return ":" in item or item.startswith("rt.span")


def _indexed(text: str, items: Sequence[str]) -> str:
    if not items:
        return f"{text}[()]"
    return text if all(i == ":" for i in items) else f"{text}[{', '.join(items)}]"


