"""Options: everything that may be chosen about a compilation, in one frozen value."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

from .errors import ArgumentError

_TARGETS = ("llvm", "numpy")


@dataclass(frozen=True, slots=True)
class Options:
    """How a function is compiled.

    Attributes:
        target: ``"llvm"`` (native code) or ``"numpy"``; the environment variable ``SYMGRAPH_TARGET`` sets the default.
        inexact: whether rewrite rules that may change the last bits (for more accuracy or speed) apply.
        verify: check the graph's invariants after every pass (``SYMGRAPH_VERIFY=1`` sets the default).
        cpu: for target ``llvm``: ``"host"``, or a level to generate code for (``"avx512"``, ``"avx2"``,
        ``"baseline"``).
        nan_guard: look at all that is computed and raise NonFiniteError at the first NaN or infinity, naming the op
        and its operands; slow, for finding faults (``SYMGRAPH_NAN_GUARD=1`` sets the default).
        flush_subnormals: for target ``llvm``: floats nearer to zero than the smallest normal one (1.2e-38 in float32)
            are zero, as in TensorFlow and XLA; some processors need a hundred cycles for each. Keras's functions are
            compiled so.
    """

    target: str = "llvm"
    inexact: bool = True
    verify: bool = False
    cpu: str = "host"
    nan_guard: bool = False
    flush_subnormals: bool = False

    def __post_init__(self) -> None:
        if self.target not in _TARGETS:
            raise ArgumentError(f"target is {self.target!r}; the targets are: {', '.join(_TARGETS)}")

    def but(self, **changes: Any) -> Options:
        """These options with some changed."""
        return replace(self, **changes)


def default_options() -> Options:
    """The options that the environment asks for."""
    return Options(
        target=os.environ.get("SYMGRAPH_TARGET", "llvm"),
        verify=os.environ.get("SYMGRAPH_VERIFY", "0") not in ("", "0"),
        nan_guard=os.environ.get("SYMGRAPH_NAN_GUARD", "0") not in ("", "0"),
    )
