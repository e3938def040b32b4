"""The shipped digits, MNIST from the cache, and downloads that fail."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from symgraph.keras.datasets import digits, mnist
from symgraph.keras.utils import data_utils

SHARED_MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist.npz"


@pytest.fixture
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path


def file_origin(path: Path) -> str:
    return path.resolve().as_uri()


def test_digits_are_the_uci_set_with_a_fixed_split() -> None:
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert x_train.shape == (1437, 8, 8) and x_test.shape == (360, 8, 8)
    assert y_train.shape == (1437,) and y_test.shape == (360,)
    assert all(a.dtype == np.uint8 for a in (x_train, y_train, x_test, y_test))
    assert x_train.max() == 16 and set(y_test) == set(range(10))
    images, labels = np.empty((1797, 8, 8), np.uint8), np.empty(1797, np.uint8)
    is_test = np.arange(1797) % 5 == 0
    images[is_test], images[~is_test], labels[is_test], labels[~is_test] = x_test, x_train, y_test, y_train
    whole = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    assert whole == "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def test_digits_come_with_their_licence_and_are_small() -> None:
    folder = Path(digits.__file__).parent
    assert "CC BY 4.0" in (folder / "digits.LICENSE").read_text()
    assert (folder / "digits.npz").stat().st_size <= 100_000


def test_mnist_reads_the_cache_without_a_network(keras_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = {name: np.arange(6, dtype=np.uint8) for name in mnist.NAMES}
    digest = hashlib.sha256(b"".join(content[name].tobytes() for name in mnist.NAMES)).hexdigest()
    monkeypatch.setattr(mnist, "CONTENT_SHA256", digest)
    monkeypatch.setattr(mnist, "ORIGIN", file_origin(keras_home / "absent.npz"))
    (keras_home / "datasets").mkdir()
    np.savez(keras_home / "datasets" / "mnist.npz", **content)
    (x_train, _), (_, y_test) = mnist.load_data()
    np.testing.assert_array_equal(x_train, content["x_train"])
    np.testing.assert_array_equal(y_test, content["y_test"])


@pytest.mark.parametrize("damage", ["truncated", "other data", "missing array", "pickle"])
def test_mnist_does_not_take_another_file_for_mnist(
    keras_home: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    monkeypatch.setattr(mnist, "ORIGIN", file_origin(keras_home / "absent.npz"))
    path = keras_home / "datasets" / "mnist.npz"
    path.parent.mkdir()
    names = mnist.NAMES[:3] if damage == "missing array" else mnist.NAMES
    dtype = object if damage == "pickle" else np.uint8
    np.savez(path, **{name: np.zeros(4, dtype) for name in names})
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:100])
    before = path.read_bytes()
    with pytest.raises(OSError, match=r"could not download .*absent\.npz.*put the file at"):
        mnist.load_data()
    assert path.read_bytes() == before and os.listdir(path.parent) == ["mnist.npz"]


@pytest.mark.skipif(not SHARED_MNIST.exists(), reason=f"{SHARED_MNIST} is not on this machine")
def test_mnist_repacked_is_mnist() -> None:
    (x_train, y_train), (x_test, y_test) = mnist.load_data(str(SHARED_MNIST))
    assert x_train.shape == (60000, 28, 28) and x_test.shape == (10000, 28, 28)
    assert y_train[:5].tolist() == [5, 0, 4, 1, 9] and y_test[:3].tolist() == [7, 2, 1]


def test_get_file_downloads_once(keras_home: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.txt"
    source.write_text("text")
    digest = hashlib.sha256(b"text").hexdigest()
    path = data_utils.get_file("copy.txt", file_origin(source), file_hash=digest)
    assert path == str(keras_home / "datasets" / "copy.txt") and Path(path).read_text() == "text"
    source.unlink()
    assert data_utils.get_file("copy.txt", file_origin(source), file_hash=digest) == path


def test_get_file_replaces_a_stale_file_and_refuses_a_wrong_one(keras_home: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.txt"
    source.write_text("new")
    cached = keras_home / "datasets" / "copy.txt"
    cached.parent.mkdir()
    cached.write_text("old")
    data_utils.get_file("copy.txt", file_origin(source), md5_hash=hashlib.md5(b"new").hexdigest())
    assert cached.read_text() == "new"
    with pytest.raises(ValueError, match="damaged or another file"):
        data_utils.get_file("copy.txt", file_origin(source), file_hash="0" * 64)
    assert cached.read_text() == "new" and os.listdir(cached.parent) == ["copy.txt"]


def test_get_file_unpacks(keras_home: Path, tmp_path: Path) -> None:
    source = tmp_path / "pack.tar.gz"
    with tarfile.open(source, "w:gz") as tar:
        entry = tarfile.TarInfo("pack/inside.txt")
        entry.size = 4
        tar.addfile(entry, io.BytesIO(b"text"))
    folder = data_utils.get_file("pack", file_origin(source), untar=True)
    assert (Path(folder) / "inside.txt").read_text() == "text"
