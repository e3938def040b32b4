"""What `import symgraph` loads: counted in modules, which do not depend on the machine's speed."""

from __future__ import annotations

import subprocess
import sys

import pytest

LIST = "import sys; before = set(sys.modules); import {}; print('\\n'.join(set(sys.modules) - before))"


def loaded_by(module: str) -> set[str]:
    command = [sys.executable, "-c", "import numpy, dataclasses, typing; " + LIST.format(module)]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("module", ["symgraph", "symgraph.keras"])
def test_heavy_packages_stay_out(module: str) -> None:
    heavy = {"h5py", "llvmlite", "networkx", "pydot", "scipy", "PIL", "IPython", "matplotlib", "pandas"}
    assert not heavy & loaded_by(module)


def test_importing_symgraph_loads_the_front_only() -> None:
    loaded = loaded_by("symgraph")
    assert not [m for m in loaded if m.startswith(("symgraph.codegen", "symgraph.keras", "symgraph.plotting"))]
    assert not {"asyncio", "multiprocessing", "urllib.request", "unittest", "importlib.metadata"} & loaded
    assert sum(m.startswith("symgraph") for m in loaded) <= 100  # all families of ops are in the registry
    assert len(loaded) <= 115
