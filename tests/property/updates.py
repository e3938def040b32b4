"""Updates of variables for random programs: new values made of each other's old ones, and of parts of them."""

from __future__ import annotations

from collections.abc import Callable

import symgraph as sg
from symgraph.tensor import Tensor
from symgraph.variable import Variable
from tests.property.drawing import Drawer, Pairs


def pick(d: Drawer, least: int = 1) -> list[Variable]:
    """Some variables of one type, at least so many; none where there are fewer."""
    first = d.rng.choice(d.variables)
    alike = [v for v in d.variables if v.type == first.type]
    d.rng.shuffle(alike)
    return alike[: d.rng.randint(least, len(alike))] if len(alike) >= least else []


def exchanged(d: Drawer) -> Pairs:
    """Each takes the old value of the next one: a swap, or a ring."""
    ring = pick(d, 2)
    return list(zip(ring, [*ring[1:], *ring[:1]], strict=True))


def shared(d: Drawer) -> Pairs:
    """Several take one value, which may be the old value of one of them."""
    chosen = pick(d)
    fitting = [v for v in d.values if chosen and v.type == chosen[0].type]
    new = d.rng.choice(fitting) if fitting else None
    return [] if new is None else [(v, new) for v in chosen]


def viewed(d: Drawer) -> Pairs:
    """Elements of an old value in another order: its own, or another variable's."""
    chosen = pick(d)
    pairs: Pairs = []
    for v in chosen:
        old = d.rng.choice([*chosen, v])
        if old.ndim == 0:
            continue
        k = d.rng.randrange(old.ndim)
        swapped = [old.T] if old.shape == old.shape[::-1] else []
        shift = d.rng.randint(1, 2)
        rows = old[1:], old[:1]
        pairs.append((v, d.rng.choice([sg.flip(old, k), sg.roll(old, shift, k), sg.concatenate(rows), *swapped])))
    return pairs


def partly(d: Drawer) -> Pairs:
    """Rows of an old value put into, or added to, another's."""
    pairs: Pairs = []
    for v in pick(d):
        others = [w for w in d.variables if w.dtype is v.dtype and w.shape[-1:] == v.shape[-1:] and w.ndim <= v.ndim]
        if v.ndim == 0 or not others:
            continue
        other = d.rng.choice(others)
        put = d.rng.choice([sg.set_subtensor, sg.inc_subtensor])
        at = d.rng.choice([slice(0, 1), slice(1, 2), d.rng.choice([0, 1, -1]), sg.constant([1, 0, 1])])
        if v.ndim == 1:
            source = other if other.ndim == 1 else other[0]
            source = source[:2] if isinstance(at, Tensor) else source[0]
            source = sg.stack([source[0], source[1], source[0]]) if isinstance(at, Tensor) else source
        else:
            source = other if other.ndim == 1 else other[-1]
        pairs.append((v, put(v[at], source)))
    return pairs


def computed(d: Drawer) -> Pairs:
    """Something of its shape, from anything: a value, or sums of one."""
    pairs: Pairs = []
    for v in pick(d):
        pool = [t for t in d.values if t.dtype is v.dtype]
        t = d.rng.choice(pool[-4:])
        total = sg.cast(sg.sum(t), v.dtype) if t.shape != v.shape else t
        way = d.rng.randrange(3)
        new = sg.broadcast_to(total, v.shape) if way == 0 else sg.where(total > 0, total, v) if way == 1 else v + total
        pairs.append((v, sg.cast(new, v.dtype)))
    return pairs


def scaled(d: Drawer) -> Pairs:
    """A step of gradient descent on several."""
    chosen = [v for v in d.variables if v.dtype.is_float]
    pool = [t for t in d.values if t.dtype.is_float]
    if not chosen or not pool:
        return []
    cost = sg.sum(d.rng.choice(pool[-4:]))
    slopes = sg.grad(cost, chosen, disconnected="zeros")
    return [(v, v - sg.cast(0.1, v.dtype) * sg.cast(g, v.dtype)) for v, g in zip(chosen, slopes, strict=True)]


UPDATES: tuple[Callable[[Drawer], Pairs], ...] = (exchanged, shared, viewed, partly, computed, scaled)

__all__ = ["UPDATES"]
