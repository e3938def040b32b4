"""The NumPy target gives what the loop interpreter gives."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgraph.codegen.loop.canonical import canonicalize
from symgraph.codegen.loop.grammar import Kernel
from symgraph.codegen.loop.interp import interpret
from symgraph.codegen.loop.parse import parse_kernel
from symgraph.codegen.loop.text import print_kernel
from symgraph.codegen.plan import Plan, PlanBuffer, Step
from symgraph.codegen.targets.numpy.executable import NumpyExecutable
from symgraph.codegen.targets.numpy.runtime import OutOfBounds
from symgraph.codegen.targets.numpy.source import compile_source, kernel_source
from symgraph.dtypes import float32, int64
from symgraph.ir.dims import symbol
from symgraph.ir.literal import Literal
from tests.codegen.samples import SIZES, WRITTEN, Array, arrays_for, kernels, written


def run_numpy(kernel: Kernel, arrays: dict[str, Array], sizes: dict[str, int]) -> tuple[int, int, int] | None:
    call = compile_source(kernel_source(kernel), kernel.name)
    try:
        with np.errstate(all="ignore"):
            call(*(arrays[b.name] for b in kernel.buffers), *(sizes[s] for s in kernel.sizes))
    except OutOfBounds as fault:
        return fault.failure
    return None


def check_same(kernel: Kernel, sizes: dict[str, int], seed: int = 0) -> None:
    """Both give the same arrays (floats within rounding) and the same first failure."""
    expected = arrays_for(kernel, sizes, seed)
    found = {k: v.copy() for k, v in expected.items()}
    failure = interpret(kernel, expected, sizes)
    assert run_numpy(kernel, found, sizes) == failure
    if failure is not None:
        return
    for name, array in expected.items():
        message = f"{name} with {sizes}\n{print_kernel(kernel)}\n{kernel_source(kernel)}"
        if array.dtype.kind == "f":
            tolerance = 2e-4 if array.dtype.itemsize == 4 else 1e-9
            np.testing.assert_allclose(found[name], array, tolerance, tolerance, err_msg=message)
        else:
            np.testing.assert_array_equal(found[name], array, err_msg=message)


_MORE = {
    "sum_all": """
        kernel k(x: in f32[N,M], y: out f32[]; N, M) {
          fold seq i in 0..N with s: f32 = 1.0:f32 {
            fold seq j in 0..M with t: f32 = s {
              next t = t + x[i,j]
            }
            next s = t
          }
          store y[] = s
        }""",
    "column_max": """
        kernel k(x: in f32[N,M], y: out f32[M], at: out i64[M]; N, M) {
          vec j in 0..M {
            fold seq i in 0..N with m: f32 = -inf:f32, a: i64 = 0 {
              %0 = gt(x[i,j], m)
              next m = select(%0, x[i,j], m)
              next a = select(%0, i, a)
            }
            store y[j] = m
            store at[j] = a
          }
        }""",
    "repeated": """
        kernel k(x: in f32[N], y: out f32[N,M], z: out f32[]; N, M) {
          fold vec q in 0..M with c: f32 = 0.0:f32 {
            fold vec i in 0..N with s: f32 = 0.0:f32 {
              next s = s + x[i]
              merge s = s.a + s.b
            }
            next c = c + s
            merge c = c.a + c.b
          }
          store z[] = c
          vec n in 0..N {
            store y[n,0] = x[n]
          }
        }""".replace("y: out f32[N,M]", "y: out f32[N,1]"),
    "strided": """
        kernel k(x: in f32[6,N], y: out f32[N,3], z: out f32[3,4]; N) {
          par i in 0..N {
            vec j in 0..3 {
              store y[i,j] = x[5 - j * 2,i] + x[j * 2,i]
            }
          }
        }""".replace(", z: out f32[3,4]", ""),
    "diagonal": """
        kernel k(x: in f32[N,N], y: out f32[N]; N) {
          par i in 0..N {
            store y[i] = x[i,i] * x[0,i] + x[i,#(N-1)]
          }
        }""",
    "scatter": """
        kernel k(x: in f32[N,M], y: out f32[N,M]; N, M) {
          seq i in 0..N {
            seq j in 0..M {
              store y[i,mod(j + 1, #M)] = x[i,j]
            }
          }
        }""",
    "last_wins": """
        kernel k(x: in f32[N,M], y: out f32[M]; N, M) {
          seq i in 0..N {
            vec j in 0..M {
              store y[j] = x[i,j]
            }
          }
        }""",
    "momentum": """
        kernel k(m: inout f32[N], p: inout f32[N], g: in f32[N]; N) {
          vec i in 0..N {
            let old = m[i]
            %0 = m[i] * 0.5:f32 + g[i]
            store m[i] = %0
            store p[i] = p[i] - %0 + old
          }
        }""",
    "swap": """
        kernel k(a: inout f32[N], b: inout f32[N]; N) {
          par i in 0..N {
            let x = a[i]
            let y = bits<f32>(bits<i32>(b[i]))
            store a[i] = y
            store b[i] = x
          }
        }""",
    "outer": """
        kernel k(a: in f32[N], b: in f32[M], y: out f32[N,M]; N, M) {
          contract i in 0..N, j in 0..M, p in 0..3 {
            sum acc: f32 = a[i]
            times b[j]
            store y[i,j] = acc
          }
        }""",
    "plain": """
        kernel k(a: in f32[K,N], b: in f32[M,K], y: out f32[M,N]; N, M, K) {
          contract i in 0..N, j in 0..M, p in 0..K {
            sum acc: f32 = a[p,i]
            times b[j,p]
            store y[j,i] = acc
          }
        }""",
    "windows": """
        kernel k(x: in f64[7], w: in f64[3], y: out f64[5,1]) {
          contract i in 0..5, j in 0..1, p in 0..3 {
            sum acc: f64 = x[i + p]
            times w[p]
            store y[i,j] = acc * 2.0:f64
          }
        }""",
    "wide": """
        kernel k(a: in f16[N,K], b: in f16[K,M], y: out f16[N,M]; N, M, K) {
          contract i in 0..N, j in 0..M, p in 0..K {
            sum acc: f32 = a[i,p]
            times b[p,j]
            store y[i,j] = f16(acc)
          }
        }""",
    "philox": """
        kernel k(x: in u32[N], y: out u32[N], z: out f32[N]; N) {
          par i in 0..N {
            %0 = mulhi(x[i] * 3528531795:u32, 3449720151:u32)
            store y[i] = bit_xor(shl(%0, 3:u32), shr(x[i], 1:u32))
            store z[i] = bits<f32>(bit_or(shr(%0, 9:u32), 1065353216:u32)) - 1.0:f32
          }
        }""",
    "booleans": """
        kernel k(x: in bool[N,M], y: out bool[N], z: out i64[N]; N, M) {
          par i in 0..N {
            fold vec j in 0..M with a: bool = true, c: i64 = 0 {
              next a = bit_and(a, x[i,j])
              next c = c + i64(x[i,j])
              merge a = bit_and(a.a, a.b)
              merge c = c.a + c.b
            }
            store y[i] = a
            store z[i] = c
          }
        }""",
    "first_of_maybe_none": """
        kernel k(x: in f32[N], y: out f32[M]; N, M) {
          par i in 0..M {
            store y[i] = x[0]
          }
        }""",
    "two_rows": """
        kernel k(x: in f32[N], i: in i64[M], y: out f32[N,M]; N, M) checks 1 {
          par q in 0..N {
            vec p in 0..M {
              store y[q,p] = x[q] * x[bounds<0>(i[p], #N)]
            }
          }
        }""",
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_written_kernels(name: str) -> None:
    for sizes in (SIZES, {"N": 1, "M": 1, "B": 1, "K": 1}, {"N": 9, "M": 4, "B": 3, "K": 8}):
        check_same(written(name), sizes)


@pytest.mark.parametrize("name", _MORE)
def test_more_kernels(name: str) -> None:
    for sizes in (SIZES, {"N": 4, "M": 1, "K": 1}, {"N": 5, "M": 6, "K": 2}):
        check_same(parse_kernel(_MORE[name]), sizes)


@pytest.mark.parametrize("name", [*WRITTEN, *_MORE])
@pytest.mark.parametrize("empty", ["N", "M", "NM", "K"])
def test_empty_sizes(name: str, empty: str) -> None:
    if (name, empty) == ("first_of_maybe_none", "N"):
        return  # reads an element that is not there
    kernel = written(name) if name in WRITTEN else parse_kernel(_MORE[name])
    check_same(kernel, {n: 0 if n in empty else size for n, size in SIZES.items()})


def test_constants_do_not_take_the_names_of_loops() -> None:
    kernel = parse_kernel("""
        kernel k(y: out f32[N]; N) {
          fold seq k1 in 0..N with s: f32 = 2.0:f32, t: f32 = 3.0:f32 {
            next s = t
            next t = s
          }
          vec k0 in 0..N {
            store y[k0] = s + t
          }
        }""")
    check_same(kernel, {"N": 3})


@settings(max_examples=80, deadline=None)
@given(kernels(), st.integers(0, 5), st.sampled_from([(3, 4), (1, 2), (4, 4), (0, 3), (5, 1)]))
def test_random_kernels(kernel: Kernel, seed: int, sizes: tuple[int, int]) -> None:
    check_same(kernel, dict(zip("NM", sizes, strict=True)), seed)


@settings(max_examples=30, deadline=None)
@given(kernels())
def test_canonical_kernels(kernel: Kernel) -> None:
    check_same(canonicalize(kernel).kernel, {f"n{i}": 3 for i in range(len(kernel.sizes))})


def test_a_failed_bounds_check_is_reported() -> None:
    kernel = written("take")
    arrays = arrays_for(kernel, SIZES)
    arrays["index"][:] = [1, 7, -1]
    assert run_numpy(kernel, arrays, SIZES) == (0, 7, 4)


def test_golden_source(golden: Callable[[str, str], None]) -> None:
    texts = [f"# {name}\n{kernel_source(canonicalize(written(name)).kernel)}" for name in WRITTEN]
    texts += [f"# {name}\n{kernel_source(canonicalize(parse_kernel(text)).kernel)}" for name, text in _MORE.items()]
    golden("numpy_source", "\n".join(texts))


# -- plans ------------------------------------------------------------------------------------------------------

N = symbol("N")


def small_plan() -> Plan:
    """y = take(double(x), index) + w; w is a state that becomes w * 2 (in place); twice a reshape."""
    double = parse_kernel(
        "kernel d(x: in f32[n], y: out f32[n]; n) {\nvec i in 0..n {\nstore y[i] = x[i] * 2.0:f32\n}\n}"
    )
    take = parse_kernel(
        "kernel t(x: in f32[n], at: in i64[m], w: in f32[m], c: in f32[], y: out f32[m]; n, m) checks 1 {\n"
        "par i in 0..m {\nstore y[i] = x[bounds<0>(at[i], #n)] + w[i] * c[]\n}\n}"
    )
    update = parse_kernel("kernel u(w: inout f32[n]; n) {\nvec i in 0..n {\nstore w[i] = w[i] * 2.0:f32\n}\n}")
    buffers = {
        b.name: b
        for b in (
            PlanBuffer("in0", float32, (N, 2), "input", 0),
            PlanBuffer("in1", int64, (3,), "input", 1),
            PlanBuffer("state0", float32, (3,), "state", 0),
            PlanBuffer("t0", float32, (N, 2), "temp"),
            PlanBuffer("t0.flat", float32, (2 * N,), "temp", alias="t0"),
            PlanBuffer("c0", float32, (), "const", literal=Literal(np.float32(10))),
            PlanBuffer("out0", float32, (3,), "output", 0),
        )
    }
    steps = (
        Step("d", ("in0", "t0"), (2 * N,)),
        Step("t", ("t0.flat", "in1", "state0", "c0", "out0"), (2 * N, 3)),
        Step("u", ("state0",), (3,)),
    )
    kernels = {"d": double, "t": take, "u": update}
    return Plan("f", ("N",), ("in0", "in1"), ("state0",), ("out0", "in0"), buffers, kernels, steps)


def test_plan() -> None:
    executable = NumpyExecutable(small_plan())
    for n in (2, 5):
        x = np.arange(2 * n, dtype=np.float32).reshape(n, 2)
        at, w = np.array([0, 3, 2]), np.ones(3, np.float32)
        out, same = np.empty(3, np.float32), np.empty((n, 2), np.float32)
        frame = executable.frame((n,))
        assert executable.run(frame, [x, at], [w], [out, same]) is None
        np.testing.assert_array_equal(out, [10, 16, 14])
        np.testing.assert_array_equal(same, x)
        np.testing.assert_array_equal(w, [2, 2, 2])
        assert executable.run(frame, [x, at], [w], [out, same]) is None
        np.testing.assert_array_equal(out, [20, 26, 24])


def test_plan_reports_check_and_step_and_stops() -> None:
    executable = NumpyExecutable(small_plan())
    x, w = np.zeros((2, 2), np.float32), np.ones(3, np.float32)
    outputs = [np.empty(3, np.float32), np.empty((2, 2), np.float32)]
    frame = executable.frame((2,))
    assert executable.run(frame, [x, np.array([0, 1, 9])], [w], outputs) == (1, 9, 4, 1)
    np.testing.assert_array_equal(w, [1, 1, 1])  # the update comes after
    assert executable.run(frame, [x, np.array([0, 1, 2])], [w], outputs) is None


def test_one_frame_serves_several_threads() -> None:
    executable = NumpyExecutable(small_plan())
    frame = executable.frame((500,))
    wrong: list[int] = []

    def work(seed: int) -> None:
        x = np.full((500, 2), seed, np.float32)
        for _ in range(20):
            outputs = [np.empty(3, np.float32), np.empty((500, 2), np.float32)]
            executable.run(frame, [x, np.array([0, 500, 999])], [np.zeros(3, np.float32)], outputs)
            if not (outputs[0] == 2 * seed).all():
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_source_is_there_to_read() -> None:
    text = NumpyExecutable(small_plan()).text
    assert "# t\n" in text and "rt.bounds" in text and "np.multiply" in text
