"""Kernels print and parse back; equal computations have equal canonical text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings

from symgraph.codegen.algebra import LoopAlgebra
from symgraph.codegen.loop.canonical import canonicalize
from symgraph.codegen.loop.grammar import Buffer, Kernel, Loop, Store
from symgraph.codegen.loop.parse import parse_kernel
from symgraph.codegen.loop.text import print_kernel
from symgraph.codegen.loop.verify import verify
from symgraph.dtypes import float32
from symgraph.errors import InternalError
from symgraph.ir.dims import symbol
from tests.codegen.samples import WRITTEN, kernels, written


@pytest.mark.parametrize("name", WRITTEN)
def test_written_kernels_print_as_written(name: str) -> None:
    assert print_kernel(written(name)) == WRITTEN[name].lstrip()
    verify(written(name))


@settings(max_examples=60, deadline=None)
@given(kernels())
def test_random_kernels_round_trip(kernel: Kernel) -> None:
    verify(kernel)
    text = print_kernel(kernel)
    again = parse_kernel(text)
    assert print_kernel(again) == text
    assert canonicalize(again).key == canonicalize(kernel).key


def test_golden_canonical_text(golden: Callable[[str, str], None]) -> None:
    texts = [print_kernel(canonicalize(written(name)).kernel) for name in WRITTEN]
    golden("loop_canonical", "\n".join(texts))


def test_equal_computations_have_equal_text() -> None:
    text = WRITTEN["sgd"]
    other = """
        kernel update_w(unused: in f64[], g: in f32[L], lr: in f32[], w: inout f32[L]; K, L) {
          par q in 0..L {
            store w[q] = w[q] - lr[] * g[q]
          }
        }
    """
    a, b = canonicalize(parse_kernel(text)), canonicalize(parse_kernel(other))
    assert a.key == b.key
    assert a.buffers == ("a", "s", "g") and b.buffers == ("w", "lr", "g")
    assert a.sizes == ("N",) and b.sizes == ("L",)
    assert a.kernel.name.startswith("sgd_") and b.kernel.name.startswith("update_")
    assert print_kernel(replace(a.kernel, name="k")) == print_kernel(replace(b.kernel, name="k"))


def test_different_computations_have_different_keys() -> None:
    text = WRITTEN["sgd"]
    variants = [text, text.replace("s[] * g[i]", "g[i] * s[]"), text.replace("f32", "f64"), text.replace(" - ", " + ")]
    assert len({canonicalize(parse_kernel(t)).key for t in variants}) == len(variants)


def test_text_grows_with_the_kernel_and_not_with_its_tree() -> None:
    s = LoopAlgebra()
    n = symbol("N")
    x, y = Buffer("x", float32, (n,)), Buffer("y", float32, (n,), "out")
    i = s.loop_var("i", n)
    value = s.load(x, [i])
    for _ in range(300):
        value = s.mul(value, s.add(value, s.const(1.5, float32)))
    kernel = Kernel("deep", (x, y), ("N",), (Loop("i", n, "par", (Store("y", (i,), value),)),))
    text = print_kernel(kernel)
    assert len(text) < 20_000
    assert print_kernel(parse_kernel(text)) == text


_CONSTANTS = ["0.1:f32", "-0.0:f32", "inf:f64", "-inf:f32", "nan:f32", "1e+30:f32", "1e-40:f32", "-3:i8"]


@pytest.mark.parametrize("constant", _CONSTANTS)
def test_constants_round_trip(constant: str) -> None:
    dtype = constant.rpartition(":")[2]
    text = f"kernel c(y: out {dtype}[]) {{\n  store y[] = {constant}\n}}\n"
    assert print_kernel(parse_kernel(text)) == text


def test_quotients_of_sizes_round_trip() -> None:
    n, m = symbol("N"), symbol("M")
    dims = [m * (n // 2), (m * n) // 2, (n + 1) // 2 * 3 + m, (n // 2) // m]
    kernels = [Kernel("k", (Buffer("y", float32, (d,), "out"),), ("N", "M"), ()) for d in dims]
    assert [parse_kernel(print_kernel(k)).buffers[0].shape[0] for k in kernels] == dims
    assert len({print_kernel(k) for k in kernels}) == len(dims)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("store y[i] = x[i] ** 2", "no expression"),
        ("store y[i] = z[i]", "no buffer z"),
        ("store y[i] = q", "no name q"),
        ("repeat 3", "no statement"),
        ("store y[i] = 1:f3", "no dtype f3"),
    ],
)
def test_bad_text_names_the_line(line: str, message: str) -> None:
    text = f"kernel k(x: in f32[N], y: out f32[N]; N) {{\n  par i in 0..N {{\n    {line}\n  }}\n}}\n"
    with pytest.raises(InternalError, match=message) as caught:
        parse_kernel(text)
    assert "line 3" in str(caught.value)
