"""All ops, one family a file. Importing this package fills and closes the registry."""

from . import (
    arithmetic,
    bfloat,
    blocks,
    branching,
    composites,
    contraction,
    control,
    convolution,
    cumulative,
    custom,
    effects,
    elementary,
    factorizations,
    gathering,
    indexing,
    leaves,
    logical,
    markers,
    moving,
    ordering,
    pooling,
    random,
    reductions,
    scatter,
    solving,
    special,
    views,
    windows,
)

__all__ = [
    "arithmetic", "bfloat", "blocks", "branching", "composites", "contraction", "control", "convolution",
    "cumulative", "custom", "effects", "elementary", "factorizations", "gathering", "indexing", "leaves",
    "logical", "markers", "moving", "ordering", "pooling", "random", "reductions", "scatter", "solving",
    "special", "views", "windows",
]  # fmt: skip
