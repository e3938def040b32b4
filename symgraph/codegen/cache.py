"""The cache on disk: what compiling gave, by a hash of all that decides it.

One private folder with a file per entry, shared by all processes of a user without locks. An entry is written to a
temporary file that then takes its name at once, so a reader sees a whole entry or none; two writers of one key write
the same bytes. An entry says what it is and carries a checksum over all of it; one that is truncated, changed, of
another format, or not the user's own is no entry, and the next writer replaces it.

What is in the folder runs as the user's code. So the folder must belong to the user, and nobody else may write there;
another one is refused. The checksum guards against accidents, the folder's permissions against people.

``SYMGRAPH_CACHE`` names the folder, or is ``off``; else it is ``symgraph`` in ``$XDG_CACHE_HOME`` or ``~/.cache``.
Where nothing can be kept (no home, a full disk, a read-only one), everything works without.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .. import events
from ..version import VERSION

#: Bytes the folder holds at most, about; least recently used entries go first.
LIMIT = 256 << 20

_MAGIC = b"symgraph cache entry 1\n"
_SUFFIX = ".entry"
_TEMPORARY = ".part"
#: A hit renews an entry's time where it is older than this, in seconds.
_FRESH = 3600.0
#: After how many bytes written by this process the folder's size is looked at again.
_LOOK_AFTER = 16 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept under a key. ``header`` holds words about ``content``: no value has a line break."""

    header: Mapping[str, str]
    content: bytes


class Store:
    """Entries in one folder. No method raises for what the disk does: then there is no entry, or nothing is kept."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.folder = folder
        self.limit = limit
        self._is_ready = False
        self._is_writable = True
        self._is_refused = False
        self._written = _LOOK_AFTER

    def read(self, key: str) -> Entry | None:
        """The entry of a key, whole and checked, or None."""
        path = self._path(key)
        if not self._ready(create=False):
            return None
        try:
            data, age = _read(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            events.tell("cache", "%s cannot be read: %s", path, error)
            return None
        entry = _parsed(data, key)
        if entry is None:
            events.tell("cache", "%s is no entry: ignored", path)
        elif age > _FRESH:
            self._touch(path)
        return entry

    def write(self, key: str, header: Mapping[str, str], content: bytes) -> None:
        """Keep an entry, in place of one that may be there."""
        if not self._is_writable or not self._ready(create=True):
            return
        data = _packed(key, header, content)
        try:
            self._replace(self._path(key), data)
        except OSError as error:
            self._give_up(f"cannot be written: {error}")
            return
        self._written += len(data)
        if self._written > _LOOK_AFTER:
            self._written = 0
            self.trim()

    def trim(self) -> None:
        """Remove the least recently used entries beyond the limit, and what broken-off writers left."""
        entries = sorted(self._files(), key=lambda found: found[1])
        excess = sum(size for _, _, size in entries) - self.limit
        if excess > 0:
            excess += self.limit // 4  # room for what comes, so that this is seldom
        long_ago = time.time() - _FRESH
        for path, used, size in entries:
            is_left_over = path.name.endswith(_TEMPORARY) and used < long_ago
            if (excess > 0 or is_left_over) and self._remove(path):
                excess -= size

    def size(self) -> tuple[int, int]:
        """How many entries there are, and their bytes."""
        sizes = [size for path, _, size in self._files() if path.name.endswith(_SUFFIX)]
        return len(sizes), sum(sizes)

    def clear(self) -> int:
        """Remove every entry; how many there were."""
        removed = [path for path, _, _ in self._files() if self._remove(path)]
        return sum(path.name.endswith(_SUFFIX) for path in removed)

    # -- parts ------------------------------------------------------------------------------------------------------
    def _path(self, key: str) -> Path:
        return self.folder / (key + _SUFFIX)

    def _ready(self, create: bool) -> bool:
        """Whether the folder is there (or was made now) and is private."""
        if self._is_ready or self._is_refused:
            return self._is_ready
        try:
            if create and not self.folder.exists():
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = os.stat(self.folder)
        except FileNotFoundError:
            return False
        except OSError as error:
            self._give_up(f"cannot be used: {error}")
            return False
        if not stat.S_ISDIR(found.st_mode):
            return self._refuse("it is no folder")
        if not _is_private(found):
            return self._refuse("others may write there; it must be yours, mode 700")
        self._is_ready = True
        return True

    def _replace(self, path: Path, data: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        temporary = path.with_name(f"{path.stem[:16]}.{secrets.token_hex(8)}{_TEMPORARY}")
        try:
            descriptor = os.open(temporary, flags, 0o600)
        except FileNotFoundError:  # somebody removed the folder
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(temporary, flags, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
            os.replace(temporary, path)
        except OSError:
            self._remove(temporary)
            raise

    def _refuse(self, why: str) -> bool:
        """Read and keep nothing from now on; said once. False."""
        self._is_refused = True
        self._is_writable = False
        events.warn("cache %s is not used: %s", self.folder, why)
        return False

    def _give_up(self, why: str) -> None:
        """Keep nothing from now on; said once."""
        if self._is_writable:
            self._is_writable = False
            events.tell("cache", "%s %s; compiled code is not kept", self.folder, why)

    def _touch(self, path: Path) -> None:
        try:
            os.utime(path)
        except OSError as error:
            events.tell("cache", "the time of %s stays: %s", path, error)

    def _remove(self, path: Path) -> bool:
        try:
            path.unlink()
        except OSError as error:  # another process was faster, or may
            events.tell("cache", "%s stays: %s", path, error)
            return False
        return True

    def _files(self) -> Iterator[tuple[Path, float, int]]:
        """Our files in the folder: path, time of last use, bytes."""
        if not self._ready(create=False):
            return
        try:
            with os.scandir(self.folder) as found:
                for one in found:
                    if one.name.endswith((_SUFFIX, _TEMPORARY)):
                        about = one.stat(follow_symlinks=False)
                        yield self.folder / one.name, about.st_mtime, about.st_size
        except OSError as error:
            events.tell("cache", "%s cannot be listed: %s", self.folder, error)


def _is_private(found: os.stat_result) -> bool:
    """Owned by this user, and written by nobody else."""
    return (not hasattr(os, "geteuid") or found.st_uid == os.geteuid()) and not found.st_mode & 0o022


def _read(path: Path) -> tuple[bytes, float]:
    """A file's bytes and its age in seconds; a file that is not the user's own has no bytes."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or not _is_private(found):
            return b"", 0.0
        return file.read(), time.time() - found.st_mtime


# -- the format of an entry -------------------------------------------------------------------------------------------


def _packed(key: str, header: Mapping[str, str], content: bytes) -> bytes:
    lines = {"key": key, "bytes": str(len(content)), **header}
    words = "".join(f"{name}: {value}\n" for name, value in lines.items())
    body = words.encode() + b"\n" + content
    return _MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _parsed(data: bytes, key: str) -> Entry | None:
    """An entry from a file's bytes; None where the format, the checksum or the key is another."""
    start = len(_MAGIC)
    if not data.startswith(_MAGIC):
        return None
    checksum, body = data[start : start + 65], data[start + 65 :]
    if hashlib.sha256(body).hexdigest().encode() + b"\n" != checksum:
        return None
    words, _, content = body.partition(b"\n\n")
    header = dict(line.split(": ", 1) for line in words.decode().split("\n"))
    if header.get("key") != key or header.get("bytes") != str(len(content)):
        return None
    return Entry(header, content)


# -- keys -------------------------------------------------------------------------------------------------------------


def content_key(*parts: str | bytes) -> str:
    """A hash of some texts, each told apart from the next, and of symgraph itself (:func:`made_by`)."""
    total = hashlib.sha256()
    for part in (made_by(), *parts):
        data = part if isinstance(part, bytes) else part.encode()
        total.update(len(data).to_bytes(8, "little"))
        total.update(data)
    return total.hexdigest()


@lru_cache(maxsize=1)
def made_by() -> str:
    """symgraph's version and a hash of its sources (but the Keras front and drawings): all that decides what it makes.

    Reading them takes 2 ms, and spares anybody from numbering every change of the code generator.
    """
    total = hashlib.sha256()
    for path in _sources(Path(__file__).parents[1]):
        total.update(path.read_bytes())
    return f"symgraph {VERSION} {total.hexdigest()[:16]}"


def _sources(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.suffix == ".py":
                yield path
            elif path.name not in ("keras", "plotting", "__pycache__") and path.is_dir():
                yield from _sources(path)


# -- the store of this process ----------------------------------------------------------------------------------------


def open_store() -> Store | None:
    """The store that the environment names, or None where there is none."""
    return _open(os.environ.get("SYMGRAPH_CACHE", ""), os.environ.get("XDG_CACHE_HOME", ""))


@lru_cache(maxsize=8)
def _open(setting: str, caches: str) -> Store | None:
    if setting.lower() == "off":
        return None
    try:
        if setting:
            return Store(Path(setting).expanduser().absolute())
        base = Path(caches) if os.path.isabs(caches) else Path.home() / ".cache"
    except RuntimeError as error:
        events.tell("cache", "no place to keep compiled code: %s", error)
        return None
    return Store(base / "symgraph")
