"""Reverse-mode gradients of graphs: one walk from the cost back to what it depends on; any order, since gradients are
graphs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import overload

from .errors import ArgumentError, DTypeError, GradientError, ShapeError
from .ir.graph import Node, Value
from .ir.reverse import find_cotangents
from .provenance import as_gradient
from .tensor import Tensor, TensorLike, as_value
from .tracer import describe, origins_of, tracer

_POLICIES = ("raise", "zeros", "none")


@overload
def grad(
    cost: Tensor | None, wrt: Tensor, disconnected: str = ..., known_grads: Mapping[Tensor, TensorLike] | None = ...,
    stop: Iterable[Tensor] = ...,
) -> Tensor: ...  # fmt: skip


@overload
def grad(
    cost: Tensor | None, wrt: Sequence[Tensor], disconnected: str = ...,
    known_grads: Mapping[Tensor, TensorLike] | None = ..., stop: Iterable[Tensor] = ...,
) -> list[Tensor]: ...  # fmt: skip


def grad(
    cost: Tensor | None,
    wrt: Tensor | Sequence[Tensor],
    disconnected: str = "raise",
    known_grads: Mapping[Tensor, TensorLike] | None = None,
    stop: Iterable[Tensor] = (),
) -> Tensor | list[Tensor]:
    """The gradient of a scalar ``cost`` with respect to one tensor or a list of them (Theano's ``grad``).

    Args:
        cost: a floating scalar, or None where ``known_grads`` gives the start.
        wrt: floating tensors.
        disconnected: for a tensor the cost does not depend on: ``"raise"`` a GradientError, give ``"zeros"``, or
            ``"none"`` (None in the list).
        known_grads: gradients of the cost with respect to intermediate tensors, of their shapes.
        stop: tensors treated as constants.

    Raises:
        ShapeError: if ``cost`` is not a scalar.
        DTypeError: if ``cost`` or a ``wrt`` is not floating.
        GradientError: for a disconnected tensor, or an op on the way that has no gradient.

    Example:
        >>> from symgraph import placeholder, function
        >>> x = placeholder((), "float64")
        >>> float(function([x], grad(x * x * x, x))(2.0))
        12.0
    """
    if disconnected not in _POLICIES:
        raise ArgumentError(f"disconnected is {disconnected!r}; it must be one of {', '.join(_POLICIES)}")
    targets = [wrt] if isinstance(wrt, Tensor) else list(wrt)
    for t in targets:
        if not isinstance(t, Tensor):
            raise DTypeError(f"grad: wrt must be tensors, got {type(t).__name__}")
        if not t.dtype.is_float:
            raise DTypeError(f"grad: no gradient with respect to a tensor of dtype {t.dtype} ({describe(t.value)})")
    seeds = _seeds(cost, known_grads or {})
    found = _backward(seeds, [t.value for t in targets], {id(t.value) for t in stop})
    out: list[Tensor] = []
    for t in targets:
        value = found.get(id(t.value))
        if value is None and disconnected == "raise":
            raise GradientError(f"grad: the cost does not depend on {describe(t.value)}")
        if value is None and disconnected == "none":
            out.append(None)  # type: ignore[arg-type]
            continue
        out.append(Tensor(value if value is not None else tracer.zeros_like(t.value)))
    return out[0] if isinstance(wrt, Tensor) else out


def _seeds(cost: Tensor | None, known: Mapping[Tensor, TensorLike]) -> list[tuple[Value, Value]]:
    seeds: list[tuple[Value, Value]] = []
    if cost is not None:
        if not isinstance(cost, Tensor):
            raise DTypeError(f"grad: the cost must be a tensor, got {type(cost).__name__}")
        if cost.ndim:
            raise ShapeError(f"grad: the cost must be a scalar, got {describe(cost.value)}; take its mean or sum")
        if not cost.dtype.is_float:
            raise DTypeError(f"grad: the cost must be floating, got {describe(cost.value)}")
        seeds.append((cost.value, tracer.constant(1, cost.dtype)))
    elif not known:
        raise ArgumentError("grad: give a cost or known_grads")
    for tensor, gradient in known.items():
        value = as_value(gradient, tensor.dtype)
        tracer.facts.unify_shapes(value.shape, tensor.shape, "shapes of a tensor and its known gradient")
        seeds.append((tensor.value, value))
    return seeds


def _backward(seeds: list[tuple[Value, Value]], wrt: list[Value], stop: set[int]) -> dict[int, Value]:
    """Cotangents by value identity, for the values between ``wrt`` and the seeds."""
    return find_cotangents(seeds, wrt, stop, _vjp, _accumulate)


def _vjp(node: Node, given: Sequence[Value | None]) -> Sequence[Value | None]:
    with origins_of(as_gradient(node.origins)):
        try:
            return node.op.vjp(tracer, node.inputs, node.outputs, given)
        except GradientError as error:
            raise GradientError(f"{error} ({describe(node.outputs[0])})") from None


def _accumulate(cotangents: dict[int, Value], value: Value, gradient: Value) -> None:
    known = cotangents.get(id(value))
    with origins_of(gradient.node.origins):
        cotangents[id(value)] = gradient if known is None else tracer.add(known, gradient)


__all__ = ["grad"]
