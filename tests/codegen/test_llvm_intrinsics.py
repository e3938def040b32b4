"""Every intrinsic that is instructions, on every dtype and processor level, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from symgraph import dtypes
from symgraph.codegen.loop.grammar import Bitcast, Buffer, Call, Cast, Expr, Kernel, Load, Loop, Select, Store, Var
from symgraph.dtypes import DType, bool_
from symgraph.ir.algebra import COMPARE, TEST
from symgraph.ir.dims import symbol
from symgraph.ir.numpy_algebra import NumpyAlgebra
from tests.codegen.llvm_run import CPUS, Native

N = symbol("n")
I = Var("i")
INTEGERS = [d for d in dtypes.ALL if d.is_integer]
FLOATS = [d for d in dtypes.ALL if d.is_float]

SHARED = "abs sign add mul minimum maximum".split()
OF_INTEGER = (
    SHARED + "neg sub div floordiv mod pow bit_not bit_and bit_or bit_xor shl shr floor ceil trunc".split() + COMPARE
)
OF_FLOAT = (
    SHARED + "neg sub div floordiv mod copysign sqrt floor ceil trunc rint".split() + COMPARE + TEST
)  # fmt: skip
OF_BOOL = "add mul minimum maximum bit_not bit_and bit_or bit_xor abs sign".split() + COMPARE
UNARY = "neg abs sign floor ceil trunc rint sqrt bit_not isnan isinf isfinite".split()


def values(dtype: DType, n: int, seed: int) -> np.ndarray:
    """Random elements with the awkward ones among them."""
    rng = np.random.default_rng(seed)
    if dtype.is_bool:
        return rng.integers(0, 2, n).astype(bool)
    if dtype.is_integer:
        info = np.iinfo(dtype.np)
        some = rng.integers(-9 if dtype.kind == "i" else 0, 10, n).astype(dtype.np)
        wide = rng.integers(info.min, info.max, n, dtype=dtype.np, endpoint=True)
        special = np.array([0, 1, info.min, info.max, 7, 2, info.max - 1], dtype.np)
        return np.where(rng.random(n) < 0.4, wide, np.where(rng.random(n) < 0.3, rng.choice(special, n), some))
    info_f = np.finfo(dtype.np)
    special_f = np.array(
        [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, 3.5, np.inf, -np.inf, np.nan, info_f.max, info_f.tiny,
         -info_f.tiny / 4], dtype.np,
    )
    normal = (rng.standard_normal(n) * 50).astype(dtype.np)
    return np.where(rng.random(n) < 0.35, rng.choice(special_f, n), normal)


def flat(outputs: dict[str, Expr], inputs: dict[str, DType]) -> Kernel:
    """``out[i] = e`` for every output."""
    buffers = [Buffer(n, d, (N,)) for n, d in inputs.items()]
    buffers += [Buffer(n, e.dtype, (N,), "out") for n, e in outputs.items()]
    body = tuple(Store(n, (I,), e) for n, e in outputs.items())
    return Kernel("all_of_them", tuple(buffers), ("n",), (Loop("i", N, "par", body),))


def check(outputs: dict[str, Expr], expected: dict[str, np.ndarray], inputs: dict[str, np.ndarray], level: str) -> None:
    """Compile, run in two pieces, and compare bit for bit (any NaN equals any NaN)."""
    n = len(next(iter(inputs.values())))
    native = Native(flat(outputs, {k: dtypes.as_dtype(v.dtype) for k, v in inputs.items()}), CPUS[level])
    results = {name: np.zeros(n, e.dtype.np) for name, e in outputs.items()}
    native(*inputs.values(), *results.values(), n=n, pieces=2)
    for name, wanted in expected.items():
        got = results[name]
        same = got == wanted
        if got.dtype.kind == "f" and name not in ("minimum", "maximum"):  # which zero NumPy takes depends on its build
            same &= np.signbit(got) == np.signbit(wanted)
        if got.dtype.kind == "f":
            same |= np.isnan(got) & np.isnan(wanted)
        at = np.flatnonzero(~same)
        shown = [(*(v[i] for v in inputs.values()), got[i], wanted[i]) for i in at[:5]]
        assert not len(at), f"{name}: {len(at)} of {n} differ, (operands, got, wanted): {shown}"


@pytest.mark.parametrize("level", CPUS)
@pytest.mark.parametrize("dtype", dtypes.ALL, ids=str)
def test_intrinsics_are_numpy_s(dtype: DType, level: str) -> None:
    names = OF_FLOAT if dtype.is_float else OF_BOOL if dtype.is_bool else OF_INTEGER
    a, b = values(dtype, 211, 1), values(dtype, 211, 2)
    algebra = NumpyAlgebra()
    outputs: dict[str, Expr] = {}
    expected: dict[str, np.ndarray] = {}
    for name in names:
        count = 1 if name in UNARY else 2
        args = (Load("a", (I,), dtype), Load("b", (I,), dtype))[:count]
        outputs[name] = Call(name, args, bool_ if name in COMPARE + TEST else dtype)
        expected[name] = algebra.intrinsic(name, *(a, b)[:count])
    check(outputs, expected, {"a": a, "b": b}, level)


@pytest.mark.parametrize("level", CPUS)
@pytest.mark.parametrize("source", dtypes.ALL, ids=str)
def test_casts_are_numpy_s(source: DType, level: str) -> None:
    a = values(source, 97, 3)
    if source.is_float:  # where NumPy's own result is defined
        a = np.where(np.isfinite(a) & (np.abs(a) < 120), a, np.asarray(3.7, source.np))
    outputs = {d.name: Cast(Load("a", (I,), source), d) for d in dtypes.ALL}
    expected = {}
    for d in dtypes.ALL:
        from_negative = np.abs(a) if source.is_float and d.kind == "u" else a
        if from_negative is not a:
            outputs[d.name] = Cast(Call("abs", (Load("a", (I,), source),), source), d)
        with np.errstate(all="ignore"):
            expected[d.name] = from_negative.astype(d.np)
    check(outputs, expected, {"a": a}, level)


@pytest.mark.parametrize("level", CPUS)
def test_every_float64_rounds_once_to_float16(level: str) -> None:
    rng = np.random.default_rng(0)
    special = [65519.99, 65520.0, 2.0**-25, np.nan, np.inf]
    a = np.concatenate([rng.standard_normal(400) * 10.0 ** rng.integers(-9, 6, 400), special])
    halves = np.arange(0, 0x7BFF, 97, dtype=np.uint16).view(np.float16).astype(np.float64)
    a = np.concatenate([a, (halves[1:] + halves[:-1]) / 2, np.nextafter(halves, np.inf), halves])
    with np.errstate(over="ignore"):
        expected = {"half": a.astype(np.float16)}
    check({"half": Cast(Load("a", (I,), dtypes.float64), dtypes.float16)}, expected, {"a": a}, level)


@pytest.mark.parametrize("level", CPUS)
def test_mulhi_fma_select_and_bitcast(level: str) -> None:
    algebra = NumpyAlgebra()
    inputs: dict[str, np.ndarray] = {}
    outputs: dict[str, Expr] = {}
    expected: dict[str, np.ndarray] = {}
    for d in (dtypes.uint32, dtypes.uint64):
        a, b = values(d, 65, 5), values(d, 65, 6)
        inputs |= {f"a_{d}": a, f"b_{d}": b}
        outputs[f"mulhi_{d}"] = Call("mulhi", (Load(f"a_{d}", (I,), d), Load(f"b_{d}", (I,), d)), d)
        expected[f"mulhi_{d}"] = algebra.intrinsic("mulhi", a, b)
    x, y = values(dtypes.float32, 65, 7), values(dtypes.float32, 65, 8)
    inputs |= {"x": x, "y": y}
    load_x, load_y = Load("x", (I,), dtypes.float32), Load("y", (I,), dtypes.float32)
    outputs["select"] = Select(Call("lt", (load_x, load_y), bool_), load_x, load_y)
    expected["select"] = np.where(x < y, x, y)
    outputs["bits"] = Bitcast(load_x, dtypes.uint32)
    expected["bits"] = x.view(np.uint32)
    check(outputs, expected, inputs, level)


@pytest.mark.parametrize("level", CPUS)
def test_fma_rounds_once_exactly_where_the_machine_can(level: str) -> None:
    f32 = dtypes.float32
    a = np.full(40, 1 + 2.0**-12, np.float32)
    b = np.full(40, -(1 + 2.0**-11), np.float32)
    expression = Call("fma", (Load("a", (I,), f32), Load("a", (I,), f32), Load("b", (I,), f32)), f32)
    once = np.full(40, 2.0**-24, np.float32)
    check({"r": expression}, {"r": once if CPUS[level].has_fma else np.zeros(40, np.float32)}, {"a": a, "b": b}, level)
