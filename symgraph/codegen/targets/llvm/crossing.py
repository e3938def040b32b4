"""Loops that read across memory, as a transpose does: their pairs of iterations are taken strip by strip.

Where neighbours along the inner loop lie apart in what is read, and those along the outer one side by side, each line
of the caches that is fetched holds elements of several outer iterations. A strip of the inner loop is short enough for
all its lines to stay in the first cache until the outer loop has used them up.
"""

from __future__ import annotations

from ...loop.grammar import Expr, Let, Load, Loop, Store, Var
from ...loop.walk import expressions, is_using, linear

#: Bytes that a strip writes for one outer iteration: a line of the caches.
STRIP_BYTES = 64


def strip_of(loop: Loop) -> int:
    """How many iterations of the vector loop inside ``loop`` make a strip, or 0 where the two are no such loops.

    The order may be changed where every pair of iterations writes elements of its own and reads nothing that another
    writes. """
    if not loop.body or not all(isinstance(t, Let) for t in loop.body[:-1]):
        return 0
    inner = loop.body[-1]
    if not isinstance(inner, Loop) or inner.kind != "vec":
        return 0
    if not all(isinstance(t, (Let, Store)) for t in inner.body):
        return 0
    stores = [t for t in inner.body if isinstance(t, Store)]
    loads = [e for e in expressions((loop,)) if isinstance(e, Load)]
    written = {t.buffer for t in stores}
    if any(e.buffer in written for e in loads) or not all(_is_own(t, loop.var, inner.var) for t in stores):
        return 0
    crossing = [e for e in loads if _is_along(e, loop.var) and any(is_using(i, {inner.var}) for i in e.index[:-1])]
    return max(1, STRIP_BYTES // max(e.dtype.itemsize for e in crossing)) if crossing else 0


def _is_own(store: Store, *variables: str) -> bool:
    """Whether different values of the variables are different elements."""
    return all(any(isinstance(i, Var) and i.name == name for i in store.index) for name in variables)


def _is_along(load: Load, variable: str) -> bool:
    """Whether neighbours along a loop, and nothing else of it, are neighbours in memory."""
    last: Expr | None = load.index[-1] if load.index else None
    form = None if last is None else linear(last)
    return form is not None and form[0].get(variable) == 1 and not any(is_using(i, {variable}) for i in load.index[:-1])


__all__ = ["strip_of"]
