"""The text of graphs and of attributes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgraph.dtypes import ALL, bool_, float32
from symgraph.ir.attributes import attribute_text, parse_attribute, split_top
from symgraph.ir.dims import floordiv, symbol
from symgraph.ir.literal import Literal
from symgraph.ir.printer import print_graph
from symgraph.ir.rewrites.rule import Sketch
from symgraph.ir.types import TensorType
from symgraph.provenance import Origin

N = symbol("N")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"), (-3, "-3"), (True, "True"), (None, "None"), (0.1, "0.1"), (1e300, "1e+300"), (float("inf"), "inf"),
        (float("-inf"), "-inf"), ('a "b", [c', '"a \\"b\\", [c"'), (float32, "f32"), (bool_, "bool"),
        (2 * N + 1, "2*N+1"), (floordiv(N + 1, 2), "((N+1)//(2))"), (symbol("f32"), "f32+0"), (symbol("inf"), "inf+0"),
        ((), "[]"), ((1,), "[1]"), ((N, (3, -1)), "[N, [3, -1]]"), (TensorType(float32, (N, 3)), "f32[N,3]"),
        (TensorType(float32, ()), "f32[]"),
    ],
)  # fmt: skip
def test_attributes_read_back(value: Any, text: str) -> None:
    assert attribute_text(value) == text
    assert parse_attribute(text) == value
    assert type(parse_attribute(text)) is type(value)


@pytest.mark.parametrize("dtype", ALL, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3, 2), (50, 3)])
def test_literals_read_back_bit_for_bit(dtype: Any, shape: tuple[int, ...]) -> None:
    bits = np.random.default_rng(0).integers(0, 256, (*shape, dtype.itemsize), np.uint8)
    array = (bits & 1 if dtype.is_bool else bits).view(dtype.np)[..., 0]
    literal: Literal[Any] = Literal(array)
    assert parse_attribute(attribute_text(literal)) == literal


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_special_floats_read_back(dtype: str) -> None:
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, -np.nan, 1e-7, 0.1, np.finfo(dtype).max], dtype)
    literal: Literal[Any] = Literal(special)
    assert parse_attribute(attribute_text(literal)) == literal


@pytest.mark.parametrize("text", ["f32[2]{1.0}", "f32[20]{base64:AAAA}", "f99[2]", "[1", "a b", ""])
def test_bad_attributes_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_attribute(text)


def test_splitting_sees_brackets_and_strings() -> None:
    assert split_top('a, [b, c], "d, \\"]", {e(f, g)}') == ["a", "[b, c]", '"d, \\"]"', "{e(f, g)}"]


def test_a_graph_prints_with_origins() -> None:
    s = Sketch()
    x = s.input("f32[N,3]")
    s.origins = (Origin("dense_1", "/home/me/mnist.py", 12),)
    y = s.mul(x, 0.5)
    s.origins = (Origin("dense_1", "/home/me/mnist.py", 12, grad=True),)
    z = s.sum(y, [0])
    assert print_graph(s.graph_of(z, y)) == (
        "graph @example dims(N) {\n"
        '  %x0 = input[slot=0, label="x0"] : f32[N,3]\n'
        "  %0 = constant[f32[]{0.5}] : f32[]  @1\n"
        "  %1 = broadcast[shape=[N, 3], axes=[]] %0 : f32[N,3]  @1\n"
        "  %2 = mul %x0, %1 : f32[N,3]  @1\n"
        "  %3 = sum[[0]] %2 : f32[3]  @2\n"
        "  return %3, %2\n"
        "} where\n"
        "  @1 = dense_1 (mnist.py:12)\n"
        "  @2 = grad of dense_1 (mnist.py:12)\n"
    )
