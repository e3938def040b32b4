"""What every op promises, checked from its samples: no new test code for a new op."""

from __future__ import annotations

import numpy as np
import pytest

import symgraph as sg
from symgraph.dtypes import as_dtype
from symgraph.errors import SymgraphError
from symgraph.ir.algebra import Algebra
from symgraph.ir.numpy_algebra import NumpyAlgebra
from symgraph.ir.op import REGISTRY, Elementwise, Indexed, Leaf, Op, Sample
from symgraph.ir.types import Facts, TensorType

from .cases import apply, bound_op, cases, expected, placeholders, sizes_of


@pytest.mark.parametrize("name", sorted(n for n, cls in REGISTRY.items() if not issubclass(cls, Leaf)))
def test_every_op_has_samples_and_says_what_it_is(name: str) -> None:
    cls = REGISTRY[name]
    assert any(not s.error for s in cls.samples()), f"{name} has no sample"
    assert cls.equivalents, f"{name} does not say what it is called elsewhere"
    assert cls.vjp is not Op.vjp, f"{name} is silent about its gradient"


@pytest.mark.parametrize("sample", cases())
def test_inference_gives_the_type_of_the_reference(sample: Sample) -> None:
    types = [TensorType(as_dtype(a.dtype), a.shape) for a in sample.arrays]
    inferred = bound_op(sample).infer(Facts(), *types)
    for type_, array in zip(inferred, expected(sample), strict=True):
        assert type_ == TensorType(as_dtype(array.dtype), array.shape)


@pytest.mark.parametrize("sample", [c for c in cases() if c.values[0].symbolic])
def test_inference_with_unknown_sizes_agrees_with_static_inference(sample: Sample) -> None:
    from symgraph.ir.dims import evaluate

    results = apply(sample.op, placeholders(sample, symbolic=True))
    sizes = sizes_of(sample)
    for tensor, array in zip(results, expected(sample), strict=True):
        assert tuple(evaluate(d, sizes) for d in tensor.shape) == array.shape


@pytest.mark.parametrize("sample", cases(good=False))
def test_bad_operands_are_refused_with_an_error_that_names_them(sample: Sample) -> None:
    with pytest.raises(SymgraphError) as caught:
        apply(sample.op, placeholders(sample, symbolic=False))
    assert sample.error in str(caught.value)
    assert "operand 0" in str(caught.value)
    assert "test_ops.py" in str(caught.value) or "cases.py" in str(caught.value)


def _meaning(op: Op, arrays: tuple[np.ndarray, ...], result: np.ndarray) -> np.ndarray:
    """The scalar or element meaning of an op, read by the NumPy algebra over all positions at once."""
    s: Algebra[np.ndarray] = NumpyAlgebra({})
    if isinstance(op, Elementwise):
        return op.scalar(s, *arrays)
    assert isinstance(op, Indexed)
    index = list(np.indices(result.shape, np.int64)) if result.ndim else []
    types = [TensorType(as_dtype(a.dtype), a.shape) for a in arrays]

    def reader(array: np.ndarray):
        return lambda position: array[tuple(np.asarray(p) for p in position)]

    out = op.element(s, index, [reader(a) for a in arrays], types, TensorType(as_dtype(result.dtype), result.shape))
    return np.broadcast_to(out, result.shape)


def _has_elements(sample: Sample) -> bool:
    return all(a.size for a in (*sample.arrays, *expected(sample)))


POINTWISE = [c for c in cases() if isinstance(c.values[0].op, (Elementwise, Indexed)) and _has_elements(c.values[0])]


@pytest.mark.parametrize("sample", POINTWISE)
def test_the_scalar_meaning_gives_the_reference(sample: Sample) -> None:
    (want,) = expected(sample)
    got = _meaning(bound_op(sample), sample.arrays, want)
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=sample.rtol, atol=sample.atol)


def test_equality_of_tensors_is_identity() -> None:
    x, y = sg.placeholder((2,)), sg.placeholder((2,))
    assert x == x
    assert x != y
    assert len({x, y, x}) == 2
