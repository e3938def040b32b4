"""Clusters: which nodes share a kernel, and why.

A cluster has a *form*, which is the shape of its loops, and a *domain*, the axes they run over:

========= ==========================================================================================================
``MAP``      elementwise and indexed nodes over one domain, several results
``ROW``      folds over the trailing axes of the domain, nodes over the leading (row) axes and over the whole domain;
             rows run in parallel (softmax, cross-entropy with its gradient, layer means)
``FOLD``     folds over other axes (column sums, full sums) and nodes over the kept axes
``CONTRACT`` a matrix product and nodes over its result (the epilogue)
``RANDOM``   random bits and nodes over them
``ORDERED``  one accumulation, scatter or sort: rows whose steps run in order
``LOOP``     a node that runs a graph of its own, step by step
``HOST``     a node that Python computes
========= ==========================================================================================================

Every value is at one place only, its *home*, or inlined wherever it is needed. :mod:`symgraph.codegen.fusion` decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from ..ir.dims import Shape
from ..ir.graph import Graph, Value
from ..ir.printer import value_names


class Form(Enum):
    """The shape of a cluster's loops."""

    MAP = "map"
    ROW = "row"
    FOLD = "fold"
    CONTRACT = "contract"
    RANDOM = "random"
    ORDERED = "ordered"
    LOOP = "loop"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Nodes that one kernel computes.

    ``domain`` has no axes of length one; ``reduced`` are those that folds run over. ``members`` are computed here,
    operands first; ``stored`` are those written to arrays.
    """

    number: int
    form: Form
    domain: Shape
    reduced: tuple[int, ...]
    members: tuple[Value, ...]
    stored: tuple[Value, ...]

    @property
    def kept(self) -> tuple[int, ...]:
        """The axes of the domain that are not reduced."""
        return tuple(k for k in range(len(self.domain)) if k not in self.reduced)

    @property
    def outer(self) -> Shape:
        """The shape of what is left after the folds: the whole domain where there are none."""
        return tuple(self.domain[k] for k in self.kept)


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a value is computed and why: ``cluster`` is its home, or -1 for a value inlined into its readers."""

    value: Value
    cluster: int
    reason: str


@dataclass(frozen=True)
class Clusters:
    """All clusters of a graph (numbered by their first node, not in an order to run in), what was decided, and where
    arrays are.

    ``home`` maps the ``id`` of a stored value to its cluster's number; ``aliases`` maps the ``id`` of a reshape or
    barrier to the value whose array it renames; ``waits``, that of a barrier to what is computed before it is read.
    """

    graph: Graph
    clusters: tuple[Cluster, ...]
    decisions: tuple[Decision, ...]
    home: Mapping[int, int]
    aliases: Mapping[int, Value]
    waits: Mapping[int, tuple[Value, ...]]

    def __str__(self) -> str:
        return print_clusters(self)


def print_clusters(clusters: Clusters) -> str:
    """Clusters with their members, then the decision about every value."""
    names = value_names(clusters.graph)
    lines = [f"clusters @{clusters.graph.name}"]
    for c in clusters.clusters:
        domain = ",".join(f"{d}{'~' if k in c.reduced else ''}" for k, d in enumerate(c.domain))
        members = ", ".join(f"{names[id(v)]} {v.op.name}" for v in c.members)
        stored = ", ".join(f"{names[id(v)]}:{v.type}" for v in c.stored)
        lines.append(f"  {c.number}: {c.form.value}[{domain}] {{ {members} }} -> {stored}")
    for d in clusters.decisions:
        place = f"in cluster {d.cluster}" if d.cluster >= 0 else "inlined"
        lines.append(f"  {names[id(d.value)]} {d.value.op.name}: {place}: {d.reason}")
    return "\n".join(lines)
