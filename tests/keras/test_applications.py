"""The networks of keras.applications against what keras-applications 1.0.8 builds, and their weights and images."""

from __future__ import annotations

import importlib
import inspect
import json
import lzma
import pickle
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgraph.keras import applications, initializers
from symgraph.keras import backend as K
from symgraph.keras.applications import building, imagenet_utils
from symgraph.keras.layers import Input, ZeroPadding2D

pytestmark = pytest.mark.usefixtures("session")
FIXTURE = Path(__file__).parent / "fixtures" / "applications.txt.xz"
PUBLISHED = {
    "vgg16.VGG16": 138_357_544,
    "vgg19.VGG19": 143_667_240,
    "resnet50.ResNet50": 25_636_712,
    "inception_v3.InceptionV3": 23_851_784,
    "inception_resnet_v2.InceptionResNetV2": 55_873_736,
    "xception.Xception": 22_910_480,
    "mobilenet.MobileNet": 4_253_864,
    "mobilenet_v2.MobileNetV2": 3_538_984,
    "densenet.DenseNet121": 8_062_504,
    "densenet.DenseNet169": 14_307_880,
    "densenet.DenseNet201": 20_242_984,
    "nasnet.NASNetMobile": 5_326_716,
    "nasnet.NASNetLarge": 88_949_818,
    "resnet.ResNet50": 25_636_712,
    "resnet.ResNet101": 44_707_176,
    "resnet.ResNet152": 60_419_944,
    "resnet_v2.ResNet50V2": 25_613_800,
    "resnet_v2.ResNet101V2": 44_675_560,
    "resnet_v2.ResNet152V2": 60_380_648,
}
FAST = {"mobilenet.MobileNet", "xception.Xception"}


@pytest.fixture
def cheap_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels start as zeros: making random ones for the large networks takes seconds."""
    monkeypatch.setattr(
        initializers.VarianceScaling, "__call__", lambda self, shape, dtype=None: np.zeros(shape, dtype or K.floatx())
    )


def builder(network: str) -> Any:
    module, name = network.split(".")
    return getattr(importlib.import_module("symgraph.keras.applications." + module), name)


@lru_cache(maxsize=1)
def listed() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lzma.decompress(FIXTURE.read_bytes()).decode().splitlines():
        if line.split()[0].endswith(":"):
            name, _, summary = line.partition(": ")
            found[name] = [summary]
        else:
            found[name].append(line)
    return found


def described(model: Any) -> list[str]:
    lines = [f"{model.name} {model.count_params()}"]
    for layer in model.layers:
        before = ",".join(b.name for b in layer._inbound_nodes[0].inbound_layers)
        shapes = " ".join("x".join(map(str, K.int_shape(w))) for w in layer.weights)
        lines.append(f"{type(layer).__name__} {layer.name} <- {before} | {shapes}".rstrip(" |"))
    return lines


@pytest.mark.usefixtures("cheap_weights")
@pytest.mark.parametrize("network", [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in PUBLISHED])
def test_layers_are_those_of_keras_in_its_order(network: str) -> None:
    model = builder(network)(weights=None)
    assert model.count_params() == PUBLISHED[network]
    assert described(model) == listed()[network]


def test_the_fixture_is_of_every_network_with_the_published_number_of_weights() -> None:
    assert {name: int(lines[0].split()[1]) for name, lines in listed().items()} == PUBLISHED


@pytest.mark.parametrize("network", ["vgg16.VGG16", "vgg19.VGG19"])
def test_layers_below_the_classifier_of_vgg(network: str) -> None:
    model = builder(network)(weights=None, include_top=False)
    assert described(model)[1:] == listed()[network][1:-4]
    assert model.output_shape == (None, None, None, 512)


SMALL = {"input_shape": (32, 32, 3), "alpha": 0.25, "weights": None}


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"classes": 7}, (None, 7)),
        ({"include_top": False}, (None, 1, 1, 256)),
        ({"include_top": False, "pooling": "avg"}, (None, 256)),
        ({"include_top": False, "pooling": "max"}, (None, 256)),
        ({"include_top": False, "input_shape": (None, None, 3)}, (None, None, None, 256)),
        ({"include_top": False, "input_shape": None}, (None, None, None, 256)),
        ({"include_top": False, "input_shape": (64, 32, 1)}, (None, 2, 1, 256)),
    ],
)
def test_options(options: dict[str, Any], shape: tuple[Any, ...]) -> None:
    assert applications.MobileNet(**{**SMALL, **options}).output_shape == shape


def test_weights_from_a_file(tmp_path: Path) -> None:
    first = applications.MobileNet(**SMALL, classes=3)
    first.save_weights(tmp_path / "weights.h5")
    second = applications.MobileNet(**{**SMALL, "weights": tmp_path / "weights.h5"}, classes=3)
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MobileNetV2", "ResNet50V2"])
def test_predictions_are_those_of_tf_keras(name: str) -> None:
    theirs = getattr(pytest.importorskip("tf_keras").applications, name)(
        input_shape=(37, 32, 3), weights=None, classes=10
    )
    ours = getattr(applications, name)(input_shape=(37, 32, 3), weights=None, classes=10)
    with_weights = ([layer for layer in model.layers if layer.weights] for model in (ours, theirs))
    for layer, wanted in zip(*with_weights, strict=True):
        is_normalization = type(layer).__name__ == "BatchNormalization"
        values = [  # with the initial ones, all outputs are nearly equal
            np.random.uniform(0.7, 1.1, w.shape)
            if is_normalization
            else np.random.uniform(-1.5, 1.5, w.shape) / np.sqrt(np.prod(w.shape[:-1]))
            for w in wanted.get_weights()
        ]
        layer.set_weights(values)
        wanted.set_weights(values)
    x = np.random.uniform(-1, 1, (2, 37, 32, 3)).astype("float32")
    expected = theirs.predict(x, verbose=0)
    assert expected.std() > 1e-3
    np.testing.assert_allclose(ours.predict(x), expected, rtol=1e-4, atol=1e-6)


def test_an_image_that_is_given() -> None:
    image = Input((30, 30, 3))
    padded = ZeroPadding2D(1)(image)
    model = applications.MobileNet(**SMALL, input_tensor=padded, include_top=False, pooling="avg")
    assert model.inputs[0] is image and model.input_shape == (None, 30, 30, 3) and model.output_shape == (None, 256)
    raw = K.placeholder((None, 32, 32, 3))
    assert applications.MobileNet(**SMALL, input_tensor=raw, include_top=False).inputs[0] is raw


def test_other_data_format() -> None:
    K.set_image_data_format("channels_first")
    try:
        model = applications.MobileNet(**{**SMALL, "input_shape": (3, 32, 32)}, include_top=False)
        assert model.output_shape == (None, 256, 1, 1)
        with pytest.warns(UserWarning, match='only available for the input data format "channels_last"') as found:
            model = applications.nasnet.NASNet((32, 32, 3), 96, 1, 8, weights=None, include_top=False)
        assert K.image_data_format() == "channels_first" and model.output_shape == (None, 1, 1, 96)
        assert found[0].filename == __file__
    finally:
        K.set_image_data_format("channels_last")


def test_modules_of_keras_may_be_given() -> None:
    from symgraph.keras import layers, models, utils

    given = {"backend": K, "layers": layers, "models": models, "utils": utils}
    assert applications.MobileNet(**SMALL, include_top=False, **given).output_shape == (None, 1, 1, 256)
    with pytest.raises(TypeError, match="unexpected keyword argument 'layer'"):
        applications.MobileNet(**SMALL, layer=layers)


@pytest.mark.parametrize(
    ("network", "options", "message"),
    [
        ("VGG16", {"weights": "nowhere.h5"}, "should be either `None`.*'nowhere.h5'"),
        ("VGG16", {"weights": 3}, "should be either `None`"),
        ("VGG16", {"classes": 10}, "`classes` should be 1000. Got: 10"),
        ("VGG16", {"weights": None, "pooling": "sum"}, "`pooling` should be None, 'avg' or 'max'. Got: 'sum'"),
        ("VGG16", {"input_shape": (64, 64, 3)}, r"should be \(224, 224, 3\). Got `input_shape=\(64, 64, 3\)`"),
        ("VGG16", {"weights": None, "input_shape": (64, 64)}, "must be a tuple of three integers"),
        ("VGG16", {"weights": None, "input_shape": (31, 64, 3)}, r"at least 32x32; got `input_shape=\(31, 64, 3\)`"),
        ("VGG16", {"weights": None, "input_shape": (None, None, 3)}, "specify a static `input_shape`"),
        ("VGG16", {"include_top": False, "input_shape": (64, 64, 1)}, "must have 3 channels"),
        ("InceptionV3", {"weights": None, "input_shape": (74, 75, 3)}, "at least 75x75"),
        ("Xception", {"weights": None, "input_shape": (70, 75, 3)}, "at least 71x71"),
        ("MobileNet", {"alpha": 0.3}, "alpha can be one of"),
        ("MobileNet", {"depth_multiplier": 2}, "depth multiplier must be 1"),
        ("MobileNetV2", {"alpha": 0.25}, "alpha can be one of"),
        ("NASNetMobile", {"include_top": False, "input_shape": (None, None, 3)}, "must be static"),
    ],
)
def test_what_cannot_be_built_is_refused(network: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(applications, network)(**options)


def test_other_refusals() -> None:
    with pytest.raises(ValueError, match="four blocks"):
        applications.densenet.DenseNet([1, 2], weights=None)
    with pytest.raises(ValueError, match="no ImageNet weights are published for this densenet"):
        applications.densenet.DenseNet([1, 1, 1, 1], include_top=False, input_shape=(32, 32, 3))
    with pytest.raises(ValueError, match=r"a multiple of 24 \* .* Current value: 100"):
        applications.nasnet.NASNet((32, 32, 3), 100)
    with pytest.raises(ValueError, match="only be loaded with NASNetLarge or NASNetMobile"):
        applications.nasnet.NASNet((32, 32, 3), 96, weights="imagenet", include_top=False, default_size=100)
    with pytest.raises(ValueError, match=r"is \(64, 64, 3\), but .* is \(32, 32, 3\)"):
        applications.MobileNetV2((64, 64, 3), weights=None, input_tensor=Input((32, 32, 3)))
    with pytest.warns(UserWarning, match="expects 1 or 3 input channels.*with 4"):
        applications.MobileNet(**{**SMALL, "input_shape": (32, 32, 4)}, include_top=False)


@pytest.mark.parametrize("network", ["VGG16", "MobileNet", "DenseNet121", "NASNetMobile"])
def test_warnings_are_about_the_line_of_the_caller(network: str) -> None:
    with pytest.warns(UserWarning, match="with 5 input channels") as found, pytest.raises(ValueError, match="at least"):
        getattr(applications, network)(weights=None, input_shape=(31, 31, 5), include_top=False)
    assert [warning.filename for warning in found] == [__file__]


@pytest.mark.parametrize(
    ("network", "options", "file", "md5"),
    [
        ("VGG16", {"include_top": False}, "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
         "6d6bbae143d832006294945121d1f1fc"),
        ("MobileNet", {"alpha": 0.5, "input_shape": (160, 160, 3)}, "mobilenet_5_0_160_tf.h5", None),
        ("MobileNetV2", {"alpha": 0.5, "input_shape": (96, 96, 3)},
         "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.5_96.h5", None),
        pytest.param("NASNetMobile", {"include_top": False}, "nasnet_mobile_no_top.h5",
                     "1ed92395b5b598bdda52abe5c0dbfd63", marks=pytest.mark.slow),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("cheap_weights")
def test_published_weights_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, network: str, options: dict[str, Any], file: str, md5: str | None
) -> None:
    asked = []

    def no_network(fname: str, origin: str, cache_subdir: str, file_hash: str | None) -> str:
        asked.append((fname, origin.startswith("https://github.com/"), cache_subdir, file_hash))
        raise OSError("no network")

    monkeypatch.setattr(building, "get_file", no_network)
    with pytest.raises(OSError, match="no network"):
        getattr(applications, network)(**options)
    assert asked == [(file, True, "models", md5)]


# -- images and classes -----------------------------------------------------------------------------------------------


def reference(x: np.ndarray[Any, Any], mode: str) -> np.ndarray[Any, Any]:
    """Written for RGB in the last axis."""
    if mode == "tf":
        return x / 127.5 - 1
    if mode == "torch":
        return (x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    return x[..., ::-1] - [103.939, 116.779, 123.68]


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
@pytest.mark.parametrize("rank", [3, 4])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_preprocess_input(mode: str, rank: int, data_format: str) -> None:
    x = np.random.randint(0, 256, (2, 4, 5, 3)[4 - rank :])
    expected = reference(x, mode)
    order = list(range(rank)) if data_format == "channels_last" else [*range(rank - 3), rank - 1, rank - 3, rank - 2]
    x, expected = x.transpose(order), expected.transpose(order)
    got = imagenet_utils.preprocess_input(x, data_format, mode)
    assert got.dtype == "float32"
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-4)
    tensor = imagenet_utils.preprocess_input(K.constant(x), data_format, mode)
    np.testing.assert_allclose(K.eval(tensor), expected, rtol=1e-5, atol=1e-4)
    integers = imagenet_utils.preprocess_input(K.constant(x, "int32"), data_format, mode)
    np.testing.assert_allclose(K.eval(integers), expected, rtol=1e-5, atol=1e-4)


def test_preprocess_input_overwrites_arrays_of_floats() -> None:
    x = np.full((1, 2, 2, 3), 255.0)
    got = imagenet_utils.preprocess_input(x, mode="tf")
    assert got is x and x.dtype == "float64" and (x == 1.0).all()


@pytest.mark.parametrize(
    ("module", "mode"),
    [
        ("vgg16", "caffe"), ("vgg19", "caffe"), ("resnet", "caffe"), ("resnet50", "caffe"), ("densenet", "torch"),
        ("resnet_v2", "tf"), ("inception_v3", "tf"), ("inception_resnet_v2", "tf"), ("xception", "tf"),
        ("mobilenet", "tf"), ("mobilenet_v2", "tf"), ("nasnet", "tf"),
    ],
)  # fmt: skip
def test_each_network_has_its_mode(module: str, mode: str) -> None:
    x = np.random.randint(0, 256, (1, 2, 2, 3))
    found = getattr(applications, module)
    np.testing.assert_allclose(found.preprocess_input(x), reference(x, mode), rtol=1e-5, atol=1e-4)
    assert found.decode_predictions is imagenet_utils.decode_predictions and getattr(found, module) is found


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (np.zeros((2, 2, 3)), {"mode": "keras"}, "one of `caffe`, `tf` or `torch`"),
        (np.zeros((2, 2, 3)), {"data_format": "first"}, "Unknown data_format first"),
        (np.zeros((2, 3)), {}, r"an image or a batch of images. Got an x of shape \(2, 3\)"),
        (np.zeros((2, 2, 4)), {}, r"images of 3 channels; x has 4 on axis 2"),
        ([[1.0]], {}, "should be an array or a tensor, not a list"),
    ],
)
def test_preprocess_input_refuses(x: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        imagenet_utils.preprocess_input(x, **options)


def test_decode_predictions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = tmp_path / "index.json"
    index.write_text(json.dumps({str(i): [f"n{i:08}", f"thing {i}"] for i in range(1000)}))
    monkeypatch.setattr(imagenet_utils, "get_file", lambda *args, **options: str(index))
    scores = np.zeros((2, 1000), "float32")
    scores[0, [3, 500, 7]] = [0.2, 0.5, 0.1]
    scores[1, 999] = 1
    assert imagenet_utils.decode_predictions(scores, top=2) == [
        [("n00000500", "thing 500", np.float32(0.5)), ("n00000003", "thing 3", np.float32(0.2))],
        [("n00000999", "thing 999", np.float32(1)), ("n00000000", "thing 0", np.float32(0))],
    ]
    with pytest.raises(ValueError, match=r"Found array with shape: \(2, 10\)"):
        imagenet_utils.decode_predictions(scores[:, :10])
    with pytest.raises(ValueError, match="`top` should be from 1 to 1000"):
        imagenet_utils.decode_predictions(scores, top=0)


def test_decode_predictions_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX_PATH", (tmp_path / "absent.json").as_uri())
    with pytest.raises(OSError, match=r"could not download .*put the file at .*imagenet_class_index\.json"):
        imagenet_utils.decode_predictions(np.zeros((1, 1000)))


def test_functions_of_networks_say_what_they_take_and_can_be_pickled() -> None:
    for network in PUBLISHED:
        function = builder(network)
        assert {"include_top", "weights", "classes"} <= set(inspect.signature(function).parameters)
        assert "are those of :mod:`symgraph.keras.applications`." in (function.__doc__ or "")
        prepare = importlib.import_module(function.__module__).preprocess_input
        assert pickle.loads(pickle.dumps([function, prepare])) == [function, prepare]
