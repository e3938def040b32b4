"""Recurrent layers and their cells."""

from __future__ import annotations

from ... import activations, constraints, initializers, regularizers
from ... import backend as K
from ...engine.base_layer import InputSpec, Layer, disable_tracking
from ...legacy import interfaces
from ...utils.generic_utils import has_arg, to_list
from .gru import GRU, GRUCell
from .legacy import Recurrent
from .lstm import LSTM, LSTMCell
from .rnn import RNN
from .simple_rnn import SimpleRNN, SimpleRNNCell
from .stacked import StackedRNNCells

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "GRUCell",
    "InputSpec",
    "K",
    "LSTMCell",
    "Layer",
    "Recurrent",
    "SimpleRNN",
    "SimpleRNNCell",
    "StackedRNNCells",
    "activations",
    "constraints",
    "disable_tracking",
    "has_arg",
    "initializers",
    "interfaces",
    "regularizers",
    "to_list",
]
