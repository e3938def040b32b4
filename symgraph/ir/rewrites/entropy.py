"""Cross-entropies and softmaxes as users write them: with clipped probabilities, logits made from them, and shifts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..emitter import Emitter
from ..graph import Value
from ..op import Op
from ..ops.arithmetic import Add, Div, Maximum, Minimum, Neg, Sub
from ..ops.composites import LogSoftmax, LogSumExp, Softmax
from ..ops.elementary import Log, Log1p, Sigmoid, Softplus
from ..ops.views import Reshape
from ..pattern import is_number, operand_of, operands_of, scalar_of, spread_of
from .rule import Sketch, rule

#: Choices against constants, outermost first.
Limits = list[tuple[Op, Value, float]]


def clipped(p: Value) -> tuple[Value, Limits]:
    """The value under a chain of choices against constants between 0 and 1, and the chain."""
    limits: Limits = []
    while isinstance(p.op, (Maximum, Minimum)):
        inner, limit = p.node.inputs
        c = scalar_of(limit)
        if c is None or not 0 < c < 1:
            break
        limits.append((p.op, limit, float(c)))
        p = inner
    return p, limits


def _clip_again(e: Emitter, value: Value, limits: Limits, new: Sequence[float], turned: bool = False) -> Value:
    """``value`` under the same choices (``turned``: each the other one) against other constants."""
    for (choice, _, _), c in zip(reversed(limits), reversed(new), strict=True):
        is_max = isinstance(choice, Maximum) != turned
        value = (e.maximum if is_max else e.minimum)(value, float(c))
    return value


@rule(Log, exact=False, example=lambda s: s.log(_clip(s, s.apply(Softmax(1), s.input("f32[N,5]")))))
def log_of_clipped_probability(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """log(clip(p, lo, hi)) = clip(log p, log lo, log hi) for a softmax or sigmoid p, whose logarithm keeps all digits:
    the logarithm is monotonic."""
    p, limits = clipped(operands[0])
    if not limits or not isinstance(p.op, (Softmax, Sigmoid)):
        return None
    (x,) = p.node.inputs
    out = e.apply(LogSoftmax(p.op.axis), x) if isinstance(p.op, Softmax) else e.neg(e.apply(Softplus(), e.neg(x)))
    return _clip_again(e, out, limits, [np.log(c) for _, _, c in limits])


def _clip(s: Sketch, p: Value) -> Value:
    return s.minimum(s.maximum(p, 1e-7), 0.99)


@rule(Log1p, exact=False, example=lambda s: s.apply(Log1p(), s.neg(_clip(s, s.sigmoid(s.input("f32[N]"))))))
def log_of_one_minus_clipped_sigmoid(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """log(1 - clip(sigmoid(x), lo, hi)) = clip(-softplus(x), log(1 - hi), log(1 - lo)): all digits are kept."""
    inner = operand_of(operands[0], Neg)
    p, limits = clipped(inner) if inner is not None else (operands[0], [])
    if not limits or not isinstance(p.op, Sigmoid):
        return None
    out = e.neg(e.apply(Softplus(), p.node.inputs[0]))
    return _clip_again(e, out, limits, [np.log1p(-c) for _, _, c in limits], turned=True)


@rule(Log, exact=False, example=lambda s: _logit(s, _clip(s, s.sigmoid(s.input("f32[N]")))))
def logit_of_sigmoid(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """log(p / (1 - p)) = clip(x) for p = clip(sigmoid(x)), with the limits' own logits: no exponential at all."""
    odds = operands_of(operands[0], Div)
    rest = operands_of(odds[1], Sub) if odds else ()
    if not rest or rest[1] is not odds[0] or not is_number(rest[0], 1):
        return None
    p, limits = clipped(odds[0])
    if not isinstance(p.op, Sigmoid):
        return None
    return _clip_again(e, p.node.inputs[0], limits, [np.log(c) - np.log1p(-c) for _, _, c in limits])


def _logit(s: Sketch, p: Value) -> Value:
    return s.log(s.div(p, s.sub(1.0, p)))


@rule(Div, exact=False, sees=(Sigmoid,), example=lambda s: _odds(s, s.input("f32[N]")))
def quotient_of_sigmoids(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """sigmoid(x) / sigmoid(-x) = exp(x): no 0 / 0."""
    x, y = (operand_of(v, Sigmoid) for v in operands)
    opposite = x is not None and y is not None and (operand_of(y, Neg) is x or operand_of(x, Neg) is y)
    return e.exp(x) if opposite and x is not None else None


def _odds(s: Sketch, x: Value) -> Value:
    return s.div(s.sigmoid(x), s.sigmoid(s.neg(x)))


@rule(Sub, exact=False, sees=(Softplus,), example=lambda s: _minus_argument(s, s.input("f32[N]")))
def softplus_minus_argument(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """softplus(x) - x = softplus(-x) and softplus(x) - softplus(-x) = x: the difference of large numbers is not."""
    plus, other = operands
    x, y = operand_of(plus, Softplus), operand_of(other, Softplus)
    if x is None:
        return None
    if x is other:
        return e.apply(Softplus(), e.neg(x))
    return x if y is not None and (operand_of(y, Neg) is x or operand_of(x, Neg) is y) else None


def _minus_argument(s: Sketch, x: Value) -> Value:
    return s.sub(s.apply(Softplus(), x), x)


@rule(Softmax, LogSoftmax, exact=False, example=lambda s: s.apply(Softmax(1), _shifted(s)))
def softmax_of_shifted(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """softmax(x + c) = softmax(x), whatever c is along the axis: it is shifted by its own maximum anyway."""
    assert isinstance(op, (Softmax, LogSoftmax))
    found = _without_shift(operands[0], (op.axis,))
    return None if found is None else e.apply(op, found[0])


@rule(LogSumExp, exact=False, example=lambda s: s.apply(LogSumExp((1,)), _shifted(s)))
def logsumexp_of_shifted(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """logsumexp(x + c) = logsumexp(x) + c, whatever c is along the axes: it is shifted by its own maximum anyway."""
    assert isinstance(op, LogSumExp)
    found = _without_shift(operands[0], op.axes)
    if found is None:
        return None
    x, shift, how = found
    kept = [k for k in range(x.type.ndim) if k not in op.axes]
    spread = spread_of(shift)
    assert spread is not None
    small = e.broadcast(spread.inner, [x.shape[k] for k in kept], [kept.index(k) for k in spread.axes])  # type: ignore[arg-type]
    return e.apply(how, e.apply(op, x), small)


def _without_shift(value: Value, axes: Sequence[int]) -> tuple[Value, Value, Op] | None:
    """``(x, c, op)`` where ``value`` is ``op(x, c)``, a sum or difference, and c repeats along ``axes``."""
    if not isinstance(value.op, (Add, Sub)):
        return None
    a, b = value.node.inputs
    for x, c in ((a, b), (b, a))[: 1 if isinstance(value.op, Sub) else 2]:
        spread = spread_of(c)
        if spread is not None and not set(spread.axes) & set(axes):
            return x, c, value.op
    return None


def _shifted(s: Sketch) -> Value:
    x = s.input("f32[N,5]")
    return s.sub(x, s.broadcast(s.max(x, [1]), x.shape, (0,)))


@rule(Add, exact=False, sees=(Sub,), example=lambda s: _unshifted(s, s.input("f32[N,5]")))
def logsumexp_shifted_back(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """(logsumexp(x) - c) + c = logsumexp(x): what is left of a shift by hand."""
    for difference, c in (operands, operands[::-1]):
        pair = operands_of(difference, Sub)
        if pair and isinstance(pair[0].op, LogSumExp) and _unreshaped(pair[1]) is _unreshaped(c):
            return pair[0]
    return None


def _unreshaped(value: Value) -> Value:
    return value.node.inputs[0] if isinstance(value.op, Reshape) else value


def _unshifted(s: Sketch, x: Value) -> Value:
    c = s.max(x, [1])
    return s.add(s.sub(s.apply(LogSumExp((1,)), x), c), c)


@rule(
    Softmax,
    LogSoftmax,
    exact=False,
    example=lambda s: s.apply(Softmax(1), s.apply(LogSoftmax(1), s.input("f32[N,5]"))),
)
def softmax_of_log_softmax(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """softmax(log_softmax(x)) = softmax(x), and log_softmax of itself is itself: both only shift x."""
    assert isinstance(op, (Softmax, LogSoftmax))
    (y,) = operands
    return e.apply(op, y.node.inputs[0]) if isinstance(y.op, LogSoftmax) and y.op.axis == op.axis else None


RULES = (
    log_of_clipped_probability, log_of_one_minus_clipped_sigmoid, logit_of_sigmoid, quotient_of_sigmoids,
    softplus_minus_argument, softmax_of_shifted, logsumexp_of_shifted, logsumexp_shifted_back, softmax_of_log_softmax,
)  # fmt: skip
