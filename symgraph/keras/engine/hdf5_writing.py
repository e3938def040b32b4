"""Writing HDF5 files whole or not at all, and lists of names of any length."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Group = Any
HDF5_OBJECT_HEADER_LIMIT = 64512


@contextlib.contextmanager
def writing(target: Any) -> Iterator[Group]:
    """The root group of a file that takes the place of ``target`` when the block ends without an error.

    ``target`` is a path, a binary stream (written at the end), or an open group (written as it is).
    """
    import h5py

    if isinstance(target, h5py.Group):
        yield target
    elif hasattr(target, "write"):
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as file:
            yield file
        target.write(buffer.getvalue())
    else:
        with replacing(Path(target)) as path, h5py.File(path, "w") as file:
            yield file


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new file beside ``path`` that is moved there at the end; an error leaves ``path`` as it was."""
    path = Path(os.path.realpath(path))  # what a link names is replaced, not the link
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))  # the user's umask holds
    try:
        yield fresh
        if path.exists():
            os.chmod(fresh, path.stat().st_mode & 0o7777)
        os.replace(fresh, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)
        raise


def write_names(group: Group, name: str, data: Sequence[Any]) -> None:
    """A list of names as an attribute, cut into ``name0``, ``name1``, ... where it is too long for one.

    Raises:
        RuntimeError: for a single name above the limit.
    """
    encoded = [x if isinstance(x, bytes) else str(x).encode("utf-8") for x in data]
    too_long = [x for x in encoded if len(x) > HDF5_OBJECT_HEADER_LIMIT]
    if too_long:
        raise RuntimeError(
            f"The following attributes cannot be saved to HDF5 file because they are larger than "
            f"{HDF5_OBJECT_HEADER_LIMIT} bytes: {', '.join(x.decode('utf-8')[:40] + '...' for x in too_long)}"
        )
    array = np.asarray(encoded)
    if array.nbytes <= HDF5_OBJECT_HEADER_LIMIT:
        group.attrs[name] = array
        return
    count = 2
    while any(piece.nbytes > HDF5_OBJECT_HEADER_LIMIT for piece in np.array_split(array, count)):
        count += 1
    for i, piece in enumerate(np.array_split(array, count)):
        group.attrs[f"{name}{i}"] = piece


def write_text(group: Group, name: str, value: str) -> None:
    """A string attribute, as UTF-8 bytes of fixed length (a long one as a string of variable length)."""
    encoded = value.encode("utf-8")
    if len(encoded) < HDF5_OBJECT_HEADER_LIMIT:
        group.attrs[name] = np.bytes_(encoded)
    else:
        group.attrs[name] = value  # h5py keeps it outside of the object's header
