"""Archives unpacked, but for what would land elsewhere: absolute names, ``..``, links, devices."""

from __future__ import annotations

import gzip
import lzma
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, TypeAlias

#: What reading a damaged archive, or one in a format that Python does not know, raises.
_DAMAGE = (
    tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, lzma.LZMAError, zlib.error, EOFError, NotImplementedError,
    RuntimeError,
)  # fmt: skip
#: Name, size and opener of each file in an archive.
Entries: TypeAlias = Iterator[tuple[str, int, Callable[[], "IO[bytes] | None"]]]


def extract_archive(archive: Path, archive_format: str | Sequence[str] | None = "auto") -> bool:
    """Unpack beside the archive; False if it is none of the formats asked for.

    Everything is unpacked to a temporary folder first, so that a damaged archive leaves nothing behind.

    Args:
        archive_format: ``'auto'``, ``'tar'``, ``'zip'``, several of these, or None to unpack nothing.

    Raises:
        ValueError: for an unknown format, an archive that is damaged, names a place outside of its folder, holds links
            or devices, or is larger than the free disk space.
    """
    if archive_format is None:
        return False
    formats = tuple(_READERS) if archive_format == "auto" else archive_format
    for name in (formats,) if isinstance(formats, str) else tuple(formats):
        if name not in _READERS:
            raise ValueError(f"archives of format {name!r} are not unpacked; known are {', '.join(_READERS)}")
        is_one, entries = _READERS[name]
        try:
            if is_one(archive):
                with tempfile.TemporaryDirectory(prefix=archive.name, suffix=".part", dir=archive.parent) as folder:
                    _write(archive, entries(archive), Path(folder))
                    _move_into(Path(folder), archive.parent)
                return True
        except _DAMAGE as error:
            raise ValueError(f"{archive} is damaged or cannot be read: {error}") from error
    return False


def _write(archive: Path, entries: Entries, folder: Path) -> None:
    left = shutil.disk_usage(folder).free
    for name, size, opened in entries:
        place = PurePosixPath(name.replace("\\", "/"))
        if place.is_absolute() or ".." in place.parts or ":" in name or "\0" in name or not place.parts:
            raise ValueError(f"{archive} is not unpacked: it holds {name!r}, which leads out of its folder")
        left -= size
        if left < 0:
            raise ValueError(f"{archive} is not unpacked: the disk has not enough space for it")
        target = folder.joinpath(*place.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        source = opened()
        if source is not None:
            with source, open(target, "wb") as stream:
                shutil.copyfileobj(source, stream)


def _tar_entries(archive: Path) -> Entries:
    with tarfile.open(archive) as tar:
        for entry in tar:
            if entry.isdir():
                continue
            if not entry.isreg():
                raise ValueError(f"{archive} is not unpacked: {entry.name!r} in it is a link or a device")
            yield entry.name, entry.size, lambda entry=entry: tar.extractfile(entry)  # type: ignore[misc]


def _zip_entries(archive: Path) -> Entries:
    with zipfile.ZipFile(archive) as zipped:
        for entry in zipped.infolist():
            kind = entry.external_attr >> 28  # the type of a file, where Unix made the archive
            if entry.is_dir():
                continue
            if kind not in (0, 0o10):
                raise ValueError(f"{archive} is not unpacked: {entry.filename!r} in it is a link or a device")
            yield entry.filename, entry.file_size, lambda entry=entry: zipped.open(entry)  # type: ignore[misc]


_READERS: dict[str, tuple[Callable[[Path], bool], Callable[[Path], Entries]]] = {
    "tar": (tarfile.is_tarfile, _tar_entries),
    "zip": (zipfile.is_zipfile, _zip_entries),
}


def _move_into(source: Path, target: Path) -> None:
    """Move what is in a folder into another; folders that are there already are added to, files replaced."""
    for entry in source.iterdir():
        place = target / entry.name
        if entry.is_dir() and place.is_dir():
            _move_into(entry, place)
        else:
            os.replace(entry, place)
