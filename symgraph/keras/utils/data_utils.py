"""Files from the network, kept under ``~/.keras`` (or ``$KERAS_HOME``), as ``keras.utils.data_utils``."""

from __future__ import annotations

import collections.abc
import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..backend.common import keras_dir
from .enqueuers import (
    GeneratorEnqueuer,
    OrderedEnqueuer,
    Sequence,
    SequenceEnqueuer,
    get_index,
    init_pool,
    init_pool_generator,
    next_sample,
)
from .extraction import extract_archive
from .progbar import Progbar

__all__ = [
    "GeneratorEnqueuer",
    "OrderedEnqueuer",
    "Progbar",
    "Sequence",
    "SequenceEnqueuer",
    "cache_path",
    "get_file",
    "get_index",
    "init_pool",
    "init_pool_generator",
    "next_sample",
    "urlretrieve",
    "validate_file",
]
_CHUNK = 1 << 16
_TIMEOUT = 30  # seconds without a byte
_ALGORITHMS = {32: "md5", 64: "sha256"}  # by the number of digits


def cache_path(fname: str, cache_subdir: str = "datasets", cache_dir: str | None = None) -> Path:
    """Where ``get_file`` keeps ``fname``; an absolute ``fname`` stays itself."""
    return (keras_dir() if cache_dir is None else Path(cache_dir)).expanduser() / cache_subdir / fname


def get_file(
    fname: str,
    origin: str,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | collections.abc.Sequence[str] | None = "auto",
    cache_dir: str | None = None,
) -> str:
    """The path of a file, downloaded from ``origin`` unless the cache has it already.

    A file in the cache whose hash differs from ``file_hash`` is downloaded again. A download lands under its name only
    when it is complete and its hash is right, so a broken connection leaves nothing half done behind.

    Args:
        fname: name in the cache, or an absolute path. With ``untar``, the name of the unpacked folder; if that is
            there already, nothing is downloaded.
        file_hash: expected sha256 or md5 (``md5_hash`` is its older name).
        extract: unpack a tar or zip archive beside the file.
        archive_format: ``'auto'``, ``'tar'``, ``'zip'``, several of these, or None to unpack nothing.

    Returns:
        The path of the file (of the unpacked folder with ``untar``).

    Raises:
        OSError: if the download fails.
        ValueError: if what was downloaded has another hash, or an archive would write outside of its folder.
    """
    path = cache_path(fname, cache_subdir, cache_dir)
    archive = path.with_name(path.name + ".tar.gz") if untar else path
    expected = file_hash or md5_hash
    algorithm = "md5" if file_hash is None and md5_hash is not None and hash_algorithm == "auto" else hash_algorithm
    if untar and path.is_dir() and not archive.exists():
        return str(path)
    if archive.exists() and expected is not None and not validate_file(archive, expected, algorithm):
        print(f"{archive} does not have the hash {expected}; it is downloaded again.")
        _download(origin, archive, expected, algorithm)
    elif not archive.exists():
        _download(origin, archive, expected, algorithm)
    if untar:
        if not path.exists():
            extract_archive(archive, "tar")
    elif extract:
        extract_archive(archive, archive_format)
    return str(path)


def validate_file(
    fpath: str | os.PathLike[str], file_hash: str, algorithm: str = "auto", chunk_size: int = 65535
) -> bool:
    """Whether a file has a hash; ``algorithm`` is ``"sha256"``, ``"md5"`` or ``"auto"`` (told by the length)."""
    return _hash_file(fpath, _algorithm_of(file_hash, algorithm), chunk_size) == file_hash.lower()


def _algorithm_of(file_hash: str, algorithm: str) -> str:
    if algorithm == "auto":
        algorithm = _ALGORITHMS.get(len(file_hash), "")
        if not algorithm:
            raise ValueError(f"{file_hash!r} is neither an md5 (32 digits) nor a sha256 (64 digits)")
    if algorithm not in hashlib.algorithms_available:
        raise ValueError(f"the hash algorithm {algorithm!r} is not known; use 'auto', 'sha256' or 'md5'")
    return algorithm


def _hash_file(fpath: str | os.PathLike[str], algorithm: str = "sha256", chunk_size: int = _CHUNK) -> str:
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with open(fpath, "rb") as stream:
        while chunk := stream.read(chunk_size):
            digest.update(chunk)
    return digest.hexdigest()


def _download(origin: str, target: Path, expected: str | None, algorithm: str) -> None:
    """Fetch ``origin`` to a temporary file beside ``target``, check it, and move it there in one step."""
    algorithm = algorithm if expected is None else _algorithm_of(expected, algorithm)
    target.parent.mkdir(parents=True, exist_ok=True)
    print("Downloading data from", origin)
    handle, name = tempfile.mkstemp(prefix=target.name + ".", suffix=".part", dir=target.parent)
    os.close(handle)
    try:
        progress: list[Progbar] = []

        def show(count: int, block_size: int, total: int) -> None:
            if not progress:
                progress.append(Progbar(total if total > 0 else None, verbose=1 if sys.stdout.isatty() else 0))
            progress[0].update(min(count * block_size, total) if total > 0 else count * block_size)

        try:
            urlretrieve(origin, name, show)
        except OSError as error:  # URLError and timeouts among them
            message = f"could not download {origin}: {error}. Without a network, put the file at {target}"
            raise OSError(message) from error
        if expected is not None and not validate_file(name, expected, algorithm):
            found = _hash_file(name, algorithm)
            raise ValueError(f"what {origin} sent is damaged or another file: its hash is {found}, expected {expected}")
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def urlretrieve(
    url: str,
    filename: str | os.PathLike[str],
    reporthook: Callable[[int, int, int], Any] | None = None,
    data: bytes | None = None,
) -> None:
    """Write what ``url`` gives to a file.

    Args:
        reporthook: called before the first block and after each one, with the number of blocks so far, the size of a
            block, and the size of all (-1 where it is not known).
        data: sent with the request.

    Raises:
        OSError: if the connection fails, or closes before the end.
    """
    from http.client import HTTPException
    from urllib.request import urlopen

    hook = reporthook or (lambda count, block_size, total: None)
    received = 0
    try:
        with urlopen(url, data, timeout=_TIMEOUT) as response, open(filename, "wb") as stream:
            total = int(response.headers.get("Content-Length") or -1)
            hook(0, _CHUNK, total)
            for count in range(1, sys.maxsize):
                chunk = response.read(_CHUNK)
                if not chunk:
                    break
                stream.write(chunk)
                received += len(chunk)
                hook(count, _CHUNK, total)
    except HTTPException as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
    if 0 <= total != received:
        raise OSError(f"the connection closed after {received} of {total} bytes")
