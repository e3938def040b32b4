"""The same computation of other tensors (Theano's ``clone``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .errors import ArgumentError, DTypeError
from .ir.graph import Node, Value, topological
from .ir.replay import replay
from .tensor import Tensor, TensorLike, as_value
from .tracer import describe, tracer


def clone(outputs: Any, replace: Mapping[Tensor, TensorLike] | Sequence[tuple[Tensor, TensorLike]]) -> Any:
    """``outputs`` (a tensor or a list) computed from other tensors: each key of ``replace`` by its value.

    What depends on no replaced tensor is shared, not copied. Sizes are inferred anew, so a replacement may have another
    shape where the ops allow it. What is replaced is so everywhere at once: a value may depend on the keys.

    Raises:
        DTypeError: where a replacement has another dtype.
        ArgumentError: where a key is no tensor.
        ShapeError: where an op does not take the new shape.

    Example:
        >>> import symgraph as sg
        >>> x, y = sg.placeholder((), "float64"), sg.placeholder((), "float64")
        >>> swapped = sg.clone(x - 2 * y, {x: y, y: x})
        >>> float(sg.function([x, y], swapped)(1.0, 5.0))
        3.0
    """
    pairs = list(replace.items()) if isinstance(replace, Mapping) else list(replace)
    new: dict[int, Value] = {}
    for old, instead in pairs:
        if not isinstance(old, Tensor):
            raise ArgumentError(f"clone: replace names tensors, got {type(old).__name__}")
        value = instead.value if isinstance(instead, Tensor) else as_value(instead, old.dtype)
        if value.dtype != old.dtype:
            raise DTypeError(f"clone: {describe(old.value)} cannot be replaced by {describe(value)}")
        new[id(old.value)] = value
    single = isinstance(outputs, Tensor)
    wanted: list[Tensor] = [outputs] if single else list(outputs)

    def concerned() -> Iterator[Node]:
        """The nodes that depend on what is replaced, as far as is known when each is asked for."""
        for node in topological([t.value for t in wanted]):
            if any(new.get(id(v), v) is not v for v in node.inputs):
                new.update({id(v): new.get(id(v), v) for v in node.inputs})
                yield node

    replay(tracer, concerned(), new)
    cloned = [Tensor(new.get(id(t.value), t.value), t.name) for t in wanted]
    return cloned[0] if single else cloned


__all__ = ["clone"]
