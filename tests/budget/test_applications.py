"""Kernels of deep networks of photographs: equal blocks share them, so their number does not follow the depth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgraph.codegen.plan import Plan
from symgraph.keras import applications, initializers
from symgraph.keras.applications import residual, resnet
from symgraph.keras.applications.building import Request


@pytest.fixture(autouse=True)
def cheap_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans do not depend on the weights, and large random ones take long to make."""
    monkeypatch.setattr(
        initializers.VarianceScaling, "__call__", lambda self, shape, dtype=None: np.zeros(shape, dtype or "float32")
    )


def plan(model: Any) -> Plan:
    found: Plan = model.predict_function.executable().stages.plan
    return found


def network(*depths: int) -> Any:
    request = Request(False, None, None, (32, 32, 3), "avg", 1000)
    return residual.residual_network(request, "network", resnet._VERSION, depths, resnet._RESNET50)


def test_the_number_of_kernels_does_not_grow_with_the_depth() -> None:
    few, many = plan(network(2, 2)), plan(network(3, 4))
    assert set(many.kernels) == set(few.kernels)
    assert len(many.steps) == len(few.steps) + 3 * 7


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kernels", "steps"), [("ResNet50", 50, 140), ("MobileNet", 53, 90), ("DenseNet121", 180, 385)]
)
def test_prediction_stays_within_its_budget(name: str, kernels: int, steps: int) -> None:
    found = plan(getattr(applications, name)(weights=None, input_shape=(64, 64, 3), classes=10))
    assert len(found.kernels) <= kernels
    assert len(found.steps) <= steps
