"""Matrices as products of simpler ones: Cholesky, QR, eigenvalues of symmetric matrices, singular values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import GradientError
from ..dim_order import minimum
from ..dims import symbol
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Sample, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given
from .matrices import (
    MatrixOp,
    diagonal,
    folded,
    from_identity,
    inverse_gaps,
    mm,
    mt,
    rows_and_columns,
    scale_columns,
    scale_rows,
    stacked,
    triangle,
)
from .sampling import floats, integers
from .solving import TriangularSolve

N = symbol("N")


@register
class Cholesky(MatrixOp):
    """The lower triangular ``l`` with ``l @ l.T`` the operand, symmetric and positive definite, of which the lower
    triangle is read. The derivative is that of Murray, "Differentiation of the Cholesky decomposition" (2016)."""

    name = "cholesky"
    equivalents = "np.linalg.cholesky; theano.tensor.slinalg.cholesky; tf.linalg.cholesky"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        return (self.square(facts, *operands),)

    def perform(self, *arrays: Array) -> Array:
        return np.linalg.cholesky(arrays[0])

    def reference(self, *arrays: Array) -> Array:
        (a,) = arrays
        low = np.zeros_like(a)
        for j in range(a.shape[-1]):  # a column at a time
            rest = a[..., j:, j] - np.einsum("...ik,...k->...i", low[..., j:, :j], low[..., j, :j])
            low[..., j:, j] = rest / np.sqrt(rest[..., :1])
        return low

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        (low,) = results
        product = triangle(e, mm(e, mt(e, low), given(cotangents)))
        row, column = rows_and_columns(e, product)
        inner = e.where(e.eq(row, column), e.mul(product, 0.5), product)
        back = TriangularSolve(True, transposed=True)
        outer = e.apply(back, low, mt(e, e.apply(back, low, inner)))
        return (folded(e, outer, lower=True),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(), (stacked(3, 3, definite=True),)),
            Sample(cls(), (stacked(2, 4, 4, definite=True),), ((0, 0, "N"),)),
            Sample(cls(), (stacked(4, 4, definite=True, dtype="float32"),), ((0, 0, "N"), (0, 1, "N")), rtol=1e-4),
            Sample(cls(), (floats(3, 4),), error="square matrices"),
            Sample(cls(), (integers(3, 3),), error="float32 and float64"),
        ]


@register
@record
class Eigh(MatrixOp):
    """Eigenvalues, from the smallest, and eigenvectors (columns) of symmetric matrices, of which one triangle is read.

    The derivative is Giles's (2008). Vectors of equal eigenvalues have none: it is NaN there.
    """

    lower: bool = True
    name = "eigh"
    equivalents = "np.linalg.eigh; theano.tensor.nlinalg.eigh; tf.linalg.eigh"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        square = self.square(facts, *operands)
        return square.with_shape(square.shape[:-1]), square

    def perform(self, *arrays: Array) -> tuple[Array, ...]:
        return tuple(np.linalg.eigh(arrays[0], "L" if self.lower else "U"))

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        return self.perform(*arrays)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        values, vectors = results
        to_values, to_vectors = cotangents
        turned = mt(e, vectors)
        inner: Value | None = None
        if to_vectors is not None:
            inner = e.mul(inverse_gaps(e, values), mm(e, turned, to_vectors))
        if to_values is not None:
            along = diagonal(e, to_values)
            inner = along if inner is None else e.add(inner, along)
        assert inner is not None
        return (folded(e, mm(e, mm(e, vectors, inner), turned), self.lower),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(), (stacked(3, 3, definite=True),)),
            Sample(cls(False), (stacked(3, 3, seed=4),)),
            Sample(cls(), (stacked(2, 4, 4, seed=2),), ((0, 0, "N"),)),
            Sample(cls(), (stacked(3, 3, definite=True, dtype="float32"),), ((0, 0, "N"), (0, 1, "N")), rtol=1e-4),
            Sample(cls(), (floats(3, 4),), error="square matrices"),
        ]


@register
@record
class Eigvalsh(MatrixOp):
    """The eigenvalues alone."""

    lower: bool = True
    name = "eigvalsh"
    equivalents = "np.linalg.eigvalsh; theano.tensor.slinalg.eigvalsh; tf.linalg.eigvalsh"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        square = self.square(facts, *operands)
        return (square.with_shape(square.shape[:-1]),)

    def perform(self, *arrays: Array) -> Array:
        return np.linalg.eigvalsh(arrays[0], "L" if self.lower else "U")

    def reference(self, *arrays: Array) -> Array:
        return Eigh(self.lower).reference(*arrays)[0]

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        _, vectors = e.apply_all(Eigh(self.lower), *operands)
        inner = mm(e, scale_columns(e, vectors, given(cotangents)), mt(e, vectors))
        return (folded(e, inner, self.lower),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(), (stacked(3, 3, definite=True),)),
            Sample(cls(False), (stacked(2, 3, 3, seed=4),), ((0, 0, "N"),)),
            Sample(cls(), (floats(3, 4),), error="square matrices"),
        ]


@register
@record
class Svd(MatrixOp):
    """``u``, ``s``, ``vh`` with ``(u * s) @ vh`` the operand, ``s`` from the largest. ``full``: square ``u``, ``vh``.

    The derivative is that of Townsend, "Differentiating the singular value decomposition" (2016); equal singular
    values have none.
    """

    full: bool
    name = "svd"
    equivalents = "np.linalg.svd; theano.tensor.nlinalg.svd; tf.linalg.svd"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        self.matrices(operands)
        (x,) = operands
        *batch, rows, columns = x.shape
        least = minimum(rows, columns)
        wide = [[*batch, rows, rows if self.full else least], [*batch, columns if self.full else least, columns]]
        return x.with_shape(wide[0]), x.with_shape([*batch, least]), x.with_shape(wide[1])

    def perform(self, *arrays: Array) -> tuple[Array, ...]:
        return tuple(np.linalg.svd(arrays[0], full_matrices=self.full))

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        return self.perform(*arrays)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        (u, s, vh), (to_u, to_s, to_vh) = results, cotangents
        rows, columns = operands[0].shape[-2:]
        if self.full and rows != columns:
            if to_u is not None or to_vh is not None:
                raise GradientError(f"{self.name}: no gradient of full, not square factors; use full_matrices=False")
            u, s, vh = e.apply_all(Svd(False), *operands)
        ut, v = mt(e, u), mt(e, vh)
        gaps = inverse_gaps(e, e.square(s))
        inner: list[Value] = [] if to_s is None else [diagonal(e, to_s)]
        outer: list[Value] = []
        reciprocal = e.div(e.full(s.shape, 1, s.dtype), s)
        if to_u is not None:
            product = mm(e, ut, to_u)
            inner.append(scale_columns(e, e.mul(gaps, e.sub(product, mt(e, product))), s))
            if minimum(rows, columns) != rows:  # else, or where they turn out equal, u @ ut is the identity
                rest = mm(e, from_identity(e, mm(e, u, ut)), to_u)
                outer.append(mm(e, scale_columns(e, rest, reciprocal), vh))
        if to_vh is not None:
            product = mm(e, vh, mt(e, to_vh))
            inner.append(scale_rows(e, e.mul(gaps, e.sub(product, mt(e, product))), s))
            if minimum(rows, columns) != columns:
                rest = mm(e, scale_rows(e, to_vh, reciprocal), from_identity(e, mm(e, v, vh)))
                outer.append(mm(e, u, rest))
        total = inner[0]
        for more in inner[1:]:
            total = e.add(total, more)
        total = mm(e, mm(e, u, total), vh)
        for more in outer:
            total = e.add(total, more)
        return (total,)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(False), (floats(4, 3, seed=1),)),
            Sample(cls(False), (floats(2, 3, 4, seed=2),), ((0, 0, "N"),)),
            Sample(cls(False), (floats(3, 3, seed=3),), ((0, 0, "N"), (0, 1, "N"))),
            Sample(cls(False), (floats(2, 4, 3, seed=6),), ((0, 1, "N"), (0, 2, "M"))),
            Sample(cls(False), (floats(2, 3, seed=7),), ((0, 1, "N"),)),
            Sample(cls(True), (floats(3, 3, seed=4),)),
            Sample(cls(True), (floats(2, 4, seed=5),), differentiable=()),
            Sample(cls(False), (floats(3, 2, dtype="float32"),), rtol=1e-4),
            Sample(cls(False), (integers(3, 3),), error="float32 and float64"),
        ]


@register
class Svdvals(MatrixOp):
    """The singular values alone, from the largest."""

    name = "svdvals"
    equivalents = "np.linalg.svdvals, np.linalg.svd(compute_uv=False)"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        self.matrices(operands)
        (x,) = operands
        return (x.with_shape([*x.shape[:-2], minimum(*x.shape[-2:])]),)

    def perform(self, *arrays: Array) -> Array:
        return np.linalg.svd(arrays[0], compute_uv=False)

    def reference(self, *arrays: Array) -> Array:
        (a,) = arrays
        gram = a @ a.swapaxes(-1, -2) if a.shape[-2] < a.shape[-1] else a.swapaxes(-1, -2) @ a
        return np.sqrt(np.maximum(np.linalg.eigvalsh(gram), 0))[..., ::-1]

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        u, _, vh = e.apply_all(Svd(False), *operands)
        return (mm(e, scale_columns(e, u, given(cotangents)), vh),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(), (floats(4, 3, seed=1),)),
            Sample(cls(), (floats(2, 3, 4, seed=2),), ((0, 1, "N"), (0, 2, "M"))),
            Sample(cls(), (integers(3, 3),), error="float32 and float64"),
        ]


@register
@record
class Qr(MatrixOp):
    """``q`` with orthonormal columns and upper triangular ``r``, ``q @ r`` the operand; ``complete``: square ``q``.

    The derivative is that of Walter and Lehmann, "Algorithmic differentiation of linear algebra functions with
    application in optimum experimental design" (2010); with more columns than rows the first ones make ``q``.
    """

    complete: bool = False
    name = "qr"
    equivalents = "np.linalg.qr; theano.tensor.nlinalg.qr; tf.linalg.qr"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        self.matrices(operands)
        (x,) = operands
        *batch, rows, columns = x.shape
        inner = rows if self.complete else minimum(rows, columns)
        return x.with_shape([*batch, rows, inner]), x.with_shape([*batch, inner, columns])

    def perform(self, *arrays: Array) -> tuple[Array, ...]:
        return tuple(np.linalg.qr(arrays[0], "complete" if self.complete else "reduced"))

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        return self.perform(*arrays)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        (a,), (q, r) = operands, results
        *batch, rows, columns = a.shape
        least = minimum(rows, columns)
        if self.complete and least != rows:
            raise GradientError(f"{self.name}: no gradient of a complete factor that may have more rows than columns")
        to_q = cotangents[0] if cotangents[0] is not None else e.zeros_like(q)
        to_r = cotangents[1] if cotangents[1] is not None else e.zeros_like(r)
        if least == columns:
            return (self._tall(e, q, r, to_q, to_r),)
        none = [0] * len(batch)
        left, right = [*batch, least, least], [*batch, least, columns - least]  # nothing, where there are more rows
        beyond = e.slice(a, [*none, 0, least], [*batch, rows, columns - least])
        to_beyond = e.slice(to_r, [*none, 0, least], right)
        to_q = e.add(to_q, mm(e, beyond, mt(e, to_beyond)))
        first = self._tall(
            e, q, e.slice(r, [*none, 0, 0], left), to_q, e.slice(to_r, [*none, 0, 0], left)
        )  # fmt: skip
        return (e.concatenate([first, mm(e, q, to_beyond)], a.type.ndim - 1),)

    @staticmethod
    def _tall(e: Emitter, q: Value, r: Value, to_q: Value, to_r: Value) -> Value:
        """Where ``r`` is square."""
        middle = e.sub(mm(e, r, mt(e, to_r)), mm(e, mt(e, to_q), q))
        copied = e.add(triangle(e, middle), mt(e, triangle(e, middle, strict=True)))
        y = e.add(to_q, mm(e, q, copied))
        return mt(e, e.apply(TriangularSolve(False), r, mt(e, y)))

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(), (floats(4, 3, seed=1),)),
            Sample(cls(), (floats(2, 3, 3, seed=2),), ((0, 0, "N"),)),
            Sample(cls(), (floats(2, 4, seed=3),)),
            Sample(cls(), (floats(2, 4, seed=6),), ((0, 0, "N"), (0, 1, "M"))),
            Sample(cls(), (floats(2, 4, 3, seed=7),), ((0, 0, "K"), (0, 1, "N"), (0, 2, "M"))),
            Sample(cls(True), (floats(2, 4, seed=4),), ((0, 1, "N"),)),
            Sample(cls(True), (floats(4, 2, seed=5),), ((0, 0, "N"),), differentiable=()),
            Sample(cls(), (floats(3, 2, dtype="float32"),), rtol=1e-4),
            Sample(cls(), (integers(3, 3),), error="float32 and float64"),
        ]
