"""Loops across memory: transposes by strips, single rows of products, folds over leading axes."""

from __future__ import annotations

import numpy as np
import pytest

import symgraph as sg
from symgraph.codegen.loop.grammar import Loop
from symgraph.codegen.loop.parse import parse_kernel
from symgraph.codegen.targets.llvm.crossing import strip_of


def kernel_loop(stored: str, value: str, mode: str = "out") -> Loop:
    text = f"""kernel k(a: in f32[40,40], b: {mode} f32[40,40]) {{
  par i in 0..40 {{
    vec j in 0..40 {{
      store b[{stored}] = {value}
    }}
  }}
}}"""
    loop = parse_kernel(text).parallel
    assert isinstance(loop, Loop)
    return loop


def test_strips_where_reads_cross_and_order_is_free() -> None:
    assert strip_of(kernel_loop("i,j", "a[j,i]")) == 16
    assert not strip_of(kernel_loop("i,j", "a[i,j]")), "nothing crosses"
    assert not strip_of(kernel_loop("i,j", "b[j,i]", "inout")), "what another pair of iterations writes"
    assert not strip_of(kernel_loop("0,j", "a[j,i]")), "iterations that write the same elements"


@pytest.mark.parametrize("target", ["llvm", "numpy"])
def test_transposes_of_several_sizes(target: str) -> None:
    x = sg.placeholder((None, None, None))
    run = sg.function([x], [sg.transpose(x, (0, 2, 1)) * 2, sg.transpose(x)], target=target)
    for shape in ((1, 1, 1), (2, 33, 70), (3, 16, 17), (0, 5, 5), (2, 0, 3)):
        array = np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")
        swapped, reverse = run(array)
        np.testing.assert_array_equal(swapped, array.transpose(0, 2, 1) * np.float32(2))
        np.testing.assert_array_equal(reverse, array.T)


@pytest.mark.parametrize("target", ["llvm", "numpy"])
@pytest.mark.parametrize("n", [3, 33, 130])
def test_single_rows_and_columns(target: str, n: int) -> None:
    w, v, u = sg.placeholder((70, n)), sg.placeholder((70,)), sg.placeholder((5, 1, 70))
    results = [
        sg.matmul(v, w), sg.matmul(sg.transpose(w), v), sg.maximum(sg.matmul(u, w), 0), sg.sum(w, axis=0),
    ]  # fmt: skip
    run = sg.function([w, v, u], results, target=target)
    random = np.random.default_rng(0)
    arrays = [random.uniform(-1, 1, shape).astype("float32") for shape in ((70, n), (70,), (5, 1, 70))]
    of_w, of_v, of_u = (a.astype("float64") for a in arrays)
    expected = [of_v @ of_w, of_w.T @ of_v, np.maximum(of_u @ of_w, 0), of_w.sum(0)]
    for found, wanted in zip(run(*arrays), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_a_single_row_is_a_matrix_product_where_columns_lie_side_by_side() -> None:
    w, v = sg.placeholder((70, 30)), sg.placeholder((70,))
    assert "a matrix product" in str(sg.function([w, v], sg.matmul(v, w)).explain())
    assert "a matrix product" not in str(sg.function([w, v], sg.matmul(sg.transpose(w), v)).explain())
