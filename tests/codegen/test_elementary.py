"""The elementary functions against NumPy in the next wider format: errors in ULP, special values, only primitives used.

``benchmarks/ulp.py`` measures the same for all float32 numbers; ``docs/elementary.md`` has the table.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symgraph.codegen.loop.grammar import Buffer, Call, Kernel, Load, Loop, Store, Var
from symgraph.codegen.targets.llvm.cpu import Cpu, binding, can_run, cpu_for, target_machine
from symgraph.codegen.targets.llvm.kernel import compile_kernel
from symgraph.dtypes import as_dtype
from symgraph.ir.algebra import BINARY, COMPARE, PORTABLE, UNARY
from symgraph.ir.dims import symbol
from symgraph.ir.elementary import EXPANSIONS
from symgraph.ir.numpy_algebra import NUMPY_INTRINSICS, NumpyAlgebra

Array = np.ndarray[Any, Any]


class Fused(NumpyAlgebra):
    """``fma`` of float32 with one rounding (or so: through float64)."""

    def intrinsic(self, name: str, *args: Array) -> Array:
        if name == "fma" and args[0].dtype == np.float32:
            with np.errstate(all="ignore"):
                a, b, c = (x.astype(np.float64) for x in args)
                return np.asarray((a * b + c).astype(np.float32))
        return super().intrinsic(name, *args)


class Recording(NumpyAlgebra):
    """Notes the intrinsics that are used."""

    def __init__(self) -> None:
        super().__init__()
        self.used: set[str] = set()

    def intrinsic(self, name: str, *args: Array) -> Array:
        self.used.add(name)
        return super().intrinsic(name, *args)


def sigmoid(x: Array) -> Array:
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, np.ones_like(x)) / (1 + small)


def softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def erf(x: Array) -> Array:
    return np.array([math.erf(v) for v in x.astype(np.float64)], x.dtype)


#: Reference, and the bounds in ULP for float32 and float64.
CASES: dict[str, tuple[Callable[..., Array], float, float]] = {
    "exp": (np.exp, 1.2, 1.2), "exp2": (np.exp2, 1.2, 1.2), "expm1": (np.expm1, 1.6, 2.0), "log": (np.log, 1.0, 1.0),
    "log1p": (np.log1p, 1.8, 1.6), "log2": (np.log2, 0.51, 2.0), "log10": (np.log10, 0.51, 3.0),
    "sin": (np.sin, 0.51, 2.6), "cos": (np.cos, 0.51, 2.6), "tan": (np.tan, 0.51, 4.5),
    "asin": (np.arcsin, 0.51, 1.0), "acos": (np.arccos, 0.51, 1.0), "atan": (np.arctan, 0.51, 2.0),
    "sinh": (np.sinh, 0.51, 2.6), "cosh": (np.cosh, 0.51, 2.0), "tanh": (np.tanh, 1.6, 2.6),
    "asinh": (np.arcsinh, 0.51, 2.2), "acosh": (np.arccosh, 0.51, 2.4), "atanh": (np.arctanh, 0.51, 2.2),
    "sigmoid": (sigmoid, 2.1, 2.0), "softplus": (softplus, 2.2, 2.0), "erf": (erf, 1.4, 2.0),
    "atan2": (np.arctan2, 0.51, 2.2), "pow": (np.power, 0.51, 1.5),
}  # fmt: skip
CASES |= {name: CASES[function] for name, function in PORTABLE.items()}
OPERANDS = {"atan2": 2, "pow": 2}
EDGES = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 0.25, 1.5, math.inf, -math.inf, math.nan, 1e-30, -1e-30,
    1e-40, -1e-40, 5e-324, 2.3e-308, 87.5, 88.72283, 88.72284, -86.0, -87.4, -103.9, -104.1, 127.99999, 128.0, -126.5,
    -149.5, -151.0, 709.7, 709.8, -708.5, -745.1, -746.0, 1023.9999, 1024.0, -1074.5, 1e5, 6e5, 3e7, 1e22, 1e30, -3e38,
    1e300, 1.7e308,
]  # fmt: skip


def inputs(dtype: str, operands: int) -> tuple[Array, ...]:
    """Edges and neighbours, all bit patterns, moderate numbers, numbers near 1; for two operands all edges in pairs."""
    rng = np.random.default_rng(7)
    bits = np.dtype(dtype).itemsize * 8
    with np.errstate(all="ignore"):
        edges = np.array(EDGES).astype(dtype)

    def some() -> Array:
        n = 20_000
        any_bits = rng.integers(0, 2**bits - 1, n, f"uint{bits}", endpoint=True).view(dtype)
        moderate = (rng.normal(0, 1, n) * 10.0 ** rng.integers(-5, 3, n)).astype(dtype)
        near_one = (1 + rng.normal(0, 0.1, n) * 2.0 ** rng.integers(-20, 1, n)).astype(dtype)
        return np.concatenate([any_bits, moderate, near_one, -near_one])

    if operands == 2:
        return np.concatenate([np.repeat(edges, edges.size), some()]), np.concatenate(
            [np.tile(edges, edges.size), some()]
        )
    around = [edges, np.nextafter(edges, np.array(np.inf, dtype)), np.nextafter(edges, np.array(-np.inf, dtype))]
    return (np.concatenate([*around, some()]),)


def worst(got: Array, truth: Array) -> float:
    """The largest error in ULP; inf where one is NaN, infinite or a zero of other sign and the other not."""
    rounded = truth.astype(got.dtype)
    agree = (rounded == got) & (np.signbit(rounded) == np.signbit(got)) | (np.isnan(rounded) & np.isnan(got))
    ulp = np.spacing(np.abs(np.where(np.isfinite(rounded), rounded, 1)).astype(got.dtype)).astype(truth.dtype)
    error = np.abs(got.astype(truth.dtype) - truth) / ulp
    zeros = (got == 0) & (truth == 0) & ~agree
    hopeless = zeros | ((~np.isfinite(error) | ~np.isfinite(rounded) | ~np.isfinite(got)) & ~agree)
    return float(np.max(np.where(hopeless, np.inf, np.where(np.isfinite(error), error, 0.0))))


def run_native(name: str, cpu: Cpu, *arrays: Array) -> Array:
    """An intrinsic over arrays, as a kernel compiled for ``cpu``."""
    element, i, size = as_dtype(arrays[0].dtype), Var("i"), symbol("N")
    names = ["xyz"[k] for k in range(len(arrays))]
    value = Call(name, tuple(Load(n, (i,), element) for n in names), element)
    buffers = (Buffer("out", element, (size,), "out"), *(Buffer(n, element, (size,)) for n in names))
    kernel = Kernel("one", buffers, ("N",), (Loop("i", size, "par", (Store("out", (i,), value),)),))
    compiled = compile_kernel(kernel, cpu)
    llvm = binding()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly("", llvm.create_context()), target_machine(cpu))
    engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(compiled.object_code))
    engine.finalize_object()
    pointer, i64 = ctypes.c_void_p, ctypes.c_int64
    call = ctypes.CFUNCTYPE(None, pointer, pointer, i64, i64, pointer, pointer)(
        engine.get_function_address(compiled.phases[0].symbol)
    )
    out = np.empty_like(arrays[0])
    call((pointer * 3)(*(a.ctypes.data for a in (out, *arrays))), (i64 * 1)(out.size), 0, out.size, (i64 * 4)(), None)
    return out


def test_every_function_has_a_case() -> None:
    assert set(CASES) == set(EXPANSIONS)
    assert set(EXPANSIONS) <= set(UNARY) | set(BINARY)


@pytest.mark.parametrize("algebra", [NumpyAlgebra, Fused])
@pytest.mark.parametrize("name", CASES)
def test_float32(name: str, algebra: type[NumpyAlgebra]) -> None:
    reference, bound, _ = CASES[name]
    arrays = inputs("float32", OPERANDS.get(name, 1))
    got = EXPANSIONS[name](algebra(), *arrays)
    assert got.dtype == np.float32
    with np.errstate(all="ignore"):
        assert worst(got, np.asarray(reference(*(a.astype(np.float64) for a in arrays)))) <= bound


@pytest.mark.parametrize("name", CASES)
def test_float64(name: str) -> None:
    reference, _, bound = CASES[name]
    arrays = inputs("float64", OPERANDS.get(name, 1))
    got = EXPANSIONS[name](NumpyAlgebra(), *arrays)
    assert got.dtype == np.float64
    with np.errstate(all="ignore"):
        truth = np.asarray(reference(*(a.astype(np.longdouble) for a in arrays)))
        assert worst(got, truth) <= bound


@pytest.mark.parametrize("level", ["avx512", "avx2", "baseline"])
def test_machine_code(level: str) -> None:
    """The same bounds hold for the vector code of processors with and without fused multiply-add."""
    cpu = cpu_for(level)
    if not can_run(cpu):
        pytest.skip(f"this processor has no {level}")
    for name, (reference, bound, wide_bound) in CASES.items():
        for dtype, limit in (("float32", bound), ("float64", wide_bound)):
            arrays = tuple(np.concatenate([a[:200], a[-63:]]) for a in inputs(dtype, OPERANDS.get(name, 1)))
            with np.errstate(all="ignore"):
                wider = np.float64 if dtype == "float32" else np.longdouble
                truth = np.asarray(reference(*(a.astype(wider) for a in arrays)))
                assert worst(run_native(name, cpu, *arrays), truth) <= limit, (name, dtype)


@pytest.mark.parametrize("name", CASES)
def test_float16_for_all_numbers(name: str) -> None:
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    arrays = (every,) if OPERANDS.get(name, 1) == 1 else (every, np.roll(every, 12345))
    got = EXPANSIONS[name](NumpyAlgebra(), *arrays)
    assert got.dtype == np.float16
    with np.errstate(all="ignore"):
        assert worst(got, np.asarray(CASES[name][0](*(a.astype(np.float64) for a in arrays)))) <= 0.51


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_only_primitives_are_used(name: str, dtype: str) -> None:
    s = Recording()
    EXPANSIONS[name](s, *[s.const(0.75, as_dtype(dtype))] * OPERANDS.get(name, 1))
    arithmetic = {"add", "sub", "mul", "div", "fma", "neg", "abs", "sqrt", "copysign", "mulhi"}
    assert s.used <= arithmetic | set(COMPARE) | {"bit_and", "bit_or", "bit_xor", "bit_not", "shl", "shr"}


def test_exact_values() -> None:
    s = NumpyAlgebra()
    for dtype in ("float32", "float64"):
        n = np.arange(-100, 101).astype(dtype)
        assert (EXPANSIONS["exp2"](s, n) == 2.0**n).all()
        assert (EXPANSIONS["log2"](s, (2.0**n).astype(dtype)) == n).all()
        small = np.arange(1, 9).astype(dtype)
        assert (EXPANSIONS["pow"](s, small, np.full_like(small, 3)) == small**3).all()
        one = np.ones(1, dtype)
        for name, value in {
            "exp": 1,
            "cos": 1,
            "cosh": 1,
            "sigmoid": 0.5,
            "expm1": 0,
            "tanh": 0,
            "sin": 0,
            "erf": 0,
        }.items():
            assert EXPANSIONS[name](s, one * 0) == value


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "uint64"])
def test_integer_powers(dtype: str) -> None:
    s = NumpyAlgebra()
    info = np.iinfo(dtype)
    bases = np.array([info.min, info.max, 0, 1, 2, 3, 7, 10, 100], dtype)
    if info.min < 0:
        bases = np.concatenate([bases, np.array([-1, -2, -3], dtype)])
    exponents = np.array([0, 1, 2, 3, 5, 31, 62, 100], dtype)
    x, y = np.repeat(bases, exponents.size), np.tile(exponents, bases.size)
    got = EXPANSIONS["pow"](s, x, y)
    assert got.dtype == x.dtype
    expected = [pow(int(a), int(b), 1 << (8 * x.itemsize)) for a, b in zip(x, y, strict=True)]
    assert [int(v) % (1 << (8 * x.itemsize)) for v in got] == expected
    if info.min < 0:
        negative = np.full_like(bases, -3)
        assert (EXPANSIONS["pow"](s, bases, negative) == NUMPY_INTRINSICS["pow"](bases, negative)).all()
