"""Images, text and sequences made ready for networks."""

from __future__ import annotations

from . import image, sequence, text

__all__ = ["image", "sequence", "text"]
