"""What a training step keeps from its forward to its backward pass, counted in arrays and bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

import symgraph as sg
from symgraph.closing import close
from symgraph.codegen.compile import Lowering, make_plan
from symgraph.codegen.memory import layout
from symgraph.ir.passes import optimize
from symgraph.options import Options

WIDTH, ROWS = 32, 64
ARRAY = WIDTH * ROWS * 4
Layer = Callable[[sg.Tensor], sg.Tensor]


def weight(*shape: int) -> sg.Variable:
    return sg.variable(np.zeros(shape, "float32"))


def lowered(x: sg.Tensor, y: sg.Tensor, weights: Sequence[sg.Variable]) -> Lowering:
    """A step of gradient descent."""
    loss = sg.mean(sg.square(y))
    updates = [(w, w - 0.1 * g) for w, g in zip(weights, sg.grad(loss, weights), strict=True)]
    return make_plan(optimize(close("step", [x], [loss], updates, {}).graph, Options())[0])


def dense(depth: int, activation: Layer) -> Lowering:
    h = x = sg.placeholder((ROWS, WIDTH))
    weights = [weight(WIDTH, WIDTH) for _ in range(depth)]
    for w in weights:
        h = activation(sg.dot(h, w))
    return lowered(x, h, weights)


def kept(made: Lowering) -> list[str]:
    """The types of temporaries larger than a row."""
    temporaries = [b for b in made.plan.buffers.values() if b.kind == "temp" and not b.alias]
    return [b.dtype.short for b in temporaries if b.nbytes > 4 * ROWS]  # type: ignore[operator]


@pytest.mark.parametrize(
    "activation",
    [
        sg.relu,
        sg.leaky_relu,
        lambda x: sg.where(x > 0, x, 0),
        lambda x: sg.where(x > 1, x, 1),
        lambda x: sg.where(x <= 0, x * 0.5, x),
        sg.elu,
        sg.selu,
        sg.celu,
        sg.relu6,
    ],
)
def test_masks_of_what_is_kept_are_not_kept(activation: Layer) -> None:
    """Each layer keeps its output, which tells the mask, too."""
    made = dense(8, activation)
    assert "bool" not in kept(made)
    assert layout(made.plan, {}).nbytes <= (8 + 2) * ARRAY
    assert "computed again where it is read, from what is kept anyway" in str(made)


@pytest.mark.parametrize("activation", [sg.gelu, lambda x: sg.gelu(x, approximate=True), sg.swish, sg.mish])
def test_slopes_of_activations_are_one_array(activation: Layer) -> None:
    made = dense(8, activation)
    assert layout(made.plan, {}).nbytes <= (2 * 8 + 2) * ARRAY


@pytest.mark.parametrize(
    "activation",
    [lambda x: sg.where(x < 1, 1, x), lambda x: sg.where(x > 0, x, x * -0.5), lambda x: sg.where(x > 0, 1 - x, 0)],
)
def test_masks_that_outputs_do_not_tell_are_kept_as_bytes(activation: Layer) -> None:
    assert kept(dense(4, activation)).count("bool") >= 3


def test_a_mask_is_kept_where_its_output_is_not() -> None:
    """The product of the next layer reads a padded copy; the output itself is gone by then."""
    h = x = sg.placeholder((8, 16, 16, 8))
    weights = [weight(3, 3, 8, 8) for _ in range(3)]
    for w in weights:
        h = sg.relu(sg.conv(h, w, padding="same"))
    assert kept(lowered(x, h, weights)).count("bool") >= 2


def test_the_places_of_maxima_are_bytes() -> None:
    x, w = sg.placeholder((8, 16, 16, 8)), weight(3, 3, 8, 8)
    made = lowered(x, sg.max_pool(sg.conv(x, w), (2, 2)), [w])
    assert "u8" in kept(made)
    assert "i64" not in kept(made)


def test_a_mask_of_dropout_is_kept_as_bytes() -> None:
    """To draw again costs ten times what it costs to read a byte."""
    rate = 0.5

    def drop(x: sg.Tensor) -> sg.Tensor:
        return sg.tanh(x) * sg.random.bernoulli(x.shape, rate, "float32")

    made = dense(3, drop)
    assert kept(made).count("bool") == 3
    assert not any(t.startswith("u32") for t in kept(made))
