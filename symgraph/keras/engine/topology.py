"""Keras 2's old place of layers, nodes and networks."""

from __future__ import annotations

from ..utils.layer_utils import get_source_inputs
from .base_layer import InputSpec, Layer, Node
from .input_layer import Input, InputLayer
from .network import Network

__all__ = ["Input", "InputLayer", "InputSpec", "Layer", "Network", "Node", "get_source_inputs"]
