"""Event files of TensorBoard: TFRecord framing, with lengths and masked CRC-32C, around events."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterable, Sequence

from .event_messages import GraphNode, double, graph, integer, message

_POLYNOMIAL = 0x82F63B78  # Castagnoli's, bits reversed


def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return tuple(table)


_TABLE = _crc_table()


def masked_crc(data: bytes) -> int:
    """CRC-32C, rotated and shifted as TFRecord files have it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def record(data: bytes) -> bytes:
    """One record: length, its checksum, data, its checksum."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked_crc(length)) + data + struct.pack("<I", masked_crc(data))


class EventFile:
    """An event file in a folder; what is added is in the file at once."""

    def __init__(self, folder: str) -> None:
        os.makedirs(folder, exist_ok=True)
        now = time.time()
        name = f"events.out.tfevents.{int(now):010d}.{socket.gethostname()}.{os.getpid()}.{time.perf_counter_ns()}"
        self.path = os.path.join(folder, name)
        self._file = open(self.path, "wb")  # noqa: SIM115  (closed by ``close``)
        self._write(now, message(3, b"brain.Event:2"))

    def add(self, values: Iterable[bytes], step: int) -> None:
        """Write an event with some ``Summary.Value``s."""
        summary = b"".join(message(1, value) for value in values)
        self._write(time.time(), integer(2, step) + message(5, summary))

    def add_graph(self, nodes: Sequence[GraphNode]) -> None:
        """Write an event with a graph."""
        self._write(time.time(), message(4, graph(nodes)))

    def _write(self, when: float, content: bytes) -> None:
        self._file.write(record(double(1, when) + content))
        self._file.flush()

    def close(self) -> None:
        """End the file."""
        self._file.close()
