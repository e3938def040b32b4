"""Files of data sets: found on this machine or downloaded, and read without running anything in them."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np

from ..utils.data_utils import cache_path, get_file
from .plain_pickle import read_plain_pickle

Array: TypeAlias = np.ndarray[Any, Any]
Split: TypeAlias = tuple[Array, Array]

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_LARGEST = 1 << 31  # bytes of one unpacked array


def local_or_cached(path: str | os.PathLike[str], origin: str, file_hash: str) -> Path:
    """A file that ``path`` names in full, as it is; otherwise the file of that name in the cache, downloaded once.

    Raises:
        OSError: if it is not there and cannot be downloaded.
        ValueError: if what was downloaded has another hash.
    """
    named = Path(path).expanduser()
    if named.is_absolute():
        if not named.exists():
            raise FileNotFoundError(f"there is no file {named}; a name without folders is looked up (or downloaded) in "
                                    f"{cache_path('')}")  # fmt: skip
        return named
    return Path(get_file(os.fspath(path), origin=origin, file_hash=file_hash))


def read_arrays(file: Path, names: Sequence[str]) -> list[Array]:
    """Arrays of an ``.npz`` archive; arrays of lists are read without unpickling.

    Raises:
        ValueError: if the archive is damaged or has no such array.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return [_read_array(archive, name) for name in names]
    except Exception as error:  # a broken archive or header raises nearly any exception
        raise ValueError(f"{file} is no archive of the arrays {', '.join(names)}: {error}") from error


def array_names(file: Path) -> set[str]:
    """The names of the arrays in an ``.npz`` archive (none, if it is not one)."""
    if not zipfile.is_zipfile(file):
        return set()
    with zipfile.ZipFile(file) as archive:
        return {name.removesuffix(".npy") for name in archive.namelist()}


def _read_array(archive: zipfile.ZipFile, name: str) -> Array:
    entry = archive.getinfo(name + ".npy")
    if entry.file_size > _LARGEST:
        raise ValueError(f"the array {name} would take {entry.file_size} bytes")
    with archive.open(entry) as stream:
        if _holds_objects(stream):
            found = read_plain_pickle(stream)
            if not isinstance(found, np.ndarray):
                raise ValueError(f"{name} is no array")
            return found
    with archive.open(entry) as stream:
        return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))


def _holds_objects(stream: IO[bytes]) -> bool:
    """Whether the array that starts here is of objects; if so, its header has been read."""
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return bool(read(stream)[2].hasobject)


def read_word_index(file: Path) -> dict[str, int]:
    """A JSON dictionary from words to their ranks.

    Raises:
        ValueError: if the file is none.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} is no word index: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(rank, int) for rank in found.values()):
        raise ValueError(f"{file} is no word index: it is no dictionary from words to numbers")
    return found
