"""Layers against the recorded facts of Keras 2.3.1: weights in order, config keys and values, masking, old names."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import pytest

from symgraph.keras import backend as K
from symgraph.keras import layers

from .test_spec import SPEC

pytestmark = [
    pytest.mark.usefixtures("session"),
    pytest.mark.skipif(not SPEC.exists(), reason=f"the recorded API is not at {SPEC}"),
]
FACTS: dict[str, Any] = json.loads(SPEC.read_text()) if SPEC.exists() else {"layers": {}, "modules": {}}
RECORDED = {
    (module, name): found
    for module, recorded in FACTS["modules"].items()
    if module.startswith(("keras.layers.", "keras.legacy."))
    for name, found in recorded.get("classes", {}).items()
}
CLASSES = {(module, name): found for (module, name), found in RECORDED.items() if hasattr(layers, name)}


def _made(example: str) -> tuple[Any, Any]:
    """The layer of an example, and the shapes that it is called on."""
    call, _, shapes = example.partition(" on input shape ")
    names = {name: getattr(layers, name) for name in re.findall(r"\b[A-Z]\w+(?=\()", call)}
    layer = eval(call.replace("<function>", "lambda x: x"), names)
    return layer, [ast.literal_eval(s) for s in shapes.split(" and ")] if shapes else None


@pytest.mark.parametrize("name", [n for n in FACTS["layers"] if hasattr(layers, n.split()[0])])
def test_weights_and_config(name: str) -> None:
    fact = FACTS["layers"][name]
    layer, shapes = _made(fact["example"])
    if shapes is not None:
        inputs = [layers.Input(batch_shape=s) for s in shapes]
        layer(inputs if len(inputs) > 1 else inputs[0])
    else:
        layer.build((None, 6, 2) if "Cell" not in name else (None, 2))
    found = [(w.name.partition("/")[2], list(K.int_shape(w))) for w in layer.weights]
    assert found == [(w["role"], w["shape"]) for w in fact["weights"]]
    config = layer.get_config()
    # Keras's AlphaDropout forgets these two; its constructor takes them.
    more = {"noise_shape", "seed"} if name == "AlphaDropout" else set()
    assert set(config) == set(fact["config"]) | more
    plain = json.loads(json.dumps(config))
    differing = {k: (plain[k], v) for k, v in fact["config_values"].items() if plain[k] != v and k != "name"}
    assert not differing


@pytest.mark.parametrize(("module", "name"), list(CLASSES))
def test_masking_is_supported_where_keras_does(module: str, name: str) -> None:
    if name not in FACTS["layers"]:
        pytest.skip("no example of this layer is recorded")
    layer, _ = _made(FACTS["layers"][name]["example"])
    if name in ("Embedding", "Lambda"):
        pytest.skip("it depends on the arguments")
    lineage, supported = [name], False
    while lineage:
        current = lineage.pop()
        found = next((f for (_, n), f in RECORDED.items() if n == current), {})
        supported |= "supports_masking" in found.get("attributes", [])
        lineage += found.get("bases", [])
    merge = module == "keras.layers.merge"
    assert layer.supports_masking == (supported or merge)


@pytest.mark.parametrize(
    ("name", "rule"), [(n, f["keras1_arguments"]) for (_, n), f in CLASSES.items() if "keras1_arguments" in f]
)
def test_old_argument_names_are_taken(name: str, rule: str) -> None:
    known = set()
    for base in getattr(layers, name).__mro__:
        known |= set(getattr(vars(base).get("__init__"), "old_names", ()))
    assert {old for old, _ in FACTS["keras1_arguments"][rule].get("conversions", [])} <= known
