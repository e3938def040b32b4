"""The state of optimizers in files of tf.keras and Keras 3, in Keras 2's order.

Keras 2 has the number of steps, then one kind of slot for all weights, then the next kind. tf.keras names each slot:
``Adam/dense/kernel/m`` up to TensorFlow 2.10, ``Adam/m/dense/kernel`` later, where the slots of a weight lie together.
Keras 3 has the steps, the learning rate, then the slots weight by weight, and last the optional ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend as K

Array = np.ndarray[Any, Any]
_STEPS = ("iteration:0", "iter:0")


def arranged_state(optimizer: Any, names: Sequence[str], arrays: Sequence[Array]) -> list[Array]:
    """The arrays of an HDF5 file as ``optimizer.weights`` has them.

    Raises:
        ValueError: for slots of tf.keras that Keras 2 does not have.
    """
    steps = [i for i, name in enumerate(names) if name.rpartition("/")[2] in _STEPS]
    kinds = optimizer.slot_kinds
    if len(steps) != 1 or not kinds:
        return list(arrays)
    found: list[list[Array]] = [[] for _ in kinds]
    for i, (name, array) in enumerate(zip(names, arrays, strict=True)):
        if i == steps[0] or array.ndim == 0:
            continue
        parts = name.partition(":")[0].split("/")
        place = [k for k, kind in enumerate(kinds) if {parts[-1], *parts[1:2]} & set(kind.names)]
        if len(place) != 1:
            raise ValueError(f"{type(optimizer).__name__} has no slot {name!r} in Keras 2")
        found[place[0]].append(array)
    return _joined(optimizer, arrays[steps[0]], found)


def archived_state(optimizer: Any, arrays: Sequence[Array]) -> list[Array]:
    """The arrays of an archive of Keras 3 as ``optimizer.weights`` has them."""
    steps, slots = arrays[0], [x for x in arrays[2:] if x.ndim]  # numbers such as Nadam's follow from the steps
    if not optimizer.slot_kinds:
        return [steps, *slots]
    count = len(_slots(optimizer)[0])
    together = sum(not kind.optional for kind in optimizer.slot_kinds)  # so many lie side by side for each weight
    by_weight, rest = slots[: count * together], slots[count * together :]
    found, at = [], 0
    for kind in optimizer.slot_kinds:
        if kind.optional:
            found.append(rest[:count])
            rest = rest[count:]
        else:
            found.append(by_weight[at::together])
            at += 1
    return [*_joined(optimizer, steps, found), *rest]


def _slots(optimizer: Any) -> list[list[Any]]:
    """The optimizer's own variables, kind by kind."""
    kinds = len(optimizer.slot_kinds)
    slots = optimizer.weights[1 + len(optimizer.numbers_after(0)) :]
    count = len(slots) // kinds
    return [slots[k * count : (k + 1) * count] for k in range(kinds)]


def _joined(optimizer: Any, steps: Any, found: Sequence[list[Array]]) -> list[Array]:
    slots = []
    for kind, own, arrays in zip(optimizer.slot_kinds, _slots(optimizer), found, strict=True):
        slots += arrays or [np.zeros(K.int_shape(w), K.dtype(w)) for w in own if kind.optional]
    return [np.asarray(steps), *optimizer.numbers_after(int(steps)), *slots]
