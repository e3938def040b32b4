"""Models that other packages saved, with what they predict: the zip files in ``fixtures``."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class StoredModels:
    """The bytes of each file, and arrays by the name of their model: ``<name>/x0`` is an input, ``<name>/y0`` an
    output."""

    files: dict[str, bytes]
    arrays: dict[str, Any]

    def expected(self, key: str, kind: str) -> list[Any]:
        """The arrays of one kind, such as ``x`` or ``y``, of a model, in order."""
        count = sum(name.startswith(f"{key}/{kind}") for name in self.arrays)
        return [self.arrays[f"{key}/{kind}{i}"] for i in range(count)]


@cache
def stored_models(name: str) -> StoredModels:
    """What a zip file in ``fixtures`` holds."""
    with zipfile.ZipFile(Path(__file__).parent / "fixtures" / name) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with np.load(io.BytesIO(files.pop("expected.npz"))) as arrays:
        return StoredModels(files, dict(arrays))
