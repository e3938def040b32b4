"""Files from a server on this machine: hashes, broken connections, archives that would write elsewhere."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from symgraph.keras.utils import data_utils, get_file
from symgraph.keras.utils.data_utils import urlretrieve, validate_file
from symgraph.keras.utils.extraction import extract_archive

CONTENT = b"0123456789" * 30_000
TEXT_SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """``/file``, ``/unsized`` (without a length), ``/short`` (closes early), ``/echo`` (what was posted)."""

    def do_GET(self) -> None:
        if self.path == "/absent":
            self.send_error(404)
            return
        self.send_response(200)
        if self.path != "/unsized":
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: 1000 if self.path == "/short" else None])

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_downloads_are_checked(server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    md5 = hashlib.md5(CONTENT).hexdigest()
    for i, arguments in enumerate(({"file_hash": TEXT_SHA256}, {"file_hash": md5}, {"md5_hash": md5}, {},
                                   {"file_hash": TEXT_SHA256.upper(), "hash_algorithm": "sha256"})):  # fmt: skip
        path = get_file(f"f{i}", server + "/file", cache_dir=str(tmp_path), **arguments)  # type: ignore[arg-type]
        assert path == str(tmp_path / "datasets" / f"f{i}") and Path(path).read_bytes() == CONTENT
    assert "Downloading data from http://127.0.0.1" in capsys.readouterr().out
    assert get_file("f0", server + "/absent", file_hash=TEXT_SHA256, cache_dir=str(tmp_path)).endswith("f0")
    assert get_file("u", server + "/unsized", cache_dir=str(tmp_path), cache_subdir="other") == str(
        tmp_path / "other/u"
    )
    absolute = get_file(str(tmp_path / "here"), server + "/file")
    assert absolute == str(tmp_path / "here") and validate_file(absolute, TEXT_SHA256)


def test_broken_downloads_leave_nothing(server: str, tmp_path: Path) -> None:
    for path, message in (("/short", "closed after|IncompleteRead"), ("/absent", "404")):
        with pytest.raises(OSError, match=f"could not download .*({message}).*put the file at"):
            get_file("f", server + path, cache_dir=str(tmp_path))
    with pytest.raises(ValueError, match="is damaged or another file"):
        get_file("f", server + "/file", file_hash="0" * 64, cache_dir=str(tmp_path))
    with pytest.raises(OSError, match="could not download"):
        get_file("f", "http://127.0.0.1:1/file", cache_dir=str(tmp_path))
    assert os.listdir(tmp_path / "datasets") == []
    for arguments, message in (
        ({"file_hash": "abc"}, "neither an md5"),
        ({"hash_algorithm": "bogus"}, "'bogus' is not"),
    ):
        with pytest.raises(ValueError, match=message):
            get_file("f", server + "/file", cache_dir=str(tmp_path), **{"file_hash": "0" * 64, **arguments})  # type: ignore[arg-type]


def test_urlretrieve_reports(server: str, tmp_path: Path) -> None:
    seen: list[tuple[int, int, int]] = []
    urlretrieve(server + "/file", tmp_path / "f", lambda *numbers: seen.append(numbers))
    assert [count for count, _, _ in seen] == list(range(len(seen)))
    assert {total for _, _, total in seen} == {len(CONTENT)} and seen[-1][0] * seen[-1][1] >= len(CONTENT)
    urlretrieve(server + "/echo", tmp_path / "f", data=b"sent")
    assert (tmp_path / "f").read_bytes() == b"sent"


def tar_of(*entries: tuple[str, bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with tarfile.open(path, "w:gz") as tar:
            for name, kind in entries:
                entry = tarfile.TarInfo(name)
                entry.type, entry.linkname = kind, "/etc/passwd"
                entry.size = 4 if kind == tarfile.REGTYPE else 0
                tar.addfile(entry, io.BytesIO(b"text"))

    return write


def zip_of(*names: str, link: bool = False) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as zipped:
            for name in names:
                entry = zipfile.ZipInfo(name)
                entry.external_attr = (0o120777 if link else 0o100644) << 16
                zipped.writestr(entry, b"text")

    return write


FILE, LINK, HARD = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (tar_of(("good", FILE), ("../evil", FILE)), "leads out of its folder"),
        (tar_of(("good", FILE), ("/tmp/evil", FILE)), "leads out of its folder"),
        (tar_of(("good", FILE), ("link", LINK)), "is a link or a device"),
        (tar_of(("good", FILE), ("link", HARD)), "is a link or a device"),
        (tar_of(("good", FILE), ("pipe", tarfile.FIFOTYPE)), "is a link or a device"),
        (zip_of("good", "a/../../evil"), "leads out of its folder"),
        (zip_of("good", "..\\evil"), "leads out of its folder"),
        (zip_of("good", "C:/evil"), "leads out of its folder"),
        (zip_of("good", link=True), "is a link or a device"),
    ],
)
def test_archives_that_write_elsewhere_are_not_unpacked(
    write: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    write(folder / "archive")
    with pytest.raises(ValueError, match=message):
        extract_archive(folder / "archive")
    assert os.listdir(folder) == ["archive"] and os.listdir(tmp_path) == ["folder"]


def test_archives_are_unpacked_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").write_text("old")
    for write, name in ((tar_of(("a/x", FILE), ("a/b/y", FILE)), "t.tar.gz"), (zip_of("a/x", "c/z", "d/"), "z.zip")):
        write(tmp_path / name)
        assert get_file(name, "unused:", extract=True, cache_dir=str(tmp_path), cache_subdir="") == str(tmp_path / name)
        assert (tmp_path / "a" / "x").read_text() == "text"
    assert (tmp_path / "a/old").exists() and (tmp_path / "a/b/y").exists() and (tmp_path / "c/z").exists()
    assert not extract_archive(tmp_path / "a/x") and not extract_archive(tmp_path / "z.zip", None)
    assert not extract_archive(tmp_path / "z.zip", "tar") and extract_archive(tmp_path / "z.zip", ["tar", "zip"])
    with pytest.raises(ValueError, match="'rar' are not unpacked"):
        extract_archive(tmp_path / "z.zip", "rar")
    content = (tmp_path / "t.tar.gz").read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="is damaged"):
        extract_archive(tmp_path / "cut.tar.gz")
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 3}))
    with pytest.raises(ValueError, match="not enough space"):
        extract_archive(tmp_path / "z.zip")
    assert not list(tmp_path.glob("*.part"))


def test_an_unpacked_folder_is_enough(tmp_path: Path) -> None:
    (tmp_path / "datasets" / "pack").mkdir(parents=True)
    found = get_file("pack", "unused:", untar=True, file_hash="0" * 64, cache_dir=str(tmp_path))
    assert found == str(tmp_path / "datasets" / "pack")


def test_the_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert data_utils.cache_path("x") == tmp_path / "datasets" / "x"
    assert data_utils.cache_path("x", "models", str(tmp_path / "c")) == tmp_path / "c" / "models" / "x"
