"""Linear systems: solutions and inverses.

Derivatives are those of Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), unless a class names another source.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ShapeError
from ..dims import Dim, symbol
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Sample, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given
from .matrices import MatrixOp, from_identity, mm, mt, solve_triangular, stacked, triangle
from .sampling import floats, integers

N = symbol("N")


def _system(op: MatrixOp, facts: Facts, a: TensorType, b: TensorType) -> tuple[TensorType, ...]:
    """The type of the solution of ``a @ x = b``."""
    op.matrices((a, b))
    square = op.square(facts, a)
    if b.ndim != a.ndim:
        raise ShapeError(f"{op.name} of {a} and {b}: stacks of different ranks")
    shape = facts.unify_shapes(square.shape[:-1], b.shape[:-1], f"stacks and rows of the operands of {op.name}")
    return (b.with_shape([*shape, b.shape[-1]]),)


@register
class Solve(MatrixOp):
    """``x`` with ``a @ x = b`` for stacks of square matrices ``a`` and of matrices ``b``."""

    name = "solve"
    equivalents = "np.linalg.solve; theano.tensor.slinalg.solve; tf.linalg.solve"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        return _system(self, facts, *operands)

    def perform(self, *arrays: Array) -> Array:
        return np.linalg.solve(*arrays)

    def reference(self, *arrays: Array) -> Array:
        a, b = arrays
        return np.linalg.inv(a) @ b

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        to_b = e.apply(Solve(), mt(e, operands[0]), given(cotangents))
        return e.neg(mm(e, to_b, mt(e, results[0]))), to_b

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(), (stacked(4, 4, shift=3), floats(4, 2)), ((1, 1, "N"),)),
            Sample(cls(), (stacked(2, 3, 3, shift=3), floats(2, 3, 1)), ((0, 0, "N"), (1, 0, "N"))),
            Sample(cls(), (stacked(3, 3, shift=3, dtype="float32"), floats(3, 2, dtype="float32")), rtol=1e-4),
            Sample(cls(), (stacked(0, 0), floats(0, 2))),
            Sample(cls(), (floats(3, 4), floats(3, 2)), error="square matrices"),
            Sample(cls(), (floats(3, 3), floats(4, 2)), error="stacks and rows"),
            Sample(cls(), (floats(3, 3), floats(3)), error="needs matrices"),
            Sample(cls(), (floats(3, 3, dtype="float16"), floats(3, 1, dtype="float16")), error="cast it first"),
        ]


@register
@record
class TriangularSolve(MatrixOp):
    """``x`` with ``a @ x = b``, or ``a.T @ x = b`` (``transposed``), for triangular ``a``: the other triangle is not
    read, nor is the diagonal where it is ``unit``."""

    lower: bool
    transposed: bool = False
    unit: bool = False
    name = "triangular_solve"
    equivalents = "scipy.linalg.solve_triangular; theano.tensor.slinalg.solve_lower_triangular, solve_upper_triangular"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        return _system(self, facts, *operands)

    def flops(self, operands: Sequence[TensorType], results: Sequence[TensorType]) -> Dim:
        return results[0].size * operands[0].shape[-1]

    def perform(self, *arrays: Array) -> Array:
        a, b = arrays
        if self.unit:
            side = np.arange(a.shape[-1])
            a[..., side, side] = 1
        if self.transposed:
            return solve_triangular(a.swapaxes(-1, -2), b, not self.lower)
        return solve_triangular(a, b, self.lower)

    def reference(self, *arrays: Array) -> Array:
        a, b = arrays
        a = (np.tril if self.lower else np.triu)(a, (-1 if self.lower else 1) * self.unit)
        a = a + np.eye(a.shape[-1], dtype=a.dtype) * self.unit
        a, lower = (a.swapaxes(-1, -2), not self.lower) if self.transposed else (a, self.lower)
        x = np.zeros_like(b)
        n = a.shape[-1]
        for i in range(n) if lower else reversed(range(n)):  # substitution
            known = np.einsum("...j,...jk->...k", a[..., i, :], x)
            x[..., i, :] = (b[..., i, :] - known) / a[..., i, i, None]
        return x

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        a, x = operands[0], results[0]
        to_b = e.apply(TriangularSolve(self.lower, not self.transposed, self.unit), a, given(cotangents))
        product = mm(e, x, mt(e, to_b)) if self.transposed else mm(e, to_b, mt(e, x))
        return e.neg(triangle(e, product, self.lower, strict=self.unit)), to_b

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        a, b = stacked(3, 3, shift=3), floats(3, 2, seed=1)
        cases = [Sample(cls(low, trans, unit), (a, b)) for low in (True, False) for trans in (True, False)
                 for unit in (False, True)]  # fmt: skip
        large = stacked(150, 150, seed=3, shift=40), floats(150, 2, seed=4)
        return [
            *cases,
            Sample(cls(True), (stacked(2, 3, 3, shift=3), floats(2, 3, 1)), ((0, 0, "N"), (1, 0, "N"))),
            Sample(cls(False), large, differentiable=()),
            Sample(cls(True), large, differentiable=()),
            Sample(cls(True), (floats(3, 4), floats(3, 2)), error="square matrices"),
        ]


@register
class Inverse(MatrixOp):
    """The inverse of square matrices."""

    name = "inverse"
    equivalents = "np.linalg.inv; theano.tensor.nlinalg.matrix_inverse; tf.linalg.inv"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        return (self.square(facts, *operands),)

    def perform(self, *arrays: Array) -> Array:
        return np.linalg.inv(arrays[0])

    def reference(self, *arrays: Array) -> Array:
        (a,) = arrays
        return np.linalg.solve(a, np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape))

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        turned = mt(e, results[0])
        return (e.neg(mm(e, mm(e, turned, given(cotangents)), turned)),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(), (stacked(3, 3, shift=3),)),
            Sample(cls(), (stacked(2, 4, 4, shift=4),), ((0, 0, "N"),)),
            Sample(cls(), (stacked(4, 4, shift=4, dtype="float32"),), ((0, 0, "N"), (0, 1, "N")), rtol=1e-4),
            Sample(cls(), (stacked(0, 0),)),
            Sample(cls(), (floats(3, 4),), error="square matrices"),
            Sample(cls(), (integers(3, 3),), error="float32 and float64"),
            Sample(cls(), (floats(3),), error="needs matrices"),
        ]


@register
@record
class PseudoInverse(MatrixOp):
    """The Moore-Penrose inverse; singular values up to ``rcond`` times the largest count as 0 (None: the precision
    times the larger side). The derivative, where the rank does not change, is that of Golub and Pereyra (1973), "The
    differentiation of pseudo-inverses"."""

    rcond: float | None = None
    name = "pinv"
    equivalents = "np.linalg.pinv; theano.tensor.nlinalg.pinv"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        self.matrices(operands)
        *batch, rows, columns = operands[0].shape
        return (operands[0].with_shape([*batch, columns, rows]),)

    def perform(self, *arrays: Array) -> Array:
        (a,) = arrays
        least = float(np.finfo(a.dtype).eps) * max(a.shape[-2:]) if self.rcond is None else self.rcond
        return np.linalg.pinv(a, least)

    def reference(self, *arrays: Array) -> Array:
        u, s, vh = np.linalg.svd(arrays[0], full_matrices=False)
        kept = s > (self.rcond or 1e-7) * s.max(-1, keepdims=True, initial=0)
        inverse = np.where(kept, 1 / np.where(kept, s, 1), 0)
        return np.einsum("...ji,...j,...kj->...ik", vh, inverse, u).astype(arrays[0].dtype)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        (a,), (p,), g = operands, results, given(cotangents)
        pt, gt = mt(e, p), mt(e, g)
        one = e.neg(mm(e, mm(e, pt, g), pt))
        two = mm(e, from_identity(e, mm(e, a, p)), mm(e, gt, mm(e, p, pt)))
        three = mm(e, mm(e, pt, p), mm(e, gt, from_identity(e, mm(e, p, a))))
        return (e.add(one, e.add(two, three)),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        low = floats(4, 2, seed=5) @ floats(2, 3, seed=6)
        return [
            Sample(cls(), (floats(4, 3),), ((0, 0, "N"),)),
            Sample(cls(1e-12), (floats(2, 3, 4),), ((0, 0, "N"), (0, 1, "M"))),
            Sample(cls(1e-5), (floats(3, 5, dtype="float32"),), rtol=1e-3, atol=1e-4),
            Sample(cls(1e-8), (low,), differentiable=()),
            Sample(cls(1e-8), (integers(3, 4),), error="float32 and float64"),
        ]
