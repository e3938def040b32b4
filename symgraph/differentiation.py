"""Derivatives in other shapes than a gradient: products with Jacobians from either side, whole Jacobians and Hessians,
and gradients given by hand.

All build on the reverse mode of :mod:`.gradient`. A product ``J v`` (forward mode) is the gradient of ``u -> u J`` in
the direction ``v``: that map is linear, so differentiating it once more gives ``J v`` without rules of its own; what
was only needed for ``u J`` is dead code, and each op states its derivative in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeAlias, Union

import numpy as np

from .errors import ArgumentError, GradientError, ShapeError
from .gradient import grad
from .ir.dims import static_size
from .ir.ops.custom_gradient import CustomGradient
from .ir.region import capture
from .numeric import clip
from .reducing import sum as total
from .scanning import step_input
from .shaping import reshape, stack, stop_gradient, zeros_like
from .tensor import Tensor, TensorLike, as_tensor, as_value, constant
from .tracer import describe, recording, tracer

Tensors: TypeAlias = Union[Tensor, Sequence[Tensor]]
#: A Jacobian has one copy of the derivative's graph for each element of the shorter side; more are refused.
MAX_ROWS = 1024


def _listed(x: Any) -> list[Any]:
    return list(x) if isinstance(x, (list, tuple)) else [x]


def _paired(tensors: Tensors, others: Any, name: str) -> tuple[list[Tensor], list[Tensor]]:
    """Tensors and as many partners of the same shapes."""
    firsts, seconds = ([tensors], [others]) if isinstance(tensors, Tensor) else (list(tensors), list(others))
    if len(firsts) != len(seconds):
        raise ArgumentError(f"{name}: {len(firsts)} tensor(s) and {len(seconds)} partner(s)")
    partners = [as_tensor(b, a.dtype) for a, b in zip(firsts, seconds, strict=True)]
    for a, b in zip(firsts, partners, strict=True):
        if a.ndim != b.ndim:
            raise ShapeError(f"{name}: {describe(a.value)} and its partner {describe(b.value)} differ in rank")
    return firsts, partners


def vjp(outputs: Tensors, wrt: Tensors, cotangents: Any, disconnected: str = "zeros") -> Any:
    """Cotangents times the Jacobian of ``outputs`` with respect to ``wrt`` (reverse mode; Theano's ``Lop``).

    Args:
        outputs: tensors of any shape.
        wrt: one tensor or a list; the result is of that form.
        cotangents: one tensor or array for each output, of its shape.

    Example:
        >>> from symgraph import placeholder, function
        >>> x = placeholder((2,), "float64")
        >>> function([x], vjp(x * x, x, [1.0, 10.0]))([3.0, 4.0]).tolist()
        [6.0, 80.0]
    """
    outs, weights = _paired(outputs, cotangents, "vjp")
    return grad(None, wrt, disconnected, known_grads=_joined(outs, weights))


def _joined(outputs: list[Tensor], cotangents: list[Tensor]) -> dict[Tensor, TensorLike]:
    """The cotangent of each output; those of one that is given twice are added."""
    found: dict[Tensor, TensorLike] = {}
    for y, c in zip(outputs, cotangents, strict=True):
        found[y] = c if y not in found else as_tensor(found[y]) + c
    return found


def jvp(outputs: Tensors, wrt: Tensors, tangents: Any) -> Any:
    """The Jacobian of ``outputs`` with respect to ``wrt`` times tangents (forward mode; Theano's ``Rop``).

    Args:
        outputs: one tensor or a list; the result is of that form.
        wrt: tensors of any shape.
        tangents: one tensor or array for each of ``wrt``, of its shape.

    Example:
        >>> from symgraph import placeholder, function
        >>> x = placeholder((2,), "float64")
        >>> function([x], jvp(x * x, x, [1.0, 10.0]))([3.0, 4.0]).tolist()
        [6.0, 80.0]
    """
    inputs, directions = _paired(wrt, tangents, "jvp")
    outs: list[Tensor] = _listed(outputs)
    # Stand-ins for cotangents; the products are linear in them, so their values do not matter.
    stand_ins = [stop_gradient(zeros_like(y)) for y in outs]
    products = grad(None, inputs, "zeros", known_grads=_joined(outs, stand_ins))
    pairs = zip(products, directions, strict=True)
    slope = constant(0.0, inputs[0].dtype)
    for product, direction in pairs:
        slope = slope + total(product * direction)
    found = grad(slope, stand_ins, "zeros")
    return found[0] if isinstance(outputs, Tensor) else found


def jacobian(output: Tensor, wrt: Tensor) -> Tensor:
    """All derivatives of ``output`` with respect to ``wrt``, of shape ``output.shape + wrt.shape``.

    One of the two must have a known number of elements, at most 1024: rows (or columns, whichever are fewer) are
    computed one by one.

    Raises:
        ShapeError: where neither has.
    """
    rows, columns = (t.type.size if _is_known(t) else None for t in (output, wrt))
    counts = [n for n in (rows, columns) if n is not None]
    if not counts:
        raise ShapeError(
            f"jacobian of {describe(output.value)} with respect to {describe(wrt.value)}: "
            f"one of them needs a known size of at most {MAX_ROWS}"
        )
    shape = (*output.shape, *wrt.shape)
    if rows is not None and (columns is None or static_size(rows) <= static_size(columns)):
        flat = reshape(output, (-1,))
        parts = [grad(flat[k], wrt, "zeros") for k in range(static_size(rows))]
        return reshape(stack(parts), shape) if parts else _nothing(shape, wrt)
    count = static_size(columns) if columns is not None else 0
    basis = np.eye(count, dtype=wrt.dtype.np)
    forward = [jvp(output, wrt, reshape(constant(e, wrt.dtype), wrt.shape)) for e in basis]
    return reshape(stack(forward, axis=-1), shape) if forward else _nothing(shape, wrt)


def _is_known(t: Tensor) -> bool:
    return isinstance(t.type.size, int) and t.type.size <= MAX_ROWS


def _nothing(shape: Any, like: Tensor) -> Tensor:
    return Tensor(tracer.full(tuple(shape), 0, like.dtype))


def hessian(cost: Tensor, wrt: Tensor) -> Tensor:
    """Second derivatives of a scalar, of shape ``wrt.shape + wrt.shape``. Rows are computed one by one
    (:func:`jacobian`); :func:`hessian_vector_product` needs only one."""
    return jacobian(grad(cost, wrt, "zeros"), wrt)


def hessian_vector_product(cost: Tensor, wrt: Tensors, vectors: Any) -> Any:
    """The Hessian of a scalar times vectors of the shapes of ``wrt``, for about the cost of two gradients.

    Example:
        >>> from symgraph import placeholder, function, sum
        >>> x = placeholder((2,), "float64")
        >>> function([x], hessian_vector_product(sum(x * x * x), x, [1.0, 2.0]))([3.0, 4.0]).tolist()
        [18.0, 48.0]
    """
    inputs, directions = _paired(wrt, vectors, "hessian_vector_product")
    gradients = grad(cost, inputs, "zeros")
    pairs = zip(gradients, directions, strict=True)
    slopes = [total(g * stop_gradient(v)) for g, v in pairs]
    slope = slopes[0]
    for part in slopes[1:]:
        slope = slope + part
    return grad(slope, wrt, "zeros")


def custom_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of tensors with a gradient of its own.

    The decorated function takes tensors and gives ``(output, rule)`` (or ``(list of outputs, rule)``). ``rule`` takes
    one cotangent for each output and gives a cotangent for each argument (a list, where there are several; None where
    nothing flows). It is called once, when the decorated function is; it may be used in loops.

    Raises:
        GradientError: where the rule gives another number of cotangents.

    Example:
        >>> from symgraph import placeholder, function, grad, exp
        >>> @custom_gradient
        ... def half_exp(x):
        ...     y = exp(x)
        ...     return y, lambda g: g * y / 2
        >>> x = placeholder((), "float64")
        >>> float(function([x], grad(half_exp(x), x))(0.0))
        0.5
    """

    @wraps(function)
    def apply(*arguments: TensorLike) -> Any:
        tensors = [as_tensor(a) for a in arguments]
        outputs, rule = function(*tensors)
        outs: list[Tensor] = [as_tensor(y) for y in _listed(outputs)]

        cotangents = [step_input(y.shape, y.dtype, "cotangent") for y in outs]
        with recording() as nodes:
            found = _listed(rule(*map(Tensor, cotangents)))
            if len(found) != len(tensors):
                name = function.__name__
                raise GradientError(f"{name}: {len(found)} cotangent(s) for {len(tensors)} argument(s)")
            given = [
                None if c is None else tracer.broadcast_to(as_value(c, t.dtype), t.shape)
                for c, t in zip(found, tensors, strict=True)
            ]  # fmt: skip
        body, captured = capture(cotangents, [c for c in given if c is not None], nodes)
        op = CustomGradient(len(outs), tuple(c is not None for c in given), body)
        operands = [t.value for t in (*outs, *tensors)]
        marked = [Tensor(v) for v in tracer.apply_all(op, *operands, *captured)]
        return marked if isinstance(outputs, (list, tuple)) else marked[0]

    return apply


def grad_clip(x: TensorLike, low: float, high: float) -> Tensor:
    """``x``, whose gradient is limited to ``[low, high]`` on the way back (Theano's ``grad_clip``)."""
    return custom_gradient(lambda t: (t, lambda g: clip(g, low, high)))(x)  # type: ignore[no-any-return]


#: Theano's names.
Lop, Rop = vjp, jvp

__all__ = [
    "Lop", "Rop", "custom_gradient", "grad_clip", "hessian", "hessian_vector_product", "jacobian", "jvp", "vjp",
]  # fmt: skip
