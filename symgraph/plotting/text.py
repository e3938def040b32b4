"""How wide text is: the widths of Helvetica, with room for the wider fonts that may stand in for it."""

from __future__ import annotations

# Thousandths of the font size, from Adobe's font metrics of Helvetica (Arial and Liberation Sans have the same).
_WIDTHS = {
    222: "ijl",
    191: "'",
    260: "|",
    278: " !,./:;I[\\]ft",
    333: "()-`r",
    334: "{}",
    355: '"',
    389: "*",
    469: "^",
    500: "ckJsvxyz",
    556: "#$0123456789?L_abdeghnopqu",
    584: "+<=>~",
    611: "FTZ",
    667: "&ABEKPSVXY",
    722: "CDHNRUw",
    778: "GOQ",
    833: "Mm",
    889: "%",
    944: "W",
    1015: "@",
}
_WIDTH_OF = {character: width for width, characters in _WIDTHS.items() for character in characters}
_OTHER = 1000  # a full em for what the table does not have
_SPARE = 1.14  # DejaVu Sans and Verdana are wider by about that


def text_width(text: str, size: float) -> float:
    """An upper bound, in pixels, of the width of a line of sans-serif text of ``size`` pixels."""
    return sum(_WIDTH_OF.get(c, _OTHER) for c in text) * size * _SPARE / 1000
