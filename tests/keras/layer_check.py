"""One call that tests a layer: shapes, values, config, both model types, training, gradients, masking, dtypes.

:func:`layer_test` makes the layer anew for each question, so the layer's own state hides nothing. The expected values
come from a function of plain NumPy arrays, in float64.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras import layers
from symgraph.keras.models import Model, Sequential

Array = Any
#: What the layer computes: ``(input or list of inputs, weights in their order) -> output or list of outputs``.
Reference = Callable[[Any, list[Array]], Any]

EXACT = {"float64": 1e-9, "float32": 1e-4, "float16": 1e-2}


@dataclass(frozen=True, slots=True)
class _Case:
    cls: Any
    arguments: Callable[[str], dict[str, Any]]
    data: list[Array]
    several: bool
    custom_objects: dict[str, Any] | None

    def make(self, **more: Any) -> Any:
        return self.cls(**{**self.arguments(more.get("dtype", "float32")), **more})

    def inputs(self, batch: int | None, floats: str = "float32") -> list[Any]:
        return [
            layers.Input(batch_shape=(batch, *a.shape[1:]), dtype=floats if a.dtype.kind == "f" else str(a.dtype))
            for a in self.data
        ]

    def call(self, layer: Any, inputs: list[Any], **arguments: Any) -> Any:
        return layer(inputs if self.several else inputs[0], **arguments)

    def fed(self, samples: Any) -> Any:
        """Rows of the data, as models take them."""
        rows = [a[samples] for a in self.data]
        return rows if self.several else rows[0]

    def again(self, layer: Any) -> Any:
        described = json.loads(json.dumps(layers.serialize(layer)))
        return layers.deserialize(described, custom_objects=self.custom_objects)


def layer_test(
    cls: Any, arguments: dict[str, Any] | Callable[[str], dict[str, Any]], data: Any, reference: Reference | Array, *,
    trains: bool = True, differentiable: bool = True, mask_of: Callable[[Array], Array] | None = None,
    dtypes: Sequence[str] = ("float32",), formats: bool = True, batch_independent: bool = True,
    custom_objects: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    """Test the layer ``cls(**arguments)`` on ``data`` (an array, or a list of them) and return its output.

    Args:
        cls: the layer's class. Where it takes a data format and ``arguments`` do not fix it, the values are tested in
            both, and ``data`` and ``reference`` are of the channels-last one.
        arguments: of the constructor; or what gives them for a float type, where layers are among them.
        data: floats of any size, or integers.
        reference: the expected output (one array, or a list), or what computes it from the inputs and the weights.
        trains: whether a step of training moves every trainable weight.
        differentiable: whether to compare gradients with differences.
        mask_of: from the mask of the input to that of the output, for layers that support masking (else: the same).
        dtypes: float types to compute in besides float64.
        formats: whether to test ``channels_first``, too.
        batch_independent: whether the rows of the output depend on their own row of the input only.
        custom_objects: what deserialization needs to know.
    """
    several = isinstance(data, list)
    arrays = [np.asarray(a) for a in (data if several else [data])]
    given = arguments if callable(arguments) else lambda floats: arguments
    case = _Case(cls, given, arrays, several, custom_objects)
    layer, result = _check_values(case, reference, dtypes[0], batch_independent)
    for dtype in dtypes[1:]:
        _check_values(case, reference, dtype, batch_independent)
    _check_config(case, layer, result)
    _check_sequential(case, layer, result)
    if trains:
        _check_training(case, result)
    _check_doubles(case, reference, differentiable)
    _check_masking(case, mask_of)
    known = given("float32")
    takes_format = "data_format" in inspect.signature(cls.__init__).parameters and "data_format" not in known
    if formats and takes_format and arrays[0].ndim > 2 and known.get("padding") != "causal":
        first = replace(
            case,
            arguments=lambda floats: {**given(floats), "data_format": "channels_first"},
            data=[np.ascontiguousarray(np.moveaxis(a, -1, 1)) for a in arrays],
        )
        _check_values(first, _channels_first(reference), dtypes[0], batch_independent)
    return result


def _expected(case: _Case, reference: Any, fed: Any, weights: list[Array], some: Any = slice(None)) -> list[Array]:
    if not callable(reference):
        return [np.asarray(a)[some] for a in _listed(reference)]
    exact = [np.float64(a) if a.dtype.kind == "f" else a for a in (fed if case.several else [fed])]
    return _listed(reference(exact if case.several else exact[0], [np.float64(w) for w in weights]))


def _compare(name: str, found: Any, wanted: list[Array], floats: str) -> None:
    for got, want in zip(_listed(found), wanted, strict=True):
        assert got.dtype == floats, f"{name} gives {got.dtype}, {floats} expected"
        assert got.shape == np.shape(want), f"{name}: shape {got.shape}, expected {np.shape(want)}"
        np.testing.assert_allclose(got, want, EXACT[floats], EXACT[floats], err_msg=name)


def _check_values(case: _Case, reference: Any, floats: str, batch_independent: bool) -> tuple[Any, Any]:
    """Values and shapes, for several sizes of batches through one executable, and for a fixed size."""
    layer = case.make(dtype=floats)
    inputs = case.inputs(None, floats)
    out = case.call(layer, inputs)
    model = Model(inputs, out)
    total = len(case.data[0])
    result = model.predict_on_batch(case.fed(slice(None)))
    weights = layer.get_weights()
    assert {w.dtype for w in weights if w.dtype.kind == "f"} <= {np.dtype(floats)}
    _compare(layer.name, result, _expected(case, reference, case.fed(slice(None)), weights), floats)
    for some in [slice(0, 1), np.arange(2 * total) % total] if batch_independent else []:
        fed = case.fed(some)
        _compare(layer.name, model.predict_on_batch(fed), _expected(case, reference, fed, weights, some), floats)
    for batch, outputs in ((None, out), (total, case.call(layer, case.inputs(total, floats)))):
        shapes = [(batch, *a.shape[1:]) for a in case.data]
        declared = layer.compute_output_shape(shapes if case.several else shapes[0])
        known = [K.int_shape(x) for x in _listed(outputs)]
        want = [(batch if a.shape[:1] == (total,) else a.shape[0], *a.shape[1:]) for a in _listed(result)]
        assert known == want, f"{layer.name}: tensors of shape {known}, expected {want}"
        if declared is not None:
            assert [tuple(d) for d in (declared if isinstance(declared, list) else [declared])] == want
    return layer, result


def _check_config(case: _Case, layer: Any, result: Any) -> None:
    """The config survives JSON, and makes a layer (and a model) that computes the same with the same weights."""
    again = case.again(layer)
    assert type(again) is type(layer) and _plain(again.get_config()) == _plain(layer.get_config())
    inputs = case.inputs(None, layer.dtype)
    model = Model(inputs, case.call(again, inputs))
    again.set_weights(layer.get_weights())
    assert [w.name.split("/")[-1] for w in again.weights] == [w.name.split("/")[-1] for w in layer.weights]
    copy = Model.from_config(model.get_config(), custom_objects=case.custom_objects)
    copy.set_weights(model.get_weights())
    _same(copy.predict_on_batch(case.fed(slice(None))), result)
    named = case.make(name="of_mine", trainable=False)
    assert named.name == "of_mine" and not named.trainable and named.get_config()["name"] == "of_mine"


def _check_sequential(case: _Case, layer: Any, result: Any) -> None:
    """As the first layer of a sequential model, with the input's shape and without."""
    if case.several:
        return
    shape = (None, *case.data[0].shape[1:])
    if isinstance(result, list):
        with pytest.raises(ValueError, match="single output tensor"):
            Sequential([case.make(batch_input_shape=shape)])
        return
    model = Sequential([case.make(batch_input_shape=shape)])
    assert model.input_shape == shape
    model.set_weights(layer.get_weights())
    _same(model.predict_on_batch(case.fed(slice(None))), result)
    deferred = Sequential([case.make()])
    if not deferred.built:  # some layers know their input's shape by themselves
        deferred.build(shape)
        assert deferred.output_shape == model.output_shape
    deferred.set_weights(layer.get_weights())


def _check_training(case: _Case, result: Any) -> None:
    """A step moves every trainable weight; a layer that is not trainable has none."""
    layer = case.make()
    inputs = case.inputs(None)
    model = Model(inputs, case.call(layer, inputs))
    model.compile("rmsprop", "mse")
    targets = [a + 0.5 for a in _listed(result)]
    before = layer.get_weights()
    loss = model.train_on_batch(case.fed(slice(None)), targets if isinstance(result, list) else targets[0])
    assert np.isfinite(loss).all(), f"{layer.name}: the loss is {loss}"
    moving = {id(w) for w in layer.trainable_weights}
    for weight, old, new in zip(layer.weights, before, layer.get_weights(), strict=True):
        if id(weight) in moving:
            assert not np.array_equal(old, new), f"training does not change {weight.name}"
    layer.trainable = False
    assert not layer.trainable_weights and len(layer.non_trainable_weights) == len(before)


def _check_doubles(case: _Case, reference: Any, differentiable: bool) -> None:
    """In float64: the values, and the gradient along a random direction against a central difference."""
    layer = case.make(dtype="float64")
    inputs = case.inputs(None, "float64")
    outputs = _listed(case.call(layer, inputs))
    data = [np.float64(a) if a.dtype.kind == "f" else a for a in case.data]
    rng = np.random.default_rng(3)
    wanted = _expected(case, reference, data if case.several else data[0], layer.get_weights())
    loss: Any = K.constant(0.0, dtype="float64")
    for out, value in zip(outputs, wanted, strict=True):
        loss = loss + K.sum(out * K.constant(rng.normal(size=np.shape(value)), dtype="float64"))
    places = [x for x, a in zip(inputs, case.data, strict=True) if a.dtype.kind == "f"]
    wrt = [*places, *layer.trainable_weights] if differentiable else []
    pairs = [(x, g) for x, g in zip(wrt, K.gradients(loss, wrt), strict=True) if g is not None] if wrt else []
    f = K.function(inputs, [loss, *outputs, *(g for _, g in pairs)])
    values = f(data)
    _compare(layer.name, values[1 : 1 + len(outputs)], wanted, "float64")
    points = [next((a for y, a in zip(inputs, data, strict=True) if y is x), None) for x, _ in pairs]
    points = [K.get_value(x) if p is None else p for p, (x, _) in zip(points, pairs, strict=True)]
    directions = [rng.normal(size=p.shape) for p in points]

    def moved(step: float) -> float:
        fed = list(data)
        for (x, _), p, d in zip(pairs, points, directions, strict=True):
            if K.is_variable(x):
                K.set_value(x, p + step * d)
            else:
                fed[next(i for i, y in enumerate(inputs) if y is x)] = p + step * d
        return float(f(fed)[0])

    slope = sum(float((g * d).sum()) for g, d in zip(values[1 + len(outputs) :], directions, strict=True))
    if pairs:
        difference = (moved(1e-6) - moved(-1e-6)) / 2e-6
        assert slope == pytest.approx(difference, rel=2e-5, abs=1e-6), f"the gradient of {layer.name}"


def _check_masking(case: _Case, mask_of: Any) -> None:
    """A mask goes through, or is refused in Keras's words."""
    if case.several or case.data[0].dtype.kind != "f" or case.data[0].ndim < 3:
        return
    x = case.inputs(None)[0]
    masked = layers.Masking()(x)
    layer = case.make()
    if not layer.supports_masking and mask_of is None:
        refusal = f"Layer {layer.name} does not support masking, but was passed an input_mask"
        with pytest.raises(TypeError, match=refusal):
            layer(masked)
        return
    layer(masked)
    data = case.data[0].copy()
    data[0, -1] = 0.0
    mask = np.any(data != 0, -1)
    wanted = mask if mask_of is None else mask_of(mask)
    found = layer.output_mask
    if wanted is None:
        assert found is None or found == [None] * len(_listed(found)), f"{layer.name} has the mask {found}"
        return
    for one in [m for m in _listed(found) if m is not None]:
        np.testing.assert_array_equal(K.function([x], [one])([data])[0], wanted)
    assert any(m is not None for m in _listed(found)), f"{layer.name} drops the mask"


def _channels_first(reference: Any) -> Any:
    if not callable(reference):
        return _moved(np.asarray(reference))

    def of(x: Any, weights: list[Array]) -> Any:
        return _moved(reference(np.moveaxis(x, 1, -1), weights))

    return of


def _moved(a: Array) -> Array:
    return np.moveaxis(a, -1, 1) if np.ndim(a) > 2 else a


def _listed(x: Any) -> list[Any]:
    return x if isinstance(x, list) else [x]


def _same(found: Any, wanted: Any) -> None:
    for a, b in zip(_listed(found), _listed(wanted), strict=True):
        np.testing.assert_allclose(a, b, 1e-6, 1e-6)


def _plain(config: dict[str, Any]) -> Any:
    """A config as JSON has it; marshalled functions, which need not be equal, left out."""
    return json.loads(json.dumps({k: v for k, v in config.items() if k != "function"}))
