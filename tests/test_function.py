"""Compiled functions: arguments, updates, givens, errors, threads."""

from __future__ import annotations

import gc
import importlib
import os
import threading
import warnings
import weakref
from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.codegen.loop.text import print_kernel

TARGETS = ["numpy", "llvm"]
function_module = importlib.import_module("symgraph.function")  # the name in the package is the function


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> str:
    return request.param


def test_one_executable_serves_every_batch_size(target: str) -> None:
    x = sg.placeholder((None, 5))
    w = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    f = sg.function([x], sg.tanh(x @ w) + 1, target=target)
    for n in (1, 2, 7, 33, 0, 200):
        a = np.random.default_rng(n).normal(size=(n, 5)).astype("float32")
        np.testing.assert_allclose(f(a), np.tanh(a @ w) + 1, rtol=1e-5, atol=1e-6)


def test_outputs_follow_the_form_of_the_request(target: str) -> None:
    x = sg.placeholder(())
    assert isinstance(sg.function([x], x + 1, target=target)(1.0), np.ndarray)
    assert isinstance(sg.function([x], [x + 1], target=target)(1.0), list)
    assert sg.function([x], target=target)(1.0) == []


def test_outputs_are_fresh_arrays_also_when_they_are_inputs_or_states(target: str) -> None:
    x, v = sg.placeholder((3,)), sg.variable(np.arange(3.0), "float32")
    f = sg.function([x], [x, x, v, v.reshape(3, 1), sg.constant(np.ones(3))], target=target)
    a = np.array([1, 2, 3], "float32")
    for out in f(a):
        out[...] = 7
    assert a.tolist() == [1, 2, 3]
    assert v.get_value().tolist() == [0, 1, 2]
    assert f(a)[4].tolist() == [1, 1, 1]


def test_updates_see_the_old_values_of_all_variables(target: str) -> None:
    a, b = sg.variable([1.0, 2.0]), sg.variable([3.0, 4.0])
    f = sg.function([], a + b, updates=[(a, b), (b, a)], target=target)
    assert f().tolist() == [4, 6]
    assert a.get_value().tolist() == [3, 4]
    assert b.get_value().tolist() == [1, 2]


def test_an_update_may_read_its_variable_at_other_places(target: str) -> None:
    v = sg.variable(np.arange(100.0))
    sg.function([], updates={v: v[::-1] + 1}, target=target)()
    assert v.get_value().tolist() == (np.arange(100.0)[::-1] + 1).tolist()


def test_a_variable_keeps_its_array(target: str) -> None:
    v = sg.variable(np.zeros(4))
    array = v.get_value(borrow=True)
    step = sg.function([], updates=[(v, v + 1)], target=target)
    step()
    v.set_value([5, 5, 5, 5])
    step()
    assert v.get_value(borrow=True) is array
    assert array.tolist() == [6, 6, 6, 6]


def test_givens_replace_tensors(target: str) -> None:
    x, y = sg.placeholder((None,)), sg.placeholder((None,))
    z = x * 2
    f = sg.function([y], z + 1, givens={x: y * 10}, target=target)
    assert f([1, 2]).tolist() == [21, 41]
    assert sg.function([y], z + 1, givens=[(z, y)], target=target)([1, 2]).tolist() == [2, 3]


def test_intermediate_tensors_may_be_inputs(target: str) -> None:
    x = sg.placeholder((2,))
    y = x * 2
    assert sg.function([y], y + 1, target=target)([1, 2]).tolist() == [2, 3]


def test_joined_sizes_are_checked_at_entry_naming_both_arguments(target: str) -> None:
    x, y = sg.placeholder((None, 2), name="left"), sg.placeholder((None, 2), name="right")
    f = sg.function([x, y], x + y, target=target)
    assert f(np.ones((3, 2)), np.ones((3, 2))).shape == (3, 2)
    with pytest.raises(sg.ShapeError, match=r"right.*axis 0 is 4, expected 3, which is axis 0 of argument 0 \(left\)"):
        f(np.ones((3, 2)), np.ones((4, 2)))
    with pytest.raises(sg.ShapeError, match="expected 3"):
        f(np.ones((3, 2)), np.ones((1, 2)))


def test_wrong_arguments_are_refused_before_anything_runs(target: str) -> None:
    x, v = sg.placeholder((None, 3), name="x"), sg.variable(0.0)
    f = sg.function([x], sg.sum(x), updates=[(v, v + 1)], target=target)
    with pytest.raises(sg.ArgumentError, match=r"takes 1 argument\(s\) \(x\), got 2"):
        f(1, 2)
    with pytest.raises(sg.ShapeError, match=r"shape \(3,\), expected 2 dimension"):
        f(np.ones(3))
    with pytest.raises(sg.ShapeError, match="its axis 1 is 4, expected 3"):
        f(np.ones((2, 4)))
    with pytest.raises(sg.DTypeError, match="complex128"):
        f(np.ones((2, 3), complex))
    with pytest.raises(sg.DTypeError, match="argument 0"):
        f("text")
    with pytest.raises(sg.DTypeError, match="without loss"):
        sg.function([k := sg.placeholder((), "int32")], k + 1, target=target)(1.5)
    assert v.get_value() == 0


def test_arguments_of_other_layouts_and_dtypes_are_converted(target: str) -> None:
    x = sg.placeholder((None, 3))
    f = sg.function([x], x * 1, target=target)
    a = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(f(a.T), a.T)
    np.testing.assert_array_equal(f(np.arange(6)[::-1].reshape(2, 3)), np.arange(6)[::-1].reshape(2, 3))
    np.testing.assert_array_equal(f([[1, 2, 3]]), [[1, 2, 3]])
    np.testing.assert_array_equal(f(a.astype(">f4")[:, :3]), a[:, :3])


def test_an_index_outside_its_axis_is_an_error_naming_the_layer(target: str) -> None:
    table, rows = sg.variable(np.ones((5, 2))), sg.placeholder((None,), "int32")
    with sg.name_scope("embedding_1"):
        found = sg.take(table, rows)
    f = sg.function([rows], found * 2, target=target)
    assert f([0, 4, -1]).shape == (3, 2)
    with pytest.raises(sg.BoundsError, match="index 5 is out of bounds for axis 0 of size 5 in take of embedding_1"):
        f([0, 5])
    with pytest.raises(sg.BoundsError, match="of size 5"):
        f([-6])
    assert f([1]).tolist() == [[2, 2]]


def test_positions_in_axes_of_unknown_size_are_checked_at_entry(target: str) -> None:
    x = sg.placeholder((None,))
    f = sg.function([x], x[2:] + x[:-2], target=target)
    assert [f(np.arange(n)).tolist() for n in (4, 2, 1, 0)] == [[2, 4], [], [], []]

    def keys(n: Any) -> list[Any]:
        return [2, -3, np.s_[: n - 3], np.s_[n - 3 :], np.s_[n - 3 : n - 1], np.s_[n - 3 :: -1], np.s_[: n - 3 : 2],
                np.s_[5 : n - 3 : -1]]  # fmt: skip

    for k, key in enumerate(keys(x.shape[0])):
        f = sg.function([x], x[key], target=target)
        with pytest.raises(sg.ShapeError, match="does not fit where N = 2"):
            f([1, 2])
        for n in (3, 4, 7):
            np.testing.assert_array_equal(f(np.arange(n)), np.arange(n, dtype="float32")[keys(n)[k]])


def test_what_a_function_needs_is_checked_when_it_is_made() -> None:
    x, y, v = sg.placeholder((2,), name="x"), sg.placeholder((2,), name="missing"), sg.variable([0.0, 0.0], "float32")
    with pytest.raises(sg.GraphError, match=r"'missing'.*neither among its inputs nor in givens"):
        sg.function([x], x + y)
    with pytest.raises(sg.GraphError, match="listed twice"):
        sg.function([x, x], x)
    with pytest.raises(sg.GraphError, match="updated twice"):
        sg.function([], updates=[(v, v), (v, v)])
    with pytest.raises(sg.GraphError, match="only variables"):
        sg.function([], updates=[(x, x)])  # type: ignore[list-item]
    with pytest.raises(sg.ShapeError, match="the update of"):
        sg.function([], updates=[(v, sg.zeros((3,)))])
    with pytest.raises(sg.DTypeError, match="cast it"):
        sg.function([], updates=[(v, sg.zeros((2,), "float64"))])
    with pytest.raises(sg.GraphError, match="both an input and given"):
        sg.function([x], x, givens={x: y})
    with pytest.raises(sg.ShapeError, match="cannot be replaced"):
        sg.function([], x, givens={x: sg.zeros((3,))})
    with pytest.raises(sg.ArgumentError, match="list of tensors"):
        sg.function(x, x)  # type: ignore[arg-type]
    with pytest.raises(sg.ArgumentError, match="the targets are"):
        sg.function([x], x, target="gpu")


def test_calls_from_several_threads_do_not_disturb_each_other(target: str) -> None:
    x, count = sg.placeholder((None, 64)), sg.variable(0, "int64")
    w = np.random.default_rng(0).normal(size=(64, 64)).astype("float32")
    f = sg.function([x], sg.tanh(x @ w) @ w, target=target)
    add = sg.function([], updates=[(count, count + 1)], target=target)
    inputs = [np.random.default_rng(i).normal(size=(i + 1, 64)).astype("float32") for i in range(8)]
    wanted = [f(a) for a in inputs]
    wrong: list[int] = []

    def work(i: int) -> None:
        for _ in range(50):
            if not np.array_equal(f(inputs[i]), wanted[i]):
                wrong.append(i)
            add()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
    assert count.get_value() == 400


def test_a_dropped_function_is_freed(target: str) -> None:
    x = sg.placeholder((3,))
    f = sg.function([x], x + 1, target=target)
    f([1, 2, 3])
    alive = weakref.ref(f)
    del f
    gc.collect()
    assert alive() is None


def test_scalar_arguments_and_scalars_inside(target: str) -> None:
    x, n = sg.placeholder(()), sg.placeholder((), "int32")
    f = sg.function([x, n], [x * n, n // 2, x > 1], target=target)
    product, half, above = f(1.5, 7)
    assert (float(product), int(half), bool(above)) == (10.5, 3, True)


def test_empty_graph_sizes(target: str) -> None:
    x = sg.placeholder((None, 0))
    f = sg.function([x], [sg.sum(x, 1), x @ np.ones((0, 2), "float32")], target=target)
    total, product = f(np.ones((3, 0)))
    assert total.tolist() == [0, 0, 0]
    assert product.tolist() == [[0, 0]] * 3


def test_givens_that_go_round_are_refused() -> None:
    x = sg.placeholder((2,))
    y = x + 1
    with pytest.raises(sg.GraphError, match="givens make result of .* depend on itself"):
        sg.function([], y, givens={x: y * 2})


def test_empty_arrays_are_never_read(target: str) -> None:
    table, rows = sg.placeholder((None, 3)), sg.placeholder((None,), "int32")
    f = sg.function([table, rows], sg.take(table, rows) + 1, target=target)
    assert f(np.zeros((0, 3)), []).shape == (0, 3)
    with pytest.raises(sg.BoundsError, match="index 0 is out of bounds for axis 0 of size 0"):
        f(np.zeros((0, 3)), [0])
    x, y = sg.placeholder((None, 2)), sg.placeholder((None, 2))
    both = sg.function([x, y], sg.concatenate([x, y]) * 2, target=target)
    assert both(np.zeros((0, 2)), np.ones((2, 2))).tolist() == [[2, 2], [2, 2]]
    assert both(np.zeros((0, 2)), np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_in_the_midst_of_an_update_can_run_updates(target: str) -> None:
    count = sg.variable(0, "int64")
    add = sg.function([], updates=[(count, count + 1)], target=target)
    add()
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with function_module._writing.lock:
            taken.set()
            done.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    taken.wait(10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 warns of threads and forks
        child = os.fork()
    if child == 0:
        add()
        os._exit(int(count.get_value()))
    done.set()
    holder.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    add()
    assert count.get_value() == 2


def test_indices_into_an_axis_of_length_one_are_checked(target: str) -> None:
    x, rows = sg.placeholder((1, 3)), sg.placeholder((None,), "int32")
    f = sg.function([x, rows], sg.take(x, rows), target=target)
    assert f([[1, 2, 3]], [0, -1]).tolist() == [[1, 2, 3]] * 2
    with pytest.raises(sg.BoundsError, match="index 5 is out of bounds for axis 0 of size 1"):
        f([[1, 2, 3]], [0, 5])


def test_empty_slices_are_not_read_beyond_their_array(target: str) -> None:
    x = sg.placeholder((None, 2))
    tail = x[1:]
    gradient = sg.grad(sg.sum(tail * tail), x)
    f = sg.function([x], [gradient, sg.concatenate([tail, x * 2])], target=target)
    for n in (1, 2, 3):
        a = np.arange(2.0 * n).reshape(n, 2) + 1
        slopes, joined = f(a)
        assert slopes.tolist() == (2 * a * (np.arange(n) > 0)[:, None]).tolist()
        assert joined.tolist() == np.concatenate([a[1:], 2 * a]).tolist()
    for kernel in f.stages.plan.kernels.values():
        masked = "select" in print_kernel(kernel)
        assert not (masked and "+ 1" in print_kernel(kernel)), "a shifted read under a mask"
