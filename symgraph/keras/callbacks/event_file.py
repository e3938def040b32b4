"""Event files of TensorBoard: TFRecord framing (lengths and masked CRC-32C) around a few protobuf messages."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

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


# -- protobuf's wire format -----------------------------------------------------------------------------------------
def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _message(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _doubles(field: int, values: Iterable[float]) -> bytes:
    return _message(field, b"".join(struct.pack("<d", v) for v in values))


def scalar(tag: str, value: float) -> bytes:
    """``Summary.Value`` of a number."""
    return _message(1, tag.encode()) + _varint(2 << 3 | 5) + struct.pack("<f", value)


def histogram(tag: str, values: Any, bins: int = 30) -> bytes:
    """``Summary.Value`` of a ``HistogramProto``."""
    flat = np.asarray(values, "float64").ravel()
    flat = flat[np.isfinite(flat)]
    flat = flat if flat.size else np.zeros(1)
    counts, edges = np.histogram(flat, bins)
    proto = (
        _double(1, float(flat.min()))
        + _double(2, float(flat.max()))
        + _double(3, float(flat.size))
        + _double(4, float(flat.sum()))
        + _double(5, float((flat * flat).sum()))
        + _doubles(6, edges[1:].tolist())
        + _doubles(7, counts.astype("float64").tolist())
    )
    return _message(1, tag.encode()) + _message(5, proto)


class EventFile:
    """An event file in a folder; ``add`` appends to it."""

    def __init__(self, folder: str) -> None:
        os.makedirs(folder, exist_ok=True)
        now = time.time()
        name = f"events.out.tfevents.{int(now):010d}.{socket.gethostname()}.{os.getpid()}.{time.perf_counter_ns()}"
        self.path = os.path.join(folder, name)
        self._file = open(self.path, "wb")  # noqa: SIM115  (closed by ``close``)
        self._file.write(record(_double(1, now) + _message(3, b"brain.Event:2")))
        self._file.flush()

    def add(self, values: Iterable[bytes], step: int) -> None:
        """Write an event with some ``Summary.Value``s."""
        summary = b"".join(_message(1, value) for value in values)
        self._file.write(record(_double(1, time.time()) + _varint(2 << 3) + _varint(step) + _message(5, summary)))
        self._file.flush()

    def close(self) -> None:
        """End the file."""
        self._file.close()
