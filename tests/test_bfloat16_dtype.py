"""bfloat16 as a dtype: float32 rounded after each op, on every target, with gradients; bits wherever NumPy is met."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.closing import close
from symgraph.dtypes import as_dtype, bfloat16, bfloat16_bits, promote
from symgraph.ir.interp import interpret
from symgraph.ir.op import Control, Leaf, Sample
from symgraph.ir.parser import parse_graph
from symgraph.ir.printer import print_graph
from tests.contract.cases import apply, bound_op, cases

Array = np.ndarray[Any, Any]
RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=(5, 4)).astype("float32")


def decoded(bits: Array) -> Array:
    assert bits.dtype == np.uint16
    return (bits.astype("uint32") << 16).view("float32")


def rounded(x: Any) -> Array:
    return decoded(bfloat16_bits(np.asarray(x, "float32")))


def test_bits_are_the_nearest() -> None:
    x = np.concatenate([RNG.normal(size=3000) * 10.0 ** RNG.integers(-30, 30, 3000), [0.0, -0.0, np.inf, 3.4e38]])
    bits = sg.function([], sg.to_bfloat16(x))()  # by the op, whose reference compares neighbours
    np.testing.assert_array_equal(bfloat16_bits(x), bits)
    assert np.isnan(decoded(bfloat16_bits(np.array([np.nan]))))
    assert bfloat16_bits(bits) is bits
    with pytest.raises(sg.DTypeError, match="does not convert"):
        bfloat16_bits("one")
    ml_dtypes = pytest.importorskip("ml_dtypes")
    np.testing.assert_array_equal(bfloat16_bits(x.astype("float32").astype(ml_dtypes.bfloat16)), bits)
    assert as_dtype(ml_dtypes.bfloat16) is bfloat16


def test_promotion() -> None:
    assert as_dtype("bfloat16") is bfloat16
    pairs = {"bool": "bfloat16", "int8": "bfloat16", "uint64": "bfloat16", "bfloat16": "bfloat16", "float16": "float32",
             "float32": "float32", "float64": "float64"}  # fmt: skip
    for other, want in pairs.items():
        assert promote(bfloat16, as_dtype(other)).name == promote(as_dtype(other), bfloat16).name == want
    assert promote(bfloat16, 2.5) is promote(3, bfloat16) is bfloat16
    x = sg.placeholder((3,), "bfloat16")
    dtypes = [t.dtype.name for t in (x * 2, 1.0 / x, x + np.ones(3, "int32"), x + np.ones(3, "float32"), x > 0)]
    assert dtypes == ["bfloat16", "bfloat16", "bfloat16", "float32", "bool"]


@pytest.mark.parametrize("target", ["llvm", "numpy"])
def test_arithmetic(target: str) -> None:
    x, y = sg.placeholder((None, 4), "bfloat16"), sg.placeholder((None, 4), "bfloat16")
    f = sg.function([x, y], [
        x + y, x * y + 0.3, sg.dot(x, y.T), sg.sum(x, 0), sg.max(x), x[::-1, 1:], sg.where(x > y, x, 0.0), -x,
        sg.sort(x, 0), sg.argsort(x, 1), x.astype("float32"), x.astype("int32"), sg.exp(x), sg.concatenate([x, y]),
    ], target=target)  # fmt: skip
    a, b = rounded(VALUES * 3), rounded(VALUES[::-1])
    want = [
        a + b, rounded(a * b) + rounded(0.3), a @ b.T, a.sum(0), a.max(), a[::-1, 1:], np.where(a > b, a, 0), -a,
        np.sort(a, 0), np.argsort(a, 1), a, a.astype("int32"), np.exp(a), np.concatenate([a, b]),
    ]  # fmt: skip
    for got, exact in zip(f(a, bfloat16_bits(b)), want, strict=True):
        if got.dtype == np.uint16:
            np.testing.assert_allclose(decoded(got), rounded(exact), rtol=2**-8, atol=1e-6)
        else:
            np.testing.assert_array_equal(got, exact)
    np.testing.assert_array_equal(decoded(f(a, b)[1]), rounded(want[1]))  # the product was rounded, too


def _takes_floats(sample: Sample) -> bool:
    return not isinstance(sample.op, (Leaf, Control)) and any(a.dtype.kind == "f" for a in sample.arrays)


#: What refuses bfloat16: factorizations, as they do float16, ops on bits of one dtype, and graphs with a dtype inside.
REFUSED = (
    "is there for float32 and float64", "is needed", "needs a float64", "its body takes float64",
)  # fmt: skip


@pytest.mark.parametrize("sample", [c for c in cases() if _takes_floats(c.values[0])])
def test_every_op_rounds_what_it_gives_for_float32(sample: Sample) -> None:
    op = bound_op(sample)
    arrays = [rounded(a) if a.dtype.kind == "f" else a for a in sample.arrays]
    kinds = ["bfloat16" if a.dtype.kind == "f" else str(a.dtype) for a in arrays]
    inputs = [sg.placeholder(a.shape, kind) for a, kind in zip(arrays, kinds, strict=True)]
    try:
        results = apply(op, inputs)
    except sg.DTypeError as error:
        assert any(text in str(error) for text in REFUSED)
        return
    graph = close("op", inputs, results, [], {}).graph
    given = [bfloat16_bits(a) if a.dtype.kind == "f" else a for a in arrays]
    want = op.reference(*arrays)
    for tensor, got, exact in zip(
        results, interpret(graph, given).outputs, want if isinstance(want, tuple) else (want,), strict=True
    ):
        if tensor.dtype is bfloat16:
            np.testing.assert_array_equal(decoded(got), rounded(exact))
        elif op.name == "sort_key":
            np.testing.assert_array_equal(got, exact >> 16)
        else:
            np.testing.assert_array_equal(got, exact)


def test_gradients() -> None:
    x, w = sg.placeholder((None, 4)), sg.placeholder((4, 3), "bfloat16")

    def cost(weights: sg.Tensor) -> sg.Tensor:
        return sg.sum(sg.tanh(sg.dot(x, weights)) ** 2)

    single = sg.placeholder((4, 3))
    slope = sg.grad(cost(w), w)
    assert slope.dtype is bfloat16
    values = rounded(RNG.normal(size=(4, 3)))
    got, second = sg.function([x, w], [slope, sg.grad(sg.sum(slope.astype("float32") ** 2), w)])(VALUES, values)
    want = sg.function([x, single], sg.grad(cost(single), single))(VALUES, values)
    np.testing.assert_array_equal(decoded(got), rounded(want))
    assert second.shape == (4, 3)
    v = sg.placeholder((3,), "bfloat16")
    rows = sg.function([v], sg.jacobian(v * v, v))(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(decoded(rows), np.diag([2.0, 4.0, 6.0]))


def test_a_variable_holds_bits() -> None:
    w = sg.variable(VALUES, "bfloat16", "w")
    np.testing.assert_array_equal(w.get_value(), bfloat16_bits(VALUES))
    w.set_value(2 * VALUES)
    np.testing.assert_array_equal(w.get_value(), bfloat16_bits(2 * VALUES))
    again = pickle.loads(pickle.dumps(w))
    assert again.dtype is bfloat16
    np.testing.assert_array_equal(again.get_value(), w.get_value())
    with pytest.raises(sg.DTypeError, match="has dtype float32; cast it"):
        sg.function([], [], updates=[(w, w.astype("float32"))])


def test_a_model_is_trained_and_copied() -> None:
    x = RNG.normal(size=(64, 8)).astype("float32")
    aim = x @ RNG.normal(size=(8, 3)).astype("float32")
    w, inputs = sg.variable(np.zeros((8, 3)), "bfloat16"), sg.placeholder((None, 8))
    error = sg.mean((sg.dot(inputs, w) - aim) ** 2)
    f = sg.function([inputs], error, updates=[(w, w - 0.2 * sg.grad(error, w))])
    costs = [float(f(x)) for _ in range(60)]
    assert error.dtype.name == "float32"
    assert costs[-1] < 0.01 * costs[0]
    f_copy = copy.deepcopy(f)
    assert float(f_copy(x)) == float(f(x))


def test_arguments() -> None:
    x, scale = sg.placeholder((None,), "bfloat16", name="x"), sg.placeholder((), "bfloat16", name="scale")
    f = sg.function([x, sg.In(scale, value=0.3)], x * scale)
    a = rounded(VALUES[0])
    want = rounded(a * rounded(0.3))
    for g in (f, pickle.loads(pickle.dumps(f))):
        for given in (a, a.astype("float64"), bfloat16_bits(a), a.tolist()):
            np.testing.assert_array_equal(decoded(g(given)), want)
    with pytest.raises(sg.DTypeError, match="bfloat16"):
        f(np.array(["a"]))
    with pytest.raises(sg.ShapeError):
        f(VALUES)


@pytest.mark.parametrize("target", ["llvm", "numpy"])
def test_loops_hand_on_bits(target: str) -> None:
    xs = sg.placeholder((None, 4), "bfloat16")
    states, _ = sg.scan(lambda row, h: sg.tanh(row + h * 0.5), xs, sg.zeros((4,), "bfloat16"))
    slope = sg.grad(sg.sum(states.astype("float32") ** 2), xs)
    chosen = sg.cond(sg.sum(xs) > 0, lambda: xs * 2.0, lambda: xs)
    assert states.dtype is slope.dtype is chosen.dtype is bfloat16
    f = sg.function([xs], [states, slope, chosen], target=target)
    got, slopes, picked = f(VALUES)
    a, h = rounded(VALUES), np.zeros(4, "float32")
    rows = []
    for row in a:
        h = rounded(np.tanh(rounded(row + rounded(h * rounded(0.5)))))
        rows.append(h)
    np.testing.assert_allclose(decoded(got), rows, rtol=2**-7)
    np.testing.assert_array_equal(decoded(picked), a * 2 if rounded(a.sum()) > 0 else a)
    single = sg.placeholder((None, 4))
    smooth, _ = sg.scan(lambda row, h: sg.tanh(row + h * 0.5), single, sg.zeros((4,)))
    want = sg.function([single], sg.grad(sg.sum(smooth**2), single))(a)
    np.testing.assert_allclose(decoded(slopes), want, rtol=0.05, atol=0.02)


def test_parts_computed_again() -> None:
    x = sg.placeholder((None, 4), "bfloat16")
    part = sg.checkpoint(lambda t: sg.tanh(t * t), x)
    plain, again = sg.sum(sg.tanh(x * x) * x), sg.sum(part * x)
    a, b = sg.function([x], [sg.grad(plain, x), sg.grad(again, x)])(VALUES)
    np.testing.assert_allclose(decoded(a), decoded(b), rtol=2**-7)  # slopes are added up in another order


def test_other_functions() -> None:
    x = sg.placeholder((2, 2), "bfloat16")
    f = sg.function([x], [
        sg.nan_to_num(x), sg.zeros((2,), "bfloat16"), sg.full((2,), 1.5, "bfloat16"), sg.diag(x[0]), sg.mean(x),
        sg.var(x), sg.softmax(x), sg.cumsum(x, 1), sg.one_hot(sg.argmax(x, 1), 2, "bfloat16"),
        sg.eye(2, dtype="bfloat16"),
    ])  # fmt: skip
    huge, zero, full, diagonal, *_others, hot, eye = (decoded(a) for a in f([[np.inf, 1.0], [2.0, 3.0]]))
    assert huge[0, 0] == (2 - 2**-7) * 2.0**127
    np.testing.assert_array_equal(zero, [0, 0])
    np.testing.assert_array_equal(full, [1.5, 1.5])
    assert diagonal.shape == (2, 2)
    np.testing.assert_array_equal(hot, [[1, 0], [0, 1]])
    np.testing.assert_array_equal(eye, np.eye(2))
    with pytest.raises(sg.DTypeError, match="draw float32 ones and cast them"):
        sg.random.normal((2,), dtype="bfloat16")
    with pytest.raises(sg.DTypeError, match="the dtypes are: .*bfloat16"):
        sg.placeholder((2,), "float8")


def test_a_rounding_is_not_done_twice() -> None:
    x = sg.placeholder((None,), "bfloat16")
    f = sg.function([x], sg.exp(x + 1.0) * 2.0)
    names = [node.op.name for node in f.stages.optimized.nodes]
    assert names.count("from_bfloat16") == 1
    assert names.count("to_bfloat16") == 1
    assert names.count("round_to_bfloat16") == 2
    text = print_graph(f.stages.imported)
    assert print_graph(parse_graph(text)) == text


def test_nan_guard_reads_bits() -> None:
    x, w = sg.placeholder((3,), name="x"), sg.variable(np.ones(3), "bfloat16")
    f = sg.function([x], [], updates=[(w, w * sg.log(x).astype("bfloat16"))], nan_guard=True)
    f([1.0, 2.0, 3.0])
    with pytest.raises(sg.NonFiniteError, match="log"):
        f([1.0, -2.0, 3.0])
    bits = sg.placeholder((2,), "uint16")
    numbers = np.array([0x7F7F, 0x7FC0], "uint16")
    np.testing.assert_array_equal(sg.function([bits], bits + 1, nan_guard=True)(numbers), numbers + 1)
