"""Data sets read from local files: values, Keras's encodings, and files that try to run something."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import pickletools
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgraph.keras.datasets import boston_housing, cifar, cifar10, cifar100, fashion_mnist, imdb, reuters
from symgraph.keras.datasets.plain_pickle import read_plain_pickle

SHARED = Path(__file__).parents[3] / "shared" / "data"
REVIEWS = [[5, 1, 9], [2], [7, 7, 3, 8], [1, 2], [4, 6], [3, 3, 3]]


def object_array(lists: list[list[int]]) -> np.ndarray:
    found = np.empty(len(lists), dtype=object)
    found[:] = lists
    return found


@pytest.fixture
def reviews(tmp_path: Path) -> str:
    """Keras's layout: arrays of objects, pickled."""
    file = tmp_path / "reviews.npz"
    x, y = object_array(REVIEWS), np.arange(6)
    np.savez(file, x_train=x, y_train=y, x_test=x[:4], y_test=y[:4], x=x, y=y)
    return str(file)


def encoded_by_hand(lists: list[list[int]], labels: Any, rng: Any, start: Any, index_from: int, maxlen: Any) -> Any:
    """The order, starts and lengths, as Keras describes them."""
    order = np.arange(len(lists))
    rng.shuffle(order)
    x = [lists[i] for i in order]
    x = [([] if start is None else [start]) + [w + index_from for w in text] for text in x]
    return [(text, labels[i]) for text, i in zip(x, order, strict=True) if maxlen is None or len(text) < maxlen]


@pytest.mark.parametrize(
    ("arguments", "limit"),
    [
        ({}, 12),
        ({"num_words": 8}, 8),
        ({"num_words": 8, "skip_top": 5, "seed": 3}, 8),
        ({"oov_char": None, "num_words": 7}, 7),
        ({"start_char": None, "index_from": 0, "num_words": 5}, 5),
        ({"maxlen": 4, "start_char": 20}, 20),
    ],
)
def test_imdb_is_encoded_as_in_keras(reviews: str, arguments: dict[str, Any], limit: int) -> None:
    (x_train, y_train), (x_test, y_test) = imdb.load_data(path=reviews, **arguments)
    rng = np.random.RandomState(arguments.get("seed", 113))
    how = (arguments.get("start_char", 1), arguments.get("index_from", 3), arguments.get("maxlen"))
    skip, oov = arguments.get("skip_top", 0), arguments.get("oov_char", 2)
    for lists, x, y in ((REVIEWS, x_train, y_train), (REVIEWS[:4], x_test, y_test)):
        expected = encoded_by_hand(lists, range(6), rng, *how)
        assert y.tolist() == [label for _, label in expected]
        cut = [[w if skip <= w < limit else oov for w in text] for text, _ in expected]
        assert x.tolist() == [[w for w in text if w is not None] for text in cut]


def test_wrong_arguments_of_imdb(reviews: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="maxlen=1, no sequence was kept"):
        imdb.load_data(path=reviews, maxlen=1)
    with pytest.raises(TypeError, match="Unrecognized keyword arguments"):
        imdb.load_data(path=reviews, bogus=1)
    with pytest.warns(UserWarning, match="renamed"):
        (x, _), _ = imdb.load_data(path=reviews, nb_words=5)
    assert max(map(max, x)) < 5
    with pytest.raises(FileNotFoundError, match=r"there is no file .*absent\.npz"):
        imdb.load_data(path=str(tmp_path / "absent.npz"))


def test_reuters_is_split(reviews: str) -> None:
    (x_train, y_train), (x_test, y_test) = reuters.load_data(path=reviews, test_split=0.5)
    expected = encoded_by_hand(REVIEWS, range(6), np.random.RandomState(113), 1, 3, None)
    assert y_train.tolist() + y_test.tolist() == [label for _, label in expected]
    assert x_train.tolist() == [[w if w < 12 else 2 for w in text] for text, _ in expected[:3]]
    assert len(x_test) == 3


def test_flat_reviews_give_the_same(reviews: str, tmp_path: Path) -> None:
    """A file cut to five words knows the others as unknown; everything else is as from the whole file."""
    file = tmp_path / "flat.npz"
    arrays: dict[str, Any] = {}
    for part, lists in (("train", REVIEWS), ("test", REVIEWS[:4])):
        texts = [[1] + [w + 3 if w + 3 < 8 else 2 for w in text] for text in lists]
        arrays[f"x_{part}_flat"] = np.concatenate(texts).astype(np.int32)
        arrays[f"x_{part}_offsets"] = np.cumsum([0, *map(len, texts)])
        arrays[f"y_{part}"] = np.arange(len(lists))
    np.savez(file, **arrays)
    variants: list[dict[str, Any]] = [{}, {"start_char": None}, {"oov_char": None}]
    for arguments in [*variants, {"index_from": 1, "start_char": 99, "oov_char": 50}]:
        words = 5 + arguments.get("index_from", 3)
        whole, cut = (imdb.load_data(path=f, num_words=words, **arguments) for f in (reviews, str(file)))
        for (x, y), (u, v) in zip(whole, cut, strict=True):
            assert x.tolist() == u.tolist() and y.tolist() == v.tolist()
    arrays["x_test_offsets"][1] += 100
    np.savez(file, **arrays)
    with pytest.raises(ValueError, match="offsets do not cut"):
        imdb.load_data(path=str(file))


def test_word_indices(tmp_path: Path) -> None:
    file = tmp_path / "index.json"
    file.write_text(json.dumps({"the": 1, "and": 2}))
    assert imdb.get_word_index(str(file)) == reuters.get_word_index(str(file)) == {"the": 1, "and": 2}
    for text in ("{", "[1]", '{"the": "x"}'):
        file.write_text(text)
        with pytest.raises(ValueError, match="is no word index"):
            imdb.get_word_index(str(file))


@pytest.mark.skipif(not SHARED.exists(), reason=f"{SHARED} is not on this machine")
def test_the_subsets_load() -> None:
    (x_train, y_train), (x_test, y_test) = imdb.load_data(path=str(SHARED / "imdb_subset.npz"), num_words=500)
    assert len(x_train) == len(y_train) == 5000 and len(x_test) == len(y_test) == 1000
    assert all(text[0] == 1 and max(text) < 500 and min(text) >= 1 for text in x_train[:100])
    (x, y), (u, v) = cifar10.load_data(path=str(SHARED / "cifar10_subset.npz"))
    assert x.shape == (10000, 32, 32, 3) and y.shape == (10000, 1) and u.shape == (2000, 32, 32, 3) and v.max() == 9


def python2_batch(images: np.ndarray, labels: dict[bytes, list[int]]) -> bytes:
    """A batch as Python 2 pickled it: protocol 2, strings as bytes, the old name of NumPy's module."""

    def string(value: bytes) -> bytes:
        size = len(value)
        return (b"U" + bytes([size]) if size < 256 else b"T" + size.to_bytes(4, "little")) + value

    def integers(values: list[int]) -> bytes:
        return b"](" + b"".join(b"K" + bytes([v]) for v in values) + b"e"

    shape = b"".join(b"M" + n.to_bytes(2, "little") for n in images.shape) + b"\x86"
    array = b"cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85" + string(b"b") + b"\x87R"
    dtype = (
        b"cnumpy\ndtype\n"
        + string(b"u1")
        + b"K\x00K\x01\x87R(K\x03"
        + string(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    array += b"(K\x01" + shape + dtype + b"\x89" + string(images.tobytes()) + b"tb"
    items = string(b"data") + array + b"".join(string(k) + integers(v) for k, v in labels.items())
    return b"\x80\x02}(" + items + string(b"batch_label") + string(b"one") + b"u."


def test_cifar_batches_are_read_without_unpickling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (2, 3072)).astype(np.uint8) for _ in range(6)]
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    for i, (name, data) in enumerate(zip(names, images, strict=True)):
        content = python2_batch(data, {b"labels": [i, 9], b"fine_labels": [i, 99], b"coarse_labels": [i, 19]})
        pickletools.dis(content, out=io.StringIO())  # it is a well-formed pickle
        (tmp_path / name).write_bytes(content)
    (x_train, y_train), (x_test, y_test) = cifar10.load_data(path=str(tmp_path))
    assert x_train.shape == (10, 32, 32, 3) and y_train.ravel().tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]
    np.testing.assert_array_equal(x_test[1], images[5][1].reshape(3, 32, 32).transpose(1, 2, 0))
    assert y_test.tolist() == [[5], [9]] and y_test.dtype == np.uint8
    (tmp_path / "train").write_bytes((tmp_path / "data_batch_1").read_bytes())
    (tmp_path / "test").write_bytes((tmp_path / "test_batch").read_bytes())
    assert cifar100.load_data(path=str(tmp_path))[1][1].tolist() == [[5], [99]]
    assert cifar100.load_data("coarse", path=str(tmp_path))[1][1].tolist() == [[5], [19]]
    with pytest.raises(ValueError, match="label_mode"):
        cifar100.load_data("bogus", path=str(tmp_path))
    monkeypatch.setattr(cifar, "image_data_format", lambda: "channels_first")
    np.testing.assert_array_equal(cifar10.load_data(path=str(tmp_path))[1][0], images[5].reshape(2, 3, 32, 32))
    (tmp_path / "data_batch_3").write_bytes(content[:-200])
    with pytest.raises(ValueError, match="data_batch_3 is no batch of CIFAR"):
        cifar10.load_data(path=str(tmp_path))


def test_plain_pickles_of_every_protocol() -> None:
    value = {"a": np.arange(6, dtype=">i4").reshape(2, 3), "b": [1, -5, 2**40, 2.5, None, True, "x", b"y"]}
    value["f"] = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    for protocol in (2, 3, 4):
        found = read_plain_pickle(io.BytesIO(pickle.dumps(value, protocol=protocol)))
        assert found["b"] == value["b"]
        for name in "af":
            np.testing.assert_array_equal(found[name], value[name])
            assert found[name].dtype == value[name].dtype


class Runs:
    def __reduce__(self) -> Any:
        return Path.touch, (Path("/nonexistent/touched"),)


@pytest.mark.parametrize(
    "content",
    [
        *(pickle.dumps(Runs(), protocol=p) for p in range(5)),
        *(pickle.dumps([eval], protocol=p) for p in (2, 4)),
        pickle.dumps(np.array([Runs()], dtype=object), protocol=2),
        pickle.dumps(np.zeros(2, dtype=[("a", "f4")]), protocol=2),
        pickle.dumps(np.datetime64("2020-01-01"), protocol=2),
        b"\x80\x02cnumpy\nndarray\nK\x05\x85R.",  # numpy.ndarray(5)
        b"\x80\x02cnumpy\ndtype\n}b.",  # changes what it names
        b"\x80\x02cnumpy\ndtype\n.",  # a name instead of data
        b"\x80\x02K\x01r\xff\xff\xff\x7f.",  # a memo of 16 GB
        b"\x80\x02X\xff\xff\xff\x7fabc.",
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R.",  # no values
        b"",
        b"\x80\x02](K\x01",
        b"garbage",
    ],
)
def test_pickles_that_are_more_than_data_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        read_plain_pickle(io.BytesIO(content))


def test_every_truncation_of_a_pickle_is_refused(reviews: str) -> None:
    whole = pickle.dumps({"data": np.arange(4), "labels": [1, 2]}, protocol=2)
    for size in range(len(whole)):
        with pytest.raises(ValueError):
            read_plain_pickle(io.BytesIO(whole[:size]))


def test_archives_that_are_no_data(reviews: str, tmp_path: Path) -> None:
    content = Path(reviews).read_bytes()
    file = tmp_path / "broken.npz"
    for broken in (content[: len(content) // 2], b"text", content.replace(b"x_train.npy", b"y_train.npy")):
        file.write_bytes(broken)
        with pytest.raises(ValueError, match="is no archive of the arrays"):
            imdb.load_data(path=str(file))
    np.savez(file, x_train=np.array([Runs()] * 6), y_train=np.arange(6))
    with pytest.raises(ValueError, match="which is not called"):
        imdb.load_data(path=str(file))
    np.savez(file, x_train=object_array([["a"]]), y_train=np.arange(1))  # type: ignore[list-item]
    with pytest.raises(ValueError, match="something else than numbers"):
        imdb.load_data(path=str(file))
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': 'O',  \n")
        archive.writestr("y.npy", b"")
    with pytest.raises(ValueError, match="is no archive"):
        boston_housing.load_data(path=str(file))


def test_boston_housing(tmp_path: Path) -> None:
    file = tmp_path / "housing.npz"
    np.savez(file, x=np.arange(20.0).reshape(10, 2), y=np.arange(10.0))
    (x_train, y_train), (x_test, y_test) = boston_housing.load_data(str(file), test_split=0.3)
    order = np.arange(10)
    np.random.RandomState(113).shuffle(order)
    np.testing.assert_array_equal(np.concatenate([y_train, y_test]), order)
    np.testing.assert_array_equal(x_test[:, 0], y_test * 2)
    assert len(x_train) == 7
    with pytest.raises(ValueError, match="test_split"):
        boston_housing.load_data(str(file), test_split=1.0)


def test_fashion_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = np.arange(2 * 28 * 28).astype(np.uint8).reshape(2, 28, 28), np.array([3, 4], np.uint8)
    contents = {
        "images.gz": bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28]) + images.tobytes(),
        "labels.gz": bytes([0, 0, 8, 1, 0, 0, 0, 2]) + labels.tobytes(),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(gzip.compress(content))
    (tmp_path / "short.gz").write_bytes(gzip.compress(contents["images.gz"][:-1]))
    monkeypatch.setattr(fashion_mnist, "get_file", lambda name, **_: str(tmp_path / name))

    def files(images: str, labels: str) -> None:
        monkeypatch.setattr(fashion_mnist, "_FILES", ((images, "", (2, 28, 28)), (labels, "", (2,))) * 2)

    files("images.gz", "labels.gz")
    (x_train, y_train), (x_test, _) = fashion_mnist.load_data()
    np.testing.assert_array_equal(x_train, images)
    np.testing.assert_array_equal(x_test, images)
    assert y_train.tolist() == [3, 4]
    for name in ("short.gz", "labels.gz"):
        files(name, "labels.gz")
        with pytest.raises(ValueError, match="does not hold 2 entries"):
            fashion_mnist.load_data()
    (tmp_path / "images.gz").write_bytes(b"\x1f\x8bno gzip")
    files("images.gz", "labels.gz")
    with pytest.raises(ValueError, match="is damaged"):
        fashion_mnist.load_data()
