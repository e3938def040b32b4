"""The smallest inputs that showed the faults which random programs found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.ir.op import REGISTRY
from symgraph.ir.ops.views import reshape_groups
from symgraph.ir.types import Facts

Array = np.ndarray[Any, Any]
targets = pytest.mark.parametrize("target", ["llvm", "numpy"])


def call(make: Callable[..., Any], *arrays: Array, target: str) -> Any:
    """A function of placeholders whose sizes are all unknown, called once."""
    inputs = [sg.placeholder((None,) * a.ndim, a.dtype) for a in arrays]
    return sg.function(inputs, make(*inputs), options=sg.Options(target=target, verify=True))(*arrays)


@targets
def test_positions_made_of_a_constant_that_is_infinite(target: str) -> None:
    x = np.arange(3.0)
    at = sg.cast(sg.minimum(sg.constant(np.inf), 2.0) * sg.constant(1.0), "int64")
    assert call(lambda t: sg.take(t, at) + sg.take(t, sg.cast(sg.clip(sg.sum(t) * np.inf, 0, 1), "int64")), x,
                target=target) == 3  # fmt: skip


@targets
def test_slices_that_do_not_fit_name_the_op(target: str) -> None:
    with pytest.raises(sg.ShapeError, match="slice of f64"):
        call(lambda t: t[: t.shape[0] - 3 : 3] * 2, np.ones(0), target=target)


@targets
def test_a_slice_of_nothing_whatever_the_size(target: str) -> None:
    x = np.ones((3, 2))
    assert call(lambda t: t[0:1:-1] * 2, x, target=target).shape == (0, 2)
    assert call(lambda t: sg.exp(t[2:1]), x, target=target).shape == (0, 2)
    with pytest.raises(sg.ShapeError, match="slice of -1 positions"):
        sg.Tensor(sg.tracer.tracer.slice(sg.placeholder((3,)).value, [1], [-1], [1]))


def test_a_fact_that_binds_no_symbol_is_recorded_once() -> None:
    n, m = sg.placeholder((None, None)).shape
    facts = Facts()
    for _ in range(2):
        facts.unify(n * m, 3)
        facts.unify(3, m * n)
    assert len(facts.pairs) == 1
    assert facts.are_equal(n * m + 1, 4) and not facts.are_equal(n * m, 4)


@targets
def test_sizes_of_a_product_that_is_known(target: str) -> None:
    x, v = np.arange(3.0)[None], np.arange(3.0)
    known = sg.variable(v)
    got = call(lambda t: t.reshape((-1,)) * known + sg.maximum(known, t.reshape((-1,))), x, target=target)
    np.testing.assert_array_equal(got, v * v + v)


@targets
def test_reductions_of_reshaped_empty_arrays(target: str) -> None:
    assert reshape_groups((1, 2, 0, 4), (0,)) == [((0, 1, 2, 3), (0,))]
    x = np.ones((3, 4))
    got = call(lambda t: [sg.any(sg.isnan(t[:, 2:2]).reshape((0,))), sg.sum(t[None, 1:, :0].reshape((0, 5)), 0)], x,
               target=target)  # fmt: skip
    assert not got[0]
    np.testing.assert_array_equal(got[1], np.zeros(5))


@pytest.mark.parametrize("pool", [sg.max_pool, sg.avg_pool])
@targets
def test_windows_where_none_fits(target: str, pool: Callable[..., sg.Tensor]) -> None:
    for shape, window, stride in (((2, 1, 3), 2, 3), ((2, 0, 3), 1, 2), ((2, 2, 3), 3, 5)):
        x = np.ones(shape)
        fixed = sg.placeholder(shape, "float64")
        assert sg.function([fixed], pool(fixed, window, stride), target=target)(x).shape == (2, 0, 3)
        assert call(lambda t, w=window, s=stride: pool(t, w, s), x, target=target).shape == (2, 0, 3)
    assert call(lambda t: pool(t, 1, 2), np.ones((1, 3, 1)), target=target).shape == (1, 2, 1)


@targets
def test_givens_of_givens(target: str) -> None:
    x, a, b = (sg.placeholder((None,), name=name) for name in "xab")
    fn = sg.function([x], a + b, givens={a: b, b: x}, target=target)
    assert fn([1, 2]).tolist() == [2, 4]
    with pytest.raises(sg.GraphError, match="depend on itself"):
        sg.function([x], x + b, givens={a: b, b: a})


@targets
def test_half_precision_with_a_sign_from_outside_the_loop(target: str) -> None:
    """LLVM made a call of a library's function of it, and the process ended."""
    y, x = np.float16([1, -2]), np.linspace(-2, 2, 66, dtype=np.float16).reshape(2, 33)
    got = call(lambda a, b: sg.arctan2(sg.expand_dims(a, 1), b), y, x, target=target)
    np.testing.assert_allclose(got, np.arctan2(y[:, None].astype(float), x.astype(float)), rtol=2e-3)


@targets
def test_an_update_that_reads_its_variable_at_positions_that_are_data(target: str) -> None:
    """Few elements are code without loops, which reads all before it stores; the verifier took it for wrong."""
    v = sg.variable(np.arange(6.0).reshape(2, 3))
    at = sg.placeholder((3,), "int64")
    rows = sg.take(v, at, 1)
    fn = sg.function([at], rows, [(v, sg.where(rows > 2, rows, v))], options=sg.Options(target=target, verify=True))
    before = v.get_value()
    np.testing.assert_array_equal(fn([2, 0, 1]), before[:, [2, 0, 1]])
    np.testing.assert_array_equal(v.get_value(), np.where(before[:, [2, 0, 1]] > 2, before[:, [2, 0, 1]], before))


@targets
def test_matrices_of_a_stack_have_exponentials_of_their_own(target: str) -> None:
    x = np.random.default_rng(0).standard_normal((4, 3, 3)) * np.array([0.1, np.nan, 1e9, 1.0])[:, None, None]
    x[2] = np.diag([-1e9, -1e8, 0.0])
    got = call(sg.linalg.expm, x, target=target)
    assert np.isnan(got[1]).all()
    np.testing.assert_allclose(got[2], np.diag([0.0, 0.0, 1.0]), rtol=1e-6)
    for k in (0, 3):
        alone = call(sg.linalg.expm, x[k], target=target)
        np.testing.assert_allclose(got[k], alone, rtol=1e-14)


def test_values_of_more_axes_than_there_are() -> None:
    x, y = sg.placeholder((None,)), sg.placeholder((None, None))
    for make in (lambda: sg.broadcast_to(y, x.shape), lambda: sg.put_along_axis(x, sg.argsort(x), y, 0)):
        with pytest.raises(sg.ShapeError, match="broadcast"):
            make()


@pytest.mark.parametrize("function", [sg.softmax, sg.log_softmax])
@targets
def test_softmax_along_an_axis_of_no_elements(target: str, function: Callable[..., sg.Tensor]) -> None:
    x = sg.placeholder((2, 0, 3))
    for axis in range(3):
        fn = sg.function([x], [function(x, axis), sg.grad(sg.sum(function(x, axis)), x)], target=target)
        assert [a.shape for a in fn(np.ones((2, 0, 3)))] == [(2, 0, 3)] * 2
        assert call(lambda t, a=axis: function(t, a), np.ones((2, 0, 3)), target=target).shape == (2, 0, 3)


@targets
def test_products_of_stacks_of_empty_matrices(target: str) -> None:
    """NumPy's target picks rows of the second operand, of which there are none."""
    x = sg.placeholder((3, None, None), "float64")
    fn = sg.function([x], sg.dot(x, x), target=target)
    for n in (2, 0, 1):
        a = np.arange(3.0 * n * n).reshape(3, n, n)
        np.testing.assert_array_equal(fn(a), np.dot(a, a))


@pytest.mark.parametrize("exponent", [0.5, -0.5, 2.0, -1.0, 0.0, 3.0])
@targets
def test_powers_by_one_number_are_powers(target: str, exponent: float) -> None:
    """NumPy takes the root of -inf where the exponent is one number, 0.5."""
    x = np.array([-np.inf, -0.0, 0.0, np.inf, np.nan, 2.0])
    t, one = sg.placeholder((None,), "float64"), sg.placeholder((), "float64")
    options = sg.Options(target=target, inexact=False)
    fn = sg.function([t, one], [sg.power(t, exponent), sg.power(one, exponent)], options=options)
    with np.errstate(all="ignore"):
        wanted = np.power(x, np.full(6, exponent))
    for k, number in enumerate(x):
        got = fn(x, number)
        np.testing.assert_allclose(got[0], wanted, rtol=1e-15)
        np.testing.assert_allclose(got[1], wanted[k], rtol=1e-15)
        assert (np.signbit(got[0]) == np.signbit(wanted))[:4].all()


@targets
def test_logsumexp_of_nothing(target: str) -> None:
    fixed, x = sg.placeholder((2, 0), "float64"), np.ones((2, 0))
    fn = sg.function([fixed], [sg.logsumexp(fixed, 1), sg.grad(sg.sum(sg.logsumexp(fixed, 0)), fixed)], target=target)
    assert fn(x)[0].tolist() == [-np.inf, -np.inf]
    assert fn(x)[1].shape == (2, 0)
    assert call(lambda t: sg.logsumexp(t, 1), x, target=target).tolist() == [-np.inf, -np.inf]


def test_the_reference_of_erfinv_near_zero() -> None:
    op = REGISTRY["erfinv"]()
    small = np.array([0.0, -0.0, 1e-300, -1e-20, 2e-9])
    np.testing.assert_allclose(op.reference(small), small * np.sqrt(np.pi) / 2, rtol=1e-12)
    assert np.signbit(op.reference(small)).tolist() == [False, True, False, True, False]
