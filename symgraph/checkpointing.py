"""Less memory for more work: parts of a graph whose inner values are computed again in the backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import ArgumentError
from .ir.ops.effects import After
from .ir.ops.recomputing import Checkpoint
from .ir.region import capture, without
from .tensor import Tensor, TensorLike, as_tensor
from .tracer import recording, tracer


def checkpoint(function: Callable[..., Any], *inputs: TensorLike) -> Any:
    """``function(*inputs)``, of which the backward pass keeps nothing but what goes in (``jax.checkpoint``,
    ``torch.utils.checkpoint``).

    All that ``function`` computes on the way is computed again from its inputs, and from the tensors and variables
    that it uses besides, once the gradients of its outputs are known. Values and gradients of any order stay the same,
    random numbers too; a network whose blocks are checkpoints keeps one array a block. It may be used in the step of a
    loop, and around a loop.

    Args:
        function: takes tensors; gives a tensor, or a list or (named) tuple of tensors. Called once.
        inputs: tensors, or what can be one.

    Raises:
        ArgumentError: where the function gives something else.

    Example:
        >>> import symgraph as sg
        >>> x = sg.placeholder((3,), "float64")
        >>> y = sg.checkpoint(lambda t: sg.exp(sg.sin(t)), x)
        >>> f = sg.function([x], sg.grad(sg.sum(y), x))
        >>> f([0.0, 0.0, 0.0]).tolist()
        [1.0, 1.0, 1.0]
    """
    with recording() as nodes:
        outputs = function(*[as_tensor(x) for x in inputs])
    listed = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    for k, y in enumerate(listed):
        if not isinstance(y, Tensor):
            name = getattr(function, "__name__", "the function")
            raise ArgumentError(f"checkpoint: result {k} of {name} is a {type(y).__name__}, it must be a tensor")
    values = [y.value for y in listed]
    body, captured = capture((), values, nodes)
    # What prints or asserts has done so already when the body runs again.
    marked = [Tensor(v) for v in tracer.apply_all(Checkpoint(without(body, After)), *values, *captured)]
    if not isinstance(outputs, (list, tuple)):
        return marked[0]
    return getattr(outputs, "_make", type(outputs))(marked)  # a named tuple stays one


__all__ = ["checkpoint"]
