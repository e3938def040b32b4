"""The protobuf messages of TensorBoard's event files, in protobuf's wire format.

Field numbers are those of TensorBoard's ``event.proto``, ``summary.proto``, ``graph.proto`` and ``attr_value.proto``.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A node of a graph to show: ``name`` has its scopes, parted by slashes; ``inputs`` are names of nodes; ``shape``
    is that of its output (None: an unknown size)."""

    name: str
    op: str
    inputs: tuple[str, ...] = ()
    shape: tuple[int | None, ...] | None = None
    notes: dict[str, str] = field(default_factory=dict)


def varint(value: int) -> bytes:
    """An integer, seven bits a byte, the low ones first."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def integer(number: int, value: int) -> bytes:
    """A field that is an integer."""
    return varint(number << 3) + varint(value)


def message(number: int, data: bytes) -> bytes:
    """A field that is a message, or bytes."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def text(number: int, value: str) -> bytes:
    """A field that is a string."""
    return message(number, value.encode())


def double(number: int, value: float) -> bytes:
    """A field that is a double."""
    return varint(number << 3 | 1) + struct.pack("<d", value)


def _doubles(number: int, values: Iterable[float]) -> bytes:
    return message(number, b"".join(struct.pack("<d", v) for v in values))


def scalar(tag: str, value: float) -> bytes:
    """``Summary.Value`` of a number."""
    return text(1, tag) + varint(2 << 3 | 5) + struct.pack("<f", value)


def histogram(tag: str, values: Any, bins: int = 30) -> bytes:
    """``Summary.Value`` of a ``HistogramProto``."""
    flat = np.asarray(values, "float64").ravel()
    flat = flat[np.isfinite(flat)]
    flat = flat if flat.size else np.zeros(1)
    counts, edges = np.histogram(flat, bins)
    proto = (
        double(1, float(flat.min()))
        + double(2, float(flat.max()))
        + double(3, float(flat.size))
        + double(4, float(flat.sum()))
        + double(5, float((flat * flat).sum()))
        + _doubles(6, edges[1:].tolist())
        + _doubles(7, counts.astype("float64").tolist())
    )
    return text(1, tag) + message(5, proto)


def image(tag: str, pixels: Any) -> bytes:
    """``Summary.Value`` of a grey picture, ``(height, width)`` numbers of any range.

    As TensorFlow's image summary: where all are positive the largest becomes white, else zero becomes middle grey.
    """
    pixels = np.nan_to_num(np.asarray(pixels, "float64"))
    largest = float(np.abs(pixels).max(initial=0.0)) or 1.0
    scaled = pixels * (255 / largest) if pixels.min(initial=0.0) >= 0 else 127.5 + pixels * (127.5 / largest)
    height, width = pixels.shape
    proto = integer(1, height) + integer(2, width) + integer(3, 1) + message(4, _png(scaled.astype("uint8")))
    return text(1, tag) + message(4, proto)


def _png(grey: Any) -> bytes:
    """A picture of one byte a pixel as a PNG file."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = grey.shape
    rows = np.zeros((height, width + 1), "uint8")  # each row begins with the number of its filter, 0
    rows[:, 1:] = grey
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows.tobytes())) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def graph(nodes: Sequence[GraphNode]) -> bytes:
    """A ``GraphDef``."""
    return b"".join(message(1, _node(node)) for node in nodes) + message(4, integer(1, 22))


def _node(node: GraphNode) -> bytes:
    out = text(1, node.name) + text(2, node.op) + b"".join(text(3, name) for name in node.inputs)
    if node.shape is not None:
        sizes = b"".join(message(2, integer(1, -1 if d is None else d)) for d in node.shape)
        out += _attribute("_output_shapes", message(1, message(7, sizes)))
    return out + b"".join(_attribute(key, text(2, value)) for key, value in node.notes.items())


def _attribute(name: str, value: bytes) -> bytes:
    return message(5, text(1, name) + message(2, value))
