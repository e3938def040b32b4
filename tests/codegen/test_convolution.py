"""Convolutions of the sizes that take the long ways through the kernel of matrix products, against sums of einsums."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.codegen.loop.text import print_kernel
from symgraph.options import Options

OPTIONS = [
    pytest.param(Options(target="llvm"), id="host"),
    pytest.param(Options(target="llvm", cpu="avx2"), id="avx2"),
    pytest.param(Options(target="llvm", cpu="baseline"), id="baseline"),
]


def _gradients(size: int, channels: int, filters: int, options: Options) -> sg.Function:
    x = sg.placeholder((None, size, size, channels))
    kernel = sg.placeholder((3, 3, channels, filters))
    g = sg.placeholder((None, size - 2, size - 2, filters))
    cost = sg.sum(sg.conv(x, kernel) * g)
    return sg.function([x, kernel, g], sg.grad(cost, [x, kernel]), options=options)


def _expected(x: Any, kernel: Any, g: Any) -> tuple[Any, Any]:
    size = g.shape[1]
    of_x, of_kernel = np.zeros(x.shape), np.zeros(kernel.shape)
    for p in range(3):
        for q in range(3):
            part = (slice(None), slice(p, p + size), slice(q, q + size))
            of_kernel[p, q] = np.einsum("nhwc,nhwf->cf", x[part].astype(float), g.astype(float))
            of_x[part] += np.einsum("nhwf,cf->nhwc", g.astype(float), kernel[p, q].astype(float))
    return of_x, of_kernel


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize(("size", "channels", "filters"), [(14, 5, 19), (16, 1, 32), (12, 32, 40)])
def test_gradients(size: int, channels: int, filters: int, options: Options) -> None:
    function = _gradients(size, channels, filters, options)
    random = np.random.default_rng(0)
    for count in (31, 1, 0):
        shapes = ((count, size, size, channels), (3, 3, channels, filters), (count, size - 2, size - 2, filters))
        arrays = [random.uniform(-1, 1, s).astype("float32") for s in shapes]
        for got, want in zip(function(*arrays), _expected(*arrays), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("multiplier", [1, 2])
def test_depthwise(multiplier: int, data_format: str) -> None:
    """Values and gradients; one lane is one channel, or one column with the channels first."""
    last = data_format == "channels_last"
    random = np.random.default_rng(0)
    x, kernel = random.normal(size=(3, 9, 10, 20)), random.normal(size=(3, 2, 20, multiplier))
    g = random.normal(size=(3, 7, 9, 20, multiplier))
    want, of_x, of_kernel = np.zeros(g.shape), np.zeros(x.shape), np.zeros(kernel.shape)
    for p, q in np.ndindex(3, 2):
        part = (slice(None), slice(p, p + 7), slice(q, q + 9))
        want += x[part][..., None] * kernel[p, q]
        of_x[part] += (g * kernel[p, q]).sum(-1)
        of_kernel[p, q] = (x[part][..., None] * g).sum((0, 1, 2))

    def moved(a: Any) -> Any:
        return a if last else a.transpose(0, 3, 1, 2)

    merged = g.reshape(3, 7, 9, -1)
    s, k, c = (
        sg.placeholder((None, *moved(x).shape[1:]), "float64"), sg.placeholder(kernel.shape, "float64"),
        sg.placeholder((None, *moved(merged).shape[1:]), "float64"),
    )  # fmt: skip
    y = sg.depthwise_conv(s, k, data_format=data_format)
    f = sg.function([s, k, c], [y, *sg.grad(sg.sum(y * c), [s, k])])
    got = f(moved(x), kernel, moved(merged))
    for a, b in zip(got, (moved(want.reshape(merged.shape)), moved(of_x), of_kernel), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-11)


def test_depthwise_lanes_are_channels() -> None:
    x, kernel = sg.placeholder((4, 8, 8, 32)), sg.placeholder((3, 3, 32, 1))
    y = sg.depthwise_conv(x, kernel)
    f = sg.function([x, kernel], [y, sg.grad(sg.sum(y**2), kernel)])
    texts = [print_kernel(k) for k in f.stages.plan.kernels.values()]
    folds = [t for t in texts if "fma" in t]
    assert len(folds) == 2
    assert all("vec i3 in 0..32" in t or "vec i4 in 0..32" in t for t in folds)
    assert not any("fold vec" in t for t in folds)


@pytest.mark.parametrize("target", ["numpy", "llvm"])
@pytest.mark.parametrize("padding", ["same", "causal"])
def test_windows_along_an_axis_of_unknown_size(padding: str, target: str) -> None:
    """Those of the known size, also where a stride is longer than a window."""
    kernel = np.random.default_rng(0).normal(size=(2, 1, 3))

    def outputs(x: sg.Tensor) -> list[sg.Tensor]:
        made = [sg.conv(x, sg.constant(kernel), strides=s, padding=padding) for s in (1, 3)]
        pooled = [sg.max_pool(x, 2, strides=3, padding="same"), sg.avg_pool(x, 2, strides=3, padding="same")]
        made += pooled if padding == "same" else []
        return [*made, sg.grad(sg.sum(sg.stack([sg.sum(sg.square(y)) for y in made])), x)]

    x = sg.placeholder((1, None, 1), "float64")
    f = sg.function([x], outputs(x), target=target)
    for n in (1, 2, 3, 4, 6, 9):
        value, known = np.random.default_rng(n).normal(size=(1, n, 1)), sg.placeholder((1, n, 1), "float64")
        for got, want in zip(f(value), sg.function([known], outputs(known), target="numpy")(value), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-12)
