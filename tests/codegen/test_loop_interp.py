"""The loop interpreter against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from symgraph.codegen.loop.interp import interpret
from symgraph.codegen.loop.parse import parse_kernel
from symgraph.errors import InternalError
from tests.codegen.samples import SIZES, Array, arrays_for, written


def run(name: str, sizes: dict[str, int] | None = None) -> tuple[dict[str, Array], dict[str, Array]]:
    """The arrays before and after one run of a written kernel."""
    kernel = written(name)
    sizes = SIZES if sizes is None else sizes
    before = arrays_for(kernel, sizes)
    after = {k: v.copy() for k, v in before.items()}
    assert interpret(kernel, after, sizes) is None
    return before, after


def test_sgd() -> None:
    before, after = run("sgd")
    np.testing.assert_array_equal(after["a"], before["a"] - before["s"] * before["g"])


def test_softmax() -> None:
    before, after = run("softmax")
    e = np.exp(before["x"] - before["x"].max(1, keepdims=True))
    np.testing.assert_allclose(after["y"], e / e.sum(1, keepdims=True), rtol=1e-6)


def test_dense() -> None:
    before, after = run("dense")
    h = before["x"] @ before["w"] + before["b"]
    np.testing.assert_allclose(after["y"], np.maximum(h, 0), rtol=1e-5)
    np.testing.assert_array_equal(after["mask"], h > 0)


def test_take() -> None:
    before, after = run("take")
    np.testing.assert_array_equal(after["y"], before["table"][before["index"]])


def test_take_reports_the_first_index_outside() -> None:
    kernel = written("take")
    arrays = arrays_for(kernel, SIZES)
    arrays["index"][:] = [1, 7, -1]
    assert interpret(kernel, arrays, SIZES) == (0, 7, 4)
    np.testing.assert_array_equal(arrays["y"], arrays["table"][[1, 0, 0]])


def test_argmax_takes_the_first_of_equals() -> None:
    kernel = written("argmax")
    arrays = {"x": np.array([[1, 3, 3, 0, 2, 3], [5, 5, 5, 5, 5, 5]], np.float32), "y": np.zeros(2, np.int64)}
    assert interpret(kernel, arrays, {"N": 2, "M": 6}) is None
    np.testing.assert_array_equal(arrays["y"], [1, 0])


def test_views() -> None:
    before, after = run("views")
    x = before["x"]
    np.testing.assert_array_equal(after["y"], 2 * x.reshape(-1, 3, 2))
    np.testing.assert_array_equal(after["z"][::-1], np.concatenate([x[:, :3], -x[:, :3]], 1).T)


def test_batched_contract() -> None:
    before, after = run("bmm")
    product = np.einsum("qpi,jpq->qji", before["a"], before["b"])
    np.testing.assert_allclose(after["y"], 0.5 * before["y"] + product)


def test_sequential_fold_may_store() -> None:
    before, after = run("running")
    np.testing.assert_allclose(after["y"], np.cumsum(before["x"], 1), rtol=1e-6)


@pytest.mark.parametrize("name", ["sgd", "softmax", "dense", "bmm", "running"])
def test_empty_sizes(name: str) -> None:
    run(name, {"N": 0, "M": 0, "B": 0, "K": 0})


def test_empty_sum_is_zero() -> None:
    kernel = written("bmm")
    sizes = SIZES | {"K": 0}
    arrays = arrays_for(kernel, sizes)
    before = arrays["y"].copy()
    assert interpret(kernel, arrays, sizes) is None
    np.testing.assert_array_equal(arrays["y"], 0.5 * before)


def test_reading_outside_is_a_fault() -> None:
    kernel = parse_kernel("kernel k(x: in f32[N], y: out f32[N]; N) {\npar i in 0..N {\nstore y[i] = x[i + 1]\n}\n}")
    with pytest.raises(InternalError, match="outside the shape"):
        interpret(kernel, arrays_for(kernel, SIZES), SIZES)


def test_wrong_arrays_are_a_fault() -> None:
    arrays = arrays_for(written("sgd"), SIZES)
    arrays["g"] = arrays["g"].astype(np.float64)
    with pytest.raises(InternalError, match="g is float64"):
        interpret(written("sgd"), arrays, SIZES)


def test_equal_expressions_are_computed_before_the_store_that_changes_them() -> None:
    text = """
        kernel momentum(m: inout f32[N], p: inout f32[N], g: in f32[N]; N) {
          vec i in 0..N {
            %0 = m[i] * 0.5:f32 + g[i]
            store m[i] = %0
            store p[i] = p[i] - %0
          }
        }
    """
    kernel = parse_kernel(text)
    before = arrays_for(kernel, SIZES)
    after = {k: v.copy() for k, v in before.items()}
    assert interpret(kernel, after, SIZES) is None
    momentum = before["m"] * np.float32(0.5) + before["g"]
    np.testing.assert_array_equal(after["m"], momentum)
    np.testing.assert_array_equal(after["p"], before["p"] - momentum)
