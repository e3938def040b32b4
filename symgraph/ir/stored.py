"""bfloat16 in closed graphs: bits in memory, float32 in arithmetic.

A graph is closed with uint16 values where the program has bfloat16 ones. Every op that takes or gives some is written
over float32, with the conversions around it; so each result is rounded to bfloat16, as with float16. Loops and choices
hand on bits, and their bodies are written the same way. Passes and targets never see the dtype.
"""

from __future__ import annotations

import dataclasses

from ..dtypes import DType, bfloat16, float32, uint16, uint32
from .builder import Builder, rebuild
from .graph import Node, Value
from .op import Op
from .ops.bfloat import FromBfloat16, ToBfloat16
from .ops.blocks import Concatenate, Embed, Slice
from .ops.gathering import Gather
from .ops.leaves import Input
from .ops.logical import ShiftRight, Where
from .ops.moving import Diagonal, Roll
from .ops.scatter import ScatterSet
from .ops.views import Broadcast, Reshape, Transpose
from .region import Region, map_regions, regions_of
from .types import Facts, TensorType

#: Their results are elements of operands as they are, or zeros, whose bits are zeros.
_MOVING = (Broadcast, Concatenate, Diagonal, Embed, Gather, Reshape, Roll, ScatterSet, Slice, Transpose, Where)


def stored_type(type: TensorType) -> TensorType:
    """What stands for a value of this type in a closed graph."""
    return TensorType(uint16, type.shape) if type.dtype is bfloat16 else type


def write_stored(builder: Builder, node: Node, op: Op, operands: tuple[Value, ...]) -> tuple[Value, ...]:
    """The results of a node, written as ``op`` on operands that hold bits where the node's are bfloat16."""
    takes = [v.dtype is bfloat16 for v in node.inputs]
    if regions_of(op):
        return builder.apply_all(map_regions(op, stored_region), *operands)
    if isinstance(op, _MOVING) or not any(v.dtype is bfloat16 for v in (*node.inputs, *node.outputs)):
        return builder.apply_all(op, *operands)
    wide = [builder.apply(FromBfloat16(), v) if is_bits else v for v, is_bits in zip(operands, takes, strict=True)]
    narrow = [name for name, value in op.attributes().items() if value is bfloat16]
    made = builder.apply_all(dataclasses.replace(op, **dict.fromkeys(narrow, float32)) if narrow else op, *wide)
    return tuple(_as_told(builder, v, old.dtype) for v, old in zip(made, node.outputs, strict=True))


def _as_told(builder: Builder, value: Value, told: DType) -> Value:
    """A result over float32 as what the node gives: bits, or the upper half of a key by which numbers are sorted, which
    tells rounded ones apart."""
    if told is bfloat16:
        return builder.apply(ToBfloat16(), builder.cast(value, float32))
    if told is uint16 and value.dtype is uint32:
        return builder.cast(builder.elementwise(ShiftRight(), value, 16), uint16)
    return value


def stored_region(region: Region) -> Region:
    """A body written over bits; itself where nothing in it is bfloat16."""
    if not _has_bfloat16(region):
        return region

    def write(b: Builder, node: Node, operands: tuple[Value, ...]) -> tuple[Value, ...]:
        if isinstance(node.op, Input):
            return b.apply_all(dataclasses.replace(node.op, type=stored_type(node.op.type)))
        return write_stored(b, node, node.op, operands)

    return Region(rebuild(region.graph, Builder(Facts(region.graph.facts)), write, is_body=True))


def _has_bfloat16(region: Region) -> bool:
    nodes = region.graph.nodes
    return any(
        any(v.dtype is bfloat16 for v in node.outputs) or any(map(_has_bfloat16, regions_of(node.op)))
        for node in nodes
    )


__all__ = ["stored_type", "write_stored"]
