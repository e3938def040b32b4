"""Measures the error of the elementary functions in units in the last place.

    python benchmarks/ulp.py                       # every function, a sample of inputs
    python benchmarks/ulp.py --all exp tanh        # exp and tanh for all 2**32 float32 inputs
    python benchmarks/ulp.py --speed               # nanoseconds per element beside NumPy

The functions run as kernels of the LLVM target, once with the machine's fused multiply-add and once for baseline x86-64
without. The truth for float32 is NumPy in float64, for float64 ``np.longdouble``.
"""

from __future__ import annotations

import argparse
import ctypes
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symgraph.codegen.loop.grammar import Buffer, Call, Kernel, Load, Loop, Store, Var
from symgraph.codegen.targets.llvm.cpu import Cpu, binding, cpu_for, host_cpu
from symgraph.codegen.targets.llvm.kernel import compile_kernel
from symgraph.codegen.targets.llvm.pipeline import compiler_for
from symgraph.dtypes import as_dtype
from symgraph.ir.dims import symbol

Array = np.ndarray[Any, Any]
Function = Callable[..., Array]


class Native:
    """An intrinsic as machine code for ``cpu``: call it with an output and input arrays of one size."""

    def __init__(self, name: str, dtype: str, cpu: Cpu, operands: int = 1) -> None:
        element, i = as_dtype(dtype), Var("i")
        names = ["xyz"[k] for k in range(operands)]
        value = Call(name, tuple(Load(n, (i,), element) for n in names), element)
        size = symbol("N")
        buffers = (Buffer("out", element, (size,), "out"), *(Buffer(n, element, (size,)) for n in names))
        kernel = Kernel("measured", buffers, ("N",), (Loop("i", size, "par", (Store("out", (i,), value),)),))
        compiled = compile_kernel(kernel, cpu)
        self.text, self.cpu = compiled.ir, cpu
        llvm = binding()
        machine = llvm.Target.from_triple(cpu.triple).create_target_machine(jit=True)
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        self._engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(compiled.object_code))
        self._engine.finalize_object()
        pointer, i64 = ctypes.c_void_p, ctypes.c_int64
        signature = ctypes.CFUNCTYPE(None, pointer, pointer, i64, i64, pointer, pointer)
        self._call = signature(self._engine.get_function_address(compiled.phases[0].symbol))

    def __call__(self, out: Array, *inputs: Array) -> Array:
        buffers = (ctypes.c_void_p * 3)(*(a.ctypes.data for a in (out, *inputs)))
        sizes, status = (ctypes.c_int64 * 1)(out.size), (ctypes.c_int64 * 4)()
        self._call(buffers, sizes, 0, out.size, status, None)
        return out

    @property
    def assembly(self) -> str:
        return compiler_for(self.cpu).assembly(self.text)


def sigmoid(x: Array) -> Array:
    """Right for the exponents of the next narrower format, which is what it is used for."""
    return 1 / (1 + np.exp(-x))


def softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def erf(x: Array) -> Array:
    """Of longdouble too: a series inside, a continued fraction outside."""
    if x.dtype != np.longdouble:
        value = np.where(np.abs(x) < 1e-5, x * (2 / math.sqrt(math.pi)) * (1 - x * x / 3), np.copysign(1.0, x))
        value = np.where(np.isnan(x), x, value)
        middle = (np.abs(x) >= 1e-5) & (np.abs(x) < 6)
        value[middle] = [math.erf(v) for v in x[middle].tolist()]
        return value
    a = np.abs(x)
    term = total = np.minimum(a, 3)
    inner = total
    for n in range(1, 80):
        term = -term * inner * inner / n
        total = total + term / (2 * n + 1)
    pi = 4 * np.arctan(np.longdouble(1))
    fraction = np.maximum(a, 2.5)
    for n in range(120, 0, -1):
        fraction = np.maximum(a, 2.5) + np.longdouble(n) / 2 / fraction
    tail = np.exp(-a * a) / np.sqrt(pi) / fraction
    return np.copysign(np.where(a < 2.5, total * 2 / np.sqrt(pi), 1 - tail), x)


REFERENCES: dict[str, Function] = {
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "log2": np.log2,
    "log10": np.log10, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh,
    "atanh": np.arctanh, "sigmoid": sigmoid, "softplus": softplus, "erf": erf, "atan2": np.arctan2, "pow": np.power,
}  # fmt: skip
OPERANDS = {"atan2": 2, "pow": 2}
CHUNK = 1 << 15


def ulps_f32(got: Array, truth: Array) -> Array:
    """Errors of float32 ``got`` in ULP of float64 ``truth``; inf where one is NaN or out of range and the other not."""
    per_ulp = truth.view(np.int64) >> 52
    per_ulp &= 0x7FF
    np.maximum(per_ulp, 1023 - 126, out=per_ulp)
    np.subtract(2 * 1023 + 23, per_ulp, out=per_ulp)
    per_ulp <<= 52
    error = got.astype(np.float64)
    error -= truth
    np.abs(error, out=error)
    error *= per_ulp.view(np.float64)
    if not np.isfinite(error.sum()):
        odd = ~np.isfinite(error)
        rounded = truth[odd].astype(np.float32)
        same = (rounded == got[odd]) | (np.isnan(rounded) & np.isnan(got[odd]))
        error[odd] = np.where(same, 0.0, np.inf)
    return error


def ulps_f64(got: Array, truth: Array) -> Array:
    """Errors of float64 ``got`` in ULP of ``truth`` (longdouble)."""
    rounded = truth.astype(np.float64)
    ulp = np.spacing(np.abs(np.where(np.isfinite(rounded), rounded, 1.0))).astype(np.longdouble)
    error = np.abs(got - truth) / ulp
    same = (rounded == got) | (np.isnan(rounded) & np.isnan(got))
    return np.where(same & ~np.isfinite(error), 0.0, np.where(np.isfinite(error), error, np.inf)).astype(np.float64)


EDGES = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, math.inf, -math.inf, math.nan, 1e-30, -1e-30, 88.7, 89.0, -103.0,
    -104.0, 1e30, -1e30,
]  # fmt: skip


Random = np.random.Generator


def any_bits(rng: Random, dtype: str, n: int) -> Array:
    bits = np.dtype(dtype).itemsize * 8
    return rng.integers(0, 2**bits - 1, n, f"uint{bits}", endpoint=True).view(dtype)


def moderate(rng: Random, dtype: str, n: int) -> Array:
    return rng.normal(0, 4, n).astype(dtype)


def near_one(rng: Random, dtype: str, n: int) -> Array:
    return ((1 + rng.normal(0, 0.1, n) * 2.0 ** rng.integers(-20, 1, n)) * rng.choice([-1, 1], n)).astype(dtype)


def any_scale(rng: Random, dtype: str, n: int) -> Array:
    return (rng.normal(0, 1, n) * 10.0 ** rng.integers(-6, 4, n)).astype(dtype)


KINDS = (any_bits, moderate, near_one, any_scale)


def samples(dtype: str, count: int, operands: int, seed: int = 0) -> Iterator[tuple[Array, ...]]:
    """Chunks of inputs: all bit patterns alike, moderate numbers, neighbours of 1, edges against edges."""
    rng = np.random.default_rng(seed)
    done = 0
    while done < count:
        n = min(CHUNK, count - done)
        done += n
        for kind in KINDS:
            yield tuple(kind(rng, dtype, n) for _ in range(operands))
        if operands == 2:
            yield any_bits(rng, dtype, n), moderate(rng, dtype, n)
            yield np.abs(any_scale(rng, dtype, n)), any_scale(rng, dtype, n)
    edges = np.array(EDGES, dtype)
    if operands == 1:
        up, down = (np.nextafter(edges, np.array(limit, dtype)) for limit in (np.inf, -np.inf))
        yield (np.concatenate([edges, up, down]),)
    else:
        yield np.repeat(edges, edges.size), np.tile(edges, edges.size)


def every_float32() -> Iterator[tuple[Array]]:
    for first in range(0, 1 << 32, CHUNK):
        yield (np.arange(first, first + CHUNK, dtype=np.uint32).view(np.float32),)


Error = tuple[float, tuple[float, ...]]


def measure(name: str, dtype: str, cpus: list[Cpu], inputs: Iterator[tuple[Array, ...]]) -> list[Error]:
    """For each processor the largest error and the operands that show it."""
    natives = [Native(name, dtype, cpu, OPERANDS.get(name, 1)) for cpu in cpus]
    wide = np.float64 if dtype == "float32" else np.longdouble
    ulps = ulps_f32 if dtype == "float32" else ulps_f64
    worst: list[Error] = [(0.0, ()) for _ in cpus]
    with np.errstate(all="ignore"):
        for arrays in inputs:
            truth = REFERENCES[name](*(a.astype(wide) for a in arrays))
            for k, native in enumerate(natives):
                got = native(np.empty(arrays[0].shape, dtype), *arrays)
                error = ulps(got, truth)
                if not truth.all():
                    error[(truth == 0) & (np.signbit(truth) != np.signbit(got))] = np.inf
                at = int(np.argmax(error))
                if error[at] > worst[k][0]:
                    worst[k] = (float(error[at]), tuple(float(a[at]) for a in arrays))
    return worst


def speed(name: str, dtype: str, cpu: Cpu) -> tuple[float, float]:
    """Nanoseconds per element, ours and NumPy's, medians of interleaved runs on arrays that stay in cache."""
    rng = np.random.default_rng(0)
    arrays = [np.abs(rng.normal(0, 0.5, 65536)).astype(dtype) % 1 for _ in range(OPERANDS.get(name, 1))]
    native, out = Native(name, dtype, cpu, len(arrays)), np.empty(65536, dtype)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(40):
        for k, call in enumerate((lambda: native(out, *arrays), lambda: REFERENCES[name](*arrays))):
            start = time.perf_counter()
            call()
            times[k].append((time.perf_counter() - start) / out.size * 1e9)
    return float(np.median(times[0])), float(np.median(times[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(REFERENCES))
    parser.add_argument("--all", action="store_true", help="all 2**32 float32 inputs (functions of one operand)")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--count", type=int, default=1 << 20, help="sampled inputs of each kind")
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float32")
    options = parser.parse_args()
    for name in options.names:
        if options.speed:
            ours, numpys = speed(name, options.dtype, host_cpu())
            print(f"{name:9} {ours:7.3f} ns   numpy {numpys:7.3f} ns", flush=True)
            continue
        operands = OPERANDS.get(name, 1)
        whole = options.all and operands == 1
        inputs = every_float32() if whole else samples(options.dtype, options.count, operands)
        cpus = [host_cpu(), cpu_for("baseline")]
        start = time.perf_counter()
        found = measure(name, options.dtype, cpus, inputs)
        labels = zip(("fma", "no fma"), found, strict=True)
        text = "   ".join(f"{label} {e:.3f} at {', '.join(map(repr, at))}" for label, (e, at) in labels)
        kind = "all" if whole else "sampled"
        print(f"{name:9} {options.dtype} {kind:8} {text}   ({time.perf_counter() - start:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
