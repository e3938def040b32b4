"""What is left of Keras 1."""

from __future__ import annotations
