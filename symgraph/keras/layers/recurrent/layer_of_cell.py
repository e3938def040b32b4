"""What recurrent layers share that make a cell of their own."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from ... import regularizers
from ...engine.arguments import arguments_of, plain_arguments
from .cell import Cell
from .rnn import RNN


class LayerOfCell(RNN):
    """A layer whose arguments are those of its cell, too: ``class LSTM(LayerOfCell, cell=LSTMCell)``.

    The layer shows the cell's arguments as properties, and its config has them in place of the cell's config.
    """

    def __init_subclass__(cls, cell: type[Cell] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, _ in arguments_of(cell) if cell else ():
            setattr(cls, name, property(attrgetter(f"cell.{name}"), doc="That of the cell."))

    def __init__(self, cell: Cell, activity_regularizer: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(cell, *args, **kwargs)
        self.activity_regularizer = regularizers.get(activity_regularizer)

    def call(self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None) -> Any:  # type: ignore[override]
        return super().call(inputs, mask=mask, training=training, initial_state=initial_state)

    def get_config(self) -> dict[str, Any]:
        activity = regularizers.serialize(self.activity_regularizer)
        return {**self.own_config(), **plain_arguments(self.cell), "activity_regularizer": activity}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:  # type: ignore[override]
        return cls(**config)
