"""Subnormal numbers: kept as they are, or taken for zero where the options say so; in every thread, and only there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.codegen.targets.llvm.cpu import host_cpu
from symgraph.codegen.targets.llvm.float_state import float_state

TINY = np.float32(1e-39)
KEEP, FLUSH = sg.Options(), sg.Options(flush_subnormals=True)
FLUSHES = pytest.mark.skipif(not float_state(host_cpu()).flush, reason="this processor has no such state known here")


def half(options: sg.Options) -> sg.Function:
    x = sg.placeholder((None,))
    return sg.function([x], x * 0.5, options=options)


@FLUSHES
@pytest.mark.parametrize("size", [1, 19, 3_000_000])
def test_all_threads_flush_where_the_options_say_so(size: int) -> None:
    normal = np.full(size, np.finfo(np.float32).tiny)  # its half is subnormal
    for value in (np.full(size, TINY), normal):
        np.testing.assert_array_equal(half(FLUSH)(value), np.zeros(size))
        np.testing.assert_array_equal(half(KEEP)(value), value * np.float32(0.5))
        assert (value * np.float32(0.5)).all(), "NumPy's arithmetic stays what it was"


@FLUSHES
def test_python_inside_a_flushing_function_computes_as_ever() -> None:
    seen: list[Any] = []

    class Noting(sg.Op):
        def perform(self, x: Any) -> Any:
            seen.append(x * np.float32(0.5))
            return x

    x = sg.placeholder((3,))
    f = sg.function([x], Noting()(x + 0.0) * 0.5, options=FLUSH)
    tiny = np.full(3, np.finfo(np.float32).tiny)
    np.testing.assert_array_equal(f(tiny), np.zeros(3))
    assert seen[0].all()


@FLUSHES
def test_keras_flushes_as_tensorflow_does() -> None:
    from symgraph.keras import backend as K

    x = K.placeholder((None,))
    assert K.function([x], [x * 0.5])([np.full(4, TINY)])[0].tolist() == [0] * 4
