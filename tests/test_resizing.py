"""Resizing against positions written down one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgraph as sg

RNG = np.random.default_rng(0)


def _along(x: Any, axis: int, m: int, interpolation: str, half: bool) -> Any:
    n, rows = x.shape[axis], []
    for i in range(m):
        if interpolation == "nearest":
            place = ((2 * i + 1) * n) // (2 * m) if half else (i * n) // m
            rows.append(x.take(min(place, n - 1), axis))
        else:
            place = max((i + 0.5) * n / m - 0.5, 0.0) if half else i * n / m
            low = int(place + 1e-9)
            weight = place - low
            rows.append(x.take(low, axis) * (1 - weight) + x.take(min(low + 1, n - 1), axis) * weight)
    return np.stack(rows, axis)


@pytest.mark.parametrize("target", ["llvm", "numpy"])
@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_sizes(data_format: str, interpolation: str, half: bool, target: str) -> None:
    x = RNG.normal(size=(2, 5, 7, 3) if data_format == "channels_last" else (2, 3, 5, 7))
    axes = (1, 2) if data_format == "channels_last" else (2, 3)
    s = sg.placeholder(x.shape, "float64")
    wanted = [(10, 14), (3, 4), (11, 2), (5, 8), (15, 7), (1, 1)]
    outputs = [sg.resize_images(s, w, interpolation, data_format, half) for w in wanted]
    f = sg.function([s], outputs, options=sg.Options(target=target))
    for got, (m, k) in zip(f(x), wanted, strict=True):
        want = _along(_along(x, axes[0], m, interpolation, half), axes[1], k, interpolation, half)
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


def test_unknown_sizes_and_dtypes() -> None:
    x = sg.placeholder((None, None, None, 2))
    f = sg.function([x], [sg.upsample(x, (2, 3)), sg.upsample(x, 2, "bilinear"), sg.resize_images(x, (4, 6))])
    for shape in ((1, 2, 3, 2), (2, 1, 1, 2), (3, 5, 4, 2)):
        a = RNG.normal(size=shape).astype("float32")
        twice, smooth, fixed = f(a)
        np.testing.assert_array_equal(twice, a.repeat(2, 1).repeat(3, 2))
        want = _along(_along(a, 1, 2 * shape[1], "bilinear", False), 2, 2 * shape[2], "bilinear", False)
        np.testing.assert_allclose(smooth, want, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(fixed, _along(_along(a, 1, 4, "nearest", False), 2, 6, "nearest", False))
    row = sg.placeholder((1, 3, 1), "int32")
    got = sg.function([row], sg.resize_images(row, [5]))(np.array([[[1], [2], [3]]], "int32"))
    np.testing.assert_array_equal(got.ravel(), [1, 1, 2, 2, 3])
    assert got.dtype == np.int32


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("size", [(6, 8), (2, 5), (7, 3)])
def test_gradients(size: tuple[int, int], interpolation: str, half: bool) -> None:
    x = RNG.normal(size=(2, 3, 4, 2))
    sg.verify_grad(lambda t: sg.resize_images(t, size, interpolation, half_pixel_centers=half) ** 2, [x])


def test_bad_arguments() -> None:
    x = sg.placeholder((2, 3, 4, 2))
    with pytest.raises(sg.ArgumentError, match="interpolation 'cubic' is none of nearest, bilinear"):
        sg.resize_images(x, (4, 4), "cubic")
    with pytest.raises(sg.ArgumentError, match="2 sizes are needed"):
        sg.resize_images(x, (4,))
    with pytest.raises(sg.DTypeError, match="bilinear between"):
        sg.resize_images(sg.placeholder((2, 3, 4, 2), "int32"), (4, 4), "bilinear")
    with pytest.raises(sg.ArgumentError, match="data_format"):
        sg.resize_images(x, (4, 4), data_format="last")


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("padding", "steps"), [("valid", (1, 1)), ("valid", (2, 1)), ("same", (1, 2))])
def test_local_conv(padding: str, steps: tuple[int, int], data_format: str) -> None:
    x = RNG.normal(size=(2, 5, 6, 3))
    numbers = zip((5, 6), (2, 3), steps, strict=True)
    counts = [-(-n // s) if padding == "same" else (n - w) // s + 1 for n, w, s in numbers]
    missing = [max((c - 1) * s + w - n, 0) for c, s, w, n in zip(counts, steps, (2, 3), (5, 6), strict=True)]
    edge = [(m // 2, m - m // 2) if padding == "same" else (0, 0) for m in missing]
    framed = np.pad(x, [(0, 0), *edge, (0, 0)])
    kernel = RNG.normal(size=(*counts, 2, 3, 3, 4))
    want = np.zeros((2, *counts, 4))
    for i, j in np.ndindex(*counts):
        window = framed[:, i * steps[0] : i * steps[0] + 2, j * steps[1] : j * steps[1] + 3]
        want[:, i, j] = np.einsum("npqc,pqcf->nf", window, kernel[i, j])
    first = data_format == "channels_first"
    a = x.transpose(0, 3, 1, 2) if first else x

    def local(t: sg.Tensor, k: sg.Tensor) -> sg.Tensor:
        return sg.local_conv(t, k, steps, padding, data_format=data_format)

    s, k = sg.placeholder((None, *a.shape[1:]), "float64"), sg.placeholder(kernel.shape, "float64")
    f = sg.function([s, k], local(s, k))
    for n in (2, 1, 0):
        expected = want.transpose(0, 3, 1, 2) if first else want
        np.testing.assert_allclose(f(a[:n], kernel), expected[:n], rtol=1e-10, atol=1e-12)
    sg.verify_grad(lambda t, k: local(t, k) ** 2, [a, kernel])


def test_local_conv_in_one_dimension() -> None:
    x, kernel = RNG.normal(size=(3, 7, 2)), RNG.normal(size=(3, 3, 2, 5))
    s, k = sg.placeholder(x.shape, "float64"), sg.placeholder(kernel.shape, "float64")
    got = sg.function([s, k], sg.local_conv(s, k, 2))(x, kernel)
    want = np.stack([np.einsum("npc,pcf->nf", x[:, 2 * i : 2 * i + 3], kernel[i]) for i in range(3)], 1)
    np.testing.assert_allclose(got, want, rtol=1e-10)
    with pytest.raises(sg.ShapeError, match="the kernel .* for others"):
        sg.local_conv(s, sg.placeholder((4, 3, 2, 5), "float64"), 2)
    with pytest.raises(sg.ShapeError, match="needs a kernel of 4 axes"):
        sg.local_conv(s, sg.placeholder((3, 2, 5), "float64"), 2)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_averages_leave_padding_out(rank: int) -> None:
    x = RNG.normal(size=(2, *(5, 4, 6)[:rank], 3))
    s = sg.placeholder(x.shape, "float64")
    got = sg.function([s], sg.avg_pool(s, 3, 2, "same"))(x)
    want = np.zeros(got.shape)
    for place in np.ndindex(*got.shape[1:-1]):
        cut = []
        for i, n in zip(place, x.shape[1:-1], strict=True):
            start = 2 * i - max((-(-n // 2) - 1) * 2 + 3 - n, 0) // 2
            cut.append(slice(max(start, 0), start + 3))
        want[(slice(None), *place)] = x[(slice(None), *cut)].mean(tuple(range(1, rank + 1)))
    np.testing.assert_allclose(got, want, rtol=1e-12)
