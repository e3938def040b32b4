"""Every invariant of kernels is broken here once, at least."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from symgraph.codegen.loop.grammar import (
    Bitcast,
    Buffer,
    Call,
    Cast,
    Const,
    Fold,
    Kernel,
    Load,
    Loop,
    Select,
    Stmt,
    Store,
    Var,
)
from symgraph.codegen.loop.parse import parse_kernel
from symgraph.codegen.loop.verify import INVARIANTS, verify
from symgraph.dtypes import bool_, float32, float64, int32, int64
from symgraph.errors import InternalError
from symgraph.ir.dims import symbol
from tests.codegen.samples import WRITTEN, kernels, written

_TWICE = "#M),j] + table[bounds<0>(i64(index[i]), #N),j]"
_TEXTS = [
    ("names are distinct", "kernel k(x: in f32[N], y: out f32[N]; N) {\n"
     "par i in 0..N {\nseq i in 0..3 {\nstore y[i] = x[i]\n}\n}\n}"),
    ("names are distinct", "kernel k(x: in f32[N], y: out f32[N]; N) {\n"
     "par i in 0..N {\nlet x = x[i]\nstore y[i] = x\n}\n}"),
    ("names are distinct", "kernel k(x: in f32[N], y: out f32[N]; N, N) {\npar i in 0..N {\nstore y[i] = x[i]\n}\n}"),
    ("names are bound", "kernel k(x: in f32[N], y: out f32[N]; M) {\npar i in 0..N {\nstore y[i] = x[i]\n}\n}"),
    ("names are bound", "kernel k(x: in f32[N], y: out f32[N]; N) {\npar i in 0..N {\nstore y[i] = f32(#L)\n}\n}"),
    ("index rank", "kernel k(x: in f32[N], y: out f32[N]; N) {\npar i in 0..N {\nstore y[i] = x[i,0]\n}\n}"),
    ("index rank", "kernel k(x: in f32[N], y: out f32[N]; N) {\npar i in 0..N {\nstore y[i] = x[i32(i)]\n}\n}"),
    ("dtypes agree", "kernel k(x: in f32[N], y: out f32[N]; N) {\npar i in 0..N {\nstore y[i] = x[i] + 1.0:f64\n}\n}"),
    ("dtypes agree", "kernel k(x: in f32[N], y: out f64[N]; N) {\npar i in 0..N {\nstore y[i] = x[i]\n}\n}"),
    ("dtypes agree", "kernel k(x: in f32[N], y: out f32[N]; N) {\n"
     "par i in 0..N {\nstore y[i] = select(x[i], x[i], 0.0:f32)\n}\n}"),
    ("dtypes agree", "kernel k(x: in f32[N], y: out f32[N]; N) {\n"
     "par i in 0..N {\nstore y[i] = frobnicate(x[i])\n}\n}"),
    ("dtypes agree", "kernel k(x: in f32[N], y: out f32[N]; N) {\npar i in 0..N {\nstore y[i] = exp(x[i], x[i])\n}\n}"),
    ("dtypes agree", "kernel k(x: in f32[N], y: out f32[N]; N) {\npar i in 0..N {\nstore y[i] = f32(x[i])\n}\n}"),
    ("dtypes agree", "kernel k(x: in f32[N], y: out f64[N]; N) {\npar i in 0..N {\nstore y[i] = bits<f64>(x[i])\n}\n}"),
    ("nesting", "kernel k(x: in f32[N], y: out f32[N,N]; N) {\n"
     "seq i in 0..N {\npar j in 0..N {\nstore y[i,j] = x[i]\n}\n}\n}"),
    ("nesting", "kernel k(x: in f32[N], y: out f32[N,N]; N) {\n"
     "vec i in 0..N {\nseq j in 0..N {\nstore y[i,j] = x[i]\n}\n}\n}"),
    ("modes", "kernel k(x: in f32[N], y: out f32[N]; N) {\n"
     "par i in 0..N {\nstore x[i] = 0.0:f32\nstore y[i] = 0.0:f32\n}\n}"),
    ("modes", "kernel k(x: in f32[N], y: out f32[N], z: out f32[N]; N) {\npar i in 0..N {\nstore y[i] = x[i]\n}\n}"),
    ("modes", "kernel k(x: in f32[N], y: out f32[N]; N) {\npar i in 0..N {\nstore y[i] = x[i] + y[i]\n}\n}"),
    ("fold states", "kernel k(x: in f32[N], y: out f32[]; N) {\n"
     "fold vec i in 0..N with s: f32 = 0.0:f32 {\nnext s = s + x[i]\n}\nstore y[] = s\n}"),
    ("fold states", "kernel k(x: in f32[N], y: out f32[]; N) {\n"
     "fold seq i in 0..N with s: f32 = 0 {\nnext s = s + x[i]\n}\nstore y[] = s\n}"),
    ("contract is affine", WRITTEN["dense"].replace("x[i,p]", "x[j,p]")),
    ("contract is affine", WRITTEN["dense"].replace("w[p,j]", "w[p,i]")),
    ("contract is affine", WRITTEN["dense"].replace("x[i,p]", "x[i,mod(p, 3)]")),
    ("sorts fit", WRITTEN["sort"].replace("u32", "i32")),
    ("sorts fit", WRITTEN["sort"].replace("i64[N,3]", "i64[3,N]")),
    ("modes", WRITTEN["sort"].replace("out i64", "in i64")),
    ("names are bound", WRITTEN["sort"].replace("by x", "by z")),
    ("names are bound", WRITTEN["sort"].replace("sort y", "sort z")),
    ("nesting", WRITTEN["sort"].replace("check 0", "check 0\nsort y by x check 1").replace("checks 1", "checks 2")),
    ("checks are numbered", WRITTEN["sort"].replace(" checks 1", "")),
    ("checks are numbered", WRITTEN["take"].replace(" checks 1", "")),
    ("checks are numbered", WRITTEN["take"].replace("#M),j]", _TWICE)),
    ("no conflicts", "kernel k(x: in f32[N,M], y: out f32[N]; N, M) {\n"
     "par i in 0..N {\nvec j in 0..M {\nstore y[i] = x[i,j]\n}\n}\n}"),
    ("no conflicts", "kernel k(x: in f32[N], y: out f32[N]; N) {\n"
     "par i in 0..N {\nstore y[i] = x[i]\nstore y[i] = 0.0:f32\n}\n}"),
    ("no conflicts", "kernel k(y: inout f32[N]; N) {\npar i in 0..N {\nstore y[i] = y[#(N-1) - i]\n}\n}"),
    ("no conflicts", "kernel k(y: inout f32[N], z: out f32[N]; N) {\n"
     "par i in 0..N {\nstore y[i] = 0.0:f32\nstore z[i] = y[i]\n}\n}"),
    ("no conflicts", "kernel k(x: in f32[N], y: inout f32[]; N) {\npar i in 0..N {\nstore y[] = y[] + x[i]\n}\n}"),
]  # fmt: skip


_AGAIN = [
    "kernel k(y: inout f32[3], x: in f32[N]; N) {\nseq i in 0..N {\nstore y[1] = y[1] + x[i]\n}\n}",
    "kernel k(y: inout f32[], x: in f32[N]; N) {\nseq i in 0..N {\nstore y[] = y[] + x[i]\n}\n}",
    "kernel k(y: inout f32[3], x: in f32[N,3]; N) {\n"
    "seq i in 0..N {\nvec j in 0..3 {\nstore y[j] = y[j] + x[i,j]\n}\n}\n}",
]
_NEVER = [
    "kernel k(x: in f32[N], y: out f32[3]; N) {\nseq i in 0..N {\nstore y[1] = x[i]\n}\n}",
    "kernel k(x: in f32[N,M], y: inout f32[3]; N, M) {\n"
    "par i in 0..N {\nseq j in 0..M {\nstore y[1] = y[1] + x[i,j]\n}\n}\n}",
    "kernel k(x: in f32[N,M], y: inout f32[3]; N, M) {\n"
    "seq i in 0..N {\nvec j in 0..M {\nstore y[1] = y[1] + x[i,j]\n}\n}\n}",
]


@pytest.mark.parametrize("text", _AGAIN)
def test_only_scatters_may_write_an_element_again(text: str) -> None:
    verify(parse_kernel(text), scatters=True)
    with pytest.raises(InternalError, match="stores to the same element of y"):
        verify(parse_kernel(text))


@pytest.mark.parametrize("text", _NEVER)
def test_scatters_write_again_in_order_and_into_what_was_begun(text: str) -> None:
    with pytest.raises(InternalError, match="stores to the same element of y"):
        verify(parse_kernel(text), scatters=True)


def test_folds_go_on_with_what_they_wrote() -> None:
    verify(
        parse_kernel(
            "kernel k(x: inout f64[3]) {\nfold seq i in 0..3 with a: f64 = 1.0:f64 {\n"
            "%0 = a * x[i]\nstore x[i] = %0\nnext a = %0\n}\n}"
        )
    )


def test_code_without_loops_reads_any_element_before_it_stores() -> None:
    verify(parse_kernel("kernel k(y: inout f32[2]) {\nlet a = y[0]\nlet b = y[1]\nstore y[0] = b\nstore y[1] = a\n}"))
    late = "kernel k(y: inout f32[2]) {\nlet a = y[1]\nstore y[0] = a\nlet b = y[0]\nstore y[1] = b\n}"
    with pytest.raises(InternalError, match="y is loaded after it is stored to"):
        verify(parse_kernel(late))


@pytest.mark.parametrize(("invariant", "text"), _TEXTS)
def test_broken_text(invariant: str, text: str) -> None:
    with pytest.raises(InternalError) as caught:
        verify(parse_kernel(text))
    assert f"breaks the invariant {invariant!r}" in str(caught.value)


_N = symbol("N")
_X, _Y = Buffer("x", float32, (_N,)), Buffer("y", float32, (_N,), "out")
_I = Var("i")


def _loop(*body: Stmt, kind: str = "par") -> Kernel:
    return Kernel("k", (_X, _Y), ("N",), (Loop("i", _N, kind, body),))


def _store(value: object) -> Store:
    return Store("y", (_I,), value)  # type: ignore[arg-type]


_X_I = Load("x", (_I,), float32)
_ONE = Const(1.0, float32)
_FOLD = Fold("j", _N, "vec", ("s",), (float32,), (_ONE,), (), (Var("s", float32),), (Var("s.a", float32),))
_BUILT = [
    ("names are bound", _loop(_store(Var("q", float32)))),
    ("names are bound", _loop(_store(Cast(Var("i", int32), float32)))),
    ("names are bound", _loop(_store(Load("z", (_I,), float32)))),
    ("names are bound", _loop(_store(_X_I), Store("z", (_I,), _X_I))),
    ("names are bound", _loop(replace(_FOLD, next=(Var("t", float32),)), _store(Var("s", float32)))),
    ("names are bound", _loop(replace(_FOLD, merge=(Var("s", float32),)), _store(Var("s", float32)))),
    ("dtypes agree", _loop(_store(Cast(Load("x", (_I,), float64), float32)))),
    ("dtypes agree", _loop(_store(Call("lt", (_X_I, _X_I), float32)))),
    ("dtypes agree", _loop(_store(Select(Const(True, bool_), _X_I, Const(1.0, float64))))),
    ("dtypes agree", _loop(_store(Bitcast(_I, float32)))),
    ("nesting", _loop(_store(_X_I), kind="fast")),
    ("nesting", _loop(replace(_FOLD, kind="fast"), _store(Var("s", float32)))),
    ("nesting", _loop(replace(_FOLD, body=(_store(_X_I),)), kind="par")),
    ("fold states", _loop(replace(_FOLD, names=(), dtypes=(), init=(), next=(), merge=()), _store(_X_I))),
    ("fold states", _loop(replace(_FOLD, dtypes=(float32, int64)), _store(Var("s", float32)))),
]  # fmt: skip


@pytest.mark.parametrize(("invariant", "kernel"), _BUILT)
def test_broken_kernels(invariant: str, kernel: Kernel) -> None:
    with pytest.raises(InternalError) as caught:
        verify(kernel)
    assert f"breaks the invariant {invariant!r}" in str(caught.value)


def test_every_invariant_is_broken_somewhere() -> None:
    assert {name for name, _ in _TEXTS} | {name for name, _ in _BUILT} == set(INVARIANTS)


@pytest.mark.parametrize("name", WRITTEN)
def test_written_kernels_are_fine(name: str) -> None:
    verify(written(name))


@settings(max_examples=60, deadline=None)
@given(kernels())
def test_random_kernels_are_fine(kernel: Kernel) -> None:
    verify(kernel)
