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
    dtypes: Sequence[str] = ("float32", "float64"), formats: bool = True, batch_independent: bool = True,
    custom_objects: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    """Test the layer ``cls(**arguments)`` on ``data`` (an array, or a list of them) and return its output.

    Args:
        cls: the layer's class. Where it takes a data format and ``arguments`` do not fix it, the layer is tested in
            both, and ``data`` and ``reference`` are of the channels-last one.
        arguments: of the constructor; or what gives them for a float type, where layers are among them.
        data: floats of any size, or integers.
        reference: the expected output (one array, or a list), or what computes it from the inputs and the weights.
        trains: whether a step of training moves every trainable weight.
        differentiable: whether to compare gradients with differences.
        mask_of: from the mask of the input to that of the output, for layers that support masking (else: the same).
        dtypes: float types to compute in.
        formats: whether to test ``channels_first``, too.
        batch_independent: whether the rows of the output depend on their own row of the input only.
        custom_objects: what deserialization needs to know.
    """
    several = isinstance(data, list)
    arrays = [np.asarray(a) for a in (data if several else [data])]
    given = arguments if callable(arguments) else lambda floats: arguments
    case = _Case(cls, given, arrays, several, custom_objects)
    result = _check(case, reference, trains, differentiable, mask_of, dtypes, batch_independent)
    known = given("float32")
    takes_format = "data_format" in inspect.signature(cls.__init__).parameters and "data_format" not in known
    if formats and takes_format and arrays[0].ndim > 2 and known.get("padding") != "causal":
        first = replace(
            case,
            arguments=lambda floats: {**given(floats), "data_format": "channels_first"},
            data=[np.ascontiguousarray(np.moveaxis(a, -1, 1)) for a in arrays],
        )
        flipped = _channels_first(reference)
        found = _check(first, flipped, trains, differentiable, mask_of, dtypes[:1], batch_independent)
        np.testing.assert_allclose(found.shape, _moved(result).shape)
    return result


def _check(
    case: _Case, reference: Any, trains: bool, differentiable: bool, mask_of: Any, dtypes: Sequence[str],
    batch_independent: bool,
) -> Any:  # fmt: skip
    layer, result = _check_values(case, reference, dtypes[0], batch_independent)
    for dtype in dtypes[1:]:
        _check_values(case, reference, dtype, batch_independent)
    _check_config(case, layer, result)
    _check_sequential(case, layer, result)
    if trains:
        _check_training(case, layer, result)
    if differentiable:
        _check_gradients(case)
    _check_masking(case, mask_of)
    return result


def _check_values(case: _Case, reference: Any, floats: str, batch_independent: bool) -> tuple[Any, Any]:
    """Values and shapes, for several sizes of batches through one executable, and for a fixed size."""
    layer = case.make(dtype=floats)
    inputs = case.inputs(None, floats)
    out = case.call(layer, inputs)
    model = Model(inputs, out)
    total = len(case.data[0])
    result = model.predict_on_batch(case.fed(slice(None)))
    weights = layer.get_weights()
    assert [w.dtype for w in weights if w.dtype.kind == "f"] == [floats for w in weights if w.dtype.kind == "f"]
    samples = [slice(None)] + ([slice(0, 1), np.arange(2 * total) % total] if batch_independent else [])
    for some in samples:
        fed = case.fed(some)
        exact = [np.float64(a) if a.dtype.kind == "f" else a for a in (fed if case.several else [fed])]
        wanted = reference
        if callable(reference):
            wanted = reference(exact if case.several else exact[0], [np.float64(w) for w in weights])
        elif batch_independent:
            wanted = [np.asarray(a)[some] for a in _listed(reference)]
        for got, want in zip(_listed(model.predict_on_batch(fed)), _listed(wanted), strict=True):
            assert got.dtype == floats, f"{layer.name} gives {got.dtype}, {floats} expected"
            assert got.shape == np.shape(want), f"{layer.name}: shape {got.shape}, expected {np.shape(want)}"
            np.testing.assert_allclose(got, want, EXACT[floats], EXACT[floats], err_msg=layer.name)
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
    floats = layer.dtype
    inputs = case.inputs(None, floats)
    model = Model(inputs, case.call(again, inputs))
    again.set_weights(layer.get_weights())
    _same(model.predict_on_batch(case.fed(slice(None))), result)
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
    first = Sequential([case.make(batch_input_shape=shape)])
    assert first.input_shape == shape
    if isinstance(result, list):
        return
    deferred = Sequential([case.make()])
    deferred.build(shape)
    for model in (first, deferred):
        model.set_weights(layer.get_weights())
        _same(model.predict_on_batch(case.fed(slice(None))), result)


def _check_training(case: _Case, layer: Any, result: Any) -> None:
    """A step moves every trainable weight, and none once the layer is not trainable."""
    for trainable in (True, False):
        trained = case.make(trainable=trainable)
        inputs = case.inputs(None)
        model = Model(inputs, case.call(trained, inputs))
        model.compile("rmsprop", "mse")
        targets = [a + 0.5 for a in _listed(result)]
        before = trained.get_weights()
        loss = model.train_on_batch(case.fed(slice(None)), targets if isinstance(result, list) else targets[0])
        assert np.isfinite(loss).all(), f"{trained.name}: the loss is {loss}"
        moving = {id(w) for w in trained.trainable_weights}
        for weight, old, new in zip(trained.weights, before, trained.get_weights(), strict=True):
            if trainable and id(weight) in moving:
                assert not np.array_equal(old, new), f"training does not change {weight.name}"
            if not trainable:
                np.testing.assert_array_equal(old, new, err_msg=weight.name)


def _check_gradients(case: _Case) -> None:
    """The gradient along a random direction against a central difference, in float64."""
    layer = case.make(dtype="float64")
    inputs = case.inputs(None, "float64")
    outputs = _listed(case.call(layer, inputs))
    rng = np.random.default_rng(3)
    places = [x for x, a in zip(inputs, case.data, strict=True) if a.dtype.kind == "f"]
    wrt = [*places, *layer.trainable_weights]
    if not wrt:
        return
    sizes = K.function(inputs, outputs)(list(case.data))
    factors = [rng.normal(size=a.shape) for a in sizes]
    loss: Any = 0.0
    for out, factor in zip(outputs, factors, strict=True):
        loss = loss + K.sum(out * K.constant(factor, dtype="float64"))
    grads = [g for g in K.gradients(loss, wrt) if g is not None]
    known = [x for x, g in zip(wrt, K.gradients(loss, wrt), strict=True) if g is not None]
    f = K.function(inputs, [loss, *grads])
    data = [np.float64(a) if a.dtype.kind == "f" else a for a in case.data]
    points = [data[inputs.index(x)] if x in inputs else K.get_value(x) for x in known]
    directions = [rng.normal(size=p.shape) for p in points]
    _, *values = f(data)
    slope = sum(float((g * d).sum()) for g, d in zip(values, directions, strict=True))

    def moved(step: float) -> float:
        fed = list(data)
        for x, p, d in zip(known, points, directions, strict=True):
            if x in inputs:
                fed[inputs.index(x)] = p + step * d
            else:
                K.set_value(x, p + step * d)
        return float(f(fed)[0])

    step = 1e-6
    difference = (moved(step) - moved(-step)) / (2 * step)
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
