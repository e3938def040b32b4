"""Functions of square matrices: determinants, the exponential.

Derivatives are those of Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), unless a class names another source.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..dims import symbol
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Sample, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given
from .matrices import MatrixOp, mm, mt, over_matrices, stacked
from .sampling import floats
from .solving import Inverse

N = symbol("N")


@register
class Determinant(MatrixOp):
    """The determinant of square matrices; its gradient, the cofactors, exists for singular ones too."""

    name = "det"
    equivalents = "np.linalg.det; theano.tensor.nlinalg.det"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        square = self.square(facts, *operands)
        return (square.with_shape(square.shape[:-2]),)

    def perform(self, *arrays: Array) -> Array:
        return np.linalg.det(arrays[0])

    def reference(self, *arrays: Array) -> Array:
        (a,) = arrays
        return np.prod(np.linalg.eigvals(a), -1).real.astype(a.dtype)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        (a,) = operands
        return (e.mul(over_matrices(e, given(cotangents), a), e.apply(Cofactors(), a)),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(), (stacked(3, 3),)),
            Sample(cls(), (stacked(2, 3, 3, dtype="float32"),), ((0, 0, "N"),), rtol=1e-4),
            Sample(cls(), (stacked(2, 2, 2),), ((0, 0, "N"),)),
            Sample(cls(), (floats(2, 3),), error="square matrices"),
        ]


@register
class Cofactors(MatrixOp):
    """The derivative of the determinant: ``det(a) * inv(a).T``, also for singular matrices."""

    name = "cofactors"
    equivalents = "the transposed adjugate matrix"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        return (self.square(facts, *operands),)

    def perform(self, *arrays: Array) -> Array:
        # det(u s v) inv(u s v).T = det(u) det(v) u diag(product of the other s) v, with u and v orthogonal
        u, s, vh = np.linalg.svd(arrays[0])
        n = s.shape[-1]
        others = np.where(np.eye(n, dtype=bool), 1, s[..., None, :]).prod(-1)
        sign = np.linalg.det(u) * np.linalg.det(vh)
        return ((u * (sign[..., None] * others)[..., None, :]) @ vh).astype(arrays[0].dtype)

    def reference(self, *arrays: Array) -> Array:
        (a,) = arrays
        out = np.empty_like(a)
        for i in range(a.shape[-1]):
            for j in range(a.shape[-1]):
                minor = np.delete(np.delete(a, i, -2), j, -1)
                out[..., i, j] = (-1) ** (i + j) * np.linalg.det(minor)
        return out

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        """From differentiating ``det(a) * inv(a).T``; needs regular matrices."""
        (a,), (c,), g = operands, results, given(cotangents)
        turned = mt(e, e.apply(Inverse(), a))
        total = over_matrices(e, e.sum(e.mul(g, c), [a.type.ndim - 2, a.type.ndim - 1]), a)
        return (e.sub(e.mul(total, turned), mm(e, mm(e, c, mt(e, g)), turned)),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        singular = np.outer([1.0, 2.0, 3.0], [1.0, -1.0, 2.0])
        singular[0, 0] += 1
        return [
            Sample(cls(), (stacked(3, 3),)),
            Sample(cls(), (stacked(2, 4, 4),), ((0, 0, "N"),)),
            Sample(cls(), (singular,), differentiable=()),
            Sample(cls(), (floats(2, 3),), error="square matrices"),
        ]


@register
class SignLogDet(MatrixOp):
    """The sign of the determinant, and the logarithm of its absolute value."""

    name = "slogdet"
    equivalents = "np.linalg.slogdet; tf.linalg.slogdet"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        square = self.square(facts, *operands)
        return (square.with_shape(square.shape[:-2]),) * 2

    def perform(self, *arrays: Array) -> tuple[Array, ...]:
        return tuple(np.linalg.slogdet(arrays[0]))

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        (a,) = arrays
        values = np.linalg.eigvals(a)
        sign = np.prod(values / np.abs(values), -1).real
        return np.rint(sign).astype(a.dtype), np.log(np.abs(values)).sum(-1).astype(a.dtype)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        (a,), g = operands, cotangents[1]
        if g is None:
            return (None,)
        return (e.mul(over_matrices(e, g, a), mt(e, e.apply(Inverse(), a))),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(), (stacked(3, 3, shift=1),)),
            Sample(cls(), (stacked(2, 3, 3),), ((0, 0, "N"),)),
            Sample(cls(), (stacked(4, 4, dtype="float32"),), rtol=1e-4),
            Sample(cls(), (floats(2, 3),), error="square matrices"),
        ]


#: Numerators of the Pade approximant of order 13 of exp, and up to which norm it holds in float64: Higham, "The scaling
#: and squaring method for the matrix exponential revisited" (2005).
_PADE = [
    64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
    670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
]  # fmt: skip
_THETA = 5.37


@register
class MatrixExp(MatrixOp):
    """The exponential of square matrices. The derivative is a block of the exponential of a block matrix: Mathias, "A
    chain rule for matrix functions and applications" (1996)."""

    name = "expm"
    equivalents = "scipy.linalg.expm; theano.tensor.slinalg.expm; tf.linalg.expm"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        return (self.square(facts, *operands),)

    def perform(self, *arrays: Array) -> Array:
        (a,) = arrays
        norm = np.abs(a).astype(np.float64).sum(-2).max(-1, initial=0)[..., None, None]
        known = np.isfinite(norm)
        # Each matrix of a stack is scaled by itself.
        halvings = np.ceil(np.log2(np.where(known, np.maximum(norm, _THETA), _THETA) / _THETA)).astype(int)
        x = np.where(known, a, 0).astype(np.float64) / 2.0**halvings
        eye = np.broadcast_to(np.eye(a.shape[-1]), a.shape)
        squares = x @ x
        even, odd = eye * 0, eye * 0
        power = eye
        for k in range(0, 14, 2):
            even = even + _PADE[k] * power
            odd = odd + _PADE[k + 1] * power
            power = power @ squares
        odd = x @ odd
        result = np.linalg.solve(even - odd, even + odd)
        for k in range(halvings.max(initial=0)):
            result = np.where(k < halvings, result @ result, result)
        return np.where(known, result, np.nan).astype(a.dtype)

    def reference(self, *arrays: Array) -> Array:
        (a,) = arrays
        x = a.astype(np.longdouble) / 1024
        total = term = np.broadcast_to(np.eye(a.shape[-1], dtype=np.longdouble), a.shape)
        for k in range(1, 25):  # Taylor's series
            term = np.einsum("...ij,...jk->...ik", term, x) / k
            total = total + term
        for _ in range(10):
            total = np.einsum("...ij,...jk->...ik", total, total)
        return total.astype(a.dtype)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        turned, g = mt(e, operands[0]), given(cotangents)
        *batch, n, _ = turned.shape
        rank = turned.type.ndim
        top = e.concatenate([turned, g], rank - 1)
        bottom = e.concatenate([e.zeros_like(turned), turned], rank - 1)
        block = e.apply(MatrixExp(), e.concatenate([top, bottom], rank - 2))
        return (e.slice(block, [*(0 for _ in batch), 0, n], [*batch, n, n]),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(), (stacked(3, 3),)),
            Sample(cls(), (stacked(2, 3, 3),), ((0, 0, "N"),)),
            Sample(cls(), (stacked(4, 4) * 10,), differentiable=()),
            Sample(cls(), (stacked(3, 3, dtype="float32"),), ((0, 0, "N"), (0, 1, "N")), rtol=1e-4),
            Sample(cls(), (floats(2, 3),), error="square matrices"),
        ]
