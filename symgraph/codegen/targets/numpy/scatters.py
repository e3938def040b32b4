"""Loops in order that put updates into a buffer at computed places: one call of NumPy each."""

from __future__ import annotations

from dataclasses import dataclass

from ...loop.grammar import Call, Expr, Load, Loop, Store
from ...loop.walk import is_using, postorder
from .reductions import REDUCERS


@dataclass(frozen=True, slots=True)
class Scattered:
    """``store.buffer[store.index] operation= update`` over ``loops``, in order; without ``operation`` it is set."""

    loops: tuple[Loop, ...]
    store: Store
    operation: str
    update: Expr


def find_scatter(loop: Loop) -> Scattered | None:
    """The scatter that a nest of loops is, if it is one."""
    loops = [loop]
    while len(loops[-1].body) == 1 and isinstance(loops[-1].body[0], Loop):
        loops.append(loops[-1].body[0])
    if len(loops[-1].body) != 1 or not isinstance(loops[-1].body[0], Store):
        return None
    store = loops[-1].body[0]
    operation, update = "", store.value
    if isinstance(update, Call) and update.name in REDUCERS and _is_old(update.args[0], store):
        operation, update = update.name, update.args[1]
    elif isinstance(update, Call) and update.name in REDUCERS and _is_old(update.args[1], store):
        operation, update = update.name, update.args[0]
    others = postorder([*store.index, update])
    if any(isinstance(e, Load) and e.buffer == store.buffer for e in others):
        return None
    if not all(any(is_using(i, {one.var}) for i in store.index) for one in loops):
        return None
    return Scattered(tuple(loops), store, operation, update)


def _is_old(e: Expr, store: Store) -> bool:
    return isinstance(e, Load) and e.buffer == store.buffer and e.index == store.index
