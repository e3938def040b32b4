"""Arguments that layers declare: what is kept, and what the config has."""

from __future__ import annotations

from typing import Any

import pytest

from symgraph.keras import activations, initializers
from symgraph.keras.engine.arguments import Argument, arguments_of, plain_arguments
from symgraph.keras.layers import GRU, LSTM, ConvLSTM2D, CuDNNGRU, CuDNNLSTM, SimpleRNN


class Base:
    size = Argument()
    activation = Argument(activations)

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)


class Derived(Base):
    activation = Argument(activations, written=False)
    start = Argument(initializers)


def test_an_argument_takes_names_and_is_written_as_one() -> None:
    made = Base(size=3, activation="relu")
    assert made.activation is activations.relu
    assert plain_arguments(made) == {"size": 3, "activation": "relu"}


def test_an_argument_of_a_base_may_be_none_of_a_class() -> None:
    assert [name for name, _ in arguments_of(Derived)] == ["start", "size"]
    config = plain_arguments(Derived(size=3, start="ones", activation="relu"))
    assert config == {"size": 3, "start": {"class_name": "Ones", "config": {}}}


def test_an_argument_is_no_attribute_before_it_is_set() -> None:
    assert not hasattr(Base(), "size")
    with pytest.raises(AttributeError, match="no attribute 'size'"):
        _ = Base().size


@pytest.mark.parametrize("kind", [SimpleRNN, GRU, LSTM, CuDNNGRU, CuDNNLSTM])
def test_a_layer_shows_and_writes_what_its_cell_takes(kind: Any) -> None:
    layer = kind(3, kernel_regularizer="l2")
    names = [name for name, _ in arguments_of(type(layer.cell))]
    config = layer.get_config()
    assert "units" in names and set(names) <= set(config)
    assert all(getattr(layer, name) is getattr(layer.cell, name) for name in names)
    assert ("use_bias" in names) == (not kind.__name__.startswith("CuDNN"))


def test_a_subclass_shows_what_its_base_does() -> None:
    class Mine(ConvLSTM2D):
        pass

    assert Mine(2, 3).kernel_size == (3, 3)
