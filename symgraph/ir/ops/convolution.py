"""Convolution in any number of dimensions, one op for forward, data gradient and weight gradient."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from ...errors import ShapeError
from ..checks import float_dtype
from ..dim_order import maximum
from ..dims import Dim, product, static_shape, symbol
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Composite, Sample, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given
from .phases import by_phases
from .sampling import floats, integers
from .windows import Resample, Windows

N = symbol("N")
_POSITIONS, _WINDOWS = "ABC", "PQR"


@register
@record
class Conv(Composite):
    """``spec`` such as ``"n01c,01cf->n01f"``: as in ``contract``, letters of both operands are summed or, where the
    result has them too, batch axes; digits are convolved::

        result[o] = sum over p of  x[(o*strides + p*dilations - low) / spacings] * kernel[p]

    for ``o`` below ``sizes``, with ``x`` 0 where the position is not whole or not inside. (So the kernel is not
    flipped, ``spacings`` dilate the operand, and ``sizes`` says how much padding there is at the end.) Fields are per
    digit. The gradients are again such convolutions.
    """

    spec: str
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    spacings: tuple[int, ...]
    low: tuple[Dim, ...]
    sizes: tuple[Dim, ...]
    name = "conv"
    equivalents = "theano.tensor.nnet.conv2d, conv3d; K.conv1d, K.conv2d, K.conv3d, K.conv2d_transpose"

    @property
    def labels(self) -> tuple[str, str, str]:
        """Labels of the two operands and of the result."""
        operands, _, result = self.spec.partition("->")
        x, _, kernel = operands.partition(",")
        return x, kernel, result

    @property
    def digits(self) -> str:
        return "012"[: len(self.strides)]

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        x, kernel = operands
        labels, digits = self.labels, self.digits
        if len(labels[0]) != x.ndim or len(labels[1]) != kernel.ndim:
            raise ShapeError(f"conv {self.spec} of {x} and {kernel}: ranks do not fit")
        fields = (self.dilations, self.spacings, self.low, self.sizes)
        counts = {c: sum(c in t for t in labels) for t in labels for c in t}
        if (
            not 1 <= len(self.strides) <= 3
            or any(len(f) != len(digits) for f in fields)
            or any(len(set(t)) != len(t) or [c for c in t if c.isdigit()] != list(digits) for t in labels)
            or any(count < 2 or not (c.isdigit() or c.islower()) for c, count in counts.items())
        ):
            raise ShapeError(f"conv cannot do {self.spec} in {len(self.strides)} dimensions")
        if any(n < 1 for n in (*self.strides, *self.dilations, *self.spacings)):
            raise ShapeError("conv strides, dilations and spacings are at least 1")
        dtype = float_dtype(self.name, operands)
        sizes: dict[str, Dim] = dict(zip(labels[0], x.shape, strict=True))
        for letter, size in zip(labels[1], kernel.shape, strict=True):
            if letter in sizes and not letter.isdigit():
                try:
                    sizes[letter] = facts.unify(sizes[letter], size)
                except ShapeError:
                    raise ShapeError(
                        f"conv {self.spec} of {x} and kernel {kernel}: axis {letter} is {sizes[letter]} of the one and "
                        f"{size} of the other"
                    ) from None
            elif letter not in sizes:
                sizes[letter] = size
        sizes |= dict(zip(digits, self.sizes, strict=True))
        return (TensorType(dtype, tuple(sizes[c] for c in labels[2])),)

    def expand(self, e: Emitter, *operands: Value) -> Value:
        """A product over windows of the operand, which is framed by zeros first where windows reach beyond it."""
        x, kernel = operands
        (a, b, out), digits = self.labels, self.digits
        if (joined := by_phases(e, self, x, kernel)) is not None:
            return joined
        axes = [a.index(d) for d in digits]
        windows = [kernel.shape[b.index(d)] for d in digits]
        if any(isinstance(n, int) and n == 0 for n in self.sizes):
            return e.full(self.infer(e.facts, *(v.type for v in operands))[0].shape, 0, x.dtype)
        starts: list[Dim] = []
        framed: list[int] = []
        spans: list[Dim] = []
        for k, axis in enumerate(axes):
            span = (self.sizes[k] - 1) * self.strides[k] + (windows[k] - 1) * self.dilations[k] + 1
            if not isinstance(windows[k], int):
                span = maximum(span, 0)  # the window may turn out empty
            room = x.shape[axis] + self.low[k] - span
            low = self.low[k]
            whole = self.spacings[k] == 1 and isinstance(low, int) and low <= 0 and isinstance(room, int) and room >= 0
            spans.append(span)
            starts.append(-low if whole else 0)
            if not whole:
                framed.append(k)
        if framed:
            ones, none = (1,) * len(framed), (-1,) * len(framed)
            frame = Resample(
                tuple(axes[k] for k in framed), none, ones, (0,) * len(framed), tuple(-self.low[k] for k in framed),
                tuple(self.spacings[k] for k in framed), tuple(spans[k] for k in framed),
            )  # fmt: skip
            x = e.apply(frame, x)
        view = Windows(tuple(axes), tuple(starts), self.strides, self.dilations, self.sizes, tuple(windows))
        place = dict(zip(digits, _POSITIONS, strict=False))
        window = dict(zip(digits, _WINDOWS, strict=False))
        left = [place.get(c, c) for c in a]
        left.insert(axes[-1] + 1, "".join(window[d] for d in digits))
        right = "".join(window.get(c, c) for c in b)
        result = "".join(place.get(c, c) for c in out)
        summed = [c for c in right if c not in result]
        along = {c: d for c, d in zip(right, kernel.shape, strict=True) if c not in "".join(left) and d != 1}
        if along or not (summed[0].islower() and summed[-1].isupper()):
            return e.contract(f"{''.join(left)},{right}->{result}", e.apply(view, x), kernel)
        # The weight gradient of a depthwise convolution: each line of the images is read once for all of the window.
        lines = summed[:-1]
        parts = e.contract(f"{''.join(left)},{right}->{''.join(lines)}{result}", e.apply(view, x), kernel)
        return e.sum(parts, range(len(lines)))

    def reference(self, *arrays: Array) -> Array:
        x, kernel = arrays
        (a, b, out), digits = self.labels, self.digits
        low, sizes = static_shape(self.low), static_shape(self.sizes)
        total = {**dict(zip(b, kernel.shape, strict=True)), **dict(zip(a, x.shape, strict=True))}
        total |= dict(zip(digits, sizes, strict=True))
        result = np.zeros([total[c] for c in out], x.dtype)
        pure = [t.translate(str.maketrans("", "", digits)) for t in (a, b, out)]
        at_x, at_kernel, at_out = ([t.index(d) for d in digits] for t in (a, b, out))
        windows = [kernel.shape[k] for k in at_kernel]
        for o in itertools.product(*(range(n) for n in sizes)):
            for p in itertools.product(*(range(n) for n in windows)):
                places = [o[k] * self.strides[k] + p[k] * self.dilations[k] - low[k] for k in range(len(digits))]
                found = [divmod(q, spacing) for q, spacing in zip(places, self.spacings, strict=True)]
                if all(r == 0 and 0 <= q < x.shape[k] for (q, r), k in zip(found, at_x, strict=True)):
                    picked = _at(x, at_x, [q for q, _ in found])
                    term = np.einsum(f"{pure[0]},{pure[1]}->{pure[2]}", picked, _at(kernel, at_kernel, p))
                    where: list[slice | int] = [slice(None)] * result.ndim
                    for axis, place in zip(at_out, o, strict=True):
                        where[axis] = place
                    result[tuple(where)] += term
        return result

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        (x, kernel), g = operands, given(cotangents)
        (a, b, out), digits = self.labels, self.digits
        windows = [kernel.shape[b.index(d)] for d in digits]
        starts = [n - 1 if c.isdigit() else 0 for c, n in zip(b, kernel.shape, strict=True)]
        flipped = e.slice(kernel, starts, kernel.shape, [-1 if c.isdigit() else 1 for c in b])
        low = tuple((n - 1) * d - p for n, d, p in zip(windows, self.dilations, self.low, strict=True))
        sizes = tuple(x.shape[a.index(d)] for d in digits)
        of_x = Conv(f"{out},{b}->{a}", self.spacings, self.dilations, self.strides, low, sizes)
        of_kernel = Conv(f"{a},{out}->{b}", self.dilations, self.strides, self.spacings, self.low, tuple(windows))
        return (e.apply(of_x, g, flipped), e.apply(of_kernel, x, g))

    def flops(self, operands: Sequence[TensorType], results: Sequence[TensorType]) -> Dim:
        _, b, out = self.labels
        summed = product(d for c, d in zip(b, operands[1].shape, strict=True) if c.isdigit() or c not in out)
        return results[0].size * summed * 2

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        def case(
            spec: str, x: tuple[int, ...], kernel: tuple[int, ...], strides: tuple[int, ...], low: tuple[int, ...],
            sizes: tuple[Dim, ...], *symbolic: tuple[int, int, str], dilations: tuple[int, ...] = (),
            spacings: tuple[int, ...] = (), error: str = "", dtype: str = "float64",
        ) -> Sample:  # fmt: skip
            ones = (1,) * len(strides)
            op = cls(spec, strides, dilations or ones, spacings or ones, low, sizes)
            near = {"rtol": 1e-4, "atol": 1e-4} if dtype == "float32" else {}
            arrays = (floats(*x, seed=1, dtype=dtype), floats(*kernel, seed=2, dtype=dtype))
            return Sample(op, arrays, symbolic, error, () if dtype == "float32" else None, **near)

        image = "n01c,01cf->n01f"
        return [
            case("n0c,0cf->n0f", (2, 6, 3), (3, 3, 2), (1,), (0,), (4,), (0, 0, "N")),
            case("n0c,0cf->n0f", (2, 7, 2), (3, 2, 3), (2,), (1,), (4,), dilations=(2,)),
            case(image, (2, 5, 6, 3), (3, 2, 3, 4), (1, 1), (0, 0), (3, 5), (0, 0, "N")),
            case(image, (2, 5, 6, 3), (3, 3, 3, 4), (1, 1), (1, 1), (5, 6), (0, 0, "N")),
            case(image, (1, 5, 5, 2), (3, 3, 2, 3), (2, 2), (0, 1), (2, 3)),
            case(image, (1, 4, 4, 2), (3, 3, 2, 3), (1, 1), (2, 1), (8, 7), spacings=(2, 2)),
            case(image, (1, 3, 2, 8), (3, 2, 8, 2), (1, 1), (2, 1), (6, 5), (0, 0, "N"), spacings=(2, 3)),
            case(image, (1, 3, 4, 8), (2, 3, 8, 1), (1, 2), (1, 0), (7, 6), dilations=(2, 3), spacings=(2, 4)),
            case(image, (1, 2, 3, 9), (1, 1, 9, 2), (1, 1), (0, -1), (4, 5), spacings=(2, 2)),
            case("n0c,0cf->n0f", (2, 3, 8), (5, 8, 2), (1,), (3,), (2 * N + 1,), (0, 1, "N"), spacings=(2,)),
            case("n0c,0cf->n0f", (2, 3, 8), (1, 8, 2), (1,), (3,), (6,), (1, 0, "N"), spacings=(2,)),
            case("n0c,0cf->n0f", (2, 0, 8), (5, 8, 2), (1,), (3,), (6,), (0, 1, "N"), spacings=(6,)),
            case("cn01,01cf->nf01", (8, 1, 2, 3), (3, 8, 8, 2), (1, 1), (2, 5), (5, 12), (0, 2, "N"), spacings=(3, 4)),
            case("n01c,01c->01n", (2, 2, 3, 8), (4, 7, 8), (1, 1), (3, 4), (8, 6), spacings=(4, 2), dilations=(1, 2)),
            case("n0c,n0f->0cf", (9, 3, 2), (9, 6, 2), (1,), (1,), (3,), (0, 0, "N"), (1, 0, "N"), spacings=(2,)),
            case(image, (1, 6, 6, 2), (2, 2, 2, 3), (1, 1), (-1, -2), (4, 3)),
            case("nc01,01cf->nf01", (2, 3, 5, 6), (3, 3, 3, 4), (1, 1), (1, 1), (5, 6)),
            case("n01gc,01gcf->n01gf", (2, 5, 4, 2, 3), (2, 2, 2, 3, 4), (1, 1), (0, 0), (4, 3), (0, 0, "N")),
            case("n01c,01cm->n01cm", (2, 5, 4, 3), (2, 2, 3, 2), (1, 1), (0, 0), (4, 3), (0, 0, "N")),
            case("n012c,012cf->n012f", (1, 4, 4, 3, 2), (2, 2, 2, 2, 3), (1, 2, 1), (0, 0, 1), (3, 2, 3)),
            case(image, (3, 12, 11, 20), (3, 3, 20, 33), (1, 1), (1, 1), (12, 11), (0, 0, "N"), dtype="float32"),
            case(image, (0, 5, 6, 3), (3, 2, 3, 4), (1, 1), (0, 0), (3, 5), (0, 0, "N")),
            case(image, (2, 5, 6, 3), (3, 2, 2, 4), (1, 1), (0, 0), (3, 5), error="axis c is 3 of the one"),
            case(image, (2, 5, 6), (3, 2, 2, 4), (1, 1), (0, 0), (3, 5), error="ranks do not fit"),
            case("n0c,0cf->n0", (2, 6, 3), (3, 3, 2), (1,), (0,), (4,), error="cannot do"),
            case("n0c,0cf->n0f", (2, 6, 3), (3, 3, 2), (0,), (0,), (4,), error="at least 1"),
            Sample(cls("n0c,0cf->n0f", (1,), (1,), (1,), (0,), (4,)), (integers(2, 6, 3), integers(3, 3, 2)),
                   error="floating point"),
        ]  # fmt: skip


def _at(x: Array, axes: Sequence[int], places: Sequence[int]) -> Array:
    """``x`` at fixed places of some axes."""
    index: list[slice | int] = [slice(None)] * x.ndim
    for axis, place in zip(axes, places, strict=True):
        index[axis] = place
    return np.asarray(x[tuple(index)])
