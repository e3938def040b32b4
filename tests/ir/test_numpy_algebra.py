"""The NumPy algebra: dtype discipline, edge values, and agreement with Python's own arithmetic."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from symgraph.dtypes import ALL, bool_, float32, float64, int8, int32, int64, uint8, uint32, uint64
from symgraph.errors import BoundsError, InternalError
from symgraph.ir import dims
from symgraph.ir.algebra import BINARY, COMPARE, TEST, UNARY
from symgraph.ir.numpy_algebra import NUMPY_INTRINSICS, NumpyAlgebra

FLOATS = ("float16", "float32", "float64")
INTEGER_ONLY = {"bit_not", "bit_and", "bit_or", "bit_xor", "shl", "shr"}


@pytest.fixture
def s() -> NumpyAlgebra:
    return NumpyAlgebra()


def test_every_intrinsic_of_the_algebra_is_there() -> None:
    assert set(NUMPY_INTRINSICS) == {*UNARY, *BINARY, *COMPARE, *TEST, "fma", "mulhi"}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", [n for n in UNARY + BINARY + COMPARE + TEST if n not in INTEGER_ONLY])
def test_float_results_keep_their_dtype_without_warnings(s: NumpyAlgebra, name: str, dtype: str) -> None:
    x = np.array([0.0, -0.0, 0.5, -2.0, np.inf, -np.inf, np.nan, 6e4], dtype)
    arity = 2 if name in BINARY + COMPARE else 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = s.intrinsic(name, *[x] * arity)
    assert y.shape == x.shape
    assert y.dtype == (np.bool_ if name in COMPARE + TEST else x.dtype)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
@pytest.mark.parametrize("name", ["lt", *(n for n in BINARY if n not in ("atan2", "copysign"))])
def test_integers_wrap_without_warnings(s: NumpyAlgebra, name: str, dtype: str) -> None:
    info = np.iinfo(dtype)
    x = np.repeat(np.array([info.min, info.max, 0, 1, 3], dtype), 5)
    y = np.tile(np.array([0, 1, 2, 7, info.max], dtype), 5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out = s.intrinsic(name, x, y)
    assert out.dtype == (np.bool_ if name == "lt" else x.dtype)


def test_integer_division(s: NumpyAlgebra) -> None:
    a, b = np.array([7, -7, 7, -7, 5, -128], np.int8), np.array([2, 2, -2, -2, 0, -1], np.int8)
    assert s.div(a, b).tolist() == [3, -3, -3, 3, 0, -128]
    assert s.floordiv(a, b).tolist() == [3, -4, -4, 3, 0, -128]
    assert s.mod(a, b).tolist() == [1, 1, -1, -1, 0, 0]


def test_integer_powers(s: NumpyAlgebra) -> None:
    base, exponent = np.array([2, -1, -1, 1, 0, 2, 3], np.int32), np.array([-1, -3, -2, -9, -1, 31, 4], np.int32)
    assert s.intrinsic("pow", base, exponent).tolist() == [0, -1, 1, 1, 0, -(2**31), 81]


def test_shifts_past_the_width(s: NumpyAlgebra) -> None:
    x, n = np.array([-5, 5], np.int32), np.array([40, 40], np.int32)
    assert s.intrinsic("shr", x, n).tolist() == [-1, 0]
    assert s.intrinsic("shl", x, n).tolist() == [0, 0]


@pytest.mark.parametrize("bits", [32, 64])
def test_mulhi_is_the_upper_half(s: NumpyAlgebra, bits: int) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 2**bits - 1, (2, 200), np.uint64, endpoint=True)
    a[0] = b[0] = 2**bits - 1
    kind = f"uint{bits}"
    out = s.intrinsic("mulhi", a.astype(kind), b.astype(kind))
    assert out.tolist() == [(int(p) * int(q)) >> bits for p, q in zip(a, b, strict=True)]


def test_functions_numpy_lacks(s: NumpyAlgebra) -> None:
    x = np.array([-np.inf, -800.0, -3.0, -0.0, 0.0, 1e-9, 2.0, 800.0, np.inf])
    np.testing.assert_array_equal(s.intrinsic("erf", x), [math.erf(v) for v in x])
    finite = x[2:-2]
    np.testing.assert_allclose(s.intrinsic("sigmoid", finite), [1 / (1 + math.exp(-v)) for v in finite], rtol=1e-15)
    np.testing.assert_allclose(s.intrinsic("softplus", finite), [math.log1p(math.exp(v)) for v in finite], rtol=1e-15)
    assert s.intrinsic("sigmoid", x)[[0, 1, -2, -1]].tolist() == [0.0, 0.0, 1.0, 1.0]
    assert s.intrinsic("softplus", x)[[0, 1, -2, -1]].tolist() == [0.0, 0.0, 800.0, np.inf]
    nan = np.array([np.nan])
    assert all(np.isnan(s.intrinsic(name, nan)).all() for name in ("erf", "sigmoid", "softplus", "sign"))


def test_minimum_and_maximum_give_nan(s: NumpyAlgebra) -> None:
    a, b = np.array([1.0, np.nan]), np.array([np.nan, 1.0])
    assert np.isnan(s.minimum(a, b)).all()
    assert np.isnan(s.maximum(a, b)).all()


def test_constants_wrap_and_keep_the_dtype(s: NumpyAlgebra) -> None:
    assert s.const(-1, uint32) == 2**32 - 1
    assert s.const(2**63, int64) == -(2**63)
    assert s.const(300, uint8) == 44
    assert s.const(True, bool_).dtype == np.bool_
    assert np.isinf(s.const(1e60, float32))
    for dtype in ALL:
        assert s.const(1, dtype).dtype == dtype.np


def test_casts(s: NumpyAlgebra) -> None:
    x = np.array([0.0, -0.0, 0.5, np.nan], np.float64)
    assert s.cast(x, bool_).tolist() == [False, False, True, True]
    assert s.cast(np.array([257, -1], np.int32), int8).tolist() == [1, -1]
    assert s.cast(np.array([1e300]), float32).tolist() == [np.inf]
    assert s.bitcast(np.array(1.0, np.float32), uint32) == 0x3F800000
    assert s.bitcast(np.array([-1], np.int64), uint64) == 2**64 - 1
    with pytest.raises(InternalError, match="widths differ"):
        s.bitcast(x, float32)


def test_sizes_come_from_the_mapping() -> None:
    n = dims.symbol("N")
    s = NumpyAlgebra({"N": 5})
    assert s.size(2 * n + 1) == 11
    assert s.size(7).dtype == np.int64
    with pytest.raises(InternalError, match="size M has no value"):
        s.size(dims.symbol("M") + 1)


def test_bounds(s: NumpyAlgebra) -> None:
    index = np.array([[0, 1], [2, 5]])
    assert s.bounds(index, s.index(6), 0) is index
    with pytest.raises(BoundsError, match="index 5 is out of bounds for axis 1 with size 3"):
        s.bounds(index, s.index(3), 1)
    with pytest.raises(BoundsError, match="index -1 "):
        s.bounds(np.array(-1), s.index(3), 0)


def test_operands_must_agree(s: NumpyAlgebra) -> None:
    with pytest.raises(InternalError, match="float32, float64"):
        s.add(np.zeros(2, np.float32), np.zeros(2))
    with pytest.raises(InternalError, match="branches"):
        s.select(np.array(True), s.const(1, float32), s.const(1, float64))
    with pytest.raises(InternalError, match="no intrinsic"):
        s.intrinsic("frobnicate", s.const(1, int32))


def test_shorthands(s: NumpyAlgebra) -> None:
    x = np.array([0.0, 2.0], np.float32)
    assert s.like(3, x).dtype == np.float32
    assert s.both(s.gt(x, s.like(1, x)), s.lt(x, s.like(5, x))).tolist() == [False, True]
    assert s.fma(x, x, x).tolist() == [0.0, 6.0]
