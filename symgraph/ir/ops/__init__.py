"""All ops, one family a file. Importing this package fills and closes the registry."""

from . import arithmetic, composites, contraction, elementary, indexing, leaves, logical, random, reductions, views

__all__ = [
    "arithmetic", "composites", "contraction", "elementary", "indexing", "leaves", "logical", "random", "reductions",
    "views",
]  # fmt: skip
