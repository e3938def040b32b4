"""The product of two tensors summed over shared axes: matrix products, batched ones, and what einsum reduces to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import DTypeError, ShapeError
from ..checks import same_dtype
from ..dims import Dim, Shape, product, symbol
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Op, Sample, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given
from .sampling import floats, integers

N = symbol("N")


@register
@record
class Contraction(Op):
    """``spec`` such as ``"bik,bkj->bij"``: a letter an axis, at most once in each operand and in the result.

    Letters of both operands and the result are batch axes, of both operands only are summed; a letter of one
    operand must be in the result (sums over one operand alone are ``sum``), and the result has no others. Any order
    of axes is allowed, so transposes fold into the spec.
    """

    spec: str
    name = "contract"
    equivalents = "np.einsum, np.dot, np.matmul, np.tensordot; theano.tensor.dot, batched_dot; K.dot, K.batch_dot"

    @property
    def labels(self) -> tuple[str, str, str]:
        """Letters of the two operands and of the result."""
        operands, _, result = self.spec.partition("->")
        a, _, b = operands.partition(",")
        return a, b, result

    @property
    def batch(self) -> str:
        a, b, out = self.labels
        return "".join(c for c in out if c in a and c in b)

    @property
    def summed(self) -> str:
        a, b, out = self.labels
        return "".join(c for c in a if c in b and c not in out)

    @property
    def rows(self) -> str:
        """Letters of the first operand alone, in the result's order."""
        a, b, out = self.labels
        return "".join(c for c in out if c in a and c not in b)

    @property
    def columns(self) -> str:
        """Letters of the second operand alone, in the result's order."""
        a, b, out = self.labels
        return "".join(c for c in out if c in b and c not in a)

    def sizes(self, x: Shape, y: Shape) -> dict[str, Dim]:
        """The size of each letter for operands of these shapes: a known one, where facts make others equal to it."""
        a, b, _ = self.labels
        sizes = dict(zip(a, x, strict=True))
        return sizes | {c: d for c, d in zip(b, y, strict=True) if c not in sizes or isinstance(d, int)}

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        x, y = operands
        a, b, out = self.labels
        if len(a) != x.ndim or len(b) != y.ndim:
            raise ShapeError(f"contract {self.spec} of {x} and {y}: ranks do not fit")
        one_sided = [c for c in a + b if (c in a) != (c in b)]
        if any(len(set(t)) != len(t) for t in (a, b, out)) or set(out) - set(a + b) or set(one_sided) - set(out):
            raise ShapeError(f"contract cannot do {self.spec}")
        dtype = same_dtype(self.name, operands)
        if dtype.is_bool:
            raise DTypeError("contract is not defined for bool")
        sizes: dict[str, Dim] = dict(zip(a, x.shape, strict=True))
        for letter, size in zip(b, y.shape, strict=True):
            if letter in sizes:
                try:
                    sizes[letter] = facts.unify(sizes[letter], size)
                except ShapeError:
                    raise ShapeError(
                        f"contract {self.spec} of {x} and {y}: axis {a.index(letter)} of the first is {sizes[letter]}, "
                        f"axis {b.index(letter)} of the second is {size}"
                    ) from None
            else:
                sizes[letter] = size
        return (TensorType(dtype, tuple(sizes[c] for c in out)),)

    def reference(self, *arrays: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(np.einsum(self.spec, *arrays), arrays[0].dtype)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        x, y = operands
        a, b, out = self.labels
        g = given(cotangents)
        return (e.contract(f"{out},{b}->{a}", g, y), e.contract(f"{a},{out}->{b}", x, g))

    def flops(self, operands: Sequence[TensorType], results: Sequence[TensorType]) -> Dim:
        sizes = self.sizes(*(t.shape for t in operands))
        inner = product(sizes[c] for c in self.summed)
        return results[0].size * inner * 2

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        def case(spec: str, a: tuple[int, ...], b: tuple[int, ...], *symbolic: tuple[int, int, str]) -> Sample:
            return Sample(cls(spec), (floats(*a, seed=1), floats(*b, seed=2)), symbolic)

        return [
            case("ik,kj->ij", (3, 4), (4, 5), (0, 0, "N")),
            case("ik,jk->ij", (3, 4), (5, 4), (0, 0, "N")),
            case("ki,kj->ij", (4, 3), (4, 5), (0, 0, "N"), (1, 0, "N")),
            case("ki,jk->ji", (4, 3), (5, 4)),
            case("bik,bkj->bij", (2, 3, 4), (2, 4, 5), (0, 0, "N"), (1, 0, "N")),
            case("ibk,kjb->jbi", (3, 2, 4), (4, 5, 2)),
            case("k,k->", (6,), (6,), (0, 0, "N"), (1, 0, "N")),
            case("ik,k->i", (3, 4), (4,), (0, 0, "N")),
            case("i,j->ij", (3,), (4,), (0, 0, "N")),
            case("ij,ij->ij", (3, 4), (3, 4)),
            case("ikl,klj->ij", (3, 4, 2), (4, 2, 5), (0, 0, "N")),
            case("ik,kj->ij", (0, 4), (4, 5), (0, 0, "N")),
            case("ik,kj->ij", (3, 0), (0, 5)),
            Sample(cls("ik,kj->ij"), (floats(17, 40, dtype="float32"), floats(40, 50, dtype="float32", seed=1)),
                   ((0, 0, "N"),),
                   differentiable=(), rtol=1e-4, atol=1e-4),
            Sample(cls("ik,kj->ij"), (integers(3, 4), integers(4, 5))),
            Sample(cls("ik,kj->ij"), (floats(3, 4), floats(5, 4)), error="axis 0 of the second is 5"),
            Sample(cls("ik,kj->ij"), (floats(3, 4), floats(4)), error="ranks do not fit"),
            Sample(cls("ik,kj->i"), (floats(3, 4), floats(4, 5)), error="cannot do"),
        ]  # fmt: skip
