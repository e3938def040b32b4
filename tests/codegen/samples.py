"""Kernels for tests: hand-written ones as text, and random ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from symgraph.codegen.algebra import LoopAlgebra
from symgraph.codegen.loop.grammar import Buffer, Contract, Expr, Fold, Kernel, Let, Load, Loop, Stmt, Store
from symgraph.codegen.loop.parse import parse_kernel
from symgraph.codegen.loop.walk import sizes_of
from symgraph.dtypes import DType, bool_, float32, float64, int32, int64, uint32
from symgraph.ir.dims import Dim, evaluate, symbol

Array = np.ndarray[Any, Any]

SGD = """
kernel sgd(a: inout f32[N], s: in f32[], g: in f32[N]; N) {
  par i in 0..N {
    store a[i] = a[i] - s[] * g[i]
  }
}
"""

SOFTMAX = """
kernel softmax(x: in f32[N,10], y: out f32[N,10]; N) {
  par i in 0..N {
    fold vec j in 0..10 with m: f32 = -inf:f32 {
      next m = maximum(m, x[i,j])
      merge m = maximum(m.a, m.b)
    }
    fold vec j1 in 0..10 with s: f32 = 0.0:f32 {
      next s = s + exp(x[i,j1] - m)
      merge s = s.a + s.b
    }
    vec j2 in 0..10 {
      store y[i,j2] = exp(x[i,j2] - m) / s
    }
  }
}
"""

DENSE = """
kernel dense(x: in f32[N,7], w: in f32[7,5], b: in f32[5], y: out f32[N,5], mask: out bool[N,5]; N) {
  contract i in 0..N, j in 0..5, p in 0..7 {
    sum acc: f32 = x[i,p]
    times w[p,j]
    let h = acc + b[j]
    store y[i,j] = maximum(h, 0.0:f32)
    store mask[i,j] = gt(h, 0.0:f32)
  }
}
"""

TAKE = """
kernel take(table: in f32[M,4], index: in i32[N], y: out f32[N,4]; N, M) checks 1 {
  par i in 0..N {
    vec j in 0..4 {
      store y[i,j] = table[bounds<0>(i64(index[i]), #M),j]
    }
  }
}
"""

ARGMAX = """
kernel argmax(x: in f32[N,M], y: out i64[N]; N, M) {
  par i in 0..N {
    fold vec j in 0..M with best: f32 = -inf:f32, at: i64 = 9223372036854775807 {
      %0 = gt(x[i,j], best)
      next best = select(%0, x[i,j], best)
      next at = select(%0, j, at)
      %1 = gt(best.a, best.b)
      merge best = select(%1, best.a, best.b)
      merge at = select(%1, at.a, select(eq(best.a, best.b), minimum(at.a, at.b), at.b))
    }
    store y[i] = at
  }
}
"""

RESHAPED = """
kernel views(x: in f64[N,6], y: out f64[N,3,2], z: out f64[6,N]; N) {
  par i in 0..N {
    seq a in 0..3 {
      vec b in 0..2 {
        store y[i,a,b] = x[i,a * 2 + b] * 2.0:f64
      }
    }
    vec c in 0..6 {
      store z[5 - c,i] = select(lt(c, 3), x[i,c], -x[i,mod(c, 3)])
    }
  }
}
""".replace("-x[i,mod(c, 3)]", "neg(x[i,mod(c, 3)])")

BATCHED = """
kernel bmm(a: in f64[B,K,M], b: in f64[N,K,B], y: inout f64[B,N,M]; B, K, M, N) {
  contract q in 0..B, i in 0..M, j in 0..N, p in 0..K {
    sum acc: f64 = a[q,p,i]
    times b[j,p,q]
    store y[q,j,i] = y[q,j,i] * 0.5:f64 + acc
  }
}
"""

CUMULATIVE = """
kernel running(x: in f32[N,M], y: out f32[N,M]; N, M) {
  par i in 0..N {
    fold seq j in 0..M with s: f32 = 0.0:f32 {
      let t = s + x[i,j]
      store y[i,j] = t
      next s = t
    }
  }
}
"""

SORT = """
kernel best(x: in u32[N,5], y: out i64[N,3]; N) checks 1 {
  sort y by x check 0
}
"""

WRITTEN = {
    "sgd": SGD, "softmax": SOFTMAX, "dense": DENSE, "take": TAKE, "argmax": ARGMAX, "views": RESHAPED, "bmm": BATCHED,
    "running": CUMULATIVE, "sort": SORT,
}  # fmt: skip
SIZES = {"N": 3, "M": 4, "B": 2, "K": 5}


def written(name: str) -> Kernel:
    return parse_kernel(WRITTEN[name])


def arrays_for(kernel: Kernel, sizes: dict[str, int], seed: int = 0) -> dict[str, Array]:
    """Random arrays of a kernel's declared types; integers are small and not negative."""
    rng = np.random.default_rng(seed)
    out: dict[str, Array] = {}
    for b in kernel.buffers:
        shape = tuple(evaluate(d, sizes) for d in b.shape)
        if b.dtype.is_float:
            out[b.name] = rng.uniform(-2, 2, shape).astype(b.dtype.np)
        elif b.dtype.is_bool:
            out[b.name] = np.asarray(rng.integers(0, 2, shape)).astype(bool)
        else:
            out[b.name] = np.asarray(rng.integers(0, 4, shape)).astype(b.dtype.np)
    return out


# -- random kernels ---------------------------------------------------------------------------------------------

_FLOAT_UNARY = ["neg", "abs", "sign", "floor", "tanh", "sigmoid", "exp"]
_FLOAT_BINARY = ["add", "sub", "mul", "minimum", "maximum", "div"]
_INT_BINARY = ["add", "sub", "mul", "minimum", "maximum", "bit_and", "bit_xor"]
_COMPARE = ["lt", "le", "eq", "gt"]


class _Maker:
    """Draws expressions over buffers that are indexed by some loop variables."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.s = LoopAlgebra()
        self.buffers: dict[str, Buffer] = {}

    def buffer(self, dtype: DType, shape: tuple[Dim, ...], mode: str = "in") -> Buffer:
        name = self.s.fresh({"in": "x", "out": "y", "inout": "u"}[mode])
        self.buffers[name] = Buffer(name, dtype, shape, mode)
        return self.buffers[name]

    def index(self, size: Dim, around: list[tuple[Expr, Dim]]) -> Expr:
        """An index below ``size``: a loop variable of that extent, its mirror image, or a constant."""
        s = self.s
        fitting = [v for v, extent in around if extent == size]
        if not fitting:
            return s.index(0)
        variable = self.draw(st.sampled_from(fitting))
        kind = self.draw(st.sampled_from(["same", "same", "same", "mirror", "first", "split"]))
        if kind == "mirror":
            return s.sub(s.size(size - 1), variable)
        if kind == "split":
            two = s.index(2)
            return s.add(s.mul(s.floordiv(variable, two), two), s.mod(variable, two))
        return s.index(0) if kind == "first" else variable

    def load(self, dtype: DType, around: list[tuple[Expr, Dim]]) -> Expr:
        pool = [b for b in self.buffers.values() if b.dtype is dtype and b.mode == "in"]
        if pool and self.draw(st.booleans()):
            buffer = self.draw(st.sampled_from(pool))
            sizes = {extent for _, extent in around} | {1}
            if not all(d in sizes for d in buffer.shape):
                return self.s.const(2, dtype)
        else:
            chosen = self.draw(st.lists(st.sampled_from(around), max_size=2)) if around else []
            buffer = self.buffer(dtype, tuple(d for _, d in chosen))
        return self.s.load(buffer, [self.index(d, around) for d in buffer.shape])

    def expr(self, dtype: DType, around: list[tuple[Expr, Dim]], depth: int, pool: list[Expr]) -> Expr:
        s, draw = self.s, self.draw
        known = [e for e in pool if e.dtype is dtype]
        if known and draw(st.integers(0, 3)) == 0:
            return draw(st.sampled_from(known))
        if depth == 0:
            if draw(st.integers(0, 4)) == 0:
                return s.const(draw(st.sampled_from([0, 1, 2, 3])), dtype)
            return self.load(dtype, around)
        sub = [self.expr(dtype, around, depth - 1, pool) for _ in range(2)]
        kind = draw(st.integers(0, 6))
        if kind == 0:
            condition = s.intrinsic(draw(st.sampled_from(_COMPARE)), *sub)
            out = s.select(condition, sub[1], sub[0])
        elif kind == 1:
            source = draw(st.sampled_from([d for d in (float32, int32, float64, bool_) if d is not dtype]))
            inner = self.load(source, around)
            out = s.cast(inner, dtype)
        elif kind == 2 and dtype.is_float:
            out = s.intrinsic(draw(st.sampled_from(_FLOAT_UNARY)), sub[0])
        elif kind == 3 and around and not dtype.is_bool:
            out = s.add(sub[0], s.cast(draw(st.sampled_from(around))[0], dtype))
        else:
            names = _FLOAT_BINARY if dtype.is_float else ["bit_or", "bit_xor"] if dtype.is_bool else _INT_BINARY
            out = s.intrinsic(draw(st.sampled_from(names)), *sub)
        pool.append(out)
        return out

    def fold(self, around: list[tuple[Expr, Dim]], extent: Dim, dtype: DType, pool: list[Expr]) -> tuple[Fold, Expr]:
        s, draw = self.s, self.draw
        name, var = s.fresh("s"), s.fresh("k")
        state, k = s.var(name, dtype), s.loop_var(var, extent)
        kind = draw(st.sampled_from(["vec", "seq"]))
        how = draw(st.sampled_from(["add", "maximum"]))
        element = self.expr(dtype, [*around, (k, extent)], 1, [])
        body: tuple[Stmt, ...] = ()
        if draw(st.booleans()):
            local = s.fresh("t")
            body = (Let(local, element),)
            element = s.var(local, dtype)
        init = s.const(0, dtype) if how == "add" else s.const(0 if dtype.kind == "u" else -100, dtype)
        a, b = s.var(name + ".a", dtype), s.var(name + ".b", dtype)
        nexts = s.intrinsic(how, state, element)
        init = init if how == "add" or dtype.is_float else s.const(-(2**31) if dtype is int32 else 0, dtype)
        if how == "maximum" and dtype.is_float:
            init = s.const(-np.inf, dtype)
        merge = (s.intrinsic(how, a, b),)
        return Fold(var, extent, kind, (name,), (dtype,), (init,), body, (nexts,), merge), state


@st.composite
def kernels(draw: Any) -> Kernel:
    """Nests of par/seq/vec loops with folds, lets and several stores; or a contract with an epilogue."""
    make = _Maker(draw)
    s = make.s
    if draw(st.integers(0, 3)) == 0:
        return _contract(make)
    nests = [("par",), ("par", "vec"), ("par", "seq", "vec"), ("seq",), ("vec",), ("par", "seq"), ()]
    kinds = draw(st.sampled_from(nests))
    names = [s.fresh("i") for _ in kinds]
    extents = [draw(st.sampled_from([symbol("N"), symbol("M"), 3, 1])) for _ in kinds]
    around = [(s.loop_var(n, d), d) for n, d in zip(names, extents, strict=True)]
    pool: list[Expr] = []
    body: list[Stmt] = []
    for _ in range(draw(st.integers(0, 2))):
        dtype = draw(st.sampled_from([float32, float64, int32]))
        fold, state = make.fold(around, draw(st.sampled_from([symbol("N"), 5])), dtype, pool)
        body.append(fold)
        pool.append(state)
    if draw(st.booleans()):
        value = make.expr(float32, around, 2, pool)
        name = s.fresh("v")
        body.append(Let(name, value))
        pool.append(s.var(name, float32))
    for _ in range(draw(st.integers(1, 2))):
        dtype = draw(st.sampled_from([float32, float64, int32, bool_, uint32, int64]))
        body.append(_store(make, dtype, around, make.expr(dtype, around, 2, pool)))
    stmts = tuple(body)
    for kind, name, extent in reversed(list(zip(kinds, names, extents, strict=True))):
        stmts = (Loop(name, extent, kind, stmts),)
    return _kernel(make, stmts)


def _store(make: _Maker, dtype: DType, around: list[tuple[Expr, Dim]], value: Expr) -> Store:
    order = make.draw(st.permutations(around))
    mode = make.draw(st.sampled_from(["out", "out", "inout"]))
    buffer = make.buffer(dtype, tuple(d for _, d in order), mode)
    index = [v if make.draw(st.integers(0, 3)) else make.s.sub(make.s.size(d - 1), v) for v, d in order]
    load = make.s.load(buffer, index)
    assert isinstance(load, Load)
    if mode == "inout":
        value = make.s.intrinsic("bit_xor" if dtype.is_bool else "sub", load, value)
    return Store(buffer.name, load.index, value)


def _contract(make: _Maker) -> Kernel:
    s, draw = make.s, make.draw
    batch = draw(st.integers(0, 1))
    dims: list[Dim] = [draw(st.sampled_from([symbol("N"), symbol("M"), 2, 1])) for _ in range(3 + batch)]
    names = [s.fresh(n) for n in ["q"] * batch + ["m", "n", "k"]]
    variables = [(s.loop_var(n, d), d) for n, d in zip(names, dims, strict=True)]
    *batches, m, n, k = variables
    dtype = draw(st.sampled_from([float32, float64]))
    loads: list[Load] = []
    for axes in ([*batches, m, k], [*batches, k, n]):
        order = draw(st.permutations(axes))
        buffer = make.buffer(dtype, tuple(d for _, d in order))
        load = s.load(buffer, [v if draw(st.integers(0, 3)) else s.sub(s.size(d - 1), v) for v, d in order])
        assert isinstance(load, Load)
        loads.append(load)
    acc = s.fresh("acc")
    pool = [s.var(acc, dtype)]
    around = [*batches, m, n]
    count = draw(st.integers(1, 2))
    stmts = [_store(make, dtype, around, make.expr(dtype, around, 2, pool)) for _ in range(count)]
    body = Contract(
        tuple(names[:batch]), tuple(dims[:batch]), names[-3], m[1], names[-2], n[1], names[-1], k[1],
        loads[0], loads[1], acc, dtype, tuple(stmts),
    )  # fmt: skip
    return _kernel(make, (body,))


def _kernel(make: _Maker, body: tuple[Stmt, ...]) -> Kernel:
    kernel = Kernel("random", tuple(make.buffers.values()), (), body, len(make.s.checks))
    return Kernel("random", kernel.buffers, sizes_of(kernel), body, kernel.checks)
