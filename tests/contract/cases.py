"""Every sample of every op as a test case, and how to build its graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import symgraph.ir.ops  # noqa: F401 - fills the registry
from symgraph.dtypes import as_dtype
from symgraph.ir.dims import Dim, Symbol, symbol
from symgraph.ir.op import REGISTRY, Op, Sample
from symgraph.tensor import Tensor, placeholder
from symgraph.tracer import tracer

Array = np.ndarray[Any, Any]


def cases(good: bool = True) -> list[Any]:
    """``(op name, number, sample)`` for every good (or every bad) sample."""
    return [
        pytest.param(sample, id=f"{name}-{i}")
        for name, cls in sorted(REGISTRY.items())
        for i, sample in enumerate(cls.samples())
        if bool(sample.error) != good
    ]


def sizes_of(sample: Sample) -> dict[str, int]:
    """The sizes that a sample's symbols have."""
    return {name: sample.arrays[operand].shape[axis] for operand, axis, name in sample.symbolic}


def placeholders(sample: Sample, symbolic: bool) -> list[Tensor]:
    """Inputs for the operands, with the sample's unknown sizes or with static ones."""
    shapes: list[list[Dim]] = [list(a.shape) for a in sample.arrays]
    if symbolic:
        for operand, axis, name in sample.symbolic:
            shapes[operand][axis] = symbol(name)
    return [placeholder(shape, as_dtype(a.dtype)) for shape, a in zip(shapes, sample.arrays, strict=True)]


def bound_op(sample: Sample) -> Op:
    """The sample's op with its symbols replaced by the operands' sizes."""
    op = sample.op.map_dims({Symbol(name): size for name, size in sizes_of(sample).items()})
    free = {Symbol("N"): 3, Symbol("M"): 4}
    return op.map_dims(free)


def expected(sample: Sample) -> tuple[Array, ...]:
    """The results by the op's reference."""
    result = bound_op(sample).reference(*sample.arrays)
    return result if isinstance(result, tuple) else (result,)


def apply(op: Op, operands: Sequence[Tensor]) -> list[Tensor]:
    return [Tensor(v) for v in tracer.apply_all(op, *(t.value for t in operands))]


def float_operands(sample: Sample) -> list[int]:
    """The operands whose gradient the sample checks."""
    floats = [i for i, a in enumerate(sample.arrays) if a.dtype == np.float64 and a.size]
    return floats if sample.differentiable is None else [i for i in sample.differentiable if i in floats]
