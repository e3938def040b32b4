"""TensorBoard's files: read by a decoder of the test's own, and, where it is installed, by TensorBoard itself."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgraph.keras.callbacks import LambdaCallback, TensorBoard
from symgraph.keras.callbacks.event_file import masked_crc
from symgraph.keras.layers import Conv1D, Dense, Embedding, Flatten, Input, add
from symgraph.keras.models import Model, Sequential
from tests.keras.small_models import X, Y, linear

pytestmark = pytest.mark.usefixtures("session")


def fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a protobuf message: a decoder of its own."""

    def varint(at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            value |= (data[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if not data[at - 1] & 0x80:
                return value, at

    at = 0
    while at < len(data):
        key, at = varint(at)
        value: Any
        if key & 7 == 0:
            value, at = varint(at)
        elif key & 7 == 2:
            size, at = varint(at)
            value, at = data[at : at + size], at + size
        else:
            size, form = (8, "<d") if key & 7 == 1 else (4, "<f")
            (value,), at = struct.unpack(form, data[at : at + size]), at + size
        yield key >> 3, value


def events(folder: Path) -> list[dict[int, Any]]:
    (path,) = folder.glob("events.out.tfevents.*")
    data, found = path.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        assert struct.unpack("<I", data[8:12])[0] == masked_crc(data[:8])
        body = data[12 : 12 + length]
        assert struct.unpack("<I", data[12 + length : 16 + length])[0] == masked_crc(body)
        found.append(dict(fields(body)))
        data = data[16 + length :]
    return found


def test_tensorboard(tmp_path: Path) -> None:
    assert masked_crc(b"123456789") == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF
    model = linear()
    history = model.fit(X, Y, epochs=2, verbose=0, callbacks=[TensorBoard(tmp_path / "a", histogram_freq=1)])
    first, drawn, *rest = events(tmp_path / "a")
    assert drawn.keys() == {1, 4} and first[3] == b"brain.Event:2" and [e[2] for e in rest] == [0, 0, 1, 1]
    value = dict(fields(next(v for k, v in fields(rest[2][5]) if k == 1)))
    assert value[1] == b"loss" and value[2] == pytest.approx(history.history["loss"][1], rel=1e-6)
    shown = [dict(fields(v)) for _, v in fields(rest[3][5])]
    assert [s[1].decode() for s in shown] == [w.name for w in model.weights]
    kernel = model.get_weights()[0].astype("float64")
    proto = dict(fields(shown[0][5]))
    assert (proto[1], proto[2], proto[3]) == (kernel.min(), kernel.max(), 8) and proto[4] == pytest.approx(kernel.sum())
    assert np.frombuffer(proto[7], "<f8").sum() == 8 and len(proto[6]) == len(proto[7])
    seen: list[int] = []
    count = LambdaCallback(on_batch_end=lambda batch, logs: seen.append(batch))
    model.fit(X, Y, batch_size=10, verbose=0, callbacks=[TensorBoard(str(tmp_path / "b"), update_freq=20), count])
    assert [e[2] for e in events(tmp_path / "b")[2:]] == [20, 40, 0] and len(seen) == 5


def values(event: dict[int, Any]) -> dict[str, dict[int, Any]]:
    """The ``Summary.Value``s of an event by tag."""
    shown = [dict(fields(v)) for _, v in fields(event[5])]
    return {v[1].decode(): v for v in shown}


def branched() -> Model:
    shared = Dense(4, activation="relu", name="shared")
    inner = Sequential([Dense(4, input_shape=(4,), name="first"), Dense(2, name="second")], name="inner")
    x, y = Input((4,), name="x"), Input((4,), name="y")
    model = Model([x, y], add([inner(shared(x)), inner(shared(y))], name="sum"))
    model.compile("sgd", "mse")
    return model


def graph_nodes(folder: Path) -> dict[str, tuple[str, list[str], list[Any]]]:
    """Names to op, inputs and output shape."""
    (event,) = [e for e in events(folder) if 4 in e]
    nodes = {}
    for number, data in fields(event[4]):
        if number != 1:
            continue
        node = list(fields(data))
        shape: list[Any] = []
        for attribute in (dict(fields(v)) for k, v in node if k == 5):
            if attribute[1] == b"_output_shapes":
                sizes = dict(fields(dict(fields(attribute[2]))[1])).get(7, b"")
                shape = [struct.unpack("<q", struct.pack("<Q", dict(fields(d))[1]))[0] for _, d in fields(sizes)]
        named = dict(node)
        nodes[named[1].decode()] = (named[2].decode(), [v.decode() for k, v in node if k == 3], shape)
    return nodes


def test_the_graph_of_a_model(tmp_path: Path) -> None:
    branched().fit([X, X], Y, verbose=0, callbacks=[TensorBoard(tmp_path)])
    nodes = graph_nodes(tmp_path)
    assert nodes["x"] == ("Placeholder", [], [-1, 4])
    assert nodes["shared/Dense"] == ("Dense", ["x", "shared/kernel", "shared/bias"], [-1, 4])
    assert nodes["shared/Dense_1"][1][0] == "y"
    assert nodes["inner/first/Dense"][1] == ["shared/Dense", "inner/first/kernel", "inner/first/bias"]
    assert nodes["inner/second/Dense_1"][1][0] == "inner/first/Dense_1"
    assert nodes["sum/Add"][1] == ["inner/second/Dense", "inner/second/Dense_1"]
    assert nodes["loss/sum_loss"][1] == ["sum/Add", "sum_target"] and nodes["training/SGD"][1] == ["loss/total"]
    assert all(name in nodes for _, inputs, _ in nodes.values() for name in inputs)
    branched().fit([X, X], Y, verbose=0, callbacks=[TensorBoard(tmp_path / "b", write_graph=False)])
    assert not [e for e in events(tmp_path / "b") if 4 in e]


def unpacked(png: bytes) -> Any:
    """The pixels of a grey PNG file without filters."""
    at, parts = 8, {}
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        parts[png[at + 4 : at + 8]] = png[at + 8 : at + 8 + length]
        at += length + 12
    width, height = struct.unpack(">II", parts[b"IHDR"][:8])
    return np.frombuffer(zlib.decompress(parts[b"IDAT"]), "uint8").reshape(height, width + 1)[:, 1:]


def test_pictures_gradients_and_activity(tmp_path: Path) -> None:
    model = Sequential([Conv1D(5, 2, input_shape=(4, 3), name="conv"), Flatten(), Dense(2, name="dense")])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(50, 4, 3)).astype("float32")
    board = TensorBoard(tmp_path, histogram_freq=1, write_grads=True, write_images=True, batch_size=8)
    kernel: list[Any] = []
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: kernel.append(model.get_weights()[2]))
    model.fit(x, Y, verbose=0, epochs=1, validation_data=(x[:20], Y[:20]), callbacks=[board, keep])
    found = values(events(tmp_path)[-1])
    assert {"conv/kernel_grad", "dense/bias_grad", "conv_out", "dense_out"} <= set(found)
    assert dict(fields(found["dense_out"][5]))[3] == 16  # eight samples of the first batch, two outputs
    assert {"conv/kernel/image/0", "conv/kernel/image/2", "conv/bias/image", "dense/kernel/image"} <= set(found)
    picture = dict(fields(found["dense/kernel/image"][4]))
    assert (picture[1], picture[2], picture[3]) == (2, 15, 1)
    expected = 127.5 + kernel[0].T * (127.5 / np.abs(kernel[0]).max())
    assert np.abs(unpacked(picture[4]).astype(float) - expected).max() <= 1


def test_embeddings(tmp_path: Path) -> None:
    model = Sequential([Embedding(7, 3, input_length=2, name="words"), Flatten(), Dense(2)])
    model.compile("sgd", "mse")
    words = np.arange(50).reshape(25, 2) % 7
    board = TensorBoard(
        tmp_path, embeddings_freq=1, embeddings_data=words[:5], embeddings_metadata={"words": "names.tsv"}, batch_size=2
    )
    model.fit(words, Y[:25], verbose=0, callbacks=[board])
    rows = np.loadtxt(tmp_path / "words_embedding.tsv", delimiter="\t")
    np.testing.assert_allclose(rows, model.get_weights()[0][words[:5]].reshape(5, 6), rtol=1e-5)
    config = (tmp_path / "projector_config.pbtxt").read_text()
    assert 'tensor_path: "words_embedding.tsv"' in config and 'metadata_path: "names.tsv"' in config


def test_tensorboard_itself_reads_the_files(tmp_path: Path) -> None:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    model = branched()
    board = TensorBoard(tmp_path, histogram_freq=1, write_grads=True, write_images=True)
    history = model.fit([X, X], Y, epochs=3, verbose=0, validation_data=([X, X], Y), callbacks=[board]).history
    found = reader.EventAccumulator(str(tmp_path), size_guidance={"images": 0, "histograms": 0})
    found.Reload()
    assert [s.value for s in found.Scalars("val_loss")] == pytest.approx(history["val_loss"], rel=1e-6)
    assert [s.step for s in found.Scalars("loss")] == [0, 1, 2]
    kernel = found.Histograms("first/kernel")[-1].histogram_value
    assert kernel.num == 16 and sum(kernel.bucket) == 16
    assert found.Images("first/kernel/image")[0].encoded_image_string[:4] == b"\x89PNG"
    graph = found.Graph()
    assert {node.name: list(node.input) for node in graph.node}["shared/Dense"][0] == "x"
    assert [d.size for d in graph.node[0].attr["_output_shapes"].list.shape[0].dim] == [-1, 4]
