"""Updates of a few rows happen in the variable's memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.options import Options

RNG = np.random.default_rng(0)
ROWS = np.array([3, 0, 3, -1, 7], "int32")
TARGETS = pytest.mark.parametrize("target", ["llvm", "numpy"])


def _table() -> tuple[sg.Variable, Any]:
    start = RNG.normal(size=(9, 4))
    return sg.variable(start, name="table"), start


def _touches(f: sg.Function) -> list[tuple[str, ...]]:
    return [step.args for step in f.stages.plan.steps]


def _has_dense(f: sg.Function) -> bool:
    """Whether the plan has an array of the table's shape besides the table."""
    return any(b.shape == (9, 4) and b.kind != "state" for b in f.stages.plan.buffers.values())


@TARGETS
@pytest.mark.parametrize("set_rows", [False, True])
def test_rows_are_changed_in_place(set_rows: bool, target: str) -> None:
    table, start = _table()
    rows, new = sg.placeholder((None,), "int32"), sg.placeholder((None, 4), "float64")
    change = sg.set_subtensor if set_rows else sg.inc_subtensor
    f = sg.function([rows, new], [], updates=[(table, change(table[rows], new))], options=Options(target=target))
    (touched,) = _touches(f)
    assert sorted(touched) == ["in0", "in1", "state0"]
    values = RNG.normal(size=(5, 4))
    want = start.copy()
    if set_rows:
        want[ROWS] = values
    else:
        np.add.at(want, ROWS, values)
    f(ROWS, values)
    np.testing.assert_allclose(table.get_value(), want, rtol=1e-12)
    f(ROWS[:0], values[:0])
    np.testing.assert_allclose(table.get_value(), want, rtol=1e-12)


@TARGETS
def test_a_wrong_row_changes_nothing(target: str) -> None:
    table, start = _table()
    rows = sg.placeholder((None,), "int32")
    f = sg.function([rows], [], updates=[(table, sg.inc_subtensor(table[rows], 1.0))], options=Options(target=target))
    with pytest.raises(sg.BoundsError, match="index 9"):
        f(np.array([1, 2, 9], "int32"))
    np.testing.assert_array_equal(table.get_value(), start)


@TARGETS
def test_updates_see_old_values(target: str) -> None:
    table, start = _table()
    rows = sg.placeholder((None,), "int32")
    new = sg.inc_subtensor(table[rows], table[rows] * 0.5 + table[0])
    f = sg.function([rows], [table[rows], sg.sum(table)], updates=[(table, new)], options=Options(target=target))
    assert not _has_dense(f)
    old, total = f(ROWS)
    want = start.copy()
    np.add.at(want, ROWS, start[ROWS] * 0.5 + start[0])
    np.testing.assert_allclose(old, start[ROWS])
    np.testing.assert_allclose(total, start.sum())
    np.testing.assert_allclose(table.get_value(), want, rtol=1e-12)


@TARGETS
def test_who_needs_both_gets_a_copy(target: str) -> None:
    table, start = _table()
    rows = sg.placeholder((None,), "int32")
    new = sg.inc_subtensor(table[rows], 1.0)
    f = sg.function([rows], [new * table, new], updates=[(table, new)], options=Options(target=target))
    product, after = f(ROWS)
    want = start.copy()
    np.add.at(want, ROWS, 1.0)
    np.testing.assert_allclose(product, want * start)
    np.testing.assert_allclose(after, want)
    np.testing.assert_allclose(table.get_value(), want)


@TARGETS
def test_one_scatter_after_the_other(target: str) -> None:
    table, start = _table()
    rows = sg.placeholder((None,), "int32")
    once = sg.inc_subtensor(table[rows], 1.0)
    new = sg.set_subtensor(once[rows[:2]], -1.0)
    f = sg.function([rows], [], updates=[(table, new)], options=Options(target=target))
    assert not _has_dense(f)
    f(ROWS)
    want = start.copy()
    np.add.at(want, ROWS, 1.0)
    want[ROWS[:2]] = -1.0
    np.testing.assert_allclose(table.get_value(), want)


@TARGETS
@pytest.mark.parametrize("lookups", [1, 2])
def test_gradient_descent_on_an_embedding_is_sparse(lookups: int, target: str) -> None:
    table, start = _table()
    rows, aim = sg.placeholder((None,), "int32"), sg.placeholder((None, 4), "float64")
    rate = sg.variable(0.25)
    looked = [sg.take(table, rows, 0), sg.take(table, rows[::-1], 0) * 2.0][:lookups]
    cost = sg.sum((sum(looked[1:], looked[0]) - aim) ** 2)
    f = sg.function(
        [rows, aim], cost, updates=[(table, table - rate * sg.grad(cost, table))], options=Options(target=target)
    )  # fmt: skip
    assert not _has_dense(f)
    exact = sg.function([rows, aim], table - rate * sg.grad(cost, table), options=Options(inexact=False))
    values = RNG.normal(size=(5, 4))
    want = exact(ROWS, values)
    f(ROWS, values)
    np.testing.assert_allclose(table.get_value(), want, rtol=1e-12)
    assert np.abs(want - start).max() > 0.1


def test_exact_rules_keep_the_dense_gradient() -> None:
    table, _ = _table()
    rows = sg.placeholder((None,), "int32")
    cost = sg.sum(sg.take(table, rows, 0) ** 2)
    f = sg.function([rows], [], updates=[(table, table - 0.1 * sg.grad(cost, table))], options=Options(inexact=False))
    assert _has_dense(f)
