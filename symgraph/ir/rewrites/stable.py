"""Formulas that lose digits or overflow, replaced by ones that do not."""

from __future__ import annotations

from collections.abc import Sequence

from ..emitter import Emitter
from ..graph import Value
from ..op import Op, Reduction
from ..ops.arithmetic import Add, Div, Mul, Neg, Sub
from ..ops.composites import LogSoftmax, LogSumExp, Softmax
from ..ops.elementary import Exp, Expm1, Log, Log1p, Sigmoid, Softplus
from ..ops.reductions import Sum
from ..ops.views import Broadcast
from ..pattern import both_ways, is_number, operand_of, operands_of, spread_of
from .rule import Sketch, rule


def _kept(x: Value, axes: Sequence[int]) -> tuple[int, ...]:
    return tuple(k for k in range(x.type.ndim) if k not in axes)


def reduced_along(value: Value, like: Value) -> tuple[Reduction, Value] | None:
    """``(op, x)`` where ``value`` is the reduction ``op`` of ``x``, a value of the shape of ``like``, repeated along
    the reduced axes."""
    spread = spread_of(value)
    if spread is None or not isinstance(spread.inner.op, (Reduction, LogSumExp)):
        return None
    op, x = spread.inner.op, spread.inner.node.inputs[0]
    same = x.shape == like.shape == value.shape and spread.axes == _kept(x, op.axes)
    return (op, x) if same else None  # type: ignore[return-value]


def _over_sum(s: Sketch, top: Value) -> Value:
    total = s.sum(top, [1])
    return s.div(top, s.broadcast(total, top.shape, (0,)))


@rule(Log, exact=False, example=lambda s: s.log(s.apply(Softmax(1), s.input("f32[N,5]"))))
def log_of_softmax(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """log(softmax(x)) = log_softmax(x): small probabilities keep their digits and never become log 0."""
    (p,) = operands
    return e.apply(LogSoftmax(p.op.axis), p.node.inputs[0]) if isinstance(p.op, Softmax) else None


@rule(Exp, exact=False, example=lambda s: s.exp(s.apply(LogSoftmax(1), s.input("f32[N,5]"))))
def exp_of_log_softmax(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """exp(log_softmax(x)) = softmax(x): the exponentials are shared with the sum."""
    (x,) = operands
    return e.apply(Softmax(x.op.axis), x.node.inputs[0]) if isinstance(x.op, LogSoftmax) else None


@rule(Div, exact=False, sees=(Broadcast,), example=lambda s: _over_sum(s, s.exp(s.input("f32[N,5]"))))
def softmax_by_hand(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """exp(x) / sum(exp(x)) = softmax(x): shifted by the maximum, exp cannot overflow."""
    top, bottom = operands
    x, total = operand_of(top, Exp), reduced_along(bottom, top)
    if x is None or total is None or not isinstance(total[0], Sum) or total[1] is not top or len(total[0].axes) != 1:
        return None
    return e.apply(Softmax(total[0].axes[0]), x)


@rule(Div, exact=False, sees=(Broadcast,), example=lambda s: _over_sum(s, s.apply(Softmax(1), s.input("f32[N,5]"))))
def scale_softmax_to_one(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """softmax(x) / sum(softmax(x)) = softmax(x): the sum is 1 but for rounding."""
    p, bottom = operands
    total = reduced_along(bottom, p)
    if not isinstance(p.op, Softmax) or total is None or not isinstance(total[0], Sum):
        return None
    return p if total[1] is p and total[0].axes == (p.op.axis,) else None


@rule(Sum, exact=False, example=lambda s: s.sum(s.apply(Softmax(1), s.input("f32[N,5]")), [1]))
def sum_of_softmax(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """sum(softmax(x)) = 1."""
    assert isinstance(op, Sum)
    (p,) = operands
    if not isinstance(p.op, Softmax) or op.axes != (p.op.axis,) or p.shape[p.op.axis] == 0:
        return None
    return e.full(tuple(p.shape[k] for k in _kept(p, op.axes)), 1, p.dtype)


@rule(Log, exact=False, example=lambda s: s.log(s.sum(s.exp(s.input("f32[N,5]")), [1])))
def log_of_sum_of_exp(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """log(sum(exp(x))) = logsumexp(x): shifted by the maximum, exp cannot overflow."""
    total = operands[0]
    x = operand_of(total.node.inputs[0], Exp) if isinstance(total.op, Sum) else None
    return None if x is None else e.apply(LogSumExp(total.op.axes), x)  # type: ignore[attr-defined]


@rule(Sub, exact=False, sees=(Broadcast,), example=lambda s: _minus_logsumexp(s, s.input("f32[N,5]")))
def log_softmax_by_hand(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x - logsumexp(x) = log_softmax(x)."""
    x, y = operands
    total = reduced_along(y, x)
    if total is None or not isinstance(total[0], LogSumExp) or total[1] is not x or len(total[0].axes) != 1:
        return None
    return e.apply(LogSoftmax(total[0].axes[0]), x)


def _minus_logsumexp(s: Sketch, x: Value) -> Value:
    return s.sub(x, s.broadcast(s.apply(LogSumExp((1,)), x), x.shape, (0,)))


@rule(
    Sub,
    exact=False,
    sees=(Mul,),
    example=lambda s: _softmax_gradient(s, *map(s.input, ("f32[N,5]", "f32[N,5]", "f32[N]"))),
)
def gradient_of_shifted_softmax(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """g*p - p*sum(g*p) for p = softmax(x) is the same for g + c, whatever c is along the axis: c is left out."""
    scaled, rest = operands
    found = _shifted_cotangent(scaled, rest)
    if found is None:
        return None
    g, p, axis = found
    smaller = e.mul(g, p)
    return e.sub(smaller, e.mul(p, e.broadcast(e.sum(smaller, [axis]), p.shape, _kept(p, [axis]))))


def _shifted_cotangent(scaled: Value, rest: Value) -> tuple[Value, Value, int] | None:
    """``(g, p, axis)`` where ``scaled`` is ``(g + c)*p`` and ``rest`` is ``p*sum(scaled)``."""
    for shifted, p in both_ways(operands_of(scaled, Mul)):
        if not isinstance(p.op, Softmax):
            continue
        axis = p.op.axis
        sums = [reduced_along(b, p) for a, b in both_ways(operands_of(rest, Mul)) if a is p]
        if not any(t is not None and t[0] == Sum((axis,)) and t[1] is scaled for t in sums):
            continue
        if isinstance(shifted.op, (Add, Sub)):
            g, c = shifted.node.inputs
            if _is_constant_along(c, axis):
                return g, p, axis
            if isinstance(shifted.op, Add) and _is_constant_along(g, axis):
                return c, p, axis
    return None


def _is_constant_along(value: Value, axis: int) -> bool:
    spread = spread_of(value)
    return spread is not None and axis not in spread.axes


def _softmax_gradient(s: Sketch, x: Value, g: Value, c: Value) -> Value:
    p = s.apply(Softmax(1), x)
    scaled = s.mul(s.add(g, s.broadcast(c, g.shape, (0,))), p)
    return s.sub(scaled, s.mul(p, s.broadcast(s.sum(scaled, [1]), p.shape, (0,))))


@rule(Log, exact=False, example=lambda s: s.log(s.add(s.input("f32[N]", -0.5, 1), 1.0)))
def log_of_one_plus(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """log(1 + x) = log1p(x): small x keep their digits."""
    pair = operands_of(operands[0], Add)
    if pair and is_number(pair[1], 1):
        return e.apply(Log1p(), pair[0])
    pair = operands_of(operands[0], Sub)
    return e.apply(Log1p(), e.neg(pair[1])) if pair and is_number(pair[0], 1) else None


@rule(Sub, Add, exact=False, sees=(Exp,), example=lambda s: s.sub(s.exp(s.input("f32[N]")), 1.0))
def exp_minus_one(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """exp(x) - 1 = expm1(x): small x keep their digits."""
    a, b = operands
    x = operand_of(a, Exp)
    return e.apply(Expm1(), x) if x is not None and is_number(b, 1 if isinstance(op, Sub) else -1) else None


@rule(Log1p, exact=False, example=lambda s: s.apply(Log1p(), s.exp(s.input("f32[N]"))))
def log_of_one_plus_exp(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """log(1 + exp(x)) = softplus(x): exp cannot overflow."""
    x = operand_of(operands[0], Exp)
    return None if x is None else e.apply(Softplus(), x)


@rule(Log1p, exact=False, example=lambda s: s.apply(Log1p(), s.neg(s.sigmoid(s.input("f32[N]")))))
def log_of_one_minus_sigmoid(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """log(1 - sigmoid(x)) = -softplus(x): never log 0."""
    inner = operand_of(operands[0], Neg)
    x = None if inner is None else operand_of(inner, Sigmoid)
    return None if x is None else e.neg(e.apply(Softplus(), x))


@rule(Log, exact=False, example=lambda s: s.log(s.sigmoid(s.input("f32[N]"))))
def log_of_sigmoid(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """log(sigmoid(x)) = -softplus(-x): never log 0."""
    x = operand_of(operands[0], Sigmoid)
    return None if x is None else e.neg(e.apply(Softplus(), e.neg(x)))


@rule(Sub, exact=False, example=lambda s: s.sub(1.0, s.sigmoid(s.input("f32[N]"))))
def one_minus_sigmoid(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """1 - sigmoid(x) = sigmoid(-x): small results keep their digits."""
    x = operand_of(operands[1], Sigmoid) if is_number(operands[0], 1) else None
    return None if x is None else e.sigmoid(e.neg(x))


@rule(Div, exact=False, sees=(Add,), example=lambda s: s.div(1.0, s.add(s.exp(s.neg(s.input("f32[N]"))), 1.0)))
def sigmoid_by_hand(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """1 / (1 + exp(-x)) = exp(x) / (1 + exp(x)) = sigmoid(x): exp cannot overflow."""
    top, bottom = operands
    pair = operands_of(bottom, Add)
    x = operand_of(pair[0], Exp) if pair and is_number(pair[1], 1) else None
    if x is None:
        return None
    if is_number(top, 1):
        return e.sigmoid(e.neg(x))
    return e.sigmoid(x) if top is pair[0] else None


@rule(Mul, exact=False, sees=(Exp,), example=lambda s: _softplus_gradient(s, s.input("f32[N]"), s.input("f32[N]")))
def gradient_of_softplus_by_hand(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """g / (1 + exp(x)) * exp(x) = g * sigmoid(x): no inf / inf."""
    for quotient, power in both_ways(operands):
        x, pair = operand_of(power, Exp), operands_of(quotient, Div)
        terms = operands_of(pair[1], Add) if pair else ()
        if x is not None and terms and terms[0] is power and is_number(terms[1], 1):
            return e.mul(pair[0], e.sigmoid(x))
    return None


def _softplus_gradient(s: Sketch, x: Value, g: Value) -> Value:
    power = s.exp(x)
    return s.mul(s.div(g, s.add(power, 1.0)), power)


RULES = (
    log_of_softmax, exp_of_log_softmax, softmax_by_hand, scale_softmax_to_one, sum_of_softmax,
    log_of_sum_of_exp, log_softmax_by_hand, gradient_of_shifted_softmax, log_of_sigmoid, log_of_one_plus,
    exp_minus_one, log_of_one_plus_exp, log_of_one_minus_sigmoid, one_minus_sigmoid, sigmoid_by_hand,
    gradient_of_softplus_by_hand,
)  # fmt: skip
