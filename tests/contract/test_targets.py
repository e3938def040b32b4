"""Every op on every target, against its NumPy reference, with static and with unknown sizes."""

from __future__ import annotations

import numpy as np
import pytest

import symgraph as sg
from symgraph.codegen.targets.llvm.cpu import can_run, cpu_for
from symgraph.ir.op import Leaf, Sample
from symgraph.options import Options

from .cases import apply, cases, expected, placeholders

TARGETS = [
    pytest.param(Options(target="numpy", verify=True), id="numpy"),
    pytest.param(Options(target="llvm", verify=True), id="llvm"),
    pytest.param(Options(target="llvm", verify=True, cpu="avx2"), id="avx2", marks=pytest.mark.slow),
    pytest.param(Options(target="llvm", verify=True, cpu="baseline"), id="baseline", marks=pytest.mark.slow),
]
SAMPLES = [c for c in cases() if not isinstance(c.values[0].op, Leaf)]


@pytest.fixture(autouse=True)
def _runs_here(options: Options) -> None:
    if options.target == "llvm" and options.cpu != "host" and not can_run(cpu_for(options.cpu)):
        pytest.skip(f"this processor has no {options.cpu}")


def _check(function: sg.Function, sample: Sample) -> None:
    for got, want in zip(function(*sample.arrays), expected(sample), strict=True):
        assert got.dtype == want.dtype
        assert got.shape == want.shape
        if want.dtype.kind == "f":
            np.testing.assert_allclose(got, want, rtol=sample.rtol, atol=sample.atol)
        else:
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("options", TARGETS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_values(sample: Sample, options: Options) -> None:
    from .cases import bound_op

    inputs = placeholders(sample, symbolic=False)
    _check(sg.function(inputs, apply(bound_op(sample), inputs), options=options), sample)


@pytest.mark.parametrize("options", TARGETS)
@pytest.mark.parametrize("sample", [c for c in SAMPLES if c.values[0].symbolic])
def test_values_with_unknown_sizes(sample: Sample, options: Options) -> None:
    inputs = placeholders(sample, symbolic=True)
    _check(sg.function(inputs, apply(sample.op, inputs), options=options), sample)
