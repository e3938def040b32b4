"""Images as arrays: warping, transformations, normalisation, batches."""

from __future__ import annotations

import copy
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from symgraph.keras.preprocessing import image
from symgraph.keras.preprocessing.image import ImageDataGenerator, Iterator, NumpyArrayIterator
from symgraph.keras.preprocessing.image.warping import warp
from symgraph.keras.utils import OrderedEnqueuer

RNG = np.random.default_rng(0)
MODES = ("constant", "nearest", "reflect", "wrap")


def extended(x: np.ndarray, i: int, j: int, mode: str, cval: float) -> float:
    """The pixel at a whole position, inside or outside."""
    h, w = x.shape
    if mode == "constant" and not (0 <= i < h and 0 <= j < w):
        return cval
    if mode == "reflect":
        i, j = (2 * n - 1 - p % (2 * n) if p % (2 * n) >= n else p % (2 * n) for p, n in ((i, h), (j, w)))
    return float(x[min(max(i, 0), h - 1), min(max(j, 0), w - 1)])


def warped_by_loops(x: np.ndarray, matrix: Any, offset: Any, mode: str, cval: float, order: int) -> np.ndarray:
    """Pixel by pixel, from the definition."""
    out = np.empty(x.shape)
    h, w = x.shape
    for i, j in np.ndindex(h, w):
        r, c = offset + matrix @ (i, j)
        if mode == "constant" and not (0 <= r <= h - 1 and 0 <= c <= w - 1):
            out[i, j] = cval
            continue
        if mode == "nearest":
            r, c = min(max(r, 0), h - 1), min(max(c, 0), w - 1)
        if order == 0:
            out[i, j] = extended(x, int(np.floor(r + 0.5)), int(np.floor(c + 0.5)), mode, cval)
            continue
        a, b = int(np.floor(r)), int(np.floor(c))
        out[i, j] = sum(
            (1 - abs(r - p)) * (1 - abs(c - q)) * extended(x, p, q, mode if mode == "reflect" else "nearest", cval)
            for p in (a, a + 1)
            for q in (b, b + 1)
        )
    return out


@pytest.mark.parametrize("mode", ["constant", "nearest", "reflect"])
@pytest.mark.parametrize("order", [0, 1])
def test_warping_against_loops(mode: str, order: int) -> None:
    for shape in ((5, 7), (1, 4), (3, 1)):
        x = RNG.uniform(0, 255, shape)
        matrix, offset = np.eye(2) + RNG.normal(size=(2, 2)), RNG.normal(size=2) * 4
        found = warp(x[..., None], matrix, offset, mode, 7.0, order)[..., 0]
        np.testing.assert_allclose(found, warped_by_loops(x, matrix, offset, mode, 7.0, order), atol=1e-9)


def test_warping_around() -> None:
    x = np.arange(4.0).reshape(1, 4, 1)
    for shift, expected in ((-1, [2, 0, 1, 2]), (1, [1, 2, 3, 1]), (6, [0, 1, 2, 0]), (0.5, [0.5, 1.5, 2.5, 0.5])):
        assert warp(x, np.eye(2), np.array([0, shift]), "wrap", 0.0, 1).ravel().tolist() == expected
    assert warp(x[:, :1], np.eye(2), np.array([3.0, -7.0]), "wrap", 0.0, 1).tolist() == [[[0.0]]]


def test_warping_against_scipy() -> None:
    ndimage = pytest.importorskip("scipy.ndimage", reason="SciPy is not installed")
    for trial in range(60):
        shape = tuple(RNG.integers(1, 9, 2))
        matrix, offset = np.eye(2) + RNG.normal(size=(2, 2)), RNG.normal(size=2) * (1 + 7 * (trial % 2))
        if trial % 3 == 0:  # on pixels and half way between them
            matrix, offset = np.round(matrix * 2) / 2, np.round(offset * 2) / 2
        for dtype in (np.float32, np.float64, np.uint8, np.int16):
            x = RNG.uniform(0, 255, shape).astype(dtype)
            for mode in MODES:
                for order in (0, 1, 3) if dtype == np.float64 else (0, 1):
                    found = warp(x[..., None], matrix, offset, mode, 7.0, order)[..., 0]
                    expected = ndimage.affine_transform(x, matrix, offset, order=order, mode=mode, cval=7.0)
                    assert found.dtype == expected.dtype
                    near = 1 if dtype in (np.uint8, np.int16) else 1e-4  # a half may be rounded either way
                    np.testing.assert_allclose(found.astype(float), expected.astype(float), atol=near)


def test_wrong_warping() -> None:
    x = np.zeros((3, 3, 1))
    for arguments, message in (
        ({"fill_mode": "bogus", "theta": 1}, "fill_mode.*'bogus'"),
        ({"order": 7, "theta": 1}, "order.* is 7"),
        ({"theta": np.nan}, "not finite"),
        ({"row_axis": 1, "theta": 1}, "three different axes"),
    ):
        with pytest.raises(ValueError, match=message):
            image.apply_affine_transform(x, **arguments)
    with pytest.raises(ValueError, match=r"got shape \(3, 3\)"):
        image.apply_affine_transform(x[..., 0], theta=1)


def test_turns_moves_and_zooms() -> None:
    x = np.arange(12.0).reshape(3, 4, 1)
    np.testing.assert_allclose(image.apply_affine_transform(x, theta=180), x[::-1, ::-1], atol=1e-12)
    square = np.arange(9.0).reshape(3, 3, 1)
    np.testing.assert_allclose(image.apply_affine_transform(square, theta=90), np.rot90(square, -1), atol=1e-12)
    np.testing.assert_array_equal(image.apply_affine_transform(x, tx=1)[:, :, 0], x[[1, 2, 2], :, 0])
    np.testing.assert_array_equal(image.apply_affine_transform(x, ty=-1)[:, :, 0], x[:, [0, 0, 1, 2], 0])
    zoomed = image.apply_affine_transform(x, zx=1 / 3, fill_mode="constant", cval=-1)
    np.testing.assert_allclose(zoomed[1], x[1])
    np.testing.assert_allclose(zoomed[0], x[1] - 4 / 3)
    first = image.apply_affine_transform(np.moveaxis(x, 2, 0), 30, 1, 0.5, 5, 0.9, 1.1, 1, 2, 0)
    np.testing.assert_allclose(np.moveaxis(first, 0, 2), image.apply_affine_transform(x, 30, 1, 0.5, 5, 0.9, 1.1))
    sheared = image.apply_affine_transform(square, shear=45)
    assert sheared[1, 1, 0] == 4  # the middle stays


def test_the_middle_of_an_image() -> None:
    matrix = image.transform_matrix_offset_center(np.diag([2.0, 2.0, 1.0]), 5, 3)
    np.testing.assert_allclose(matrix @ [2, 1, 1], [2, 1, 1])


def test_shifts_of_values() -> None:
    x = np.array([[[10.0, 200.0, 255.0]]])
    assert image.apply_channel_shift(x, 20.5, 2).tolist() == [[[30.5, 220.5, 255.0]]]
    assert image.apply_brightness_shift(x, 0.5).tolist() == [[[5.0, 100.0, 127.0]]]
    assert image.apply_brightness_shift(x, 3.0).tolist() == [[[30.0, 255.0, 255.0]]]
    assert image.apply_brightness_shift(x / 2, 1.0).tolist() == [[[10.0, 200.0, 255.0]]]  # scaled first, as in Keras
    assert image.apply_brightness_shift(np.array([[[10.0, 20, 255, 99]]]), 0.5).tolist() == [[[5, 10, 127, 99]]]
    assert image.flip_axis(x, 2).tolist() == [[[255.0, 200.0, 10.0]]]


def test_brightness_against_pillow() -> None:
    enhance = pytest.importorskip("PIL.ImageEnhance", reason="Pillow is not installed")
    for channels in (1, 3, 4):
        x = RNG.integers(0, 256, (6, 5, channels)).astype("float32")
        x[0, 0] = 255
        for factor in (0.0, 0.3, 0.77, 1.0, 1.9):
            expected = enhance.Brightness(image.array_to_img(x)).enhance(factor)
            np.testing.assert_array_equal(image.apply_brightness_shift(x, factor), image.img_to_array(expected))


def test_random_functions() -> None:
    x = RNG.uniform(size=(2, 9, 8))
    for function, arguments in (
        (image.random_rotation, (45,)),
        (image.random_shift, (0.5, 0.5)),
        (image.random_shear, (20,)),
        (image.random_zoom, ((0.5, 1.5),)),
        (image.random_channel_shift, (0.3,)),
        (image.random_brightness, ((0.5, 1.5),)),
    ):
        np.random.seed(3)
        first = function(x, *arguments)  # type: ignore[operator]
        assert first.shape == x.shape and not np.allclose(first, function(x, *arguments))  # type: ignore[operator]
        np.random.seed(3)
        np.testing.assert_array_equal(first, function(x, *arguments))  # type: ignore[operator]
    np.testing.assert_array_equal(image.random_zoom(x, (1, 1)), x)
    for bad in (image.random_zoom, image.random_brightness):
        with pytest.raises(ValueError, match="two floats"):
            bad(x, [0])


def test_random_transforms_are_drawn_as_in_keras() -> None:
    generator = ImageDataGenerator(rotation_range=20, width_shift_range=0.1, height_shift_range=[1, 3], shear_range=5,
                                   zoom_range=0.2, channel_shift_range=9, horizontal_flip=True, vertical_flip=True,
                                   brightness_range=(0.5, 2))  # fmt: skip
    found = generator.get_random_transform((10, 20, 3), seed=5)
    rng = np.random.RandomState(5)
    assert found["theta"] == rng.uniform(-20, 20)
    assert found["tx"] == rng.choice([1, 3]) * rng.choice([-1, 1])
    assert found["ty"] == rng.uniform(-0.1, 0.1) * 20
    assert found["shear"] == rng.uniform(-5, 5)
    assert [found["zx"], found["zy"]] == rng.uniform(0.8, 1.2, 2).tolist()
    assert [found["flip_horizontal"], found["flip_vertical"]] == (rng.random_sample(2) < 0.5).tolist()
    assert found["channel_shift_intensity"] == rng.uniform(-9, 9)
    assert found["brightness"] == rng.uniform(0.5, 2)
    np.random.seed(5)
    assert generator.get_random_transform((10, 20, 3)) == found
    shifts = {ImageDataGenerator(width_shift_range=3).get_random_transform((9, 9, 1), s)["ty"] for s in range(60)}
    assert shifts == {-2, -1, 0, 1, 2}
    plain = ImageDataGenerator().get_random_transform((9, 9, 1))
    x = RNG.uniform(size=(9, 9, 1))
    assert ImageDataGenerator().apply_transform(x, plain) is x


def test_transforms_are_applied_in_order() -> None:
    x = RNG.uniform(0, 255, (6, 5, 3)).astype("float32")
    parameters = {"tx": 1, "channel_shift_intensity": 9.0, "flip_horizontal": True, "flip_vertical": True}
    moved = image.apply_channel_shift(image.apply_affine_transform(x, tx=1), 9.0, 2)[::-1, ::-1]
    np.testing.assert_array_equal(ImageDataGenerator().apply_transform(x, parameters), moved)
    first = ImageDataGenerator(data_format="channels_first")
    parameters = {**parameters, "brightness": 1.5}
    np.testing.assert_array_equal(
        first.apply_transform(x.transpose(2, 0, 1), parameters),
        ImageDataGenerator().apply_transform(x, parameters).transpose(2, 0, 1),
    )
    np.testing.assert_array_equal(ImageDataGenerator(rotation_range=9).random_transform(x, 4),
                                  ImageDataGenerator(rotation_range=9).random_transform(x, 4))  # fmt: skip


def test_normalisation_of_images() -> None:
    x = RNG.uniform(0, 255, (4, 5, 5, 3)).astype("float32")
    generator = ImageDataGenerator(samplewise_center=True, samplewise_std_normalization=True, rescale=2.0,
                                   preprocessing_function=lambda image: image + 1)  # fmt: skip
    expected = (x[0] + 1) * 2
    expected = (expected - expected.mean()) / (expected.std() + 1e-6)
    np.testing.assert_allclose(generator.standardize(x[0].copy()), expected, rtol=1e-4, atol=1e-6)
    own = x[0].copy()
    assert ImageDataGenerator(rescale=0.5).standardize(own) is own and np.allclose(own, x[0] / 2)
    assert ImageDataGenerator(rescale=0.5).standardize(np.full((2, 2, 1), 3, np.uint8)).dtype == np.float32


def test_normalisation_over_all_data() -> None:
    x = RNG.uniform(0, 255, (20, 4, 4, 3)).astype("float32")
    with pytest.warns(UserWarning, match="overrides setting of `featurewise_center`"):
        generator = ImageDataGenerator(featurewise_std_normalization=True, rescale=0.5)
    with pytest.warns(UserWarning, match="hasn't been fit"):
        generator.standardize(x[0].copy())
    generator.fit(x)
    assert generator.mean is not None and generator.mean.shape == (1, 1, 3)
    all_of_it = generator.standardize(x.copy())
    np.testing.assert_allclose(all_of_it.mean((0, 1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(all_of_it.std((0, 1, 2)), 1, atol=1e-4)
    with pytest.warns(UserWarning, match="overrides setting of `featurewise_std_normalization`"):
        ImageDataGenerator(zca_whitening=True, featurewise_center=True, featurewise_std_normalization=True)
    white = ImageDataGenerator(zca_whitening=True, featurewise_center=True, dtype="float64")
    many = RNG.normal(size=(500, 2, 2, 1)) @ np.ones((1, 1)) + RNG.normal(size=(500, 1, 1, 1))
    white.fit(many)
    flat = np.stack([white.standardize(one.copy()) for one in many]).reshape(500, -1)
    np.testing.assert_allclose(flat.T @ flat / 500, np.eye(4), atol=1e-4)
    augmented = [ImageDataGenerator(featurewise_center=True, rotation_range=30, cval=9) for _ in range(2)]
    for one in augmented:
        one.fit(x, augment=True, rounds=2, seed=7)
    np.testing.assert_array_equal(augmented[0].mean, augmented[1].mean)
    with pytest.raises(ValueError, match="rank 4"):
        generator.fit(x[0])
    with pytest.warns(UserWarning, match="expected either 1, 3 or 4 channels"):
        ImageDataGenerator().fit(x[..., :2])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"zoom_range": (1, 2, 3)}, "zoom_range"),
        ({"brightness_range": 0.5}, "brightness_range"),
        ({"data_format": "bogus"}, "data_format"),
        ({"validation_split": 2}, "validation_split"),
    ],
)
def test_wrong_options(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ImageDataGenerator(**arguments)


X = np.arange(10 * 4 * 4).reshape(10, 4, 4, 1).astype("float32")
Y = np.arange(10)


def test_batches_in_order_and_shuffled() -> None:
    flow = ImageDataGenerator().flow(X, Y, batch_size=4, shuffle=False)
    assert len(flow) == 3
    np.testing.assert_array_equal(np.concatenate([flow[i][0] for i in range(3)]), X)
    assert [next(flow)[1].tolist() for _ in range(4)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9], [0, 1, 2, 3]]
    flow.reset()
    assert flow.next()[1].tolist() == [0, 1, 2, 3]
    shuffled = ImageDataGenerator().flow(X, Y, batch_size=4, seed=2)
    order = np.concatenate([next(shuffled)[1] for _ in range(3)])
    assert order.tolist() == np.random.RandomState(2).permutation(10).tolist()
    assert sorted(order) == list(range(10)) != order.tolist()
    again = np.concatenate([next(shuffled)[1] for _ in range(3)])
    assert sorted(again) == list(range(10)) and again.tolist() != order.tolist()
    with pytest.raises(ValueError, match="Asked to retrieve element 3"):
        flow[3]
    with pytest.raises(ValueError, match="no images"):
        ImageDataGenerator().flow(X[:0], batch_size=4).next()


def test_what_batches_hold() -> None:
    flow = ImageDataGenerator(validation_split=0.3, dtype="float64").flow
    weights = np.linspace(0, 1, 10)
    assert flow(X, shuffle=False)[0].dtype == np.float64
    x, y, w = flow(X, Y % 2, 4, False, weights, subset="training")[0]
    np.testing.assert_array_equal(x, X[3:7])
    assert y.tolist() == [1, 0, 1, 0] and w.tolist() == weights[3:7].tolist()
    (x, misc, more), y = flow((X, [Y * 2, Y * 3]), Y % 2, 4, False, subset="validation")[0]
    assert x.shape[0] == 3 and misc.tolist() == [0, 2, 4] and more.tolist() == [0, 3, 6]
    with pytest.raises(ValueError, match="different number of classes"):
        flow(X, Y, subset="training")
    with pytest.raises(ValueError, match="Invalid subset name"):
        flow(X, Y, subset="test")
    for bad, message in (
        (lambda: flow(X, Y[:-1]), "same length"),
        (lambda: flow(X, Y, sample_weight=weights[:3]), "same length"),
        (lambda: flow((X, Y[:3]), Y), "same length"),
        (lambda: flow(X[..., 0], Y), "rank 4"),
        (lambda: flow([X], Y), "of 1 items"),
    ):
        with pytest.raises(ValueError, match=message):
            bad()  # type: ignore[no-untyped-call]
    with pytest.warns(UserWarning, match="expected either 1, 3, or 4 channels"):
        NumpyArrayIterator(X[:, :2], Y, ImageDataGenerator(), data_format="channels_first")


def test_batches_do_not_depend_on_who_makes_them() -> None:
    generator = ImageDataGenerator(rotation_range=90, width_shift_range=0.3, horizontal_flip=True)
    images = RNG.uniform(size=(24, 6, 6, 1))
    flows = [generator.flow(images, np.arange(24), batch_size=2, seed=3) for _ in range(4)]
    in_order = [flows[0][i] for i in range(12)]
    backwards = [flows[1][i] for i in reversed(range(12))][::-1]
    with ThreadPoolExecutor(4) as pool:
        threaded = list(pool.map(flows[2].__getitem__, range(12)))
    for (x, y), *others in zip(in_order, backwards, threaded, strict=True):
        for u, v in others:
            np.testing.assert_array_equal(x, u)
            np.testing.assert_array_equal(y, v)
    pickled = pickle.loads(pickle.dumps(copy.deepcopy(generator.flow(images, np.arange(24), batch_size=2, seed=3))))
    np.testing.assert_array_equal(pickled[5][0], in_order[5][0])
    second = [flows[0][i] for i in range(12)]
    assert not np.array_equal(second[0][0], in_order[0][0])
    flows[1].on_epoch_end()
    assert flows[1][0][1].tolist() != in_order[0][1].tolist()
    np.random.seed(8)
    unseeded = [generator.flow(images, batch_size=24)[0]]
    np.random.seed(8)
    np.testing.assert_array_equal(generator.flow(images, batch_size=24)[0], unseeded[0])


def test_next_in_threads_gives_every_sample_once() -> None:
    flow = ImageDataGenerator(rotation_range=5).flow(np.zeros((200, 3, 3, 1)), np.arange(200), batch_size=8)
    with ThreadPoolExecutor(8) as pool:
        labels = list(pool.map(lambda _: next(flow)[1], range(25)))
    assert sorted(np.concatenate(labels)) == list(range(200))


@pytest.mark.parametrize("processes", [False, True])
def test_workers_make_the_same_epochs(processes: bool) -> None:
    generator = ImageDataGenerator(rotation_range=90)
    flows = [generator.flow(X, Y, batch_size=4, seed=1) for _ in range(2)]
    enqueuer = OrderedEnqueuer(flows[0], use_multiprocessing=processes)
    enqueuer.start(workers=2)
    source = enqueuer.get()
    found = [next(source) for _ in range(6)]
    enqueuer.stop()
    expected = [flows[1][i] for i in range(3)]
    flows[1].on_epoch_end()
    expected += [flows[1][i] for i in range(3)]
    for (x, y), (u, v) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(x, u)
        np.testing.assert_array_equal(y, v)
    assert not np.array_equal(np.concatenate([x for x, _ in found[:3]]), np.concatenate([x for x, _ in found[3:]]))


def test_an_iterator_of_ones_own() -> None:
    class Numbers(Iterator):
        def next(self) -> Any:
            with self.lock:
                indices = next(self.index_generator)
            return self._get_batches_of_transformed_samples(indices)

        def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
            return index_array * 10

    numbers = Numbers(5, 2, False, None)
    assert [next(numbers).tolist() for _ in range(3)] == [[0, 10], [20, 30], [40]]
    assert numbers[1].tolist() == [20, 30] and numbers.total_batches_seen == 4
    with pytest.raises(NotImplementedError):
        Iterator(5, 2, False, None)[0]


def test_a_model_learns_from_a_flow(session: None) -> None:
    from symgraph.keras.layers import Dense, Flatten
    from symgraph.keras.models import Sequential
    from symgraph.keras.optimizers import Adam

    images = np.random.default_rng(1).uniform(size=(64, 6, 6, 1)).astype("float32")
    labels = (images[:, :, :3].mean((1, 2, 3)) > images[:, :, 3:].mean((1, 2, 3))).astype("float32")
    generator = ImageDataGenerator(vertical_flip=True, featurewise_center=True, validation_split=0.25)
    generator.fit(images)
    model = Sequential([Flatten(input_shape=(6, 6, 1)), Dense(1, activation="sigmoid")])
    model.compile(Adam(0.05), "binary_crossentropy")
    train = generator.flow(images, labels, batch_size=16, subset="training", seed=1)
    held = generator.flow(images, labels, batch_size=16, subset="validation", seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = model.fit_generator(train, epochs=6, workers=2, validation_data=held, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert len(history.history["val_loss"]) == 6
    assert model.predict_generator(ImageDataGenerator().flow(images, shuffle=False, batch_size=10)).shape == (64, 1)
