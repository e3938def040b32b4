"""The state of optimizers in files: Keras 2's order of arrays, and that of tf.keras made Keras 2's.

Keras 2 has the number of steps, then one kind of slot for all weights, then the next kind. tf.keras names each slot:
``Adam/dense/kernel/m`` up to TensorFlow 2.10, ``Adam/m/dense/kernel`` later, where the slots of a weight lie together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend as K

Array = np.ndarray[Any, Any]

#: For each class the kinds of its slots in Keras 2's order, each with its names in tf.keras.
_SLOTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "SGD": (("m", "momentum"),),
    "RMSprop": (("velocity", "rms"),),
    "Adagrad": (("accumulator",),),
    "Adadelta": (("accumulated_grad", "accum_grad"), ("accumulated_delta_var", "accum_var")),
    "Adam": (("m",), ("v",), ("vhat",)),
    "Adamax": (("m",), ("u", "v")),
    "Nadam": (("m",), ("v",)),
    "Ftrl": (("accumulator",), ("linear",)),
}
_STEPS = ("iteration:0", "iter:0")


def slots_of_a_weight(optimizer: Any) -> int:
    """How many arrays of its state an optimizer has for each weight, besides the largest second moments of Adam's
    ``amsgrad``."""
    return sum(kind != ("vhat",) for kind in _SLOTS.get(type(optimizer).__name__, ((),)))


def arranged_state(optimizer: Any, names: Sequence[str], arrays: Sequence[Array]) -> list[Array]:
    """The arrays of a file as ``optimizer.weights`` has them.

    Raises:
        ValueError: for slots of tf.keras that Keras 2 does not have.
    """
    steps = [i for i, name in enumerate(names) if name.rpartition("/")[2] in _STEPS]
    kinds = _SLOTS.get(type(optimizer).__name__)
    if len(steps) != 1 or kinds is None:
        return list(arrays)
    found: list[list[Array]] = [[] for _ in kinds]
    for i, (name, array) in enumerate(zip(names, arrays, strict=True)):
        if i == steps[0] or array.ndim == 0:
            continue
        parts = name.partition(":")[0].split("/")
        place = [k for k, kind in enumerate(kinds) if parts[-1] in kind or (len(parts) > 1 and parts[1] in kind)]
        if len(place) != 1:
            raise ValueError(f"{type(optimizer).__name__} has no slot {name!r} in Keras 2")
        found[place[0]].append(array)
    count = max(map(len, found))
    if type(optimizer).__name__ == "Adam" and not found[2]:
        found[2] = [np.zeros(1, "float32")] * count  # what Keras 2 has where amsgrad is off
    if type(optimizer).__name__ == "SGD" and not found[0]:
        found[0] = [np.zeros_like(K.get_value(w)) for w in optimizer.weights[1:]]  # without momentum none is kept
    n = np.asarray(arrays[steps[0]])
    schedule = [_momentum_schedule(optimizer, int(n))] if type(optimizer).__name__ == "Nadam" else []
    return [n, *schedule, *(array for kind in found for array in kind)]


def _momentum_schedule(optimizer: Any, steps: int) -> Array:
    """The product of the momenta of Nadam's steps so far."""
    beta = float(K.get_value(optimizer.beta_1))
    t = np.arange(1, steps + 1)
    return np.asarray(np.prod(beta * (1 - 0.5 * 0.96 ** (t * optimizer.schedule_decay))), "float32")
