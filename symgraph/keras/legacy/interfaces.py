"""Keras 1's argument names, which still work, with a warning."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
#: Changes the arguments of a call where Keras 1 had other ones; gives them, and what it changed ("old -> new").
Prepare = Callable[[tuple[Any, ...], dict[str, Any]], tuple[tuple[Any, ...], list[str]]]
_VALUES: dict[str, dict[str, Any]] = {
    "consume_less": {"cpu": 1, "mem": 1, "gpu": 2},
    "dim_ordering": {"tf": "channels_last", "th": "channels_first", "default": None},
    "forget_bias_init": {"one": True, "ones": True, "zero": False, "zeros": False},
}


def renamed_arguments(prepare: Prepare | None = None, /, **names: str) -> Callable[[F], F]:
    """A constructor that also takes old names (keys) for its arguments (values), after ``prepare`` saw them.

    Raises:
        TypeError: in a call that gives an argument under both names.
    """

    def decorate(init: F) -> F:
        @functools.wraps(init)
        def wrapped(self: Any, *args: Any, **kwargs: Any) -> None:
            changed: list[str] = []
            if prepare is not None:
                args, changed = prepare(args, kwargs)
            for name in [name for name in names if name in kwargs]:
                new = names[name]
                if new in kwargs:
                    raise TypeError(f"`{type(self).__name__}` got {new!r} twice: also under its old name {name!r}")
                value = kwargs.pop(name)
                kwargs[new] = _VALUES.get(name, {}).get(value, value) if isinstance(value, str) else value
                changed.append(f"{name} -> {new}")
            if changed:
                warnings.warn(
                    f"Update your `{type(self).__name__}` call to the Keras 2 API: " + ", ".join(changed), stacklevel=2
                )
            init(self, *args, **kwargs)

        wrapped.old_names = frozenset(names)  # type: ignore[attr-defined]
        return wrapped  # type: ignore[return-value]

    return decorate


def legacy_add_weight_support(add_weight: F) -> F:
    """``add_weight`` that also takes Keras 1's order, the shape before the name, without a warning, as Keras 2."""

    @functools.wraps(add_weight)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], (tuple, list)):
            kwargs["shape"], *rest = args
            if rest and isinstance(rest[0], str):
                kwargs["name"], *rest = rest
            args = tuple(rest)
        return add_weight(self, *args, **kwargs)

    return wrapped  # type: ignore[return-value]


def legacy_get_updates_support(get_updates: F) -> F:
    """``get_updates(loss, params)`` of an optimizer that also takes Keras 1's ``(params, constraints, loss)``.

    Raises:
        TypeError: for constraints, which belong to the weights now.
    """

    @functools.wraps(get_updates)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 3 or (args and isinstance(args[0], (list, tuple)) and "params" not in kwargs):
            for name, value in zip(("params", "constraints", "loss"), args, strict=False):
                if name in kwargs:
                    raise TypeError(f"`{type(self).__name__}.get_updates` got {name!r} twice")
                kwargs[name] = value
            args = ()
        if kwargs.pop("constraints", None):
            raise TypeError(
                f"`{type(self).__name__}.get_updates` takes no constraints: give them to the weights, as in "
                "`Dense(3, kernel_constraint=...)`"
            )
        return get_updates(self, *args, **kwargs)

    return wrapped  # type: ignore[return-value]


def _sides(*names: str) -> Prepare:
    """Sides of a kernel, each an argument of its own, as one ``kernel_size``."""

    def prepare(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], list[str]]:
        changed: list[str] = []
        if kwargs.pop("output_shape", None) is not None:
            changed.append("output_shape -> (found from the input)")
        given = [args[1:][k] if len(args) > 1 + k else kwargs.get(name) for k, name in enumerate(names)]
        if not all(isinstance(side, int) for side in given):
            return args, changed
        for name in names:
            kwargs.pop(name, None)
        kwargs["kernel_size"] = tuple(given)
        rest = args[1 + len(names) :]
        if rest:  # the transposed convolution of Keras 1 takes an output shape here
            changed.append("output_shape -> (found from the input)")
        return args[:1], [*changed, "/".join(names) + " -> kernel_size"]

    return prepare


def _separable_sides(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], list[str]]:
    """Both kernels start alike."""
    args, changed = _sides("nb_row", "nb_col")(args, kwargs)
    if "init" in kwargs:
        kwargs["depthwise_initializer"] = kwargs["pointwise_initializer"] = kwargs.pop("init")
        changed.append("init -> depthwise_initializer/pointwise_initializer")
    return args, changed


def _input_steps(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], list[str]]:
    """``input_dim`` and ``input_length`` as an ``input_shape``."""
    if "input_dim" not in kwargs:
        return args, []
    kwargs["input_shape"] = (kwargs.pop("input_length", None), kwargs.pop("input_dim"))
    return args, ["input_dim -> input_shape"]


legacy_dense_support = renamed_arguments(
    output_dim="units",
    init="kernel_initializer",
    W_regularizer="kernel_regularizer",
    b_regularizer="bias_regularizer",
    W_constraint="kernel_constraint",
    b_constraint="bias_constraint",
    bias="use_bias",
)
_CONVOLUTION = {
    "nb_filter": "filters",
    "border_mode": "padding",
    "init": "kernel_initializer",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "bias": "use_bias",
}
_IMAGES = {**_CONVOLUTION, "subsample": "strides", "dim_ordering": "data_format"}
_WINDOWS = {"border_mode": "padding", "dim_ordering": "data_format"}
legacy_conv1d_support = renamed_arguments(
    _input_steps, filter_length="kernel_size", subsample_length="strides", **_CONVOLUTION
)
legacy_conv2d_support = renamed_arguments(_sides("nb_row", "nb_col"), **_IMAGES)
legacy_deconv2d_support = renamed_arguments(_sides("nb_row", "nb_col"), **_IMAGES)
legacy_separable_conv2d_support = renamed_arguments(
    _separable_sides, **{old: new for old, new in _IMAGES.items() if not new.startswith("kernel_")}
)
legacy_conv3d_support = renamed_arguments(_sides("kernel_dim1", "kernel_dim2", "kernel_dim3"), **_IMAGES)
legacy_pooling1d_support = renamed_arguments(pool_length="pool_size", stride="strides", border_mode="padding")
legacy_pooling2d_support = renamed_arguments(**_WINDOWS)
legacy_pooling3d_support = renamed_arguments(**_WINDOWS)
legacy_global_pooling_support = renamed_arguments(dim_ordering="data_format")
legacy_upsampling1d_support = renamed_arguments(length="size")
legacy_upsampling2d_support = renamed_arguments(dim_ordering="data_format")
legacy_upsampling3d_support = renamed_arguments(dim_ordering="data_format")
legacy_zeropadding2d_support = renamed_arguments(dim_ordering="data_format")
legacy_zeropadding3d_support = renamed_arguments(dim_ordering="data_format")
legacy_cropping2d_support = renamed_arguments(dim_ordering="data_format")
legacy_cropping3d_support = renamed_arguments(dim_ordering="data_format")
legacy_lambda_support = renamed_arguments()
legacy_dropout_support = renamed_arguments(p="rate")
legacy_embedding_support = renamed_arguments(
    init="embeddings_initializer", W_regularizer="embeddings_regularizer", W_constraint="embeddings_constraint"
)
legacy_batchnorm_support = renamed_arguments(beta_init="beta_initializer", gamma_init="gamma_initializer")
legacy_prelu_support = renamed_arguments(init="alpha_initializer")
legacy_gaussiannoise_support = renamed_arguments(sigma="stddev")
legacy_gaussiandropout_support = renamed_arguments(p="rate")
legacy_spatialdropout1d_support = renamed_arguments(p="rate")
legacy_spatialdropoutNd_support = renamed_arguments(p="rate", dim_ordering="data_format")
_GATES = {
    "init": "kernel_initializer",
    "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation",
    "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "b_regularizer": "bias_regularizer",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
    "forget_bias_init": "unit_forget_bias",
}
legacy_recurrent_support = renamed_arguments(output_dim="units", consume_less="implementation", **_GATES)
legacy_convlstm2d_support = renamed_arguments(
    _sides("nb_row", "nb_col"), nb_filter="filters", subsample="strides", border_mode="padding",
    dim_ordering="data_format", bias="use_bias", **_GATES,
)  # fmt: skip
legacy_input_support = renamed_arguments(input_dtype="dtype")
legacy_model_constructor_support = renamed_arguments(input="inputs", output="outputs")
