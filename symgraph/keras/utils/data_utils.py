"""Files from the network, kept under ``~/.keras`` (or ``$KERAS_HOME``), as ``keras.utils.data_utils``."""

from __future__ import annotations

import collections.abc
import contextlib
import hashlib
import os
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import BinaryIO

from .enqueuers import GeneratorEnqueuer, OrderedEnqueuer, Sequence, SequenceEnqueuer
from .progbar import Progbar

__all__ = [
    "GeneratorEnqueuer",
    "OrderedEnqueuer",
    "Progbar",
    "Sequence",
    "SequenceEnqueuer",
    "cache_path",
    "get_file",
    "validate_file",
]
_CHUNK = 1 << 16
_TIMEOUT = 30  # seconds without a byte


def cache_path(fname: str, cache_subdir: str = "datasets", cache_dir: str | None = None) -> Path:
    """Where ``get_file`` keeps ``fname``; an absolute ``fname`` stays itself."""
    base = cache_dir or os.environ.get("KERAS_HOME") or os.path.join("~", ".keras")
    return Path(base).expanduser() / cache_subdir / fname


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
        fname: name in the cache, or an absolute path. With ``untar``, the name of the unpacked folder.
        file_hash: expected sha256 or md5 (``md5_hash`` is its older name).
        extract: unpack a tar or zip archive beside the file.

    Returns:
        The path of the file (of the unpacked folder with ``untar``).

    Raises:
        OSError: if the download fails.
        ValueError: if what was downloaded has another hash.
    """
    path = cache_path(fname, cache_subdir, cache_dir)
    archive = path.with_name(path.name + ".tar.gz") if untar else path
    expected = file_hash or md5_hash
    algorithm = "md5" if file_hash is None and md5_hash is not None and hash_algorithm == "auto" else hash_algorithm
    if archive.exists() and expected is not None and not validate_file(archive, expected, algorithm):
        print(f"{archive} does not have the hash {expected}; it is downloaded again.")
        _download(origin, archive, expected, algorithm)
    elif not archive.exists():
        _download(origin, archive, expected, algorithm)
    if untar:
        if not path.exists():
            _extract(archive, "tar")
    elif extract:
        _extract(archive, archive_format)
    return str(path)


def validate_file(
    fpath: str | os.PathLike[str], file_hash: str, algorithm: str = "auto", chunk_size: int = 65535
) -> bool:
    """Whether a file has a hash; ``algorithm`` is ``"sha256"``, ``"md5"`` or ``"auto"`` (told by the length)."""
    return _hash_file(fpath, _algorithm_of(file_hash, algorithm), chunk_size) == file_hash.lower()


def _algorithm_of(file_hash: str, algorithm: str) -> str:
    if algorithm == "auto":
        return "sha256" if len(file_hash) == 64 else "md5"
    return algorithm


def _hash_file(fpath: str | os.PathLike[str], algorithm: str = "sha256", chunk_size: int = _CHUNK) -> str:
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with open(fpath, "rb") as stream:
        while chunk := stream.read(chunk_size):
            digest.update(chunk)
    return digest.hexdigest()


def _download(origin: str, target: Path, expected: str | None, algorithm: str) -> None:
    """Fetch ``origin`` to a temporary file beside ``target``, check it, and move it there in one step."""
    target.parent.mkdir(parents=True, exist_ok=True)
    print("Downloading data from", origin)
    handle, name = tempfile.mkstemp(prefix=target.name + ".", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            _fetch(origin, stream, target)
        if expected is not None and not validate_file(name, expected, algorithm):
            found = _hash_file(name, _algorithm_of(expected, algorithm))
            raise ValueError(f"what {origin} sent is damaged or another file: its hash is {found}, expected {expected}")
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def _fetch(origin: str, stream: BinaryIO, target: Path) -> None:
    from urllib.request import urlopen

    try:
        with urlopen(origin, timeout=_TIMEOUT) as response:
            length = int(response.headers.get("Content-Length") or 0)
            progress = Progbar(length or None, verbose=1 if sys.stdout.isatty() else 0)
            received = 0
            while chunk := response.read(_CHUNK):
                stream.write(chunk)
                received += len(chunk)
                progress.update(received)
    except OSError as error:  # URLError and timeouts among them
        raise OSError(f"could not download {origin}: {error}. Without a network, put the file at {target}") from error
    if length and received != length:
        raise OSError(f"could not download {origin}: the connection closed after {received} of {length} bytes")


def _extract(archive: Path, archive_format: str | collections.abc.Sequence[str] | None) -> bool:
    """Unpack beside the archive; False if it is none of the formats asked for."""
    if archive_format is None:
        return False
    formats = ("tar", "zip") if archive_format == "auto" else archive_format
    formats = (formats,) if isinstance(formats, str) else tuple(formats)
    if "tar" in formats and tarfile.is_tarfile(archive):
        with tarfile.open(archive) as tar:
            tar.extractall(archive.parent, filter="data")
        return True
    if "zip" in formats and zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            zipped.extractall(archive.parent)
        return True
    return False
