"""Keras 1's argument names, which still work, with a warning."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
_VALUES: dict[str, dict[str, Any]] = {
    "consume_less": {"cpu": 1, "mem": 1, "gpu": 2},
    "dim_ordering": {"tf": "channels_last", "th": "channels_first", "default": None},
    "forget_bias_init": {"one": True, "ones": True, "zero": False, "zeros": False},
}


def renamed_arguments(**names: str) -> Callable[[F], F]:
    """A constructor that also takes old names (keys) for its arguments (values).

    Raises:
        TypeError: in a call that gives an argument under both names.
    """

    def decorate(init: F) -> F:
        @functools.wraps(init)
        def wrapped(self: Any, *args: Any, **kwargs: Any) -> None:
            old = [name for name in names if name in kwargs]
            for name in old:
                new = names[name]
                if new in kwargs:
                    raise TypeError(f"`{type(self).__name__}` got {new!r} twice: also under its old name {name!r}")
                value = kwargs.pop(name)
                kwargs[new] = _VALUES.get(name, {}).get(value, value) if isinstance(value, str) else value
            if old:
                pairs = ", ".join(f"{name} -> {names[name]}" for name in old)
                warnings.warn(
                    f"Update your `{type(self).__name__}` call to the Keras 2 API: {pairs}", stacklevel=2
                )
            init(self, *args, **kwargs)

        wrapped.old_names = frozenset(names)  # type: ignore[attr-defined]
        return wrapped  # type: ignore[return-value]

    return decorate


legacy_dense_support = renamed_arguments(
    output_dim="units",
    init="kernel_initializer",
    W_regularizer="kernel_regularizer",
    b_regularizer="bias_regularizer",
    W_constraint="kernel_constraint",
    b_constraint="bias_constraint",
    bias="use_bias",
)
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
    nb_filter="filters", subsample="strides", border_mode="padding", dim_ordering="data_format", bias="use_bias",
    **_GATES,
)  # fmt: skip
legacy_input_support = renamed_arguments(input_dtype="dtype")
