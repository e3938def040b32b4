"""bfloat16 as storage."""

from __future__ import annotations

import numpy as np
import pytest

import symgraph as sg

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("target", ["llvm", "numpy"])
def test_every_bfloat16_comes_back(target: str) -> None:
    bits = sg.placeholder((None,), "uint16")
    f = sg.function([bits], [sg.from_bfloat16(bits), sg.to_bfloat16(sg.from_bfloat16(bits))], target=target)
    every = np.arange(1 << 16, dtype="uint32").astype("uint16")
    values, back = f(every)
    np.testing.assert_array_equal(values.view("uint32"), every.astype("uint32") << 16)
    nan = np.isnan(values)
    np.testing.assert_array_equal(back[~nan], every[~nan])
    np.testing.assert_array_equal(back[nan], every[nan] | 0x40)


def test_rounding_against_halves_of_the_last_place() -> None:
    x = sg.placeholder((None,))
    f = sg.function([x], [sg.round_to_bfloat16(x), sg.to_bfloat16(x)])
    a = (RNG.normal(size=5000) * 10.0 ** RNG.integers(-30, 30, 5000)).astype("float32")
    rounded, bits = f(a)
    mantissa, exponent = np.frexp(a.astype("float64"))
    np.testing.assert_array_equal(rounded, np.ldexp(np.rint(mantissa * 256) / 256, exponent).astype("float32"))
    np.testing.assert_array_equal(bits, rounded.view("uint32") >> 16)


def test_a_weight_that_is_stored_in_16_bits_is_trained() -> None:
    x = RNG.normal(size=(64, 8)).astype("float32")
    aim = x @ RNG.normal(size=(8, 3)).astype("float32")
    start = np.zeros((8, 3), "uint16")
    stored, inputs = sg.variable(start), sg.placeholder((None, 8))
    w = sg.from_bfloat16(stored)
    cost = sg.mean((sg.dot(inputs, w) - aim) ** 2)
    f = sg.function([inputs], cost, updates=[(stored, sg.to_bfloat16(w - 0.2 * sg.grad(cost, w)))])
    costs = [float(f(x)) for _ in range(60)]
    assert stored.get_value().dtype == np.uint16
    assert costs[-1] < 0.01 * costs[0]


def test_gradients_pass_a_rounding() -> None:
    x = sg.placeholder((4,))
    f = sg.function([x], sg.grad(sg.sum(sg.round_to_bfloat16(x) ** 2), x))
    a = np.array([1.0, -2.5, 0.25, 3.0], "float32")
    np.testing.assert_array_equal(f(a), 2 * a)


def test_bad_dtypes() -> None:
    with pytest.raises(sg.DTypeError, match="uint16 is needed"):
        sg.from_bfloat16(sg.placeholder((3,)))
