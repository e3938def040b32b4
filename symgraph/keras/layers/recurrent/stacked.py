"""Cells on top of each other, as one cell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ... import backend as K
from ...engine.archive_parts import ArchivedPart, numbered
from ...engine.base_layer import Layer
from ...utils.generic_utils import has_arg, to_list

Tensor = Any


class StackedRNNCells(Layer):
    """Cells of which each takes the output of the one below.

    The states are those of the first cell, then of the second, and so on; ``reverse_state_order`` (a keyword) lists
    the last cell's first, as Keras 2.1 did.
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Any) -> None:
        cells = list(cells)
        for cell in cells:
            for part in ("call", "state_size"):
                if not hasattr(cell, part):
                    raise ValueError(f"All cells have `call` and `state_size`; {cell!r} has no `{part}`.")
        self.reverse_state_order = kwargs.pop("reverse_state_order", False)
        super().__init__(**kwargs)
        self.cells = cells
        for cell in cells:
            if isinstance(cell, Layer):
                self._track(cell)

    def _in_order(self) -> list[Any]:
        """The cells in the order of their states."""
        return self.cells[::-1] if self.reverse_state_order else self.cells

    @property
    def state_size(self) -> tuple[Any, ...]:
        """The sizes of all states."""
        return tuple(size for cell in self._in_order() for size in _sizes(cell))

    @property
    def output_size(self) -> Any:
        """That of the last cell."""
        last = self.cells[-1]
        return last.output_size if getattr(last, "output_size", None) is not None else _sizes(last)[0]

    def _by_cell(self, states: Sequence[Tensor]) -> dict[int, list[Tensor]]:
        left = list(states)
        found = {}
        for cell in self._in_order():
            count = len(_sizes(cell))
            found[id(cell)], left = left[:count], left[count:]
        return found

    def build(self, input_shape: Any) -> None:
        constants = []
        if isinstance(input_shape, list):
            input_shape, *constants = input_shape
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                takes = constants and has_arg(cell.call, "constants")
                cell.build([input_shape, *constants] if takes else input_shape)
                cell.built = True
            size = cell.output_size if getattr(cell, "output_size", None) is not None else _sizes(cell)[0]
            input_shape = (input_shape[0], *(size if isinstance(size, (list, tuple)) else (size,)))
        self.built = True

    def call(
        self, inputs: Tensor, states: Sequence[Tensor], constants: Any = None, training: Any = None, **kwargs: Any
    ) -> tuple[Tensor, list[Tensor]]:
        """The output of the last cell, and the new states of all."""
        own = self._by_cell(states)
        new: dict[int, list[Tensor]] = {}
        phase = False
        for cell in self.cells:
            arguments = dict(kwargs)
            if has_arg(cell.call, "training"):
                arguments["training"] = training
            if constants is not None and has_arg(cell.call, "constants"):
                arguments["constants"] = constants
            inputs, made = cell.call(inputs, own[id(cell)], **arguments)
            phase = phase or getattr(inputs, "_uses_learning_phase", False)
            new[id(cell)] = list(made)
        if phase:
            inputs._uses_learning_phase = True
        return inputs, [state for cell in self._in_order() for state in new[id(cell)]]

    def get_weights(self) -> list[Any]:
        """Those of the cells, one after the other."""
        return K.batch_get_value([w for cell in self.cells if isinstance(cell, Layer) for w in cell.weights])

    def set_weights(self, weights: Any) -> None:
        """Write the weights of the cells, one after the other."""
        given = list(weights)
        counts = [len(cell.weights) if isinstance(cell, Layer) else 0 for cell in self.cells]
        if len(given) != sum(counts):
            raise ValueError(f"The cells have {sum(counts)} weights, but {len(given)} were given.")
        for cell, count in zip(self.cells, counts, strict=True):
            if count:
                cell.set_weights(given[:count])
            given = given[count:]

    def archived_parts(self, config: dict[str, Any]) -> Iterable[ArchivedPart]:
        places = numbered(type(cell).__name__ for cell in self.cells)
        for cell, place, described in zip(self.cells, places, config["cells"], strict=True):
            if isinstance(cell, Layer):
                yield ArchivedPart(f"cells/{place}", cell, described["config"])

    def get_losses_for(self, inputs: Any = None) -> list[Tensor]:
        """The losses of the cells that depend on ``inputs`` (None: on none)."""
        return [x for cell in self.cells if isinstance(cell, Layer) for x in cell.get_losses_for(inputs)]

    def get_config(self) -> dict[str, Any]:
        cells = [{"class_name": type(cell).__name__, "config": cell.get_config()} for cell in self.cells]
        order = {"reverse_state_order": True} if self.reverse_state_order else {}
        return {**super().get_config(), **order, "cells": cells}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        from .. import deserialize

        config = dict(config)
        cells = [deserialize(cell, custom_objects=custom_objects) for cell in config.pop("cells")]
        return cls(cells, **config)


def _sizes(cell: Any) -> list[Any]:
    return to_list(cell.state_size, allow_tuple=True)
