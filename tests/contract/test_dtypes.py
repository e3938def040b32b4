"""Every op in the dtypes that its samples do not have: float16, and integers of all widths, on every target."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

import symgraph as sg
from symgraph.errors import BoundsError, DTypeError
from symgraph.ir.op import REGISTRY, Leaf, Sample

from .cases import apply, bound_op, expected, placeholders

DTYPES = ["float16", "int8", "int16", "int64", "uint8", "uint16", "uint32", "uint64"]


def _converted(dtype: str) -> Iterator[tuple[str, Sample]]:
    """The first sample of each op that has operands of the kind, with those in the dtype."""
    kinds = "f" if dtype.startswith("float") else "iu"
    for name, cls in sorted(REGISTRY.items()):
        if issubclass(cls, Leaf):
            continue
        for sample in cls.samples():
            relevant = [a for a in sample.arrays if a.dtype.kind in kinds]
            too_large = dtype == "float16" and any(np.abs(a[np.isfinite(a)]).max(initial=0) > 6e4 for a in relevant)
            if not sample.error and relevant and not too_large:
                arrays = [_as(a, dtype) if a.dtype.kind in kinds else a for a in sample.arrays]
                yield name, dataclasses.replace(sample, arrays=tuple(arrays))
                break


def _as(a: np.ndarray, dtype: str) -> np.ndarray:
    """In the dtype; where that has no negative numbers, moved up in order."""
    return (a - min(a.min(initial=0), 0)).astype(dtype) if dtype.startswith("u") else a.astype(dtype)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("target", ["llvm", "numpy"])
def test_ops(dtype: str, target: str) -> None:
    ran = 0
    for name, sample in _converted(dtype):
        inputs = placeholders(sample, symbolic=False)
        try:
            results = apply(bound_op(sample), inputs)
            wanted = expected(sample)
        except BoundsError:  # an index that was moved up
            continue
        except DTypeError:  # the op has no such dtype
            continue
        for got, want in zip(sg.function(inputs, results, target=target)(*sample.arrays), wanted, strict=True):
            assert got.dtype == want.dtype, name
            if want.dtype.kind == "f":
                np.testing.assert_allclose(got.astype(float), want.astype(float), 2e-2, 2e-2, err_msg=name)
            else:
                np.testing.assert_array_equal(got, want, err_msg=name)
        ran += 1
    assert ran > (60 if dtype == "float16" else 25)
