"""Fixtures of the Keras tests."""

from __future__ import annotations

import pytest

from symgraph.keras import backend as K


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh Keras session on the NumPy target (nothing here depends on the target)."""
    monkeypatch.setenv("SYMGRAPH_TARGET", "numpy")
    K.clear_session()
