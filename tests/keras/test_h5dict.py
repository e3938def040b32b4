"""H5Dict over files, groups and dictionaries."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgraph.keras.engine.hdf5_reading import DamagedFileError
from symgraph.keras.utils import H5Dict
from symgraph.keras.utils.io_utils import h5dict

h5py = pytest.importorskip("h5py")


def _fill(state: Any) -> None:
    state["kernel"] = np.arange(6.0).reshape(2, 3)
    state["count"] = np.int64(7)
    state["name"] = "dense é"
    state["weight_names"] = ["kernel", "bias"]
    state["many"] = [f"{i:0100d}" for i in range(2000)]
    state["config"] = {"units": 3}
    state["nested"]["inner"]["bias"] = np.zeros(3)


def _check(state: Any) -> None:
    np.testing.assert_array_equal(state["kernel"], np.arange(6.0).reshape(2, 3))
    assert state["count"] == 7 and state["name"] == "dense é" and list(state["weight_names"]) == ["kernel", "bias"]
    assert len(state["many"]) == 2000 and state["many"][1999].endswith("1999")
    assert state["nested"]["inner"]["bias"].shape == (3,)
    assert state["config"].get("units") == 3
    assert "nested" in state and "absent" not in state and state.get("absent", 5) == 5
    assert {"kernel", "nested", "count", "config"} <= set(state) and len(state) >= 4 and set(state.iter()) == set(state)


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "state.h5"
    with H5Dict(path, "w") as state:
        _fill(state)
        with pytest.raises(KeyError, match="exists"):
            state["kernel"] = np.zeros(1)
        with pytest.raises(TypeError, match="strings"):
            state[3] = 1
        state.update({"more": np.ones(2)}, {"and_more": [1, None, {"a": 2.5}]})
        with pytest.raises(TypeError, match="not JSON serializable"):
            state["object"] = object()
    assert H5Dict.is_supported_type(str(path))
    with h5dict(str(path), "r") as state:
        _check(state)
        assert state["more"].sum() == 2 and state["and_more"] == [1, None, {"a": 2.5}]
        with pytest.raises(ValueError, match="read-only"):
            state["new"] = 1
        with pytest.raises(ValueError, match="read-only"):
            state["nested"]["new"] = 1
        with pytest.raises(KeyError, match="absent"):
            state["absent"]
    with h5py.File(path, "r") as file:
        assert H5Dict(file).read_only and H5Dict.is_supported_type(file)


def test_a_dictionary() -> None:
    kept: dict[str, Any] = {}
    _fill(H5Dict(kept))
    _check(H5Dict(kept))
    assert H5Dict.is_supported_type(kept) and set(H5Dict(kept, "w")) == set()


def test_refusals(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no HDF5")
    assert not H5Dict.is_supported_type(tmp_path / "text") and not H5Dict.is_supported_type(3)
    with pytest.raises(DamagedFileError, match="not an HDF5 file"):
        H5Dict(tmp_path / "text", "r")
    with pytest.raises(FileNotFoundError):
        H5Dict(tmp_path / "absent", "r")
    with pytest.raises(TypeError, match="takes a file name"):
        H5Dict(3)
    with pytest.raises(ValueError, match="mode"):
        H5Dict({}, "q")
    with h5py.File(tmp_path / "linked.h5", "w") as file:
        file["away"] = h5py.ExternalLink("/etc/passwd", "/")
        file.attrs["pickled"] = np.void(pickle.dumps([1]))
    state = H5Dict(tmp_path / "linked.h5", "r")
    with pytest.raises(DamagedFileError, match="not followed"):
        state["away"]
    with pytest.raises(DamagedFileError, match="pickled"):
        state["pickled"]
    state.close()
