"""Images in files: reading, writing, folders of classes and tables; where Pillow is installed."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgraph.keras.preprocessing import image
from symgraph.keras.preprocessing.image import ImageDataGenerator

RNG = np.random.default_rng(0)


def test_without_pillow_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    for use in (lambda: image.load_img(tmp_path / "x.png"), lambda: image.array_to_img(np.zeros((2, 2, 1)))):
        with pytest.raises(ImportError, match="needs Pillow"):
            use()


def test_arrays_without_pillow() -> None:
    grey, colour = np.arange(6).reshape(2, 3), np.arange(18).reshape(2, 3, 3)
    assert image.img_to_array(grey).shape == (2, 3, 1) and image.img_to_array(grey).dtype == np.float32
    np.testing.assert_array_equal(image.img_to_array(colour, "channels_first", "int32"), colour.transpose(2, 0, 1))
    assert image.img_to_array(grey, "channels_first").shape == (1, 2, 3)
    with pytest.raises(ValueError, match="Unsupported image shape"):
        image.img_to_array(np.zeros(3))
    with pytest.raises(ValueError, match="data_format"):
        image.img_to_array(grey, "bogus")


@pytest.fixture
def pillow() -> Any:
    return pytest.importorskip("PIL.Image", reason="Pillow is not installed")


@pytest.fixture
def pictures(pillow: Any, tmp_path: Path) -> Path:
    """Two classes with 5 and 4 pictures; the pixels of picture ``i`` of a class are ``10 i`` (or ``100 + 10 i``)."""
    root = tmp_path / "pictures"
    for name, start, count in (("cats", 0, 5), ("dogs", 100, 4)):
        folder = root / name / "deep" if name == "dogs" else root / name
        folder.mkdir(parents=True)
        for i in range(count):
            image.save_img(folder / f"{i}.png", np.full((4, 6, 3), start + 10 * i), scale=False)
        (root / name / "notes.txt").write_text("no picture")
    return root


def test_pictures_come_back(pillow: Any, tmp_path: Path) -> None:
    for channels, mode in ((1, "grayscale"), (3, "rgb"), (4, "rgba")):
        x = RNG.integers(0, 256, (5, 7, channels)).astype("float32")
        image.save_img(tmp_path / "x.png", x, scale=False)
        np.testing.assert_array_equal(image.img_to_array(image.load_img(tmp_path / "x.png", color_mode=mode)), x)
        image.save_img(str(tmp_path / "y.png"), x.transpose(2, 0, 1), "channels_first", scale=False)
        np.testing.assert_array_equal(image.img_to_array(image.load_img(tmp_path / "y.png", color_mode=mode)), x)
    stream = io.BytesIO()
    image.save_img(stream, x, file_format="png", scale=False)
    stream.seek(0)
    assert image.load_img(stream, color_mode="rgba").size == (7, 5)
    with pytest.warns(UserWarning, match="does not support RGBA"):
        image.save_img(tmp_path / "x.jpg", x)
    assert image.load_img(tmp_path / "x.jpg").mode == "RGB"
    with pytest.warns(UserWarning, match="deprecated"):
        assert image.load_img(tmp_path / "x.jpg", grayscale=True).mode == "L"
    deep = np.array([[[70000.0], [3.0]]])
    image.save_img(tmp_path / "deep.tif", deep, scale=False)
    np.testing.assert_array_equal(
        image.img_to_array(image.load_img(tmp_path / "deep.tif", color_mode="grayscale"), dtype="int32"), deep
    )
    scaled = image.img_to_array(image.array_to_img(np.array([[[-1.0], [0.0], [3.0]]])))
    assert scaled.ravel().tolist() == [0, 63, 255]
    assert image.list_pictures(tmp_path, "png") == [str(tmp_path / "x.png"), str(tmp_path / "y.png")]
    assert image.validate_filename(tmp_path / "x.png", ("png",)) and not image.validate_filename(tmp_path, ("png",))


def test_sizes_and_wrong_files(pillow: Any, tmp_path: Path) -> None:
    image.save_img(tmp_path / "x.png", np.arange(24).reshape(4, 6, 1), scale=False)
    assert image.load_img(tmp_path / "x.png", target_size=(2, 3), interpolation="bilinear").size == (3, 2)
    for arguments, message in (({"color_mode": "bogus"}, "color_mode must be"), ({"interpolation": "x"}, "Invalid")):
        with pytest.raises(ValueError, match=message):
            image.load_img(tmp_path / "x.png", **arguments)
    (tmp_path / "program.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    (tmp_path / "short.png").write_bytes((tmp_path / "x.png").read_bytes()[:40])
    for name in ("program.png", "short.png", "absent.png"):
        with pytest.raises(OSError):
            image.load_img(tmp_path / name)
    for shape, message in (((2, 2), "rank 3"), ((2, 2, 2), "channel number")):
        with pytest.raises(ValueError, match=message):
            image.array_to_img(np.zeros(shape))


def test_folders_of_classes(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flow = ImageDataGenerator().flow_from_directory(
        pictures, target_size=(2, 2), batch_size=4, shuffle=False, class_mode="sparse"
    )
    assert capsys.readouterr().out == "Found 9 images belonging to 2 classes.\n"
    assert flow.class_indices == {"cats": 0, "dogs": 1} and flow.num_classes == 2 and len(flow) == 3
    assert flow.filenames[0] == "cats/0.png" and flow.filenames[-1] == "dogs/deep/3.png"
    x, y = next(flow)
    assert x.shape == (4, 2, 2, 3) and x[:, 0, 0, 0].tolist() == [0, 10, 20, 30] and y.tolist() == [0, 0, 0, 0]
    x, y = flow[1]
    assert x[:, 0, 0, 0].tolist() == [40, 100, 110, 120] and y.tolist() == [0, 1, 1, 1] and y.dtype == np.float32


def test_modes_of_folders(pictures: Path) -> None:
    flow = ImageDataGenerator(rescale=1 / 255, validation_split=0.5).flow_from_directory
    _, y = flow(pictures, (2, 2), classes=["dogs", "cats"], shuffle=False)[0]
    assert y.tolist() == [[1, 0]] * 4 + [[0, 1]] * 5
    x, y = flow(pictures, (2, 2), color_mode="grayscale", class_mode="input")[0]
    assert x.shape == (9, 2, 2, 1) and x is not y and np.array_equal(x, y) and x.max() < 1
    assert flow(pictures, (2, 2), class_mode=None, color_mode="rgba")[0].shape == (9, 2, 2, 4)
    parts = [flow(pictures, (2, 2), class_mode="binary", subset=s).filenames for s in ("training", "validation")]
    assert [len(p) for p in parts] == [5, 4] and not set(parts[0]) & set(parts[1])
    first = ImageDataGenerator(data_format="channels_first").flow_from_directory(pictures, (2, 3), class_mode=None)
    assert first[0].shape == (9, 3, 2, 3)
    for arguments, message in (
        ({"class_mode": "raw"}, "Invalid class_mode"),
        ({"color_mode": "x"}, "Invalid color mode"),
        ({"subset": "x"}, "Invalid subset name"),
    ):
        with pytest.raises(ValueError, match=message):
            flow(pictures, **arguments)
    with pytest.raises(OSError, match="absent"):
        flow(pictures / "absent")


def test_images_that_are_made_are_written(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    flow = ImageDataGenerator().flow_from_directory(
        pictures, (4, 6), batch_size=3, shuffle=False, save_to_dir=str(out), save_prefix="made", seed=1
    )
    flow[0]
    names = sorted(p.name for p in out.iterdir())
    assert [n.rsplit("_", 1)[0] for n in names] == ["made_0", "made_1", "made_2"]
    arrays = ImageDataGenerator().flow(np.ones((2, 3, 3, 1)), save_to_dir=str(out), save_format="jpg", save_prefix="a")
    next(arrays)
    assert len(list(out.glob("a_*.jpg"))) == 2


def table(pictures: Path) -> dict[str, list[Any]]:
    """What a DataFrame is to an iterator: columns by name."""
    names = [f"cats/{i}.png" for i in range(5)] + [f"dogs/deep/{i}.png" for i in range(4)]
    return {
        "filename": names,
        "class": ["cat"] * 5 + ["dog"] * 4,
        "tags": [["a"], ["a", "b"], ["b"], ["c"], ["c", "a"], ["a"], ["a"], ["b"], ["b"]],
        "size": list(range(9)),
        "weight": [i / 10 for i in range(9)],
    }


def test_tables(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    df = table(pictures)
    flow = ImageDataGenerator(validation_split=1 / 3).flow_from_dataframe
    how: dict[str, Any] = {"directory": str(pictures), "target_size": (2, 2), "shuffle": False}
    x, y, w = flow(df, weight_col="weight", **how)[0]
    assert x[:, 0, 0, 0].tolist() == [0, 10, 20, 30, 40, 100, 110, 120, 130] and w.tolist() == df["weight"]
    assert y.tolist() == [[1, 0]] * 5 + [[0, 1]] * 4
    assert "Found 9 validated image filenames belonging to 2 classes." in capsys.readouterr().out
    several = flow(df, y_col="tags", classes=["a", "b"], **how)
    assert several.samples == 8 and several.class_indices == {"a": 0, "b": 1}
    assert several[0][1].tolist() == [[1, 0], [1, 1], [0, 1], [1, 0], [1, 0], [1, 0], [0, 1], [0, 1]]
    assert several.get_classes({"k": ["b", ["a", "b"]]}, "k") == [1, [0, 1]]
    assert flow(df, class_mode="binary", **how)[0][1].tolist() == [0] * 5 + [1] * 4
    assert flow(df, y_col="size", class_mode="raw", **how)[0][1].tolist() == list(range(9))
    assert flow(df, y_col=["size", "weight"], class_mode="raw", **how)[0][1].shape == (9, 2)
    a, b = flow(df, y_col=["size", "weight"], class_mode="multi_output", **how)[0][1]
    assert a.tolist() == df["size"] and b.tolist() == df["weight"]
    assert flow(df, class_mode=None, **how)[0].shape == (9, 2, 2, 3)
    with pytest.warns(UserWarning, match='please use `class_mode` "raw"'):
        assert flow(df, y_col="size", class_mode="other", **how)[0][1].tolist() == list(range(9))
    parts = [flow(df, subset=s, class_mode="raw", y_col="size", **how) for s in ("validation", "training")]
    assert [p.samples for p in parts] == [3, 6]
    full = {**df, "filename": [str(pictures / name) for name in df["filename"]]}
    assert flow(full, target_size=(2, 2), shuffle=False)[0][1].shape == (9, 2)


def test_wrong_tables(pictures: Path) -> None:
    df = table(pictures)
    flow = ImageDataGenerator().flow_from_dataframe
    with pytest.warns(UserWarning, match="Found 1 invalid image filename"):
        found = flow({**df, "filename": ["absent.png", *df["filename"][1:]]}, str(pictures))
    assert found.samples == 8
    for arguments, error, message in (
        ({"x_col": "size"}, TypeError, "must be strings"),
        ({"y_col": "size"}, TypeError, "must be type string, list or tuple"),
        ({"y_col": "size", "class_mode": "sparse"}, TypeError, "must be strings"),
        ({"y_col": "filename", "class_mode": "binary"}, ValueError, "must be 2 classes"),
        ({"class_mode": "multi_output"}, TypeError, "must be a list"),
        ({"class_mode": "bogus"}, ValueError, "Invalid class_mode"),
        ({"weight_col": "class"}, TypeError, "must be numeric"),
        ({"bogus": 1}, TypeError, "unexpected keyword"),
    ):
        with pytest.raises(error, match=message):
            flow(df, str(pictures), **arguments)  # type: ignore[arg-type]
    with pytest.warns(UserWarning, match="will be ignored"):
        flow(df, str(pictures), classes=["cat"], class_mode=None)
    with pytest.warns(UserWarning, match="deprecated"):
        flow(df, str(pictures), has_ext=True)


def test_tables_of_pandas(pictures: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    df = pandas.DataFrame(table(pictures)).sample(frac=1, random_state=0)
    flow = ImageDataGenerator().flow_from_dataframe(df, str(pictures), target_size=(2, 2), weight_col="weight",
                                                    shuffle=False, class_mode="sparse")  # fmt: skip
    x, y, w = flow[0]
    assert w.tolist() == df["weight"].tolist() and y.tolist() == (df["class"] == "dog").astype(float).tolist()
    assert x[:, 0, 0, 0].tolist() == [(100 if s > 4 else 0) + 10 * (s - 5 if s > 4 else s) for s in df["size"]]


def test_a_model_learns_from_folders(pictures: Path, session: None) -> None:
    from symgraph.keras.layers import Dense, Flatten
    from symgraph.keras.models import Sequential
    from symgraph.keras.optimizers import Adam

    generator = ImageDataGenerator(rescale=1 / 255, horizontal_flip=True)
    flow = generator.flow_from_directory(pictures, (3, 3), class_mode="binary", batch_size=4, seed=0)
    model = Sequential([Flatten(input_shape=(3, 3, 3)), Dense(1, activation="sigmoid")])
    model.compile(Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    seen = generator.flow_from_directory(pictures, (3, 3), class_mode="binary", batch_size=4, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = model.fit_generator(flow, epochs=20, workers=2, verbose=0, validation_data=seen)
    assert history.history["val_loss"][-1] < history.history["val_loss"][0] - 0.05
    still = generator.flow_from_directory(pictures, (3, 3), class_mode=None, shuffle=False, batch_size=4)
    assert model.predict_generator(still, workers=2).shape == (9, 1)
