"""Scatters and accumulations: which kernels they become, and that the NumPy target runs them without Python loops."""

from __future__ import annotations

import symgraph as sg
from symgraph.codegen.compile import make_plan
from symgraph.codegen.loop.grammar import Fold, Kernel, Loop, Store
from symgraph.codegen.loop.text import print_kernel
from symgraph.codegen.loop.walk import statements
from symgraph.codegen.targets.numpy.source import kernel_source


def kernels(f: sg.Function) -> list[Kernel]:
    plan = make_plan(f.stages.optimized, check=True).plan
    return [plan.kernels[step.kernel] for step in plan.steps]


def test_the_gradient_of_an_embedding_is_filled_in_parallel_and_added_up_in_order() -> None:
    table, rows = sg.placeholder((1000, 64)), sg.placeholder((None,), "int32")
    weights = sg.placeholder((None, 64))
    gradient = sg.grad(sg.sum(sg.take(table, rows) * weights), table)
    fill, add = kernels(sg.function([table, rows, weights], gradient, target="numpy"))
    assert isinstance(fill.parallel, Loop)
    kinds = [s.kind for s in statements(add.body) if isinstance(s, Loop)]
    assert kinds == ["seq", "vec"], print_kernel(add)
    assert [b.mode for b in add.buffers].count("inout") == 1
    assert "np.add.at" in kernel_source(add)
    assert "for " not in kernel_source(add)


def test_rows_that_cannot_meet_run_in_parallel() -> None:
    x, at = sg.placeholder((None, 50)), sg.placeholder((None, 7), "int64")
    (_, put) = kernels(sg.function([x, at], sg.put_along_axis(x, at, 1.0, 1), target="numpy"))
    assert isinstance(put.parallel, Loop)
    assert "for " not in kernel_source(put)


def test_a_running_sum_is_one_fold_that_stores_its_states() -> None:
    x = sg.placeholder((None, None, 8))
    for axis, kinds in ((2, ["par", "seq"]), (0, ["par", "vec"]), (1, ["par", "vec"])):
        (one,) = kernels(sg.function([x], sg.cumsum(x, axis), target="numpy"))
        assert [s.kind for s in statements(one.body) if isinstance(s, Loop)] == kinds
        (fold,) = (s for s in statements(one.body) if isinstance(s, Fold))
        assert fold.kind == "seq"
        assert isinstance(fold.body[0], Store)
        assert "np.add.accumulate" in kernel_source(one)
        assert "for " not in kernel_source(one)


def test_nothing_is_computed_beside_a_loop_that_runs_in_order() -> None:
    x = sg.placeholder((None, 8))
    found = kernels(sg.function([x], sg.exp(sg.cumsum(sg.tanh(x), 1)) * 2, target="numpy"))
    assert len(found) == 2  # tanh in front of the fold, exp after it
