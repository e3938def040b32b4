"""Every exception symgraph raises on purpose.

Faults of the caller derive from :class:`SymgraphError` and from the built-in class a Python programmer expects
(``ShapeError`` is a ``ValueError``, ``DTypeError`` a ``TypeError``). Faults of symgraph itself are
:class:`InternalError`, which is not a ``SymgraphError``: no handler for user mistakes hides one.
"""

from __future__ import annotations

import numpy as np


class SymgraphError(Exception):
    """Base of all errors caused by what the caller asked for."""


class ShapeError(SymgraphError, ValueError):
    """Shapes or ranks do not fit."""


class DTypeError(SymgraphError, TypeError):
    """Element types do not fit."""


class GraphError(SymgraphError, ValueError):
    """A graph is not well formed: a missing input, a variable updated twice, ..."""


class GradientError(SymgraphError, ValueError):
    """A gradient was asked for that does not exist."""


class ArgumentError(SymgraphError, ValueError):
    """An argument of an op or of a compiled function has a value that cannot be used."""


class BoundsError(SymgraphError, IndexError):
    """An index read at run time lies outside its axis."""


class NonFiniteError(SymgraphError, FloatingPointError):
    """A function with ``nan_guard`` computed NaN or infinity."""


class OutOfMemoryError(SymgraphError, MemoryError):
    """A call needs more memory than there is. The function stays usable, with smaller arrays."""


class LinAlgError(SymgraphError, np.linalg.LinAlgError):
    """A matrix is singular, not positive definite, or an iteration did not converge (a subclass of NumPy's)."""


class TargetError(SymgraphError, RuntimeError):
    """A target cannot serve here (for instance: the system refuses executable memory)."""


class InternalError(RuntimeError):
    """A fault in symgraph itself; please report it."""
