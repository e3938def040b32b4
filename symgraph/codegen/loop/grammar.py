"""The grammar of the loop IR. Everything a kernel can say is on this page.

A kernel reads and writes dense row-major *buffers*. Expressions have no effects (``Bounds`` may end the run). Equal
expressions are one expression, computed once per scope that needs it, where it is first needed. A kernel that stores
to a buffer reads it (mode ``inout``) at the index of the store only, and before it: so it does not matter when exactly
an expression is computed. Sizes are the kernel's symbols, passed at run time as int64.

The outermost statement may be a parallel loop; a call of the kernel then executes any sub-range of it, which is how the
thread pool cuts work. All other loops run in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ...dtypes import DType, int64
from ...ir.dims import Dim, Shape

# -- expressions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Const:
    """A literal."""

    value: bool | int | float
    dtype: DType


@dataclass(frozen=True, slots=True, eq=False)
class Size:
    """The value of a size, as int64."""

    dim: Dim
    dtype: DType = int64


@dataclass(frozen=True, slots=True, eq=False)
class Var:
    """A loop variable (int64) or a name bound by ``Let`` or ``Fold``."""

    name: str
    dtype: DType = int64


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """An element of a buffer. Indices are within bounds by construction (user data passes through ``Bounds`` first)."""

    buffer: str
    index: tuple[Expr, ...]
    dtype: DType


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """An intrinsic of :mod:`symgraph.ir.algebra` (``UNARY``, ``BINARY``, ``COMPARE``, ``TEST``, ``fma``, ``mulhi``)."""

    name: str
    args: tuple[Expr, ...]
    dtype: DType


@dataclass(frozen=True, slots=True, eq=False)
class Select:
    """``if_true`` where ``condition`` (bool) holds, else ``if_false``; both may be evaluated, so both must be safe."""

    condition: Expr
    if_true: Expr
    if_false: Expr

    @property
    def dtype(self) -> DType:
        return self.if_true.dtype


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """Value conversion to ``dtype``."""

    value: Expr
    dtype: DType


@dataclass(frozen=True, slots=True, eq=False)
class Bitcast:
    """The same bits as another dtype of equal width."""

    value: Expr
    dtype: DType


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """``index`` if ``0 <= index < size``; else 0, and the status records ``(check, index, size)``.

    ``check`` numbers the checks of a kernel; the plan's call site says which layer, op and axis it belongs to.
    """

    index: Expr
    size: Expr
    check: int
    dtype: DType = int64


Expr: TypeAlias = Const | Size | Var | Load | Call | Select | Cast | Bitcast | Bounds

# -- statements -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Let:
    """Bind a name to a value for the statements that follow in this scope and in nested ones."""

    name: str
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """Write one element. No two iterations of a parallel or vector loop write the same element."""

    buffer: str
    index: tuple[Expr, ...]
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """``for var in 0..extent``. ``kind``: ``par`` (outermost only; any sub-range may run at any time), ``vec``
    (iterations are independent and may run in SIMD lanes; may contain ``Fold`` but no ``Loop``), ``seq`` (in order).
    """

    var: str
    extent: Dim
    kind: str
    body: tuple[Stmt, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """A reduction: ``names`` start as ``init``; each iteration runs ``body``, then all ``names`` become ``next`` at
    once. After it the names are bound, in the enclosing scope, to the final values.

    ``kind`` ``seq``: in order. ``vec``: lanes keep partial states that start as ``init`` and are joined by ``merge``,
    whose operands are the ``Var`` named ``<name>.a`` and ``<name>.b``; the partition depends on the extent and the
    vector width only. The grammar requires ``init`` to be neutral for ``merge`` where ``kind`` is ``vec``.
    """

    var: str
    extent: Dim
    kind: str
    names: tuple[str, ...]
    dtypes: tuple[DType, ...]
    init: tuple[Expr, ...]
    body: tuple[Stmt, ...]
    next: tuple[Expr, ...]
    merge: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Contract:
    """A (batched) matrix product with an epilogue::

        for b in batch, i in m, j in n:   acc = sum over p in k of  a * b ;   epilogue

    ``a`` and ``b`` are loads whose indices use the variables ``batch_vars``, ``m_var``, ``n_var``, ``k_var``; ``a``
    does not mention ``n_var``, ``b`` does not mention ``m_var``, and each index is affine in them. The accumulator's
    name ``acc`` may be used in ``epilogue``, a list of ``Let`` and ``Store`` over the batch, m and n variables.
    The m x n plane is cut in tiles by sizes only; the tiles are the kernel's parallel range.

    Where ``m_parts`` (names and extents) is not empty, ``m`` is the product of its extents and its names are bound to
    the digits of ``m_var``, the last one fastest; likewise ``k_parts``. A row or a sum may so run over several axes
    that lie in memory in any way, as the windows of a convolution do.
    """

    batch_vars: tuple[str, ...]
    batch_extents: tuple[Dim, ...]
    m_var: str
    m: Dim
    n_var: str
    n: Dim
    k_var: str
    k: Dim
    a: Load
    b: Load
    acc: str
    dtype: DType
    epilogue: tuple[Stmt, ...]
    m_parts: tuple[tuple[str, Dim], ...] = ()
    k_parts: tuple[tuple[str, Dim], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Sort:
    """Row by row along the last axis, the positions (int64) of the smallest elements of ``keys`` (unsigned), rising,
    equal ones by position. ``target`` has as many columns as are wanted.

    Rows are the kernel's parallel range. Where more are wanted than there are, or a row has 2**32 elements, nothing is
    written and the status records ``(check, wanted - 1, columns)`` or ``(check, columns, 2**32)``.
    """

    target: str
    keys: str
    check: int


Stmt: TypeAlias = Let | Store | Loop | Fold | Contract | Sort

# -- kernels ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Buffer:
    """A kernel parameter: dense, row-major. ``mode`` is ``in``, ``out`` or ``inout``; distinct parameters never
    overlap.
    """

    name: str
    dtype: DType
    shape: Shape
    mode: str = "in"


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """Parameters (buffers, then the names of the sizes, in the order of the calling convention) and a body.

    ``checks`` is the number of distinct ``Bounds.check`` numbers.
    """

    name: str
    buffers: tuple[Buffer, ...]
    sizes: tuple[str, ...]
    body: tuple[Stmt, ...]
    checks: int = 0

    @property
    def parallel(self) -> Loop | Contract | Sort | None:
        """The statement whose range a call may execute in parts, if the body is just one such."""
        if len(self.body) == 1:
            only = self.body[0]
            if isinstance(only, (Contract, Sort)) or (isinstance(only, Loop) and only.kind == "par"):
                return only
        return None


__all__ = [
    "Bitcast", "Bounds", "Buffer", "Call", "Cast", "Const", "Contract", "Expr", "Fold", "Kernel", "Let", "Load", "Loop",
    "Select", "Size", "Sort", "Stmt", "Store", "Var",
]  # fmt: skip
