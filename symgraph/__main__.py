"""``python -m symgraph``: what symgraph finds on this machine, and whether it computes right there.

Exit status 0 if every target that can serve here gives the right values, 1 otherwise. ``--json`` prints the same as one
JSON object. ``python -m symgraph cache`` shows where compiled code is kept and how much there is; ``python -m symgraph
cache clear`` removes it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from .errors import ArgumentError, TargetError
from .version import VERSION

Report: TypeAlias = dict[str, Any]

PACKAGES = ("numpy", "llvmlite", "networkx", "pydot", "h5py")
TARGETS = ("llvm", "numpy")
# Of the hundred or so that LLVM lists, those that decide what code symgraph makes.
FEATURES = "sse2 sse4.2 avx avx2 fma f16c avx512f avx512bw avx512dq avx512vl avx512_bf16 amx-tile neon sve".split()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report, or serve the cache; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m symgraph", description="What symgraph finds here, and a self-test."
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    commands = parser.add_subparsers(dest="command", metavar="cache")
    cache = commands.add_parser("cache", help="show where compiled code is kept, or clear it")
    cache.add_argument("action", nargs="?", choices=["show", "clear"], default="show")
    chosen = parser.parse_args(arguments)
    if chosen.command == "cache":
        print(serve_cache(chosen.action))
        return 0
    report = collect()
    print(json.dumps(report, indent=2) if chosen.json else describe(report))
    return 1 if any(test["status"] == "failed" for test in report["self_test"].values()) else 0


def collect() -> Report:
    """Everything the command prints, as plain data."""
    return {
        "symgraph": VERSION,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in PACKAGES},
        "dot": _dot(),
        "blas": _blas(),
        "cpu": _cpu(),
        "threads": _threads(),
        "self_test": {target: self_test(target) for target in TARGETS},
        "cache": _cache(),
    }


def serve_cache(action: str) -> str:
    """``show`` or ``clear`` the cache on disk; the line that says so."""
    from .codegen.cache import open_store

    store = open_store()
    if store is None:
        return "no cache on disk (SYMGRAPH_CACHE is off, or there is no home)"
    if action == "clear":
        return f"{store.folder}: {store.clear()} entries removed"
    entries, size = store.size()
    return f"{store.folder}: {entries} entries, {size} bytes, up to {store.limit >> 20} MiB"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _dot() -> str | None:
    """The version line of graphviz's ``dot``, or None where there is none."""
    path = shutil.which("dot")
    if path is None:
        return None
    answer = subprocess.run([path, "-V"], capture_output=True, text=True, timeout=10, check=False)
    return (answer.stderr or answer.stdout).strip() or path


def _blas() -> Report:
    """The BLAS that NumPy was built with, and the library file where its wheel carries one."""
    config: Any = np.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {})
    package = Path(np.__file__).parent
    carried = [
        p for folder in (package.parent / "numpy.libs", package / ".dylibs") for p in sorted(folder.glob("*blas*"))
    ]
    return {"name": blas.get("name"), "version": blas.get("version"), "library": str(carried[0]) if carried else None}


def _cpu() -> Report:
    from .codegen.targets.llvm.cpu import host_cpu

    try:
        cpu = host_cpu()
    except TargetError as error:
        return {"error": str(error)}
    return {
        "name": cpu.name,
        "triple": cpu.triple,
        "features": [name for name in FEATURES if cpu.has(name)],
        "vector_bytes": cpu.vector_bytes,
        "fma": cpu.has_fma,
        "l1": cpu.l1,
        "l2": cpu.l2,
        "cores": cpu.cores,
    }


def _threads() -> Report:
    """How many threads a call uses, and whether ``SYMGRAPH_THREADS`` says so."""
    from .codegen.targets.llvm.pool import get_threads

    source = "SYMGRAPH_THREADS" if os.environ.get("SYMGRAPH_THREADS") else "cores of this process"
    try:
        return {"count": get_threads(), "source": source}
    except (TargetError, ArgumentError) as error:
        return {"error": str(error)}


def _cache() -> Report:
    """The folder where compiled kernels are kept, and what is there; None where nothing is kept."""
    from .codegen.cache import open_store

    store = open_store()
    if store is None:
        return {"folder": None, "entries": 0, "bytes": 0}
    entries, size = store.size()
    return {"folder": str(store.folder), "entries": entries, "bytes": size}


def self_test(target: str) -> Report:
    """Values and a gradient of a small graph, at two batch sizes, against NumPy in float64."""
    import symgraph as sg

    start = time.perf_counter()
    try:
        x = sg.placeholder(shape=(None, 7), dtype="float32", name="x")
        rng = np.random.default_rng(0)
        w0 = rng.normal(size=(7, 5)).astype(np.float32)
        w = sg.variable(w0, name="w")
        y = sg.tanh(sg.dot(x, w))
        function = sg.function([x], [y, sg.grad(sg.sum(sg.square(y)), w)], target=target)
        error = 0.0
        for rows in (1, 33):
            data = rng.normal(size=(rows, 7)).astype(np.float32)
            value = np.tanh(data.astype(np.float64) @ w0)
            gradient = data.T.astype(np.float64) @ (2 * value * (1 - value**2))
            for got, expected in zip(function(data), (value, gradient), strict=True):
                error = max(error, float(np.max(np.abs(got - expected))))
    except TargetError as refusal:
        return {"status": "unavailable", "reason": str(refusal)}
    except Exception as fault:
        return {"status": "failed", "reason": f"{type(fault).__name__}: {fault}"}
    seconds = time.perf_counter() - start
    return {"status": "ok" if error < 1e-4 else "failed", "largest_error": error, "seconds": round(seconds, 3)}


def describe(report: Report) -> str:
    """The report as text for people."""
    packages = report["packages"]
    blas, cpu, threads, cache = report["blas"], report["cpu"], report["threads"], report["cache"]
    rows = [
        ("numpy", f"{packages['numpy']}, built with {blas['name']} {blas['version']}"),
        ("BLAS", blas["library"] or "no library inside NumPy's package"),
        ("others", ", ".join(f"{name} {packages[name] or 'missing'}" for name in PACKAGES[1:])),
        ("graphviz", report["dot"] or "no dot found; plots are drawn as SVG without it"),
        ("processor", _describe_cpu(cpu)),
        ("features", " ".join(cpu.get("features", ())) or "unknown"),
        ("threads", threads.get("error") or f"{threads['count']} ({threads['source']})"),
        ("cache", _describe_cache(cache)),
    ]
    for target, test in report["self_test"].items():
        rows.append(("self-test", f"{target}: {_describe_test(test)}"))
    head = f"symgraph {report['symgraph']} on Python {report['python']}, {report['platform']}"
    return "\n".join([head, *(f"  {name:<10} {text}" for name, text in rows)])


def _describe_cpu(cpu: Report) -> str:
    if "error" in cpu:
        return str(cpu["error"])
    fma = "with" if cpu["fma"] else "without"
    caches = f"L1 {cpu['l1'] // 1024} KiB, L2 {cpu['l2'] // 1024} KiB"
    return f"{cpu['name']}: {cpu['cores']} cores, vectors of {8 * cpu['vector_bytes']} bits {fma} FMA, {caches}"


def _describe_cache(cache: Report) -> str:
    if cache["folder"] is None:
        return "off"
    return f"{cache['folder']} ({cache['entries']} entries, {cache['bytes'] / 1e6:.1f} MB)"


def _describe_test(test: Report) -> str:
    if "reason" in test:
        return f"{test['status']} ({test['reason']})"
    return f"{test['status']} (largest error {test['largest_error']:.1e}, {test['seconds']:.2f} s)"


if __name__ == "__main__":
    sys.exit(main())
