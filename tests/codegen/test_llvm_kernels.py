"""Native kernels against the loop interpreter: written ones and random ones, on every processor level."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from symgraph.codegen.loop.grammar import Kernel
from symgraph.codegen.loop.interp import interpret
from symgraph.codegen.loop.parse import parse_kernel
from symgraph.codegen.targets.llvm.kernel import kernel_text
from tests.codegen.llvm_run import CPUS, Native
from tests.codegen.samples import WRITTEN, arrays_for, kernels, written

Array = np.ndarray[Any, Any]
LEVELS = list(CPUS)


def run_both(kernel: Kernel, native: Native, sizes: dict[str, int], seed: int, pieces: int) -> None:
    """Run the interpreter and the native kernel on equal arrays and compare every buffer."""
    arrays = arrays_for(kernel, sizes, seed)
    expected = {k: v.copy() for k, v in arrays.items()}
    with np.errstate(all="ignore"):
        failure = interpret(kernel, expected, sizes)
    assert failure is None
    got = {k: v.copy() for k, v in arrays.items()}
    status = native(*(got[b.name] for b in kernel.buffers), pieces=pieces, **sizes)
    assert status[0] == 0
    for b in kernel.buffers:
        if b.dtype.is_float:
            np.testing.assert_allclose(got[b.name], expected[b.name], rtol=2e-5, atol=1e-5, err_msg=b.name)
        else:
            np.testing.assert_array_equal(got[b.name], expected[b.name], err_msg=b.name)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", WRITTEN)
def test_written_kernels_agree_with_the_interpreter(name: str, level: str) -> None:
    kernel = written(name)
    native = Native(kernel, CPUS[level])
    for n, m, pieces in ((0, 4, 1), (1, 1, 1), (3, 4, 2), (17, 33, 3), (67, 21, 4), (5, 130, 2)):
        sizes = {k: v for k, v in {"N": n, "M": m, "B": 3, "K": 9}.items() if k in kernel.sizes}
        run_both(kernel, native, sizes, seed=n, pieces=pieces)


@pytest.mark.parametrize("level", LEVELS)
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(kernel=kernels())
def test_random_kernels_agree_with_the_interpreter(level: str, kernel: Kernel) -> None:
    native = Native(kernel, CPUS[level])
    for n, m in ((3, 4), (1, 1), (0, 2), (19, 3), (2, 37)):
        sizes = {k: v for k, v in {"N": n, "M": m}.items() if k in kernel.sizes}
        run_both(kernel, native, sizes, seed=n, pieces=1)
    native.library.close()


@pytest.mark.parametrize("level", LEVELS)
def test_a_failed_check_ends_the_kernel_and_says_where(level: str) -> None:
    kernel = written("take")
    native = Native(kernel, CPUS[level])
    table = np.arange(28, dtype=np.float32).reshape(7, 4)
    index = np.zeros(40, np.int32)
    index[[20, 33]] = (7, -1)
    out = np.zeros((40, 4), np.float32)
    arrays = {"table": table, "index": index, "y": out}
    ordered = [arrays[b.name] for b in kernel.buffers]
    assert native(*ordered, N=40, M=7)[:3] == (1, 7, 7)
    index[20] = 6
    assert native(*ordered, N=40, M=7)[:3] == (1, -1, 7)
    index[33] = 0
    assert native(*ordered, N=40, M=7)[0] == 0
    np.testing.assert_array_equal(out, table[index])


@pytest.mark.parametrize("level", LEVELS)
def test_a_check_in_lanes_names_the_first_bad_lane_and_ignores_inactive_ones(level: str) -> None:
    kernel = parse_kernel("""
kernel pick(table: in f64[M], index: in i64[N], y: out f64[N]; N, M) checks 1 {
  par i in 0..N {
    store y[i] = table[bounds<0>(index[i], #M)]
  }
}
""")
    native = Native(kernel, CPUS[level])
    arrays = {"table": np.arange(9.0), "index": np.arange(21) % 9, "y": np.zeros(21)}
    ordered = [arrays[b.name] for b in kernel.buffers]
    assert native(*ordered, N=21, M=9)[0] == 0
    np.testing.assert_array_equal(arrays["y"], arrays["table"][arrays["index"]])
    arrays["index"][[19, 20]] = (-5, 99)
    assert native(*ordered, N=21, M=9)[:3] == (1, -5, 9)


def fold(kind: str) -> Kernel:
    return parse_kernel(f"""
kernel total(x: in f32[N,M], y: out f32[N]; N, M) {{
  par i in 0..N {{
    fold {kind} j in 0..M with s: f32 = 0.0:f32 {{
      next s = s + x[i,j]
      {"merge s = s.a + s.b" if kind == "vec" else ""}
    }}
    store y[i] = s
  }}
}}
""")


@pytest.mark.parametrize("level", LEVELS)
def test_vector_folds_sum_every_element_once(level: str) -> None:
    native = Native(fold("vec"), CPUS[level])
    for m in (0, 1, 3, 15, 16, 17, 63, 64, 65, 130, 1000):
        x = np.random.default_rng(m).integers(-9, 9, (3, m)).astype(np.float32)
        y = np.full(3, np.nan, np.float32)
        native(x, y, N=3, M=m, pieces=2)
        np.testing.assert_array_equal(y, x.sum(1))


@pytest.mark.parametrize("level", LEVELS)
def test_how_a_range_is_cut_does_not_change_a_bit(level: str) -> None:
    kernel = written("softmax")
    native = Native(kernel, CPUS[level])
    x = np.random.default_rng(0).standard_normal((45, 10)).astype(np.float32)
    results = []
    for pieces in (1, 2, 7, 45):
        y = np.zeros_like(x)
        native(x, y, N=45, pieces=pieces)
        results.append(y)
    assert all(np.array_equal(r, results[0]) for r in results)


def test_invariant_values_are_computed_outside_the_loops_they_do_not_depend_on() -> None:
    kernel = parse_kernel("""
kernel scale(x: in f32[N,64], s: in f32[N], t: in f32[], y: out f32[N,64]; N) {
  par i in 0..N {
    vec j in 0..64 {
      store y[i,j] = x[i,j] * (sqrt(s[i]) + sqrt(t[]))
    }
  }
}
""")
    cpu = next(iter(CPUS.values()))
    text, *_ = kernel_text(kernel, cpu, "sg_scale")
    before_loop, _, inside = text[text.index("define void @sg_scale") :].partition("loop")
    assert text.count("call float @llvm.sqrt.f32") == 2
    assert "@llvm.sqrt.f32" in before_loop and "@llvm.sqrt" not in inside[inside.index("store <") - 200 :]


def test_a_load_never_leaves_a_loop_that_may_be_empty() -> None:
    kernel = parse_kernel("""
kernel last(x: in f32[N], y: out f32[M]; N, M) {
  seq j in 0..M {
    store y[j] = x[#N - 1]
  }
}
""")
    native = Native(kernel, next(iter(CPUS.values())))
    x = np.zeros(0, np.float32)
    assert native(x, np.zeros(0, np.float32), N=1 << 60, M=0)[0] == 0
