"""``import keras`` and ``import tensorflow.keras``, answered by symgraph's Keras.

:func:`install` puts a finder at the front of ``sys.meta_path``. It maps ``keras.x.y`` and ``tensorflow.keras.x.y`` onto
the module ``symgraph.keras.x.y`` itself (one object under all three names, so classes are the same classes), and
``tensorflow`` onto :mod:`symgraph.keras._tensorflow`, which has ``keras`` and TensorFlow's functions on tensors.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

OURS = "symgraph.keras"
STAND_IN = "symgraph.keras._tensorflow"
#: What a name stands for; the longest that a module's name starts with counts.
ALIASES = {
    "tensorflow.compat.v1.keras": OURS,
    "tensorflow.python.keras": OURS,
    "tensorflow.compat.v1": STAND_IN,
    "tensorflow.compat": STAND_IN,
    "tensorflow.python": STAND_IN,
    "tensorflow.keras": OURS,
    "tensorflow": STAND_IN,
    "keras": OURS,
}


class _AliasLoader(Loader):
    """Loads a module under a second name: the module object is that of ``name``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._own_spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._name)
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just written the alias's spec into the module; it keeps its own.
        module.__spec__ = self._own_spec


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        for alias, ours in ALIASES.items():
            if fullname == alias or fullname.startswith(alias + "."):
                return _alias_spec(fullname, ours + fullname[len(alias) :])
        return None


def _alias_spec(fullname: str, name: str) -> ModuleSpec:
    found = importlib.util.find_spec(name)
    if found is None:
        raise ModuleNotFoundError(
            f"No module named {fullname!r} (symgraph.keras stands in for keras here, and there is no {name})",
            name=fullname,
        )
    is_package = found.submodule_search_locations is not None
    return ModuleSpec(fullname, _AliasLoader(name), origin=found.origin, is_package=is_package)


def install() -> None:
    """From now on, ``import keras`` and ``import tensorflow.keras`` in this process give symgraph's Keras.

    Calling it again changes nothing.

    Raises:
        ImportError: if another ``keras`` or ``tensorflow`` has been imported already.

    Example:
        >>> import symgraph.keras
        >>> symgraph.keras.install()
        >>> from keras.layers import Dense
        >>> Dense is symgraph.keras.layers.Dense
        True
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    for name in ("keras", "tensorflow"):
        module = sys.modules.get(name)
        if module is not None:
            place = getattr(module, "__file__", None) or "an unknown place"
            message = f"{name!r} is already imported, from {place}; call symgraph.keras.install() before that"
            raise ImportError(message, name=name)
    sys.meta_path.insert(0, _Finder())
