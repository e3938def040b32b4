"""Targets: what runs a plan. ``numpy`` evaluates the loop IR with arrays, ``llvm`` compiles it to native code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ...errors import ArgumentError

if TYPE_CHECKING:
    from ...options import Options
    from ..plan import Plan
    from .watch import Watch


class Executable(Protocol):
    """A plan ready to run. ``frame`` binds it to sizes (those of ``plan.symbols``); ``run`` executes it on
    C-contiguous arrays and gives None, or ``(1 + check, index, size, step)`` of a failed bounds check; it raises
    what Python that the plan calls raises. Both may be called from several threads at once. ``run_watched`` is a slower
    ``run`` that looks at every step."""

    def frame(self, sizes: tuple[int, ...]) -> Any: ...

    def run(
        self, frame: Any, inputs: Sequence[Any], states: Sequence[Any], outputs: Sequence[Any]
    ) -> tuple[int, int, int, int] | None: ...

    def run_watched(
        self, frame: Any, inputs: Sequence[Any], states: Sequence[Any], outputs: Sequence[Any], watch: Watch
    ) -> tuple[int, int, int, int] | None: ...


class Target(Protocol):
    """Makes executables."""

    name: str

    def build(self, plan: Plan) -> Executable: ...


def _llvm(options: Options) -> Target:
    from .llvm.target import LlvmTarget

    return LlvmTarget(options.cpu, options.flush_subnormals)


def _numpy(options: Options) -> Target:
    from .numpy.target import NumpyTarget

    return NumpyTarget()


TARGETS: dict[str, Callable[[Options], Target]] = {"llvm": _llvm, "numpy": _numpy}


def target_named(options: Options) -> Target:
    """The target that ``options`` ask for.

    Raises:
        ArgumentError: for a name no target has.
        TargetError: where the target cannot serve here.
    """
    maker = TARGETS.get(options.target)
    if maker is None:
        raise ArgumentError(f"target is {options.target!r}; the targets are: {', '.join(TARGETS)}")
    return maker(options)
