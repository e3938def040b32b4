"""Weights in safetensors files: a header in JSON that says where each array lies, then the arrays.

The format is that of the safetensors project: eight bytes with the length of the header, the header, the data. Names
are those of the weights; the header's metadata also lists layers and the weights of each, in order, so that a file fits
a model whose names are others, as with HDF5.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .. import backend as K
from .hdf5_reading import DamagedFileError
from .hdf5_writing import replacing
from .network_config import KERAS_VERSION, KERNEL_BACKEND
from .weights_file import Arrays, StoredLayer, StoredWeights, stored_names

_SUFFIX = ".safetensors"
_MAX_HEADER = 100_000_000  # the format's own limit
_DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8",
    "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip
_NAMES = {np.dtype(code): name for name, code in _DTYPES.items()}


def is_name(path: Any) -> bool:
    """Whether a path names a safetensors file."""
    return isinstance(path, (str, os.PathLike)) and os.fspath(path).endswith(_SUFFIX)


def write_layers(path: Any, layers: Sequence[Any]) -> None:
    """Write the weights of layers; the file appears when it is complete."""
    header: dict[str, Any] = {}
    arrays: Arrays = []
    at = 0
    listed: dict[str, list[str]] = {}
    for layer in layers:
        values = [K.get_value(w) for w in layer.weights]
        for name, value in zip(stored_names(layer.weights), values, strict=True):
            base = unique = name.removesuffix(":0")
            n = 1
            while unique in header:
                unique, n = f"{base}_{n}", n + 1
            array = np.ascontiguousarray(value)
            header[unique] = {
                "dtype": _NAMES[array.dtype.newbyteorder("<")],
                "shape": list(array.shape),
                "data_offsets": [at, at + array.nbytes],
            }
            listed.setdefault(layer.name, []).append(unique)
            arrays.append(array)
            at += array.nbytes
    about = {"layers": json.dumps(listed), "keras_version": KERAS_VERSION, "backend": KERNEL_BACKEND}
    text = json.dumps({"__metadata__": about, **header}).encode()
    text += b" " * (-len(text) % 8)
    with replacing(Path(path)) as fresh, open(fresh, "wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        for array in arrays:
            stream.write(array.astype(array.dtype.newbyteorder("<"), copy=False).data)


def stored_weights(path: Any) -> StoredWeights:
    """What a file holds; arrays are read when they are asked for.

    Raises:
        OSError: if the file cannot be opened.
        DamagedFileError: if the header is damaged, or does not fit the file.
    """
    header, begin, size = _header(path)
    about = header.pop("__metadata__", {})
    layers = _listed(about, header)
    ordered = isinstance(about, dict) and "layers" in about
    found = {}
    for layer, names in layers.items():
        entries = [_entry(name, header.get(name), size - begin) for name in names]
        last = () if ordered else tuple(re.split(r"[/.]", name)[-1] for name in names)
        found[layer] = StoredLayer([shape for _, shape, _ in entries], partial(_read, path, begin, entries), last)
    text = {k: v for k, v in about.items() if isinstance(v, str)} if isinstance(about, dict) else {}
    return StoredWeights(found, text.get("keras_version", KERAS_VERSION), text.get("backend"))


def _header(path: Any) -> tuple[dict[str, Any], int, int]:
    """The header, where the data begins, and the size of the file."""
    size = os.path.getsize(path)
    with open(path, "rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or length > min(_MAX_HEADER, size - 8):
            raise DamagedFileError(f"{path} is no safetensors file, or is cut short")
        text = stream.read(length)
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"{path} is damaged: its header is not JSON ({error})") from error
    if not isinstance(header, dict):
        raise DamagedFileError(f"{path} is damaged: its header is no dictionary")
    return header, 8 + length, size


def _listed(about: Any, header: dict[str, Any]) -> dict[str, list[str]]:
    """The weights of each layer: as the metadata lists them, else by what stands before the last slash or dot."""
    listed = about.get("layers") if isinstance(about, dict) else None
    if isinstance(listed, str):
        try:
            layers = json.loads(listed)
        except (ValueError, RecursionError) as error:
            raise DamagedFileError(f"The file is damaged: its list of layers is not JSON ({error})") from error
        if isinstance(layers, dict) and all(
            isinstance(names, list) and all(isinstance(n, str) for n in names) for names in layers.values()
        ):
            return {layer: names for layer, names in layers.items() if names}
        raise DamagedFileError("The file is damaged: its list of layers lists no names")
    found: dict[str, list[str]] = {}
    for name in header:
        mark = "/" if "/" in name else "."
        found.setdefault(name.rpartition(mark)[0].partition("/")[0] or name, []).append(name)
    return found


def _entry(name: str, described: Any, room: int) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """Dtype, shape and place of an array, checked against the size of the data."""
    try:
        dtype = np.dtype(_DTYPES[described["dtype"]])
        shape = tuple(described["shape"])
        begin, end = described["data_offsets"]
        fits = all(type(d) is int and d >= 0 for d in (*shape, begin, end))
        fits = fits and begin <= end <= room and end - begin == math.prod(shape) * dtype.itemsize
    except (TypeError, KeyError, ValueError) as error:
        raise DamagedFileError(f"The file is damaged: {name!r} is described as {str(described)[:200]}") from error
    if not fits:
        raise DamagedFileError(f"The file is damaged: {name!r} does not lie in it as {str(described)[:200]} says")
    return dtype, shape, begin


def _read(path: Any, begin: int, entries: list[tuple[np.dtype[Any], tuple[int, ...], int]], limit: int) -> Arrays:
    total = sum(math.prod(shape) for _, shape, _ in entries)
    if total > limit:
        raise DamagedFileError(f"{path} holds {total} values for a layer that has {limit}")
    found = []
    with open(path, "rb") as stream:
        for dtype, shape, at in entries:
            stream.seek(begin + at)
            count = math.prod(shape)
            data = stream.read(count * dtype.itemsize)
            if len(data) != count * dtype.itemsize:
                raise DamagedFileError(f"{path} is cut short")
            found.append(np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("=")))
    return found
