"""Layers, networks and training."""

from __future__ import annotations

from ..utils.layer_utils import get_source_inputs as get_source_inputs
from .base_layer import InputSpec as InputSpec
from .base_layer import Layer as Layer
from .input_layer import Input as Input
from .input_layer import InputLayer as InputLayer
from .training import Model as Model
