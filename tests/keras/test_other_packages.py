"""What layers of other packages for Keras 2 take for granted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgraph import keras
from symgraph.keras import backend as K
from symgraph.keras import layers, models


class Twice(layers.Layer):
    def call(self, x: Any) -> Any:
        return 2 * x


def test_a_lambda_read_from_a_file_finds_custom_objects(tmp_path: Path) -> None:
    model = models.Sequential([layers.Lambda(lambda x: Twice()(x), input_shape=(3,))])
    model.save(str(tmp_path / "model.h5"))
    read = models.load_model(
        str(tmp_path / "model.h5"), custom_objects={"Twice": Twice}, compile=False, safe_mode=False
    )
    np.testing.assert_array_equal(read.predict(np.ones((2, 3))), np.full((2, 3), 2.0))


def test_a_property_that_fails_says_why() -> None:
    class Faulty(models.Model):
        @property
        def updates(self) -> Any:
            return self.absent_part

    model = Faulty(x := layers.Input((2,)), layers.Dense(1)(x))
    with pytest.raises(AttributeError, match="absent_part"):
        _ = model.updates
    with pytest.raises(AttributeError, match="'Faulty' object has no attribute 'odd'"):
        _ = model.odd


def test_the_value_of_what_is_no_variable() -> None:
    kernel = K.variable(np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(K.get_value(K.sum(kernel, 0)), [3, 5, 7])
    assert K.int_shape(K.zeros(3)) == K.int_shape(K.ones((3,))) == (3,)
    K.set_value(kernel, kernel * 2)
    np.testing.assert_array_equal(K.get_value(kernel), [[0, 2, 4], [6, 8, 10]])


@pytest.mark.parametrize("name", ["applications", "datasets", "preprocessing", "wrappers"])
def test_parts_that_import_keras_alone_gives(name: str) -> None:
    assert getattr(keras, name).__name__ == f"symgraph.keras.{name}"


def test_the_backend_has_its_tensorflow_name() -> None:
    assert keras.backend.tensorflow_backend.square is K.square


@pytest.mark.parametrize("args", [((3,), "scale"), ((3,),), ("scale", (3,)), ()])
def test_weights_are_added_shape_first_too(args: Any) -> None:
    class Scale(layers.Layer):
        def build(self, input_shape: Any) -> None:
            given: dict[str, Any] = {} if "scale" in args else {"name": "scale"}
            if not args:
                given["shape"] = (3,)
            self.scale = self.add_weight(*args, initializer="ones", **given)
            super().build(input_shape)

        def call(self, x: Any) -> Any:
            return x * self.scale

    layer = Scale()
    layer(layers.Input((3,)))
    assert K.int_shape(layer.scale) == (3,)
    assert layer.scale.name.endswith("/scale")
