"""Nodes that Python computes: what their plan steps touch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import InternalError
from ..ir.dims import Shape
from ..ir.graph import Node
from ..ir.op import Host
from .control import LoweredLoop
from .evaluate import Array
from .plan import HostCall


@dataclass(frozen=True, slots=True)
class LoweredHost:
    """A call of Python and what its arguments stand for, as :class:`.lower.Lowered` for kernels: operands, then
    results."""

    op: Host
    node: Node
    arrays: Mapping[str, Array]
    modes: Mapping[str, str]
    padded: Mapping[str, Shape] = field(default_factory=dict)

    @property
    def nodes(self) -> tuple[Node, ...]:
        return (self.node,)


def lower_host(node: Node) -> LoweredHost:
    """The call of a node of form Host."""
    if not isinstance(node.op, Host):
        raise InternalError(f"op {node.op.name} is not computed by Python")
    arrays = {f"a{k}": v for k, v in enumerate((*node.inputs, *node.outputs))}
    modes = {f"a{k}": "in" if k < len(node.inputs) else "out" for k in range(len(arrays))}
    return LoweredHost(node.op, node, arrays, modes)


def runs_python(lowered: object) -> bool:
    """Whether a step calls Python, itself or in a loop: it may raise."""
    if isinstance(lowered, LoweredLoop):
        return any(isinstance(call, HostCall) for call in lowered.body.calls())
    return isinstance(lowered, LoweredHost)


def has_effects(lowered: object) -> bool:
    """The same for Python that does more than to give results."""
    if isinstance(lowered, LoweredLoop):
        return any(isinstance(call, HostCall) and call.op.has_effects for call in lowered.body.calls())
    return isinstance(lowered, LoweredHost) and lowered.op.has_effects


__all__ = ["LoweredHost", "has_effects", "lower_host", "runs_python"]
