"""Reading HDF5 files that anybody may have written: no links, no foreign storage, sizes known before they are read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Group = Any
_FILTERS = frozenset({1, 2, 3})  # deflate, shuffle, fletcher32: those that libhdf5 itself has
_MAX_TEXT = 1 << 28  # bytes of one attribute
_MAX_NAMES = 1 << 20  # elements of one attribute
_DEFLATE_RATIO = 1032  # the most that deflate shrinks
_FAULTS = (
    OSError, RuntimeError, KeyError, TypeError, AttributeError, IndexError, UnicodeError, OverflowError, MemoryError,
)  # fmt: skip


class DamagedFileError(ValueError):
    """A model or weights file that is damaged, or is no such file."""


@contextmanager
def reading(source: Any) -> Iterator[Group]:
    """The root group of a path, of a binary stream, or an open group itself.

    Raises:
        FileNotFoundError, PermissionError: as ``open``.
        DamagedFileError: for what is no HDF5 file, and for any fault that HDF5 finds inside.
    """
    import h5py

    if isinstance(source, h5py.Group):
        yield source
        return
    if not hasattr(source, "read"):
        with open(source, "rb"):  # the common errors, in Python's words
            pass
    try:
        file = h5py.File(source, "r")
    except _FAULTS as error:
        raise DamagedFileError(f"{_name(source)} is not an HDF5 file, or is cut short: {error}") from error
    with file:
        yield file


def _name(source: Any) -> str:
    return str(getattr(source, "name", source))


@contextmanager
def faults_of(what: str) -> Iterator[None]:
    """Faults that HDF5 (or a malformed value) raises inside become a :class:`DamagedFileError` that says where."""
    try:
        yield
    except _FAULTS as error:
        problem = f"{what} cannot be read ({type(error).__name__}: {error})"
        raise DamagedFileError(f"The file is damaged: {problem}") from error


def child(group: Group, path: str) -> Any:
    """The group or data set at ``path`` below ``group``, through hard links only.

    Raises:
        DamagedFileError: if there is none, or a link leads elsewhere.
    """
    import h5py

    found = group
    for part in path.split("/"):
        if part in ("", "."):
            raise DamagedFileError(f"The file is damaged: {path!r} is no name of an object in it")
        with faults_of(repr(path)):
            link = found.get(part, getlink=True) if isinstance(found, h5py.Group) else None
        if link is None:
            raise DamagedFileError(f"The file is damaged: there is no {path!r} in {group.name!r}")
        if not isinstance(link, h5py.HardLink):
            raise DamagedFileError(f"{path!r} in {group.name!r} is a {type(link).__name__}; links are not followed")
        with faults_of(repr(path)):
            found = found[part]
    return found


def has(group: Group, name: str) -> bool:
    """Whether ``group`` has an entry ``name``."""
    with faults_of(repr(name)):
        return group.get(name, getlink=True) is not None


def text(group: Group, name: str) -> str | None:
    """A string attribute, of either kind that h5py gives; None where there is none."""
    value = _attribute(group, name)
    if value is None:
        return None
    with faults_of(f"attribute {name!r}"):
        return _string(value[()] if isinstance(value, np.ndarray) else value)


def _string(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"a string is expected, not {type(value).__name__}")


def _attribute(group: Group, name: str) -> Any:
    with faults_of(f"attribute {name!r}"):
        if name not in group.attrs:
            return None
        attribute = group.attrs.get_id(name)
        count = math.prod(attribute.shape)
        if count > _MAX_NAMES or count * attribute.dtype.itemsize > _MAX_TEXT:
            raise DamagedFileError(f"The file is damaged: attribute {name!r} has the shape {attribute.shape}")
        return group.attrs[name]


def names(group: Group, name: str) -> list[str] | None:
    """A list of strings, in one attribute or cut into ``name0``, ``name1``, ...; None where there is none."""
    whole = _attribute(group, name)
    pieces = [whole] if whole is not None else []
    while whole is None:
        piece = _attribute(group, f"{name}{len(pieces)}")
        if piece is None:
            break
        pieces.append(piece)
    if not pieces:
        return None
    with faults_of(f"attribute {name!r}"):
        return [_string(x) for piece in pieces if np.size(piece) for x in np.asarray(piece).ravel().tolist()]


def json_attribute(group: Group, name: str) -> Any:
    """The value of a JSON attribute; None where there is none."""
    source = text(group, name)
    if source is None:
        return None
    try:
        return json.loads(source)
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"The file is damaged: attribute {name!r} is not JSON ({error})") from error


def dataset(group: Group, path: str) -> Any:
    """The data set at ``path``: numbers, kept in this file, packed with HDF5's own filters at most."""
    import h5py

    found = child(group, path)
    if not isinstance(found, h5py.Dataset):
        raise DamagedFileError(f"The file is damaged: {path!r} is no data set")
    with faults_of(repr(path)):
        if found.dtype.kind not in "fiub" or found.shape is None:
            raise DamagedFileError(f"The file is damaged: {path!r} holds no numbers but {found.dtype}")
        if found.external or found.is_virtual:
            raise DamagedFileError(f"The values of {path!r} lie in another file, which is not read")
        packing = found.id.get_create_plist()
        filters = {packing.get_filter(i)[0] for i in range(packing.get_nfilters())}
        if not filters <= _FILTERS:
            raise DamagedFileError(f"{path!r} is packed with filters that are not read: {sorted(filters - _FILTERS)}")
        size = math.prod(found.shape)
        if found.chunks is not None and math.prod(found.chunks) > max(4 * size, 1 << 20):
            raise DamagedFileError(f"The file is damaged: {path!r} of shape {found.shape} has chunks of {found.chunks}")
    return found


def stored_elements(found: Any) -> int:
    """How many elements a data set can hold for the bytes that it takes in the file."""
    with faults_of(repr(found.name)):
        size = math.prod(found.shape)
        stored = int(found.id.get_storage_size()) // max(1, found.dtype.itemsize)
        return min(size, stored * (_DEFLATE_RATIO if found.chunks is not None else 1))


def values(found: Any) -> Array:
    """The values of a data set whose shape has been checked.

    Raises:
        DamagedFileError: if the file does not hold them.
    """
    if stored_elements(found) < math.prod(found.shape):
        raise DamagedFileError(f"The file is damaged: it holds no values for {found.name!r} of shape {found.shape}")
    with faults_of(repr(found.name)):
        return np.asarray(found[()])
