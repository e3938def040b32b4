"""Random slices of axes of unknown size, for all small sizes of one executable, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.codegen.loop.parse import parse_kernel
from symgraph.codegen.loop.text import print_kernel
from symgraph.codegen.plan_parse import parse_plan
from symgraph.codegen.plan_text import print_plan
from symgraph.ir.interp import interpret
from symgraph.ir.parser import parse_graph
from symgraph.ir.printer import print_graph
from tests.codegen.loop_executable import LoopExecutable

Array = np.ndarray[Any, Any]
SIZES = range(8)
#: What programs write, and what used to be refused or to fail.
COMMON = [np.s_[1:], np.s_[:-1], np.s_[:5], np.s_[-5:], np.s_[5:], np.s_[2:-2], np.s_[::-1], np.s_[::-2], np.s_[1::2],
          np.s_[9:], np.s_[:0], np.s_[-1:], np.s_[4:1:-1], np.s_[-9:3]]  # fmt: skip


def random_slice(rng: np.random.Generator) -> slice:
    start, stop = (None if rng.random() < 0.2 else int(rng.integers(-9, 10)) for _ in range(2))
    return slice(start, stop, None if rng.random() < 0.3 else int(rng.choice([-3, -2, -1, 1, 2, 3])))


def keys(seed: int) -> list[slice]:
    return COMMON if seed == 0 else [random_slice(np.random.default_rng([seed, k])) for k in range(10)]


def expected(x: Array, new: Array, key: Any) -> list[Array]:
    """What is read, put, added, and the gradient of the sum of the squares of what is read."""
    put, added, slope = x.copy(), x.copy(), np.zeros_like(x)
    put[key] = new
    added[key] += new
    slope[key] = 2 * x[key]
    return [x[key], put, added, slope]


def built(x: sg.Tensor, new: sg.Tensor, key: Any) -> list[sg.Tensor]:
    part = x[key]
    slope = sg.grad(sg.sum(sg.square(part)), x)
    return [part, sg.set_subtensor(part, new), sg.inc_subtensor(part, new), slope]


@pytest.mark.parametrize("target", ["numpy", pytest.param("llvm", marks=pytest.mark.slow)])
@pytest.mark.parametrize("seed", range(4))
def test_slices_of_a_vector(seed: int, target: str) -> None:
    x, new = sg.placeholder((None,), "float64"), sg.placeholder((), "float64")
    outputs = [t for key in keys(seed) for t in built(x, new, key)]
    f = sg.function([x, new], outputs, target=target)
    for n in SIZES:
        value = np.random.default_rng(n).normal(size=n)
        want = [a for key in keys(seed) for a in expected(value, np.float64(0.5), key)]
        for got in (f(value, 0.5), interpret(f.stages.imported, [value, np.float64(0.5)]).outputs):
            for k, (a, b) in enumerate(zip(got, want, strict=True)):
                np.testing.assert_array_equal(a, b, f"{keys(seed)[k // 4]}, result {k % 4}, of {n} elements")


@pytest.mark.parametrize("target", ["numpy", "llvm"])
@pytest.mark.parametrize(
    "key", [np.s_[1:, :-1], np.s_[-2:, 3:], np.s_[::-2, None, 1:6:2], np.s_[:3, ..., -1:]], ids=str
)
def test_slices_of_a_matrix(key: Any, target: str) -> None:
    x, new = sg.placeholder((None, None), "float64"), sg.placeholder((), "float64")
    f = sg.function([x, new], built(x, new, key), target=target)
    for m in (0, 1, 2, 3, 7):
        for n in (0, 1, 2, 4, 6):
            value = np.random.default_rng([m, n]).normal(size=(m, n))
            for got, want in zip(f(value, 0.5), expected(value, np.float64(0.5), key), strict=True):
                np.testing.assert_array_equal(got, want, f"of a matrix {m} x {n}")


def check_texts(f: sg.Function) -> None:
    """Graphs, plans and kernels with minima read back."""
    graph, plan = print_graph(f.stages.optimized), print_plan(f.stages.plan)
    assert "min(" in graph and print_graph(parse_graph(graph)) == graph
    assert "min(" in plan and print_plan(parse_plan(plan, f.stages.plan.kernels)) == plan
    kernels = [print_kernel(k) for k in f.stages.plan.kernels.values()]
    assert any("min(n0" in text for text in kernels)
    assert [print_kernel(parse_kernel(text)) for text in kernels] == kernels


@pytest.mark.parametrize("target", ["numpy", "llvm"])
def test_slices_of_slices_and_between(target: str) -> None:
    x, y = sg.placeholder((None,), "float64"), sg.placeholder((None,), "float64")
    outputs = [x[1:] - x[:-1], x[:5][::-1][:3], x[2:][2:-1], sg.concatenate([x[:2], y[-2:], x[2:]]), sg.cumsum(x[:4]),
               sg.sum(x[3:] * x[:-3]), x[: y.shape[0]], x[y.shape[0] :],
               sg.max(sg.concatenate([x[-3:], y[:1], [-9.0]]))]  # fmt: skip
    f = sg.function([x, y], outputs, target=target)
    check_texts(f)
    for m in SIZES:
        for n in (0, 1, 3):
            a, b = np.random.default_rng([m, n, 1]).normal(size=m), np.random.default_rng([m, n, 2]).normal(size=n)
            want = [a[1:] - a[:-1], a[:5][::-1][:3], a[2:][2:-1], np.concatenate([a[:2], b[-2:], a[2:]]),
                    np.cumsum(a[:4]), np.sum(a[3:] * a[:-3]), a[:n], a[n:], max([*a[-3:], *b[:1], -9.0])]  # fmt: skip
            for k, (got, value) in enumerate(zip(f(a, b), want, strict=True)):
                np.testing.assert_allclose(got, value, rtol=1e-13, err_msg=f"result {k} of {m} and {n} elements")


@pytest.mark.parametrize("target", ["numpy", "llvm", "loops"])
def test_lookups_in_slices(target: str) -> None:
    x, at = sg.placeholder((None, None), "float64"), sg.placeholder((None,), "int64")
    keys = (np.s_[2:], np.s_[:3, None, ::-1], np.s_[-3:, 1:])
    parts = [sg.take(x[key], at, 0) for key in keys]
    written = [sg.set_subtensor(x[1:, at], 2.0), sg.inc_subtensor(x[at, -2:], x[at, -2:])]
    outputs = [*parts, *written, sg.grad(sg.sum(sg.square(parts[2])), x)]
    f = sg.function([x, at], outputs, target="llvm" if target == "llvm" else "numpy")
    if target == "loops":
        f._run = LoopExecutable(f.stages.plan).run
    for shape, indices in (((5, 4), [0, -1, 2]), ((3, 3), [0, -1]), ((4, 1), [0]), ((9, 2), [1, 0])):
        a, i = np.random.default_rng(shape).normal(size=shape), np.array(indices)
        put, added, slope = a.copy(), a.copy(), np.zeros_like(a)
        put[1:, i] = 2
        np.add.at(added, (i, slice(-2, None)), a[i, -2:])
        np.add.at(slope[-3:, 1:], i, 2 * a[-3:, 1:][i])
        for got, want in zip(f(a, i), [*(a[key][i] for key in keys), put, added, slope], strict=True):
            np.testing.assert_array_equal(got, want)
    for shape in ((2, 4), (0, 4), (1, 1)):
        with pytest.raises(sg.BoundsError):
            f(np.zeros(shape), [0])


@pytest.mark.parametrize("target", ["numpy", "llvm", "loops"])
def test_slices_that_meet_known_sizes(target: str) -> None:
    """What one operand does not know, the other does: 1, which loops leave out, and more."""

    def results(xp: Any, x: Any) -> list[Any]:
        one, row, three = np.array([2.0]), np.ones((1, 4)), np.arange(6.0).reshape(3, 2)
        return [xp.dot(x[:, :1], one), xp.dot(x[:1].T, row), xp.dot(one, x[:1]), xp.dot(x[0, :1], one),
                xp.einsum("ij,ij->ij", x[:, :1], xp.ones((x.shape[0], 1))), xp.dot(x[:, :3], three),
                xp.concatenate([x[:, :1], np.ones((2, 1))]), xp.where(x[:1] > 0, x, row[:, :1]),
                xp.sum(x[:1] * np.ones((1, 1))), x[:, :3] * three[:, 0]]  # fmt: skip

    x = sg.placeholder((None, None), "float64")
    outputs = results(sg, x)
    slope = sg.grad(sg.sum(sg.stack([sg.sum(y) for y in outputs])), x)
    f = sg.function([x], [*outputs, slope], target="llvm" if target == "llvm" else "numpy")
    if target == "loops":
        f._run = LoopExecutable(f.stages.plan).run
    for shape in ((1, 3), (2, 3), (5, 7)):
        a, way = np.random.default_rng(shape).normal(size=(2, *shape))
        *got, gradient = f(a)
        for k, (mine, want) in enumerate(zip(got, results(np, a), strict=True)):
            np.testing.assert_allclose(mine, want, rtol=1e-12, err_msg=f"result {k}")
        step = 1e-6
        ends = [sum(np.sum(r) for r in results(np, a + s * way)) for s in (step, -step)]
        np.testing.assert_allclose(np.sum(gradient * way), (ends[0] - ends[1]) / (2 * step), rtol=1e-6, atol=1e-6)
    with pytest.raises(sg.ShapeError, match="the graph needs|does not fit"):
        f(np.ones((2, 2)))
