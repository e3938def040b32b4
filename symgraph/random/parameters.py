"""Parameters of distributions, and the loop of methods that draw until they are content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..dtypes import DType, as_dtype, bfloat16, float64, uint32
from ..errors import DTypeError
from ..generators import Round, drawing_from, source
from ..ir.dims import Shape
from ..ir.ops.indexing import Iota
from ..loops import while_loop
from ..numeric import where
from ..reducing import any as any_of
from ..shaping import Sizes, as_shape, broadcast_to, stop_gradient
from ..tensor import Tensor, TensorLike, as_tensor
from ..tracer import tracer


def float_dtype(dtype: Any) -> DType:
    """The DType, which must be floating, and not bfloat16, of which too few numbers lie between 0 and 1."""
    kind = as_dtype(dtype)
    if kind is bfloat16:
        raise DTypeError("random numbers of dtype bfloat16: draw float32 ones and cast them")
    if not kind.is_float:
        raise DTypeError(f"random numbers of dtype {kind}: a floating dtype is needed")
    return kind


def spread(shape: Sizes | None, dtype: DType, *parameters: TensorLike) -> tuple[Shape, list[Tensor]]:
    """The shape of the result (that of all parameters together where it is not given) and the parameters in it."""
    tensors = [p.astype(dtype) if isinstance(p, Tensor) else as_tensor(p, dtype) for p in parameters]
    if shape is None:
        wanted: Shape = ()
        for t in tensors:
            wanted = tracer.facts.broadcast_shapes(wanted, t.shape)
    else:
        wanted = as_shape(shape)
    return wanted, [broadcast_to(t, wanted) for t in tensors]


def is_number(parameter: TensorLike, number: float) -> bool:
    """Whether a parameter was given as this number."""
    return isinstance(parameter, (int, float)) and parameter == number


def fixed(*tensors: Tensor) -> list[Tensor]:
    """Parameters in double precision that gradients do not reach."""
    return [stop_gradient(t.astype(float64)) for t in tensors]


#: From the values so far: new values, and where they are final.
Attempt = Callable[..., "tuple[list[Tensor], Tensor]"]


def until_content(attempt: Attempt, initial: list[Tensor], valid: Tensor, seed: int | None) -> list[Tensor]:
    """Elements of ``initial`` replaced by those of ``attempt(*values)``, again and again, until each is final; those
    that are not ``valid`` stay. Random ops in ``attempt`` draw anew in every round."""
    around = source(seed)
    key = around.current

    def body(number: Tensor, pending: Tensor, *values: Tensor) -> list[Tensor]:
        place = tracer.apply(Iota(4, uint32))
        mixed = tracer.where(tracer.eq(place, 3), tracer.mul(number.value, 1 << 16), 0)
        with drawing_from(Round(tracer.add(key, mixed), around.draws)):
            new, final = attempt(*values)
        kept = [where(pending, a, b) for a, b in zip(new, values, strict=True)]
        return [number + 1, pending & ~final, *kept]

    start = [as_tensor(0, uint32), valid, *initial]
    return list(while_loop(lambda _, pending, *__: any_of(pending), body, start)[2:])


def or_nan(result: Tensor, valid: Tensor) -> Tensor:
    """``result``, NaN where parameters are not valid."""
    return where(valid, result, float("nan"))


def is_valid(*conditions: Tensor) -> Tensor:
    """Where all conditions hold."""
    whole = conditions[0]
    for other in conditions[1:]:
        whole = whole & other
    return whole


__all__ = ["fixed", "float_dtype", "is_number", "is_valid", "or_nan", "spread", "until_content"]
