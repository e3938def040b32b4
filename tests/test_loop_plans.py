"""What becomes of loops: golden plans, and how much is computed in each step."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.codegen.plan import Loop
from symgraph.codegen.plan_parse import parse_plan
from symgraph.codegen.plan_text import print_plan
from symgraph.options import Options

Array = np.ndarray[Any, Any]
Golden = Callable[[str, str], None]
D = "float64"
LLVM, NUMPY = Options(target="llvm", verify=True), Options(target="numpy", verify=True)


def lstm(x: sg.Tensor, w: sg.Tensor, u: sg.Tensor, b: sg.Tensor, size: int) -> sg.Tensor:
    """The outputs of all steps; ``x`` has steps first."""

    def step(row: sg.Tensor, h: sg.Tensor, c: sg.Tensor) -> list[sg.Tensor]:
        z = sg.dot(row, w) + sg.dot(h, u) + b
        i, f, g, o = (z[:, k * size : (k + 1) * size] for k in range(4))
        c = sg.sigmoid(f) * c + sg.sigmoid(i) * sg.tanh(g)
        return [sg.sigmoid(o) * sg.tanh(c), c]

    start = sg.zeros((x.shape[1], size), x.dtype)
    (hs, _), _ = sg.scan(step, x, [start, start])
    return hs


def arguments(steps: int | None, inputs: int, size: int, dtype: str = D) -> list[sg.Tensor]:
    shapes: list[tuple[int | None, ...]] = [(steps, None, inputs), (inputs, 4 * size), (size, 4 * size), (4 * size,)]
    return [sg.placeholder(s, dtype, name=n) for s, n in zip(shapes, "xwub", strict=True)]


def steps(f: sg.Function) -> str:
    """The plan, without the lines of this file that it names; it reads back."""
    text = re.sub(r"(?:, )?sites=\[[^\]]*\]", "", print_plan(f.stages.plan)).replace(" []", "")
    assert print_plan(parse_plan(text, f.stages.plan.kernels)) == text
    return text


def fired(f: sg.Function) -> Mapping[str, int]:
    """What happened to the loops."""
    return next(p.fired for p in f.stages.report.passes if p.name == "loops")


def inside(f: sg.Function) -> list[Counter[str]]:
    """How often each op is in the bodies of a function's scans."""
    bodies = [n.op.attributes()["body"] for n in f.stages.optimized.nodes if n.op.name == "scan"]
    return [Counter(n.op.name for n in body.graph.nodes) for body in bodies]


def test_the_plan_of_an_lstm_over_100_steps(golden: Golden) -> None:
    inputs = arguments(100, 5, 4, "float32")
    f = sg.function(inputs, lstm(*inputs, size=4)[-1], name="lstm", options=LLVM)
    golden("lstm_plan", steps(f))


def test_the_plan_of_its_gradient(golden: Golden) -> None:
    inputs = arguments(100, 5, 4, "float32")
    hs = lstm(*inputs, size=4)
    f = sg.function(inputs, sg.grad(sg.sum(hs[-1]), inputs), name="lstm_gradient", options=LLVM)
    golden("lstm_gradient_plan", steps(f))


def test_the_loop_back_reads_what_the_loop_forth_has_computed() -> None:
    inputs = arguments(None, 5, 4)
    hs = lstm(*inputs, size=4)
    f = sg.function(inputs, sg.grad(sg.sum(hs * hs), inputs), options=LLVM)
    forth, back = inside(f)
    assert (forth["contract"], forth["sigmoid"], forth["tanh"]) == (1, 3, 2)
    assert (back["contract"], back["sigmoid"], back["tanh"]) == (1, 0, 0)
    # The products of all steps: of the inputs, and of the gradients of x, w and u.
    assert [n.op.name for n in f.stages.optimized.nodes].count("contract") == 4
    assert fired(f)["reuse_of_other_loop"] == 5


@pytest.mark.parametrize("backwards", [False, True])
def test_what_the_loop_forth_gives_anyway_is_read_from_there(backwards: bool) -> None:
    """The gradient of tanh reads the rows of the state or of the output: no third array of the same is made."""
    x, w, h = sg.placeholder((4, None, 5), D), sg.placeholder((5, 5), D), sg.placeholder((None, 5), D)
    ys, _ = sg.scan(lambda row, h: sg.tanh(row + sg.dot(h, w)), x, h, go_backwards=backwards)
    f = sg.function([x, w, h], [ys, *sg.grad(sg.sum(ys * ys), [x, w, h])], options=LLVM)
    forth, _ = (step for step in f.stages.plan.steps if isinstance(step, Loop))
    assert sum(move.kind == "output" for move in forth.moves) == 2
    assert fired(f)["reuse_of_other_loop"] == 1


def test_what_is_cheap_is_computed_again() -> None:
    x, h = sg.placeholder((None, 3), D), sg.placeholder((3,), D)
    ys, _ = sg.scan(lambda row, y: sg.maximum(row - y * y, 0.1) * y, x, h)
    f = sg.function([x, h], sg.grad(sg.sum(ys), [x, h]), options=LLVM)
    assert "reuse_of_other_loop" not in fired(f)


@pytest.mark.parametrize("backwards", [False, True])
def test_reading_values_of_another_loop_keeps_gradients(backwards: bool) -> None:
    x, h, w = sg.placeholder((None, 2, 3), D), sg.placeholder((2, 3), D), sg.placeholder((3, 3), D)

    def step(row: sg.Tensor, older: sg.Tensor, y: sg.Tensor) -> list[sg.Tensor]:
        new = sg.tanh(sg.dot(y, w) + row) * sg.sigmoid(older) - sg.sigmoid(-older)
        return [new, sg.exp(-new * new)]

    start = {"initial": sg.stack([h, h * 0.5]), "taps": [-2, -1]}
    (ys, es), _ = sg.scan(step, x, [start, None], go_backwards=backwards)
    cost = sg.sum(sg.sin(ys)) + sg.sum(es * es)
    gradients = sg.grad(cost, [x, h, w])
    second = sg.grad(sum((sg.sum(g * g) for g in gradients), sg.constant(0.0, D)), [x, h, w])
    rng = np.random.default_rng(0)
    f = sg.function([x, h, w], [cost, *gradients, *second], options=NUMPY if backwards else LLVM)
    for n in (1, 4):
        arrays = [rng.normal(size=s) for s in ((n, 2, 3), (2, 3), (3, 3))]
        directions = [rng.normal(size=a.shape) for a in arrays]
        ahead, behind = (f(*(a + t * d for a, d in zip(arrays, directions, strict=True))) for t in (1e-6, -1e-6))
        here = f(*arrays)
        assert fired(f)["reuse_of_other_loop"] > 3
        slope = sum(np.sum(g * d) for g, d in zip(here[1:4], directions, strict=True))
        np.testing.assert_allclose(slope, (ahead[0] - behind[0]) / 2e-6, rtol=1e-6)
        norms = [sum(np.sum(g * g) for g in values[1:4]) for values in (ahead, behind)]
        slope = sum(np.sum(g * d) for g, d in zip(here[4:], directions, strict=True))
        np.testing.assert_allclose(slope, (norms[0] - norms[1]) / 2e-6, rtol=1e-5)


def test_the_gradient_of_the_last_row_reads_no_rows_of_zeros() -> None:
    inputs = arguments(None, 5, 4)
    hs = lstm(*inputs, size=4)
    f = sg.function(inputs, sg.grad(sg.sum(hs[-1] * hs[-1]), inputs), options=LLVM)
    (back,) = [n for n in f.stages.optimized.nodes if n.op.name == "scan"][1:]
    assert not {"embed", "where", "pad"} & {n.op.name for n in f.stages.optimized.nodes}
    sequences = back.inputs[: len(back.op.attributes()["starts"])]
    assert {v.op.name for v in sequences} == {"scan"}


@pytest.mark.parametrize("which", ["carry", "row", "both"])
def test_the_gradient_of_the_last_row_is_right(which: str) -> None:
    x, h, w = sg.placeholder((None, 2), D), sg.placeholder((2,), D), sg.placeholder((2, 2), D)

    def step(row: sg.Tensor, y: sg.Tensor) -> list[sg.Tensor]:
        new = sg.tanh(sg.dot(y, w) + row)
        return [new, sg.exp(new) * row]

    (ys, es), _ = sg.scan(step, x, [h, None])
    last = {"carry": ys[-1], "row": es[-1], "both": ys[-1] * es[-1]}[which]
    cost = sg.sum(last * last)
    f = sg.function([x, h, w], [cost, *sg.grad(cost, [x, h, w])], options=NUMPY)
    rng = np.random.default_rng(0)
    for n in (1, 3):
        arrays = [rng.normal(size=s) for s in ((n, 2), (2,), (2, 2))]
        directions = [rng.normal(size=a.shape) for a in arrays]
        ahead, behind = (f(*(a + t * d for a, d in zip(arrays, directions, strict=True))) for t in (1e-6, -1e-6))
        slope = sum(np.sum(g * d) for g, d in zip(f(*arrays)[1:], directions, strict=True))
        np.testing.assert_allclose(slope, (ahead[0] - behind[0]) / 2e-6, rtol=1e-6)


def test_equal_loops_are_one() -> None:
    x, h = sg.placeholder((None, 3), D), sg.placeholder((3,), D)
    (one, _), (two, _) = (sg.scan(lambda row, y: sg.tanh(y) + row, x, h) for _ in range(2))
    f = sg.function([x, h], [one, two * 2.0, sg.grad(sg.sum(one * two), x)], options=NUMPY)
    assert len(inside(f)) == 2  # forth and back


def test_compile_time_is_linear_in_the_body() -> None:
    """Nodes written, as a measure that no other process changes."""

    def written(depth: int) -> tuple[int, int]:
        def step(row: sg.Tensor, y: sg.Tensor) -> sg.Tensor:
            for _ in range(depth):
                y = sg.tanh(sg.dot(y, w) + row)
            return y

        x, h, w = sg.placeholder((None, 2, 3), D), sg.placeholder((2, 3), D), sg.placeholder((3, 3), D)
        ys, _ = sg.scan(step, x, h)
        f = sg.function([x, h, w], sg.grad(sg.sum(ys * ys), [x, h, w]), options=Options(target="numpy"))
        return sum(sum(body.values()) for body in inside(f)), len(f.stages.plan.kernels)

    (few, kernels), (many, more) = written(4), written(16)
    assert many < 4.5 * few
    assert more <= kernels + 2


def test_a_product_that_a_mask_follows_leaves_the_loop_back() -> None:
    """The gradient of dropout on inputs: a product by the weights, times the mask."""
    x, mask, w, u = (sg.placeholder(s, D) for s in ((None, 2, 3), (2, 3), (3, 4), (4, 4)))

    def step(row: sg.Tensor, h: sg.Tensor) -> sg.Tensor:
        return sg.tanh(sg.dot(row * mask, w) + sg.dot(h, u))

    hs, _ = sg.scan(step, x, sg.zeros((2, 4), D))
    cost = sg.sum(hs * hs)
    f = sg.function([x, mask, w, u], [cost, *sg.grad(cost, [x, w, u])], options=LLVM)
    assert [body["contract"] for body in inside(f)] == [1, 1]
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s) for s in ((5, 2, 3), (2, 3), (3, 4), (4, 4))]
    directions = [rng.normal(size=a.shape) for a in arrays]
    directions[1][:] = 0
    ahead, behind = (f(*(a + t * d for a, d in zip(arrays, directions, strict=True))) for t in (1e-6, -1e-6))
    pairs = zip(f(*arrays)[1:], (directions[0], *directions[2:]), strict=True)
    np.testing.assert_allclose(sum(np.sum(g * d) for g, d in pairs), (ahead[0] - behind[0]) / 2e-6, rtol=1e-6)
