"""Layers that join several inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from .. import backend as K
from ..engine.arguments import Argument
from ..engine.base_layer import Layer

Tensor = Any
Shapes = Any


class _Merge(Layer):
    """Inputs of one shape (up to broadcasting) to one output, element by element."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def _merge_function(self, inputs: Sequence[Tensor]) -> Tensor:
        raise NotImplementedError

    def _compute_elemwise_op_output_shape(self, shape1: Any, shape2: Any) -> Any:
        """Broadcast two shapes, without the batch axis.

        Raises:
            ValueError: where they do not fit.
        """
        if shape1 is None or shape2 is None:
            return None
        longer, shorter = (shape1, shape2) if len(shape1) >= len(shape2) else (shape2, shape1)
        lead = len(longer) - len(shorter)
        joined = list(longer[:lead])
        for a, b in zip(longer[lead:], shorter, strict=True):
            if a is None or b is None:
                joined.append(None)
            elif a == 1 or b == 1:
                joined.append(b if a == 1 else a)
            elif a == b:
                joined.append(a)
            else:
                raise ValueError(f"Operands could not be broadcast together with shapes {shape1} {shape2}")
        return tuple(joined)

    def build(self, input_shape: Shapes) -> None:
        if not isinstance(input_shape, list) or len(input_shape) < 2:
            raise ValueError(
                "A merge layer should be called on a list of at least 2 inputs. Got "
                f"{len(input_shape) if isinstance(input_shape, list) else 1} inputs."
            )
        batch_sizes = {s[0] for s in input_shape if s is not None} - {None}
        if len(batch_sizes) > 1:
            raise ValueError(
                "Can not merge tensors with different batch sizes. Got tensors with shapes : " + str(input_shape)
            )
        reduce(self._compute_elemwise_op_output_shape, [tuple(s[1:]) for s in input_shape])
        self.built = True

    def call(self, inputs: Any) -> Tensor:
        if not isinstance(inputs, list):
            raise ValueError("A merge layer should be called on a list of inputs.")
        rank = max(K.ndim(x) for x in inputs)
        aligned = []
        for x in inputs:
            for _ in range(rank - K.ndim(x)):
                x = K.expand_dims(x, 1)
            aligned.append(x)
        return self._merge_function(aligned)

    def compute_output_shape(self, input_shape: Shapes) -> Any:
        sample = reduce(self._compute_elemwise_op_output_shape, [tuple(s[1:]) for s in input_shape])
        batch_sizes = {s[0] for s in input_shape} - {None}
        return (batch_sizes.pop() if len(batch_sizes) == 1 else None, *sample)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return None
        if not isinstance(mask, list):
            raise ValueError("`mask` should be a list.")
        if not isinstance(inputs, list):
            raise ValueError("`inputs` should be a list.")
        if len(mask) != len(inputs):
            raise ValueError("The lists `inputs` and `mask` should have the same length.")
        if all(m is None for m in mask):
            return None
        return K.all(K.stack([m for m in mask if m is not None]), axis=0)


def _folded(inputs: Sequence[Tensor], join: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    return reduce(join, inputs)


class Add(_Merge):
    """The sum of the inputs."""

    def _merge_function(self, inputs: Sequence[Tensor]) -> Tensor:
        return _folded(inputs, lambda a, b: a + b)


class Subtract(_Merge):
    """The first input minus the second."""

    def build(self, input_shape: Shapes) -> None:
        super().build(input_shape)
        if len(input_shape) != 2:
            raise ValueError("A `Subtract` layer should be called on exactly 2 inputs")

    def _merge_function(self, inputs: Sequence[Tensor]) -> Tensor:
        if len(inputs) != 2:
            raise ValueError("A `Subtract` layer should be called on exactly 2 inputs")
        return inputs[0] - inputs[1]


class Multiply(_Merge):
    """The product of the inputs."""

    def _merge_function(self, inputs: Sequence[Tensor]) -> Tensor:
        return _folded(inputs, lambda a, b: a * b)


class Average(_Merge):
    """The mean of the inputs."""

    def _merge_function(self, inputs: Sequence[Tensor]) -> Tensor:
        return _folded(inputs, lambda a, b: a + b) / float(len(inputs))


class Maximum(_Merge):
    """The largest of the inputs."""

    def _merge_function(self, inputs: Sequence[Tensor]) -> Tensor:
        return _folded(inputs, K.maximum)


class Minimum(_Merge):
    """The smallest of the inputs."""

    def _merge_function(self, inputs: Sequence[Tensor]) -> Tensor:
        return _folded(inputs, K.minimum)


class Concatenate(_Merge):
    """The inputs side by side along ``axis``."""

    axis = Argument()

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape: Shapes) -> None:
        if not isinstance(input_shape, list) or len(input_shape) < 2:
            raise ValueError("A `Concatenate` layer should be called on a list of at least 2 inputs")
        rest = {tuple(d for i, d in enumerate(s) if i != self.axis % len(s)) for s in input_shape}
        if len(rest) > 1:
            raise ValueError(
                "A `Concatenate` layer requires inputs with matching shapes except for the concat axis. Got inputs "
                "shapes: "
                f"{input_shape}"
            )
        self.built = True

    def _merge_function(self, inputs: Sequence[Tensor]) -> Tensor:
        return K.concatenate(inputs, axis=self.axis)

    def compute_output_shape(self, input_shape: Shapes) -> Any:
        if not isinstance(input_shape, list):
            raise ValueError("A `Concatenate` layer should be called on a list of inputs.")
        shape = list(input_shape[0])
        sizes = [s[self.axis] for s in input_shape]
        shape[self.axis] = None if None in sizes else sum(sizes)
        return tuple(shape)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None or all(m is None for m in mask):
            return None
        if not isinstance(mask, list) or not isinstance(inputs, list) or len(mask) != len(inputs):
            raise ValueError("The lists `inputs` and `mask` should have the same length.")
        parts = []
        for x, m in zip(inputs, mask, strict=True):
            if m is None:
                parts.append(K.cast(K.ones_like(x), "bool"))
            else:
                wide = K.expand_dims(m) if K.ndim(m) < K.ndim(x) else m
                parts.append(K.cast(K.ones_like(x) * K.cast(wide, K.dtype(x)), "bool"))
        return K.all(K.concatenate(parts, axis=self.axis), axis=-1, keepdims=False)


class Dot(_Merge):
    """The product of two inputs over an axis of each; ``normalize`` makes it a cosine."""

    axes = Argument()
    normalize = Argument()

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axes, int):
            if not isinstance(axes, (list, tuple)):
                raise TypeError("Invalid type for `axes` - should be a list or an int.")
            if len(axes) != 2:
                raise ValueError("Invalid format for `axes` - should contain two elements.")
            if not isinstance(axes[0], int) or not isinstance(axes[1], int):
                raise ValueError('Invalid format for `axes` - list elements should be "int".')
        self.axes = axes
        self.normalize = normalize

    def _axes_of(self, shape1: Any, shape2: Any) -> tuple[int, int]:
        a, b = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        return a % len(shape1), b % len(shape2)

    def build(self, input_shape: Shapes) -> None:
        if not isinstance(input_shape, list) or len(input_shape) != 2:
            raise ValueError("A `Dot` layer should be called on a list of 2 inputs.")
        shape1, shape2 = input_shape
        a, b = self._axes_of(shape1, shape2)
        if shape1[a] != shape2[b]:
            raise ValueError(f"Dimension incompatibility {shape1[a]} != {shape2[b]}. Layer shapes: {shape1}, {shape2}")
        self.built = True

    def _merge_function(self, inputs: Sequence[Tensor]) -> Tensor:
        if len(inputs) != 2:
            raise ValueError("A `Dot` layer should be called on exactly 2 inputs")
        x, y = inputs
        a, b = self._axes_of(K.int_shape(x), K.int_shape(y))
        if self.normalize:
            x, y = K.l2_normalize(x, axis=a), K.l2_normalize(y, axis=b)
        return K.batch_dot(x, y, (a, b))

    def call(self, inputs: Any) -> Tensor:
        if not isinstance(inputs, list):
            raise ValueError("A merge layer should be called on a list of inputs.")
        return self._merge_function(inputs)

    def compute_output_shape(self, input_shape: Shapes) -> Any:
        if not isinstance(input_shape, list) or len(input_shape) != 2:
            raise ValueError("A `Dot` layer should be called on a list of 2 inputs.")
        shape1, shape2 = list(input_shape[0]), list(input_shape[1])
        a, b = self._axes_of(shape1, shape2)
        del shape1[a], shape2[b], shape2[0]
        shape = shape1 + shape2
        return (*shape, 1) if len(shape) == 1 else tuple(shape)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


def add(inputs: list[Tensor], **kwargs: Any) -> Tensor:
    """The sum of tensors."""
    return Add(**kwargs)(inputs)


def subtract(inputs: list[Tensor], **kwargs: Any) -> Tensor:
    """The first tensor minus the second."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: list[Tensor], **kwargs: Any) -> Tensor:
    """The product of tensors."""
    return Multiply(**kwargs)(inputs)


def average(inputs: list[Tensor], **kwargs: Any) -> Tensor:
    """The mean of tensors."""
    return Average(**kwargs)(inputs)


def maximum(inputs: list[Tensor], **kwargs: Any) -> Tensor:
    """The largest of tensors."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: list[Tensor], **kwargs: Any) -> Tensor:
    """The smallest of tensors."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: list[Tensor], axis: int = -1, **kwargs: Any) -> Tensor:
    """Tensors side by side."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: list[Tensor], axes: Any, normalize: bool = False, **kwargs: Any) -> Tensor:
    """The product of two tensors over an axis of each."""
    return Dot(axes=axes, normalize=normalize, **kwargs)(inputs)
