"""The layers of everyday use."""

from __future__ import annotations

import copy
import types
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import activations, regularizers
from .. import backend as K
from ..engine.arguments import Argument
from ..engine.base_layer import InputSpec, Layer
from ..legacy import interfaces
from ..utils.generic_utils import deserialize_keras_object, func_dump, func_load, has_arg
from ..utils.safe_mode import check_code
from .kernel_and_bias import KernelAndBias

Tensor = Any


class Masking(Layer):
    """Marks steps whose features all equal ``mask_value``, so that later layers skip them."""

    mask_value = Argument()

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.mask_value = mask_value

    def compute_mask(self, inputs: Tensor, mask: Any = None) -> Tensor:
        return K.any(K.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Tensor) -> Tensor:
        kept = K.any(K.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return inputs * K.cast(kept, K.dtype(inputs))


class Dropout(Layer):
    """In training, sets a fraction ``rate`` of the inputs to zero and scales the others up.

    ``noise_shape``: the shape of the mask, 1 where it is shared along an axis and None for the input's size.
    """

    rate = Argument()
    noise_shape = Argument()
    seed = Argument()

    @interfaces.legacy_dropout_support
    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = min(1.0, max(0.0, rate))
        self.noise_shape = noise_shape
        self.seed = seed
        self.supports_masking = True

    def _get_noise_shape(self, inputs: Tensor) -> Any:
        if self.noise_shape is None:
            return None
        return tuple(size if n is None else n for n, size in zip(self.noise_shape, K.shape(inputs), strict=True))

    def call(self, inputs: Tensor, training: Any = None) -> Tensor:
        if not 0.0 < self.rate < 1.0:
            return inputs
        noise_shape = self._get_noise_shape(inputs)
        return K.in_train_phase(lambda: K.dropout(inputs, self.rate, noise_shape, self.seed), inputs, training=training)


class Activation(Layer):
    """An activation function as a layer."""

    activation = Argument(activations)

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.activation = activation

    def call(self, inputs: Tensor) -> Tensor:
        return self.activation(inputs)


class Reshape(Layer):
    """Another shape for each sample; one size may be -1."""

    target_shape = Argument()

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)

    def _fix_unknown_dimension(self, input_shape: tuple[Any, ...], output_shape: tuple[int, ...]) -> tuple[Any, ...]:
        message = "total size of new array must be unchanged"
        fixed = [d for d in output_shape if d >= 0]
        if len(output_shape) - len(fixed) > 1:
            raise ValueError(
                "There must be at most one unknown dimension in output_shape. Got " + str(output_shape) + "."
            )
        known, original = int(np.prod(fixed)), int(np.prod(input_shape, dtype=int))
        if len(fixed) == len(output_shape):
            if original != known:
                raise ValueError(f"{message}, input_shape = {list(input_shape)}, output_shape = {list(output_shape)}")
            return output_shape
        if known == 0 or original % known != 0:
            raise ValueError(f"{message}, input_shape = {list(input_shape)}, output_shape = {list(output_shape)}")
        return tuple(original // known if d < 0 else d for d in output_shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if None in input_shape[1:]:
            return (input_shape[0], *(d if d != -1 else None for d in self.target_shape))
        return (input_shape[0], *self._fix_unknown_dimension(input_shape[1:], self.target_shape))

    def call(self, inputs: Tensor) -> Tensor:
        sample = self.compute_output_shape(K.int_shape(inputs))[1:]
        return K.reshape(inputs, (inputs.shape[0], *sample))


class Permute(Layer):
    """Axes in another order; ``dims`` are those after the batch axis, counted from 1."""

    dims = Argument()

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                "Invalid permutation `dims` for Permute Layer. The set of indices in `dims` must be consecutive "
                "and start "
                f"from 1. dims: {dims}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], *(input_shape[d] for d in self.dims))

    def call(self, inputs: Tensor) -> Tensor:
        return K.permute_dimensions(inputs, (0, *self.dims))


class Flatten(Layer):
    """One axis for each sample."""

    data_format = Argument()

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_spec = InputSpec(min_ndim=3)
        self.data_format = K.normalize_data_format("channels_last" if data_format is None else data_format)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if not all(input_shape[1:]):
            raise ValueError(
                f'The shape of the input to "Flatten" is not fully defined (got {input_shape[1:]}). Make sure to '
                'pass a '
                'complete "input_shape" or "batch_input_shape" argument to the first layer in your model.'
            )
        return (input_shape[0], int(np.prod(input_shape[1:])))

    def call(self, inputs: Tensor) -> Tensor:
        if self.data_format == "channels_first":  # the same order of weights after it as with channels last
            inputs = K.permute_dimensions(inputs, (0, *range(2, K.ndim(inputs)), 1))
        return K.batch_flatten(inputs)


class RepeatVector(Layer):
    """``(samples, features)`` to ``(samples, n, features)``."""

    n = Argument()

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = n
        self.input_spec = InputSpec(ndim=2)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], self.n, input_shape[1])

    def call(self, inputs: Tensor) -> Tensor:
        return K.repeat(inputs, self.n)


class Lambda(Layer):
    """A function of tensors as a layer. ``output_shape`` is found from the function's result unless it is given."""

    def __init__(
        self, function: Any, output_shape: Any = None, mask: Any = None, arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.function = function
        self.arguments = arguments or {}
        self.supports_masking = mask is not None
        self.mask = mask
        if output_shape is not None and not isinstance(output_shape, (tuple, list)) and not callable(output_shape):
            raise TypeError("In Lambda, `output_shape` must be a list, a tuple, or a function.")
        self._output_shape = tuple(output_shape) if isinstance(output_shape, (tuple, list)) else output_shape

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self._output_shape is None:
            return None  # what the function's result has
        if not isinstance(self._output_shape, tuple):
            shape = self._output_shape(input_shape)
            if not isinstance(shape, (list, tuple)):
                raise ValueError("`output_shape` function must return a tuple or a list of tuples.")
            return shape if isinstance(shape, list) else tuple(shape)
        first = input_shape[0] if isinstance(input_shape, list) else input_shape
        return (first[0] if first else None, *self._output_shape)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        arguments = dict(self.arguments)
        if has_arg(self.function, "mask"):
            arguments["mask"] = mask
        return self.function(inputs, **arguments)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        function, function_type = _dumped(self.function)
        shape, shape_type = _dumped(self._output_shape) if callable(self._output_shape) else (self._output_shape, "raw")
        return {
            **super().get_config(),
            "function": function,
            "function_type": function_type,
            "output_shape": shape,
            "output_shape_type": shape_type,
            "arguments": self.arguments,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        config = copy.deepcopy(config)
        config["function"] = _loaded(
            config["function"], config.pop("function_type"), custom_objects, "function in Lambda layer"
        )
        shape_type = config.pop("output_shape_type")
        if shape_type != "raw":
            what = "output_shape function in Lambda layer"
            config["output_shape"] = _loaded(config["output_shape"], shape_type, custom_objects, what)
        for name, value in config.get("arguments", {}).items():
            if isinstance(value, dict) and value.get("type") == "ndarray":
                config["arguments"][name] = np.array(value["value"])
        return cls(**config)


def _dumped(function: Any) -> tuple[Any, str]:
    if isinstance(function, types.LambdaType) and function.__name__ == "<lambda>":
        return func_dump(function), "lambda"
    return function.__name__, "function"


def _loaded(dumped: Any, kind: str, custom_objects: Any, what: str) -> Any:
    if kind == "lambda":
        check_code(dumped[0] if isinstance(dumped, (list, tuple)) else dumped, what)
        return func_load(dumped, globs={**globals(), **(custom_objects or {})})
    if kind != "function":
        raise TypeError("Unknown function type:", kind)
    return deserialize_keras_object(dumped, custom_objects=custom_objects, printable_module_name=what)


class Dense(KernelAndBias):
    """``activation(inputs . kernel + bias)``, over the last axis."""

    units = Argument()

    @interfaces.legacy_dense_support
    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        if "input_shape" not in kwargs and "input_dim" in kwargs:
            kwargs["input_shape"] = (kwargs.pop("input_dim"),)
        super().__init__(
            activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
        if not isinstance(units, (int, np.integer)) or units < 1:
            raise ValueError(f"The `units` of layer {self.name} should be a positive integer. Found: {units!r}")
        self.units = int(units)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        input_dim = input_shape[-1]
        if input_dim is None:
            raise ValueError("The last dimension of the inputs to `Dense` should be defined. Found `None`.")
        self._add_kernel((input_dim, self.units))
        self._add_bias((self.units,))
        self.input_spec = InputSpec(min_ndim=2, axes={-1: input_dim})
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        return self._finish(K.dot(inputs, self.kernel), "channels_last")

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)


class ActivityRegularization(Layer):
    """Penalises its inputs, and passes them on."""

    l1 = Argument()
    l2 = Argument()

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.l1 = l1
        self.l2 = l2
        self.activity_regularizer = regularizers.L1L2(l1=l1, l2=l2)


def __getattr__(name: str) -> Any:
    if name in ("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"):  # Keras has them here
        from . import spatial_dropout

        return getattr(spatial_dropout, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
