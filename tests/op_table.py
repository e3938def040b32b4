"""The page ``docs/ops.md``, written from the registry of ops and the public functions."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import symgraph as sg
from symgraph.codegen.targets import TARGETS
from symgraph.dtypes import BY_NAME, DType, as_dtype
from symgraph.errors import SymgraphError
from symgraph.ir.op import (
    REGISTRY,
    Accumulation,
    Composite,
    Elementwise,
    Indexed,
    Leaf,
    Op,
    Reduction,
    Sample,
    Scatter,
)
from symgraph.ir.types import Facts, TensorType
from tests import theano_table
from tests.contract.cases import apply, bound_op, float_operands, placeholders

SPEC_MISSING = Path(__file__).parent / "keras" / "spec_missing.txt"
FORMS = (Leaf, Elementwise, Indexed, Reduction, Accumulation, Scatter, Composite)

#: Names of the Python array API standard that are spelled otherwise here.
RENAMED = {
    "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan", "atan2": "arctan2",
    "atanh": "arctanh", "bitwise_left_shift": "left_shift", "bitwise_invert": "invert",
    "bitwise_right_shift": "right_shift", "pow": "power", "remainder": "mod", "asarray": "as_tensor", "astype": "cast",
    "concat": "concatenate", "permute_dims": "transpose", "cumulative_sum": "cumsum", "cumulative_prod": "cumprod",
    "empty": "zeros", "empty_like": "zeros_like", "result_type": "Tensor.dtype of an expression", "isdtype": "DType",
}  # fmt: skip
#: Those that are left out, and why.
LEFT_OUT = {
    "conj, imag, real": "no complex numbers",
    "nonzero, unique_all, unique_counts, unique_inverse, unique_values":
        "the size of the result would depend on values; masks known when the graph is built index as in NumPy",
    "from_dlpack": "symbolic tensors have no memory; variables are NumPy arrays",
    "nextafter": "not differentiable, of no use in a graph",
    "fft": "no complex numbers",
}  # fmt: skip
ARRAY_API = """
abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_left_shift bitwise_invert bitwise_or
bitwise_right_shift bitwise_xor ceil clip conj copysign cos cosh divide equal exp expm1 floor floor_divide greater
greater_equal hypot imag isfinite isinf isnan less less_equal log log1p log2 log10 logaddexp logical_and logical_not
logical_or logical_xor maximum minimum multiply negative nextafter not_equal positive pow real reciprocal remainder
round sign signbit sin sinh square sqrt subtract tan tanh trunc arange asarray empty empty_like eye from_dlpack full
full_like linspace meshgrid ones ones_like tril triu zeros zeros_like astype broadcast_arrays broadcast_to concat
expand_dims flip moveaxis permute_dims repeat reshape roll squeeze stack tile unstack argmax argmin count_nonzero
nonzero searchsorted where unique_all unique_counts unique_inverse unique_values argsort sort cumulative_sum
cumulative_prod max mean min prod std sum var all any diff take take_along_axis matmul matrix_transpose tensordot vecdot
""".split()
#: The functions of its extension for linear algebra.
ARRAY_API_LINALG = """
cholesky cross det diagonal eigh eigvalsh inv matmul matrix_norm matrix_power matrix_rank matrix_transpose outer pinv qr
slogdet solve svd svdvals tensordot trace vecdot vector_norm
""".split()


def form(op: type[Op]) -> str:
    for kind in FORMS:
        if issubclass(op, kind):
            return kind.__name__.lower()
    return next(c for c in op.__mro__ if c.__module__ == Op.__module__ or c is op).__name__.lower()


def dtypes(sample: Sample) -> str:
    """The dtypes of the first operand (and of those like it) that inference accepts."""
    if not sample.arrays:
        return "any"
    first = sample.arrays[0].dtype
    accepted = [d for d in BY_NAME.values() if _accepts(sample, first, d)]
    kinds = {"bool": "b", "integers": "iu", "floats": "f"}
    whole = [n for n, ks in kinds.items() if all(d in accepted for d in BY_NAME.values() if d.kind in ks)]
    covered = "".join(kinds[n] for n in whole)
    return "all" if len(whole) == 3 else ", ".join(whole + [str(d) for d in accepted if d.kind not in covered])


def _accepts(sample: Sample, first: np.dtype, dtype: DType) -> bool:
    types = [TensorType(dtype if a.dtype == first else as_dtype(a.dtype), a.shape) for a in sample.arrays]
    try:
        bound_op(sample).infer(Facts(), *types)
    except SymgraphError:
        return False
    return True


def gradient(samples: list[Sample]) -> str:
    """``yes``, or what happens instead."""
    for sample in samples:
        if not sample.arrays or sample.arrays[0].dtype.kind != "f" or not sample.arrays[0].size:
            continue
        inputs = placeholders(sample, symbolic=False)
        results = [t for t in apply(bound_op(sample), inputs) if t.dtype.is_float]
        if not results:
            return "none: the result is no float"
        wrt = [inputs[i] for i in float_operands(sample)] or [t for t in inputs if t.dtype.is_float]
        try:
            found = sg.grad(sg.sum(results[0]), wrt, disconnected="none")
        except SymgraphError:
            return "by hand"
        return "yes" if any(g is not None for g in found) else "0"
    return "none: no float operand"


def op_rows() -> Iterator[str]:
    for name, op in sorted(REGISTRY.items()):
        samples = [s for s in op.samples() if not s.error]
        if issubclass(op, Leaf) or not samples:
            continue
        cells = [f"`{name}`", form(op), op.equivalents, dtypes(samples[0]), gradient(samples), ", ".join(TARGETS)]
        yield "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"


def functions() -> dict[str, list[tuple[str, str]]]:
    """Public functions with the first line of what they say, by module."""
    found: dict[str, list[tuple[str, str]]] = {}
    named = [(name, getattr(sg, name)) for name in sorted(sg.__all__)]
    for package in (sg.linalg, sg.random):
        named += [(n, getattr(package, n)) for n in package.__all__ if n not in sg.__all__]
    for name, value in named:
        if inspect.isfunction(value) and value.__module__.startswith("symgraph."):
            first = (inspect.getdoc(value) or "").split("\n\n")[0].replace("\n", " ")
            found.setdefault(value.__module__.split(".")[1], []).append((name, first))
    return found


def missing() -> list[str]:
    """Names of the standard that are neither here nor left out with a reason."""
    out = {n for names in LEFT_OUT for n in names.split(", ")}
    linear = [f"linalg.{n}" for n in ARRAY_API_LINALG if not hasattr(sg.linalg, n)]
    return linear + [n for n in ARRAY_API if n not in out and n not in RENAMED and not hasattr(sg, n)]


def page() -> str:
    lines = [
        "# Ops and functions", "",
        "Written by `tests/op_table.py`; renew it with `pytest tests/test_docs.py --update-golden`.", "",
        "## Ops", "",
        "What graphs are made of. \"0\" is a gradient that is zero everywhere. Composites are expanded before code is",
        "made. Every op is tested on every target against NumPy, and its gradients of first and second order against",
        "differences. Where floats are taken, `bfloat16` is, too (but for factorizations): computed in float32 and",
        "rounded; its arrays are uint16 arrays of bits.", "",
        "| op | form | elsewhere | dtypes of the first operand | gradient | targets |", "|---|---|---|---|---|---|",
        *op_rows(), "",
        "## Public functions", "",
    ]  # fmt: skip
    for module, rows in functions().items():
        lines += [f"### {module}", "", "| function | what it does |", "|---|---|"]
        lines += [f"| `{name}` | {text.replace('|', chr(92) + '|')} |" for name, text in rows]
        lines.append("")
    lines += [
        "## Indexing", "",
        "As in NumPy, also for axes of unknown size: `x[:5]` has `min(N,5)` elements, `x[1:]` and `x[:-1]` have",
        "`N-min(N,1)`, and a call may bring an axis shorter than the slice, or empty. A position outside an axis is",
        "an error: at once, or in the call. What would make a shape depend on more than sizes is not there: a mask",
        "must be known when the graph is built (`sg.where` and sums of masked values serve others).", "",
        "- A bound of a slice may be a size (`x[: x.shape[0] - 3]`). It counts from the front: a call in which it is",
        "  negative is refused, where NumPy counts from the end.",
        "- A slice of at most one element of an axis, such as `x[:1]`, broadcasts as an axis of size 1 does, and",
        "  `squeeze` takes its axis away; a call in which it is empty is then refused.", "",
    ]  # fmt: skip
    lines += ["## The Python array API standard", "", "All functions have the standard's names, but these:", ""]
    lines += ["| standard | here |", "|---|---|", *(f"| `{a}` | `{b}` |" for a, b in sorted(RENAMED.items())), ""]
    lines += ["Left out:", "", "| standard | why |", "|---|---|", *(f"| {a} | {b} |" for a, b in LEFT_OUT.items()), ""]
    lines += theano_section() + keras_section()
    return "\n".join(lines)


def theano_section() -> list[str]:
    """What a user of Theano finds under which name."""
    lines = [
        "## Theano", "",
        "Types and their constructors (`dmatrix`, `fvector`, `scalar`, ...) are `placeholder(shape, dtype)`; an",
        "unknown size is `None`, and an axis that broadcasts has size 1. Names of Theano 1.0 that differ here:", "",
        "| Theano | here |", "|---|---|",
    ]  # fmt: skip
    lines += [f"| `{a}` | `{b}` |" for a, b in sorted(theano_table.RENAMED.items())]
    lines += ["", "Left out:", "", "| Theano | why |", "|---|---|"]
    return [*lines, *(f"| {a} | {b} |" for a, b in theano_table.LEFT_OUT.items()), ""]


def keras_section() -> list[str]:
    """What of Keras's backend is not there."""
    names = [n for n in SPEC_MISSING.read_text(encoding="utf-8").split() if n.startswith("keras.backend.")]
    rest = ", ".join(f"`{n.removeprefix('keras.backend.')}`" for n in names) or "nothing"
    return ["## keras.backend", "", f"Of the functions of Keras 2.3.1's backend there is lacking: {rest}.", ""]
