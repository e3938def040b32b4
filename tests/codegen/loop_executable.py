"""Plans run by the loop interpreter: slow, every rule of the grammar visible; memory is laid out as for all targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from symgraph.codegen.loop.grammar import Kernel
from symgraph.codegen.loop.interp import interpret
from symgraph.codegen.plan import Plan
from symgraph.codegen.targets.numpy.executable import Frame, Instance, NumpyExecutable
from symgraph.codegen.targets.numpy.runtime import OutOfBounds

Array = np.ndarray[Any, Any]
#: What fresh memory holds: NaN for floats of every width, and large for integers.
GARBAGE = 0xFF


class LoopExecutable(NumpyExecutable):
    """A plan whose kernels are interpreted element by element. Temporaries begin as garbage."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.sources = {}
        self._calls = {key: _calling(kernel) for key, kernel in plan.kernels.items()}

    def _instance(self, frame: Frame) -> Instance:
        made = super()._instance(frame)
        for array in _arrays(made):
            if array.flags.writeable:  # constants are not
                array.reshape(-1).view(np.uint8)[...] = GARBAGE
        return made


def _calling(kernel: Kernel) -> Any:
    names = [b.name for b in kernel.buffers]

    def call(*arguments: Any) -> None:
        arrays = dict(zip(names, arguments[: len(names)], strict=True))
        failure = interpret(kernel, arrays, dict(zip(kernel.sizes, arguments[len(names) :], strict=True)))
        if failure is not None:
            raise OutOfBounds(*failure)

    return call


def _arrays(instance: Any) -> list[Array]:
    if isinstance(instance, np.ndarray):
        return [instance]
    return [a for part in instance or () for a in _arrays(part)]


__all__ = ["LoopExecutable"]
