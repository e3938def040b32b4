"""Checkpoints: the same values and gradients with less memory between the passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

import symgraph as sg
from symgraph.closing import close
from symgraph.codegen.compile import make_plan
from symgraph.codegen.memory import layout
from symgraph.codegen.plan import Loop, Plan
from symgraph.ir.dims import evaluate
from symgraph.ir.passes import optimize
from symgraph.options import Options

rng = np.random.default_rng(0)
Wrap = Callable[..., Any]
Built = tuple[list[sg.Tensor], list[sg.Tensor]]


class Pair(NamedTuple):
    first: Any
    second: Any


def plainly(function: Callable[..., Any], *inputs: Any) -> Any:
    return function(*inputs)


def planned(inputs: Sequence[sg.Tensor], outputs: Sequence[sg.Tensor]) -> Plan:
    graph, _ = optimize(close("step", inputs, outputs, [], {}).graph, Options(verify=True))
    return make_plan(graph, check=True).plan


def arena(inputs: Sequence[sg.Tensor], outputs: Sequence[sg.Tensor], **sizes: int) -> int:
    """Bytes of the temporaries."""
    return layout(planned(inputs, outputs), sizes).nbytes


def agree(build: Callable[[Wrap], Built], arrays: Sequence[Any], **options: Any) -> None:
    """What ``build`` makes with checkpoints and without has the same values."""
    plain, wrapped = (
        sg.function(*build(wrap), options=Options(verify=True, **options))(*arrays) for wrap in (plainly, sg.checkpoint)
    )
    for a, b in zip(plain, wrapped, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-12, atol=1e-12)


WEIGHT = rng.normal(size=(4, 4))
ROWS = rng.normal(size=(3, 4))


def chain(wrap: Wrap, order: int) -> Built:
    """Two blocks, their cost, and its derivatives up to an order."""
    x, w = sg.placeholder((None, 4), "float64"), sg.placeholder((4, 4), "float64")

    def block(h: sg.Tensor) -> sg.Tensor:
        return sg.tanh(sg.dot(sg.sin(sg.dot(h, w)), sg.exp(w)))

    cost = sg.sum(sg.square(wrap(block, wrap(block, x))))
    outputs = [cost]
    for _ in range(order):
        slopes = sg.grad(cost, [x, w])
        outputs += slopes
        cost = sg.sum(slopes[0] * 0.3) + sg.sum(sg.sin(slopes[1]))
    return [x, w], outputs


@pytest.mark.parametrize(
    ("order", "target"), [(1, "llvm"), (2, "numpy"), pytest.param(3, "numpy", marks=pytest.mark.slow)]
)
def test_derivatives_of_any_order_are_the_same(order: int, target: str) -> None:
    agree(lambda wrap: chain(wrap, order), [ROWS, WEIGHT], target=target)


def test_derivatives_are_right() -> None:
    def cost(x: sg.Tensor, w: sg.Tensor) -> sg.Tensor:
        return sg.checkpoint(lambda h: sg.checkpoint(lambda u: sg.tanh(sg.dot(u, w)), h) * sg.sin(h), x)

    sg.verify_grad(cost, [ROWS[:2], WEIGHT], order=2)


def test_several_inputs_and_outputs() -> None:
    def part(a: sg.Tensor, b: sg.Tensor) -> tuple[sg.Tensor, ...]:
        return sg.exp(a) * b, sg.argmax(a, axis=1), a, sg.sin(b)

    def build(wrap: Wrap) -> Built:
        a, b = sg.placeholder((3, 4), "float64"), sg.placeholder((3, 4), "float64")
        made = wrap(part, a, b)
        assert isinstance(made, tuple)
        p, i, q, _ = made
        return [a, b], [p, i, *sg.grad(sg.sum(p * q * sg.cast(sg.reshape(i, (3, 1)), "float64")), [a, b])]

    agree(build, [ROWS, ROWS[::-1].copy()])
    (listed,) = sg.checkpoint(lambda a: [a * 2], sg.placeholder((2,)))
    assert listed.shape == (2,)
    named = sg.checkpoint(lambda a: Pair(a * 2, a), sg.placeholder((2,)))
    assert named.second.shape == (2,)


def test_the_function_gives_tensors() -> None:
    with pytest.raises(sg.ArgumentError, match="result 1 of part is a float"):

        def part(x: sg.Tensor) -> Any:
            return x, 1.0

        sg.checkpoint(part, sg.placeholder((2,)))


@pytest.mark.parametrize("seed", [1, 2])
def test_random_numbers_are_drawn_once(seed: int) -> None:
    def build(wrap: Wrap) -> Built:
        sg.set_random_seed(seed)
        x = sg.placeholder((64, 4), "float64")
        noisy = wrap(lambda h: sg.sin(h) * sg.random.bernoulli((64, 4), 0.5, "float64"), x)
        return [x], [noisy, sg.grad(sg.sum(noisy), x)]

    x = rng.normal(size=(64, 4))
    agree(build, [x])
    noisy, slope = sg.function(*build(sg.checkpoint))(x)
    np.testing.assert_array_equal(noisy == 0, slope == 0)
    assert 50 < np.count_nonzero(slope) < 206


def test_what_prints_does_so_once(capsys: pytest.CaptureFixture[str]) -> None:
    x = sg.placeholder((2,), "float64")
    y = sg.checkpoint(lambda h: sg.sin(sg.print_tensor(sg.exp(h), "here")), x)
    f = sg.function([x], [y, sg.grad(sg.sum(y), x)])
    np.testing.assert_allclose(f([0.0, 1.0])[1], np.exp([0, 1]) * np.cos(np.exp([0, 1])))
    assert capsys.readouterr().out.count("here") == 1


def test_values_that_leave_a_checkpoint_another_way() -> None:
    """A running mean that a layer keeps of what is inside."""
    inside: list[sg.Tensor] = []

    def part(x: sg.Tensor) -> sg.Tensor:
        inside.append(sg.exp(x))
        return sg.sin(inside[0])

    x = sg.placeholder((2,), "float64")
    slope = sg.grad(sg.sum(sg.checkpoint(part, x)), x)
    got = sg.function([x], [sg.mean(inside[0]), slope])([0.0, 1.0])
    np.testing.assert_allclose(got[0], np.exp([0, 1]).mean())
    np.testing.assert_allclose(got[1], np.exp([0, 1]) * np.cos(np.exp([0, 1])))


def test_a_gradient_by_hand_inside() -> None:
    @sg.custom_gradient
    def half(x: sg.Tensor) -> object:
        y = sg.exp(x)
        return y, lambda g: g * y / 2

    x = sg.placeholder((3,), "float64")
    outs = [sg.grad(sg.sum(sg.checkpoint(lambda h: half(sg.sin(h)), x)), x)]
    (got,) = sg.function([x], outs)([0.0, 1.0, 2.0])
    at = np.array([0.0, 1.0, 2.0])
    np.testing.assert_allclose(got, np.exp(np.sin(at)) * np.cos(at) / 2)


# -- memory -----------------------------------------------------------------------------------------------------------
def network(wrap: Wrap, blocks: int, layers: int) -> Built:
    """Blocks of dense layers of width 16."""
    h = x = sg.placeholder((None, 16), "float64")
    random = np.random.default_rng(1)
    weights = [sg.variable(random.normal(size=(16, 16)) / 4) for _ in range(blocks * layers)]

    def block(h: sg.Tensor, ws: Sequence[sg.Variable]) -> sg.Tensor:
        for w in ws:
            h = sg.tanh(sg.dot(h, w))
        return h

    for k in range(blocks):
        h = wrap(lambda h, k=k: block(h, weights[k * layers : (k + 1) * layers]), h)
    return [x], sg.grad(sg.mean(sg.square(h)), weights)


def test_a_chain_keeps_one_array_a_block() -> None:
    array = 128 * 16 * 8
    plain = arena(*network(plainly, 6, 5), N=128)
    wrapped = arena(*network(sg.checkpoint, 6, 5), N=128)
    assert plain >= 30 * array
    assert wrapped <= (6 + 5 + 2) * array
    agree(lambda wrap: network(wrap, 2, 2), [rng.normal(size=(5, 16))])


def test_checkpoints_in_checkpoints_keep_less_still() -> None:
    """A tree: what is kept grows with the logarithm of the depth."""

    def build(wrap: Wrap, depth: int) -> Built:
        x = sg.placeholder((None, 16), "float64")
        w = sg.variable(np.random.default_rng(1).normal(size=(16, 16)) / 4)

        def part(h: sg.Tensor, depth: int) -> sg.Tensor:
            if not depth:
                return sg.tanh(sg.dot(h, w))
            half = wrap(lambda h: part(h, depth - 1), h)
            return wrap(lambda h: part(h, depth - 1), half)  # type: ignore[no-any-return]

        return [x], [sg.grad(sg.mean(part(x, depth)), x)]

    array = 128 * 16 * 8
    assert arena(*build(plainly, 4), N=128) >= 16 * array
    assert arena(*build(sg.checkpoint, 4), N=128) <= 8 * array
    agree(lambda wrap: build(wrap, 2), [rng.normal(size=(3, 16))], target="numpy")


def recurrent(wrap: Wrap, steps: int, whole: bool = False) -> Built:
    """A recurrent network whose step goes through a layer four times as wide; or one all of which is wrapped."""
    xs, w = sg.placeholder((steps, None, 8), "float64"), sg.placeholder((8, 32), "float64")

    def step(x: sg.Tensor, h: sg.Tensor) -> sg.Tensor:
        def inner(x: sg.Tensor, h: sg.Tensor) -> sg.Tensor:
            return sg.tanh(sg.dot(sg.tanh(sg.dot(sg.tanh(h) + x, w)), w.T))

        return inner(x, h) if whole else wrap(inner, x, h)  # type: ignore[no-any-return]

    def loop(xs: sg.Tensor) -> sg.Tensor:
        return sg.scan(step, xs, [sg.zeros((xs.shape[1], 8), "float64")])[0]  # type: ignore[no-any-return]

    hs = wrap(loop, xs) if whole else loop(xs)
    return [xs, w], [hs[-1], *sg.grad(sg.sum(sg.square(hs[-1])) + sg.mean(hs), [xs, w])]


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("target", ["llvm", "numpy"])
def test_loops(whole: bool, target: str) -> None:
    arrays = [rng.normal(size=(5, 3, 8)), rng.normal(size=(8, 32)) / 6]
    agree(lambda wrap: recurrent(wrap, 5, whole), arrays, target=target)


def test_a_loop_keeps_its_carries_only() -> None:
    """Back-propagation through time without the insides of the steps."""
    row = 50 * 4 * 8 * 8
    plain, wrapped = (planned(*recurrent(wrap, 50)) for wrap in (plainly, sg.checkpoint))
    assert _histories(plain) >= 5 * row  # the wide layer, and more
    assert _histories(wrapped) <= 1.1 * row
    assert layout(wrapped, {"N": 4}).nbytes < 0.25 * layout(plain, {"N": 4}).nbytes


def test_a_loop_of_loops_keeps_the_square_root() -> None:
    def build(wrap: Wrap | None) -> Built:
        xs, w = sg.placeholder((64, None, 8), "float64"), sg.placeholder((8, 8), "float64")
        start = sg.zeros((xs.shape[1], 8), "float64")

        def loop(rows: sg.Tensor, h: sg.Tensor) -> sg.Tensor:
            return sg.scan(lambda x, h: sg.tanh(sg.dot(sg.sin(h) + x, w)), rows, [h])[0][-1]

        if wrap is None:
            last = loop(xs, start)
        else:
            pieces = sg.reshape(xs, (8, 8, xs.shape[1], 8))
            last = sg.scan(lambda rows, h: wrap(loop, rows, h), pieces, [start])[0][-1]
        return [xs, w], [last, *sg.grad(sg.sum(sg.square(last)), [xs, w])]

    assert arena(*build(sg.checkpoint), N=4) < 0.25 * arena(*build(None), N=4)
    arrays = [rng.normal(size=(64, 2, 8)), rng.normal(size=(8, 8)) / 3]
    plain, wrapped = (sg.function(*build(wrap), target="numpy")(*arrays) for wrap in (None, sg.checkpoint))
    for a, b in zip(plain, wrapped, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-12, atol=1e-12)


def _histories(plan: Plan) -> int:
    """Bytes that the forward loop hands to the other one."""
    forward, backward = (step for step in plan.steps if isinstance(step, Loop))
    written = {plan.root(forward.args[m.array]).name for m in forward.moves if m.kind == "output"}
    read = {plan.root(backward.args[m.array]).name for m in backward.moves if m.kind == "input"}
    return sum(evaluate(plan.buffers[name].nbytes, {"N": 4}) for name in written & read)


def test_in_a_branch() -> None:
    def build(wrap: Wrap) -> Built:
        x, flag = sg.placeholder((3,), "float64"), sg.placeholder((), "bool")
        y = sg.cond(flag, lambda: wrap(lambda h: sg.sin(sg.exp(h)), x), lambda: wrap(sg.cos, x))
        return [x, flag], [y, sg.grad(sg.sum(y), x)]

    for flag in (True, False):
        agree(build, [[0.1, 0.2, 0.3], flag])


def test_a_product_with_a_direction_needs_no_second_pass() -> None:
    x = sg.placeholder((4,), "float64")
    y = sg.checkpoint(lambda h: sg.sin(sg.exp(h)), x)
    f = sg.function([x], sg.jvp(y, x, [1.0, 2.0, 3.0, 4.0]))
    at = np.linspace(0, 1, 4)
    np.testing.assert_allclose(f(at), np.cos(np.exp(at)) * np.exp(at) * [1, 2, 3, 4])


def test_an_update_of_a_variable_waits_for_what_is_computed_again() -> None:
    w = sg.variable(WEIGHT)
    x = sg.placeholder((None, 4), "float64")
    cost = sg.sum(sg.checkpoint(lambda h: sg.sin(sg.dot(sg.exp(sg.dot(h, w)), w)), x))
    step = sg.function([x], cost, updates=[(w, w - 0.1 * sg.grad(cost, w))])
    step(ROWS)
    plain = sg.variable(WEIGHT)
    cost = sg.sum(sg.sin(sg.dot(sg.exp(sg.dot(x, plain)), plain)))
    sg.function([x], cost, updates=[(plain, plain - 0.1 * sg.grad(cost, plain))])(ROWS)
    np.testing.assert_allclose(w.get_value(), plain.get_value(), rtol=1e-12)


def test_the_report_says_what_is_computed_again() -> None:
    text = str(sg.function(*network(sg.checkpoint, 2, 2)).explain())
    assert "kept for the backward pass, where the rest is computed again" in text
