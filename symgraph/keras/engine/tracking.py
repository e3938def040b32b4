"""What a layer owns: weights, losses, updates, metrics, and those of layers and variables set as its attributes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .. import backend as K

Tensor = Any


class Tracking:
    """Base of :class:`Layer`: collects what is owned, its own first, then that of tracked sublayers."""

    def __init__(self) -> None:
        self.__dict__["_tracking"] = False
        self._trainable_weights: list[Tensor] = []
        self._non_trainable_weights: list[Tensor] = []
        self._losses: list[Tensor] = []
        self._updates: list[Any] = []
        self._metrics: list[Any] = []
        self._per_input_losses: dict[str | None, list[Tensor]] = {}
        self._per_input_updates: dict[str | None, list[Any]] = {}
        self._sublayers: list[Any] = []
        self.__dict__["_tracking"] = True

    @contextmanager
    def _untracked(self) -> Iterator[None]:
        before = self.__dict__.get("_tracking", True)
        self.__dict__["_tracking"] = False
        try:
            yield
        finally:
            self.__dict__["_tracking"] = before

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if self.__dict__.get("_tracking") and not name.startswith(("_keras", "_inbound", "_outbound", "_layers")):
            self._track(value)

    def _track(self, value: Any) -> None:
        if isinstance(value, Tracking):
            kept = self._metrics if hasattr(value, "update_state") else self._sublayers
            if not any(value is v for v in kept):
                kept.append(value)
        elif K.is_variable(value):
            if not any(value is w for w in self._trainable_weights + self._non_trainable_weights):
                self._trainable_weights.append(value)
        elif isinstance(value, (list, tuple)) and all(isinstance(v, Tracking) for v in value):
            for v in value:
                self._track(v)

    # -- weights ----------------------------------------------------------------------------------------------------
    @property
    def trainable_weights(self) -> list[Tensor]:
        """Weights that training changes; none where ``trainable`` is False."""
        if not getattr(self, "trainable", True):
            return []
        return _unique(self._trainable_weights + [w for s in self._sublayers for w in s.trainable_weights])

    @trainable_weights.setter
    def trainable_weights(self, weights: list[Tensor]) -> None:
        self._trainable_weights = weights

    @property
    def non_trainable_weights(self) -> list[Tensor]:
        """Weights that training leaves alone."""
        if not getattr(self, "trainable", True):
            own = self._trainable_weights + self._non_trainable_weights
            return _unique(own + [w for s in self._sublayers for w in s.weights])
        return _unique(self._non_trainable_weights + [w for s in self._sublayers for w in s.non_trainable_weights])

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights: list[Tensor]) -> None:
        self._non_trainable_weights = weights

    @property
    def weights(self) -> list[Tensor]:
        """All weights, trainable ones first."""
        return self.trainable_weights + self.non_trainable_weights

    # -- losses, updates, metrics -----------------------------------------------------------------------------------
    @property
    def losses(self) -> list[Tensor]:
        """Loss terms of the layer and its sublayers."""
        return self._losses + [x for s in self._sublayers for x in s.losses]

    @property
    def updates(self) -> list[Any]:
        """Updates of the layer and its sublayers; none where neither trainable nor stateful."""
        if not getattr(self, "trainable", True) and not getattr(self, "stateful", False):
            return []
        return self._updates + [x for s in self._sublayers for x in s.updates]

    @property
    def metrics(self) -> list[Any]:
        """Metrics of the layer and its sublayers."""
        return self._added_metrics()

    def _added_metrics(self) -> list[Any]:
        return self._metrics + [x for s in self._owned_layers() for x in s._added_metrics()]

    def _owned_layers(self) -> list[Any]:
        return self._sublayers


def _unique(tensors: list[Tensor]) -> list[Tensor]:
    seen: dict[int, Tensor] = {}
    for x in tensors:
        seen.setdefault(id(x), x)
    return list(seen.values())
