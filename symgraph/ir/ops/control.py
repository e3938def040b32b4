"""Ops that run graphs of their own: loops over the first axes of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from ...dtypes import int64
from ...errors import DTypeError, ShapeError
from ..builder import Builder
from ..dims import Dim, Shape, static_size, symbol
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Control, Sample, record, register
from ..region import Region, copy_graph, write_region
from ..reverse import cotangents_in
from ..types import Facts, TensorType
from .arithmetic import Add, Cotangents
from .blocks import Embed
from .sampling import floats

N = symbol("N")


@register
@record
class Scan(Control):
    """Runs ``body`` ``length`` times.

    Operands: sequences, initial carries, constants; so are the inputs of the body, with a row of each sequence. Its
    outputs: the new carries, then further values. Results: for each carry the last one, or, where ``kept``, all
    ``length + 1`` of them, the initial one first; for each further value its rows, one a step.

    Step ``i`` reads row ``starts[k] + i`` of sequence ``k``, or ``starts[k] + length - 1 - i`` where ``backward[k]``.
    The row of further value ``j`` is ``i``, or ``length - 1 - i`` where ``outputs_backward[j]``. Gradients flow through
    the last ``truncate`` steps (-1: through all).
    """

    body: Region
    length: Dim
    starts: tuple[int, ...]
    backward: tuple[bool, ...]
    kept: tuple[bool, ...]
    outputs_backward: tuple[bool, ...]
    truncate: int = -1
    name = "scan"
    equivalents = "theano.scan; jax.lax.scan; K.rnn"

    @property
    def sequences(self) -> int:
        return len(self.starts)

    @property
    def carries(self) -> int:
        return len(self.kept)

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        inputs, outputs = self.body.inputs, self.body.outputs
        if len(operands) != len(inputs) or len(outputs) != self.carries + len(self.outputs_backward):
            raise ShapeError(f"scan of {len(operands)} operands with a body of {len(inputs)} inputs")
        for a, b in self.body.graph.facts:
            facts.unify(a, b)
        for k, (operand, inner) in enumerate(zip(operands, inputs, strict=True)):
            shape = operand.shape
            if k < self.sequences:
                self._check_rows(facts, k, operand)
                shape = shape[1:]
            what = "sequence" if k < self.sequences else "initial value" if k < self.first_constant else "constant"
            if operand.dtype != inner.dtype:
                raise DTypeError(f"{what} of a scan has dtype {operand.dtype}, its body takes {inner.dtype}")
            facts.unify_shapes(shape, inner.shape, f"shapes of a {what} and of what the body of the scan takes")
        for k in range(self.carries):
            old, new = inputs[self.sequences + k], outputs[k]
            if old.dtype != new.dtype:
                raise DTypeError(f"carry {k} of a scan is {old} and becomes {new}")
            facts.unify_shapes(old.shape, new.shape, f"shapes of carry {k} of a scan before and after a step")
        return tuple(t.with_shape(facts.resolve_shape(shape)) for t, shape in self._results())

    @property
    def first_constant(self) -> int:
        return self.sequences + self.carries

    def _check_rows(self, facts: Facts, k: int, operand: TensorType) -> None:
        if not operand.shape:
            raise ShapeError("a sequence of a scan is a scalar; it has no steps")
        room = facts.resolve(operand.shape[0] - self.length - self.starts[k])
        if not isinstance(room, int):
            facts.unify(operand.shape[0], self.length + self.starts[k], "lengths of a sequence and of the scan over it")
        elif room < 0:
            raise ShapeError(f"a scan of {self.length} steps over a sequence of type {operand}")

    def _results(self) -> list[tuple[TensorType, Shape]]:
        carried = self.body.inputs[self.sequences : self.first_constant]
        rows = self.body.outputs[self.carries :]
        results = [(t, (self.length + 1, *t.shape) if k else t.shape) for t, k in zip(carried, self.kept, strict=True)]
        return results + [(t, (self.length, *t.shape)) for t in rows]

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        from ..interp import interpret

        n = static_size(self.length)
        carried = [[a] for a in arrays[self.sequences : self.first_constant]]
        results = [np.zeros([static_size(d) for d in shape], t.dtype.np) for t, shape in self._results()]
        for i in range(n):
            rows = [
                a[start + (n - 1 - i if back else i)]
                for a, start, back in zip(arrays, self.starts, self.backward, strict=False)
            ]
            now = [history[-1] for history in carried]
            outputs = interpret(self.body.graph, [*rows, *now, *arrays[self.first_constant :]]).outputs
            for history, new in zip(carried, outputs, strict=False):
                history.append(new)
            for j, back in enumerate(self.outputs_backward):
                results[self.carries + j][n - 1 - i if back else i] = outputs[self.carries + j]
        for k, history in enumerate(carried):
            results[k][...] = np.stack(history) if self.kept[k] else history[-1]
        return tuple(results)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        if not all(self.kept):
            results = e.apply_all(replace(self, kept=(True,) * self.carries), *operands)
        return _Backward(self, e, operands, results, cotangents).cotangents()

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        def recurrent(b: Builder, v: list[Value]) -> list[Value]:
            x, h, w = v
            from .elementary import Tanh

            new = b.apply(Tanh(), b.add(b.contract("ik,kj->ij", h, w), x))
            return [new, b.mul(new, x)]

        def types(*arrays: Array) -> list[TensorType]:
            from ...dtypes import as_dtype

            return [TensorType(as_dtype(a.dtype), a.shape) for a in arrays]

        def sample(n: int, start: int, backward: bool, kept: bool, symbolic: bool = False) -> Sample:
            xs, h, w = floats(n + start, 2, 3, seed=1), floats(2, 3, seed=2), floats(3, 3, seed=3, low=-0.7, high=0.7)
            body = write_region(types(np.zeros((2, 3)), h, w), recurrent)
            op = cls(body, N if symbolic else n, (start,), (backward,), (kept,), (not backward,))
            return Sample(op, (xs, h, w), ((0, 0, "N"),) if symbolic else ())

        def cumulate(b: Builder, v: list[Value]) -> list[Value]:
            return [b.add(v[0], v[1])]

        total = cls(write_region(types(floats(3), floats(3)), cumulate), N, (0,), (False,), (False,), ())
        return [
            sample(5, 0, False, True, symbolic=True),
            sample(4, 0, True, False),
            sample(3, 1, False, False),
            sample(3, 2, True, True),
            sample(1, 0, False, False, symbolic=True),
            sample(0, 0, False, True, symbolic=True),
            sample(0, 0, True, False),
            Sample(total, (floats(6, 3), floats(3)), ((0, 0, "N"),)),
            Sample(replace(total, length=7), (floats(6, 3), floats(3)), error="a scan of 7 steps"),
            Sample(total, (floats(6, 4), floats(3)), error="shapes of a sequence"),
            Sample(total, (floats(6, 3), floats(3, dtype="float32")), error="value of a scan has dtype float32"),
        ]


class _Backward:
    """Back-propagation through time: a scan that runs the body's gradient from the last step to the first.

    Its sequences are those of the forward scan, all carries, and the cotangents of the results; it carries the
    cotangents of the carries and the sums of those of the constants.
    """

    def __init__(
        self, op: Scan, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> None:
        self.op, self.e, self.operands, self.results = op, e, operands, results
        n, last = op.sequences, op.first_constant
        self.xs, self.hs, self.ks = operands[:n], operands[n:last], operands[last:]
        self.floats = [k for k in range(op.carries) if self.hs[k].dtype.is_float]
        given = dict(enumerate(cotangents))
        self.given = {k: g for k, g in given.items() if g is not None and results[k].dtype.is_float}
        #: The cotangents of last carries where that of all rows is 0 but there.
        self.last = self._take_last_rows()
        #: Carries and further values whose cotangents come in row by row.
        self.by_row = [k for k in self.given if k >= op.carries or op.kept[k]]

    def _take_last_rows(self) -> dict[int, Value]:
        """Take cotangents of zeros besides the last row out of those given: no row of them is read."""
        op, found = self.op, dict[int, Value]()
        outputs = op.body.graph.outputs
        for k, cotangent in list(self.given.items()) if op.truncate < 0 else ():
            of = k if k < op.carries else next((c for c in range(op.carries) if outputs[c] is outputs[k]), -1)
            has_rows = op.kept[k] if k < op.carries else of >= 0 and not op.outputs_backward[k - op.carries]
            row = _only_last_row(self.e, cotangent) if has_rows else None
            if row is not None:
                del self.given[k]
                found[of] = self.e.add(found[of], row) if of in found else row
        return found

    def cotangents(self) -> list[Value | None]:
        op, e = self.op, self.e
        # What depends on nothing is found by writing the body once for nothing.
        wanted = self._write([k for k, v in enumerate(self.ks) if v.dtype.is_float])[1]
        summed = [k for k, v in enumerate(self.ks) if wanted[op.first_constant + k] is not None]
        region, found = self._write(summed)
        rows = [k for k in range(op.sequences) if found[k] is not None]
        sequences = [*self.xs, *self.results[: op.carries], *(self.given[k] for k in self.by_row)]
        starts = [*op.starts, *(0 for _ in self.hs), *(int(k < op.carries) for k in self.by_row)]
        backward = [not b for b in op.backward] + [True] * op.carries + [self._row_backward(k) for k in self.by_row]
        if op.truncate >= 0:
            sequences.append(e.iota(op.length, int64))
            starts.append(0)
            backward.append(False)
        initial = [self._start(k) for k in self.floats] + [e.zeros_like(self.ks[k]) for k in summed]
        kept = (True,) * len(initial)
        scan = Scan(region, op.length, tuple(starts), tuple(backward), kept, tuple(not op.backward[k] for k in rows))
        made = e.apply_all(scan, *sequences, *initial, *self.ks)
        last = [self._row(v, op.length) for v in made[: len(initial)]]
        out: list[Value | None] = [None] * len(self.operands)
        for k, value in zip(rows, made[len(initial) :], strict=True):
            out[k] = self._rows_of(k, value)
        for k, value in zip(self.floats, last, strict=False):
            first = self._row(self.given[k], 0) if k in self.by_row else None
            out[op.sequences + k] = value if first is None else e.add(value, first)
        for k, value in zip(summed, last[len(self.floats) :], strict=True):
            out[op.first_constant + k] = value
        return out

    def _write(self, summed: Sequence[int]) -> tuple[Region, list[Value | None]]:
        """The body of the backward scan, and what it finds for the inputs of the forward body."""
        op, inner = self.op, self.op.body.inputs
        carried = inner[op.sequences : op.first_constant]
        constants = inner[op.first_constant :]
        types = [*inner[: op.first_constant], *(op.body.outputs[k] for k in self.by_row)]
        types += [TensorType(int64, ())] if op.truncate >= 0 else []
        types += [carried[k] for k in self.floats] + [constants[k] for k in summed] + list(constants)
        found: list[Value | None] = []

        def write(b: Builder, values: list[Value]) -> list[Value]:
            at = len(types) - len(constants)
            inputs = [*values[: op.first_constant], *values[at:]]
            rows = dict(zip(self.by_row, values[op.first_constant :], strict=False))
            carries = values[op.first_constant + len(rows) + (op.truncate >= 0) : at]
            outputs = copy_graph(b, op.body.graph, inputs)
            seeds = [(outputs[k], v) for k, v in zip(self.floats, carries, strict=False)]
            seeds += [(outputs[k], v) for k, v in rows.items()]
            if op.truncate >= 0:
                counts = b.lt(values[op.first_constant + len(rows)], op.truncate)
                seeds = [(v, b.where(b.broadcast_to(counts, g.shape), g, 0)) for v, g in seeds]
            found[:] = cotangents_in(b, seeds, inputs)
            found[:] = [g if v.dtype.is_float else None for v, g in zip(inputs, found, strict=True)]
            results: list[Value] = []
            for k, carry in zip(self.floats, carries, strict=False):
                new = found[op.sequences + k]
                results.append(b.zeros_like(carry) if new is None else new)
            for k, total in zip(summed, carries[len(self.floats) :], strict=True):
                new = found[op.first_constant + k]
                results.append(total if new is None else b.add(total, new))
            return results + [v for v in found[: op.sequences] if v is not None]

        facts = Facts(op.body.graph.facts)
        return write_region(types, write, facts), found

    def _row_backward(self, k: int) -> bool:
        return True if k < self.op.carries else not self.op.outputs_backward[k - self.op.carries]

    def _start(self, k: int) -> Value:
        """The cotangent of the last carry before what its rows add."""
        parts = [self.last[k]] if k in self.last else []
        if k in self.given and k not in self.by_row:
            parts.append(self.given[k])
        return reduce(self.e.add, parts) if parts else self.e.zeros_like(self.hs[k])

    def _row(self, value: Value, at: Dim) -> Value:
        rest = value.shape[1:]
        row = self.e.slice(value, [at, *(0 for _ in rest)], [1, *rest])
        return self.e.reshape(row, rest)

    def _rows_of(self, k: int, value: Value) -> Value:
        """Rows of zeros where the scan read none of the sequence."""
        x = self.xs[k]
        if x.shape[0] == value.shape[0]:
            return value
        low = [self.op.starts[k], *(0 for _ in x.shape[1:])]
        return self.e.pad(value, low, (x.shape[0], *value.shape[1:]))


def _only_last_row(e: Emitter, value: Value) -> Value | None:
    """The last row of what is 0 elsewhere, as the gradient of ``x[-1]`` is, or a sum of such; else None."""
    if isinstance(value.op, Add):
        a, b = (_only_last_row(e, v) for v in value.node.inputs)
        return None if a is None or b is None else e.add(a, b)
    if not isinstance(value.op, Embed):
        return None
    (x,), rest = value.node.inputs, value.shape[1:]
    is_last = value.op.low == (value.shape[0] - 1, *(0 for _ in rest)) and x.shape == (1, *rest)
    return e.reshape(x, rest) if is_last else None


__all__ = ["Scan"]
