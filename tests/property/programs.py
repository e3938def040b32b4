"""Random programs against the public API: functions of several inputs and variables, with updates and givens.

:func:`random_program` draws inputs of random dtypes, of sizes that are known, unknown, or equal, and variables; then,
step by step, applies what :mod:`.steps` and :mod:`.structures` have to the values made so far. Hypothesis draws a seed
and the number of steps, so programs shrink by dropping their last steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

import symgraph as sg
from symgraph.dtypes import ALL, DType
from symgraph.generators import Generator, drawing_from
from symgraph.tensor import Tensor
from tests.property.drawing import Drawer, Pairs, random_array
from tests.property.steps import STEPS
from tests.property.structures import STRUCTURES
from tests.property.updates import UPDATES

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Program:
    """What a function is made of. The first input's axes are the unknown sizes; ``given`` pairs placeholders with what
    replaces them; ``steps`` names what was applied, ``name`` what makes the program again."""

    inputs: list[Tensor]
    outputs: list[Tensor]
    updates: Pairs
    given: list[tuple[Tensor, Tensor]]
    steps: list[str]
    name: str

    def function(self, **options: Any) -> sg.Function:
        return sg.function(
            self.inputs, self.outputs, self.updates, self.given, options=sg.Options(**options), name=self.name
        )

    def arguments(self, sizes: Sequence[int], seed: int, special: bool = False) -> list[Array]:
        """Values for the inputs, where the unknown sizes are ``sizes``; ``special`` ones among them."""
        rng = np.random.default_rng(seed)
        bound = {str(d): n for d, n in zip(self.inputs[0].shape, sizes, strict=True)}
        shapes = [[d if isinstance(d, int) else bound[str(d)] for d in t.shape] for t in self.inputs]
        return [random_array(rng, t.dtype, shape, special) for t, shape in zip(self.inputs, shapes, strict=True)]


@st.composite
def programs(draw: Any, steps: int = 10, dtypes: Sequence[DType] = ALL) -> Program:
    """A program of at most ``steps`` steps."""
    return random_program(draw(st.integers(0, 2**32)), draw(st.integers(1, steps)), dtypes)


def random_program(seed: int, steps: int, dtypes: Sequence[DType] = ALL) -> Program:
    """The program of ``seed``. One of fewer steps is a part of it."""
    with drawing_from(Generator(seed)):
        drawer = Drawer(seed, dtypes)
        for number in range(steps):
            drawer.step(seed + 7919 * (number + 1), (*STEPS, *STRUCTURES))
        outputs = drawer.results(seed + 1)
        name = f"random_program({seed}, {steps})"
        return Program(drawer.inputs, outputs, drawer.updates(UPDATES), drawer.given, drawer.steps, name)
