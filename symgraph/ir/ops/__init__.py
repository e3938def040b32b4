"""All ops, one family a file. Importing this package fills and closes the registry."""

from . import (
    arithmetic,
    composites,
    contraction,
    control,
    cumulative,
    elementary,
    gathering,
    indexing,
    leaves,
    logical,
    random,
    reductions,
    scatter,
    views,
)

__all__ = [
    "arithmetic", "composites", "contraction", "control", "cumulative", "elementary", "gathering", "indexing", "leaves",
    "logical", "random", "reductions", "scatter", "views",
]  # fmt: skip
