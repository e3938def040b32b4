"""Memory over time as SVG: a box for each buffer, as wide as its life and as high as its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from ..capacity import bytes_text

WIDTH, HEIGHT = 960.0, 320.0
LEFT, BOTTOM = 64.0, 26.0
_COLOURS = ("#8db4e2", "#a8d5a2", "#f3c48b", "#d9a6d4", "#e8e08b", "#9fd6d2", "#e3a6a1", "#b9b3e0")


@dataclass(frozen=True, slots=True)
class Bar:
    """A buffer of ``size`` bytes at ``offset`` in the arena, in use from step ``first`` to ``last``; ``note`` is shown
    where the pointer rests."""

    name: str
    first: int
    last: int
    offset: int
    size: int
    note: str = ""


def timeline_svg(bars: Sequence[Bar], steps: int, height: int, caption: str) -> str:
    """Steps run to the right, addresses up to ``height`` bytes run upwards."""
    plane_w, plane_h = WIDTH - LEFT - 8, HEIGHT - BOTTOM - 20
    across, up = plane_w / max(steps, 1), plane_h / max(height, 1)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" class="timeline" '
        'font-family="Helvetica, Arial, sans-serif">',
        f"<title>{escape(caption)}</title>",
        f'<rect x="{LEFT}" y="20" width="{plane_w:.1f}" height="{plane_h:.1f}" fill="#fbfcfe" stroke="#c4ccd8"/>',
        f'<text x="{LEFT}" y="13" font-size="11" fill="#5d6878">{escape(caption)}</text>',
    ]
    for number, bar in enumerate(sorted(bars, key=lambda b: (b.offset, b.first))):
        x, width = LEFT + bar.first * across, max((bar.last - bar.first + 1) * across, 1.0)
        tall = max(bar.size * up, 0.6)
        y = 20 + plane_h - bar.offset * up - tall
        lines.append(
            f'<g><title>{escape(bar.name)}: {escape(bar.note)}</title>'
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{tall:.1f}" '
            f'fill="{_COLOURS[number % len(_COLOURS)]}" stroke="#ffffff" stroke-width="0.7"/>'
        )
        if tall >= 12 and width >= 7.0 * len(bar.name):
            middle = f'x="{x + width / 2:.1f}" y="{y + tall / 2 + 4:.1f}"'
            lines.append(f'<text {middle} font-size="10" text-anchor="middle" fill="#1d2530">{escape(bar.name)}</text>')
        lines.append("</g>")
    for step in range(0, steps + 1, max(1, -(-steps // 12))):
        x = LEFT + step * across
        lines.append(
            f'<text x="{x:.1f}" y="{HEIGHT - 10:.0f}" font-size="10" text-anchor="middle" fill="#5d6878">{step}</text>'
        )
    for part in (0.0, 0.5, 1.0):
        y = 20 + plane_h * (1 - part) + 4
        amount = bytes_text(round(height * part))
        place = f'x="{LEFT - 6}" y="{y:.1f}" font-size="10" text-anchor="end"'
        lines.append(f'<text {place} fill="#5d6878">{amount}</text>')
    return "\n".join([*lines, "</svg>"])
