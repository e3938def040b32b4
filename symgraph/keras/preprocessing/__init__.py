"""Text and sequences made ready for networks."""

from __future__ import annotations

from . import sequence, text

__all__ = ["sequence", "text"]
