"""The public functions against the NumPy functions of the same name: values, dtypes, broadcasting, indexing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgraph as sg

X = np.random.default_rng(0).uniform(0.2, 0.9, (3, 4))
Y = np.random.default_rng(1).uniform(0.2, 0.9, (3, 4))
UNARY = (
    "abs negative sign square sqrt floor ceil trunc rint exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos "
    "arctan sinh cosh tanh arcsinh arctanh isnan isinf isfinite reciprocal"
).split()
BINARY = (
    "add subtract multiply divide floor_divide mod power maximum minimum equal not_equal less less_equal greater "
    "greater_equal logical_and logical_or logical_xor"
).split()


def run(build: Any, *arrays: Any, target: str = "numpy") -> np.ndarray:
    inputs = [sg.placeholder(np.shape(a), np.asarray(a).dtype) for a in arrays]
    return sg.function(inputs, build(*inputs), target=target)(*arrays)


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_unary(name: str, dtype: str) -> None:
    x = X.astype(dtype)
    got, want = run(getattr(sg, name), x), getattr(np, name)(x)
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=1e-5 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize(
    "dtypes", [("float32", "float32"), ("int32", "float32"), ("int32", "int64"), ("uint8", "int8")]
)
def test_binary_promotes_and_broadcasts_like_numpy(name: str, dtypes: tuple[str, str]) -> None:
    if name == "power" and dtypes[0] != "float32" and dtypes[1] != "float32":
        return
    x, y = (10 * X).astype(dtypes[0]), (10 * Y[0] + 1).astype(dtypes[1])
    got, want = run(getattr(sg, name), x, y), getattr(np, name)(x, y)
    if name == "divide" and dtypes == ("uint8", "int8"):
        want = want.astype(got.dtype)
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "int32", "uint8", "bool"])
def test_python_scalars_are_weak(dtype: str) -> None:
    x = sg.placeholder((2,), dtype)
    assert (x * 2).dtype.name == ("int64" if dtype == "bool" else dtype)
    assert (x * 2.0).dtype.name == ("float32" if dtype == "float32" else "float64")
    assert sg.placeholder((), "float32").dtype == (sg.placeholder((), "float32") * np.float64(2)).dtype


def test_operators_reflect() -> None:
    x = np.array([3.0, 5.0])
    cases = {
        "2-x": lambda t: 2 - t,
        "2/x": lambda t: 2 / t,
        "2**x": lambda t: 2.0**t,
        "x**3": lambda t: t**3,
        "x**-1": lambda t: t**-1.0,
        "7%x": lambda t: 7 % t,
        "7//x": lambda t: 7 // t,
        "-x": lambda t: -t,
        "abs": lambda t: abs(-t),
        "array-x": lambda t: np.array([1.0, 2.0]) - t,
        "array@x": lambda t: np.array([[1.0, 2.0]]) @ t,
    }
    for build in cases.values():
        np.testing.assert_allclose(run(build, x), build(x))


@pytest.mark.parametrize("name", "sum prod mean max min var std".split())
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_reductions(name: str, axis: Any, keepdims: bool) -> None:
    got = run(lambda x: getattr(sg, name)(x, axis=axis, keepdims=keepdims), X)
    np.testing.assert_allclose(got, getattr(np, name)(X, axis=axis, keepdims=keepdims))


def test_reductions_of_integers_and_bools_widen_like_numpy() -> None:
    for dtype in ("int8", "uint8", "bool", "int32"):
        x = (10 * X).astype(dtype)
        for name in ("sum", "prod", "mean", "max", "any", "all", "argmax", "argmin"):
            got, want = run(getattr(sg, name), x), getattr(np, name)(x)
            assert got.dtype == np.asarray(want).dtype
            np.testing.assert_allclose(got, want)


KEYS: list[Any] = [
    0,
    -1,
    slice(None),
    slice(1, None),
    slice(None, -1),
    slice(None, None, -1),
    slice(4, 0, -2),
    slice(10, 20),
    slice(2, 100),
    ...,
    None,
    (0, 1),
    (slice(None), 2),
    (..., 0),
    (None, slice(None), None, -1),
    (slice(None, None, 2), slice(3, 0, -1)),
    ([0, 2, -1],),
    (slice(1, 3), np.array([[0, 1], [2, 3]])),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_indexing(key: Any) -> None:
    x = np.arange(20.0).reshape(5, 4)
    np.testing.assert_array_equal(run(lambda t: t[key], x), x[key])


def test_indexing_with_a_tensor_and_bad_keys() -> None:
    x, i = sg.placeholder((5, 4), name="x"), sg.placeholder((None,), "int32")
    f = sg.function([x, i], x[i], target="numpy")
    assert f(np.arange(20.0).reshape(5, 4), [1, -1]).tolist() == [[4, 5, 6, 7], [16, 17, 18, 19]]
    with pytest.raises(sg.ShapeError, match="index 5 is out of bounds for axis 0 of size 5"):
        x[5]
    with pytest.raises(sg.ShapeError, match="too many indices"):
        x[0, 0, 0]
    with pytest.raises(sg.ArgumentError, match="cannot be zero"):
        x[::0]
    with pytest.raises(sg.ArgumentError, match="cannot index with str"):
        x["a"]


def test_shapes() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    cases: list[Any] = [
        (lambda m, t: m.reshape(t, (4, -1))),
        (lambda m, t: m.transpose(t)),
        (lambda m, t: m.transpose(t, (1, 2, 0))),
        (lambda m, t: m.expand_dims(t, -1)),
        (lambda m, t: m.expand_dims(t, (0, 2))),
        (lambda m, t: m.squeeze(m.expand_dims(t, 1), 1)),
        (lambda m, t: m.concatenate([t, t * 2], -1)),
        (lambda m, t: m.stack([t, t + 1], 1)),
        (lambda m, t: m.broadcast_to(t[:, :1], (5, 2, 7, 4))),
        (lambda m, t: m.where(t > 5, t, 0.0)),
        (lambda m, t: m.clip(t, 3, 9)),
        (lambda m, t: m.take(t, np.array([1, 0, 1]), 1)),
    ]
    for build in cases:
        np.testing.assert_array_equal(run(lambda t, build=build: build(sg, t), x), build(np, x))
    np.testing.assert_array_equal(run(lambda t: t.dimshuffle(2, "x", 0, 1), x), x.transpose(2, 0, 1)[:, None])
    np.testing.assert_array_equal(run(lambda t: sg.eye(3) + t[0, 0, 0], x), np.eye(3))
    np.testing.assert_array_equal(run(lambda t: sg.shape(t), x), [2, 3, 4])


def test_reshape_errors_name_the_types() -> None:
    x = sg.placeholder((2, 3))
    with pytest.raises(sg.ShapeError, match=r"f32\[2,3\].*no multiple of 4"):
        sg.reshape(x, (4, -1))
    with pytest.raises(sg.ShapeError, match="numbers of elements differ"):
        sg.reshape(x, (7,))
    with pytest.raises(sg.ShapeError, match="at most one size"):
        sg.reshape(x, (-1, -1))


PRODUCTS: list[Any] = [
    ("dot", (3, 4), (4, 5)),
    ("dot", (4,), (4,)),
    ("dot", (2, 3, 4), (4,)),
    ("dot", (2, 3, 4), (5, 4, 6)),
    ("dot", (), (3,)),
    ("matmul", (3, 4), (4, 5)),
    ("matmul", (2, 3, 4), (2, 4, 5)),
    ("matmul", (7, 1, 3, 4), (2, 4, 5)),
    ("matmul", (3, 4), (2, 4, 5)),
    ("matmul", (2, 3, 4), (4, 5)),
    ("matmul", (4,), (2, 4, 5)),
    ("matmul", (2, 3, 4), (4,)),
    ("tensordot", (3, 4, 5), (4, 5, 2)),
    ("outer", (3,), (4,)),
]


@pytest.mark.parametrize(("name", "a", "b"), PRODUCTS)
def test_products(name: str, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=a), rng.normal(size=b)
    np.testing.assert_allclose(run(getattr(sg, name), x, y), getattr(np, name)(x, y), rtol=1e-12)


def test_errors_name_both_operands_their_types_and_the_line() -> None:
    x, w = sg.placeholder((None, 784), name="pixels"), sg.variable(np.zeros((100, 10), "float32"), name="kernel")
    with pytest.raises(sg.ShapeError) as caught:
        x @ w
    text = str(caught.value)
    for part in ("placeholder 'pixels'", "variable 'kernel'", "f32[100,10]", "784", "test_numeric.py:"):
        assert part in text
    with pytest.raises(sg.ShapeError, match="do not broadcast"):
        sg.placeholder((2, 3)) + sg.placeholder((2, 4))
    with pytest.raises(sg.DTypeError, match="cannot use str"):
        x + "one"


def test_a_symbolic_tensor_is_not_a_value() -> None:
    x = sg.placeholder((None,))
    for use in (bool, float, int, np.asarray, len, list):
        with pytest.raises(TypeError):
            use(x)  # type: ignore[operator]
