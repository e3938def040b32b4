"""An HDF5 file (or a group in it, or a plain dictionary) used as a dictionary."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..engine.hdf5_reading import DamagedFileError, child, dataset, has, names, text, values
from ..engine.hdf5_writing import write_names, write_text

#: Marks an attribute whose text is JSON.
_JSON = "json:"


class H5Dict:
    """Arrays are kept as data sets, strings and lists of strings as attributes, anything else that JSON holds as JSON.

    ``path``: a file's name, an open ``h5py.Group``, or a dictionary. A key that is not there makes a new group, which
    is an :class:`H5Dict` again, unless the file is read only. Reading follows no links and runs no code: values that
    Keras has pickled are not read.

    Raises:
        TypeError: for another kind of ``path``.
        ValueError: for a mode that is unknown, and when a read-only file is written to.
        DamagedFileError: for what is no HDF5 file, or holds what is not read.

    Example:
        >>> kept: dict = {}
        >>> state = H5Dict(kept)
        >>> state["layer"]["kernel"] = np.zeros(2)
        >>> list(state), kept["layer"]["kernel"].shape
        (['layer'], (2,))
    """

    def __init__(self, path: Any, mode: str = "a") -> None:
        if mode not in ("r", "w", "a", "r+", "w-", "x"):
            raise ValueError(f"H5Dict mode {mode!r} is none of r, r+, w, w-, x, a")
        self._file: Any = None
        self.read_only = mode == "r"
        if isinstance(path, dict):
            if mode == "w":
                path.clear()
            self.data: Any = path
            return
        import h5py

        if isinstance(path, h5py.Group):
            self.data = path
            self.read_only = self.read_only or path.file.mode == "r"
        elif isinstance(path, (str, os.PathLike, io.IOBase)):
            try:
                self._file = self.data = h5py.File(path, mode)
            except OSError as error:
                if isinstance(error, (FileNotFoundError, PermissionError, FileExistsError)):
                    raise
                raise DamagedFileError(f"{path} is not an HDF5 file: {error}") from error
        else:
            raise TypeError(f"H5Dict takes a file name, an h5py group or a dictionary, not {type(path).__name__}")

    @staticmethod
    def is_supported_type(path: Any) -> bool:
        """Whether ``path`` is a dictionary, an open group, or the name of an HDF5 file."""
        if isinstance(path, dict):
            return True
        import h5py

        if isinstance(path, (str, os.PathLike)):
            return bool(os.path.exists(path) and h5py.is_hdf5(path))
        return isinstance(path, h5py.Group)

    def __setitem__(self, attr: str, val: Any) -> None:
        if self.read_only:
            raise ValueError("Cannot set item in read-only mode.")
        if not isinstance(attr, str):
            raise TypeError(f"keys of an H5Dict are strings, not {type(attr).__name__}")
        if isinstance(self.data, dict):
            self.data[attr] = val
            return
        if attr in self:
            raise KeyError(f"Cannot set attribute. Group with name {attr!r} exists.")
        if isinstance(val, (dict, H5Dict)):
            self.data.create_group(attr)
            self[attr].update(val)
        elif isinstance(val, (np.ndarray, np.generic)) and np.asarray(val).dtype.kind in "fiub":
            self.data.create_dataset(attr, data=val)
        elif isinstance(val, (str, bytes)):
            write_text(self.data, attr, val if isinstance(val, str) else val.decode("utf-8"))
        elif isinstance(val, (list, tuple)) and val and all(isinstance(v, (str, bytes)) for v in val):
            write_names(self.data, attr, val)
        else:
            write_text(self.data, attr, _JSON + json.dumps(val))

    def __getitem__(self, attr: str) -> Any:
        """The array, string, list or value under a key, or the group there as an :class:`H5Dict`."""
        if isinstance(self.data, dict):
            if attr not in self.data and not self.read_only:
                self.data[attr] = {}
            found = self.data[attr]
            return self._inner(found) if isinstance(found, dict) else found
        if has(self.data, attr):
            import h5py

            inner = child(self.data, attr)
            return self._inner(inner) if isinstance(inner, h5py.Group) else values(dataset(self.data, attr))
        if attr in self:
            return self._attribute(attr)
        if self.read_only:
            raise KeyError(f"there is no {attr!r} in {self.data.name!r}")
        return self._inner(self.data.create_group(attr))

    def _inner(self, group: Any) -> H5Dict:
        return H5Dict(group, "r" if self.read_only else "a")

    def _attribute(self, attr: str) -> Any:
        listed = names(self.data, attr)
        if listed is not None and (attr not in self.data.attrs or np.ndim(self.data.attrs[attr])):
            return listed
        value = text(self.data, attr) or ""
        if not value.startswith(_JSON):
            return value
        try:
            return json.loads(value[len(_JSON) :])
        except ValueError as error:
            raise DamagedFileError(f"The file is damaged: attribute {attr!r} is not JSON ({error})") from error

    def __contains__(self, key: str) -> bool:
        if isinstance(self.data, dict):
            return key in self.data
        return has(self.data, key) or key in self.data.attrs or f"{key}0" in self.data.attrs

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def iter(self) -> Iterator[str]:
        """The keys of groups and arrays."""
        return iter(self.data)

    def get(self, key: str, default: Any = None) -> Any:
        """What is under ``key``, or ``default``; makes no group."""
        if key not in self:
            return default
        return self[key]

    def update(self, *args: Any) -> None:
        """Set the items of dictionaries."""
        for other in args:
            for key in other:
                self[key] = other[key]

    def close(self) -> None:
        """Write what is pending and close the file, where this opened it."""
        if self._file is not None:
            self._file.close()
            self.read_only = True

    def __enter__(self) -> H5Dict:
        return self

    def __exit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        self.close()


h5dict = H5Dict
