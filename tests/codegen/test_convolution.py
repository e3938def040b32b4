"""Convolutions of the sizes that take the long ways through the kernel of matrix products, against sums of einsums."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgraph as sg
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
