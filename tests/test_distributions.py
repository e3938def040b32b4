"""Distributions against NumPy's: means, deviations and quantiles of many numbers, with fixed seeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symgraph as sg

R = sg.random
COUNT = 40_000
REFERENCE = np.random.default_rng(0)

Make = Callable[[Any], sg.Tensor]
CONTINUOUS: dict[str, tuple[Make, Any]] = {
    "uniform": (lambda n: R.uniform(n, -1.0, 3.0), lambda g, n: g.uniform(-1, 3, n)),
    "normal": (lambda n: R.normal(n, 1.0, 2.0), lambda g, n: g.normal(1, 2, n)),
    "lognormal": (lambda n: R.lognormal(n, 0.2, 0.5), lambda g, n: g.lognormal(0.2, 0.5, n)),
    "exponential": (lambda n: R.exponential(n, 2.0), lambda g, n: g.exponential(2, n)),
    "laplace": (lambda n: R.laplace(n, 1.0, 2.0), lambda g, n: g.laplace(1, 2, n)),
    "gumbel": (lambda n: R.gumbel(n, 1.0, 2.0), lambda g, n: g.gumbel(1, 2, n)),
    "logistic": (lambda n: R.logistic(n, 1.0, 2.0), lambda g, n: g.logistic(1, 2, n)),
    "cauchy": (lambda n: sg.arctan(R.cauchy(n, 1.0, 2.0)), lambda g, n: np.arctan(1 + 2 * g.standard_cauchy(n))),
    "rayleigh": (lambda n: R.rayleigh(n, 2.0), lambda g, n: g.rayleigh(2, n)),
    "weibull": (lambda n: R.weibull(n, 1.7, 2.0), lambda g, n: 2 * g.weibull(1.7, n)),
    "pareto": (lambda n: R.pareto(n, 5.0), lambda g, n: g.pareto(5, n)),
    "triangular": (lambda n: R.triangular(n, -1.0, 0.5, 2.0), lambda g, n: g.triangular(-1, 0.5, 2, n)),
    "gamma": (lambda n: R.gamma(n, 3.3, 0.5), lambda g, n: g.gamma(3.3, 0.5, n)),
    "gamma of one": (lambda n: R.gamma(n, 1.0), lambda g, n: g.gamma(1, 1, n)),
    "small gamma": (lambda n: R.gamma(n, 0.2), lambda g, n: g.gamma(0.2, 1, n)),
    "beta": (lambda n: R.beta(n, 0.7, 2.0), lambda g, n: g.beta(0.7, 2, n)),
    "chisquare": (lambda n: R.chisquare(n, 5.0), lambda g, n: g.chisquare(5, n)),
    "t": (lambda n: sg.arctan(R.standard_t(n, 3.0)), lambda g, n: np.arctan(g.standard_t(3, n))),
}
DISCRETE: dict[str, tuple[Make, Any]] = {
    "randint": (lambda n: R.randint(n, -3, 9), lambda g, n: g.integers(-3, 9, n)),
    "few": (lambda n: R.poisson(n, 0.7), lambda g, n: g.poisson(0.7, n)),
    "several": (lambda n: R.poisson(n, 9.5), lambda g, n: g.poisson(9.5, n)),
    "many": (lambda n: R.poisson(n, 11.0), lambda g, n: g.poisson(11, n)),
    "very many": (lambda n: R.poisson(n, 1e5), lambda g, n: g.poisson(1e5, n)),
    "rare": (lambda n: R.binomial(n, 20, 0.1), lambda g, n: g.binomial(20, 0.1, n)),
    "usual": (lambda n: R.binomial(n, 100, 0.7), lambda g, n: g.binomial(100, 0.7, n)),
    "large": (lambda n: R.binomial(n, 100_000, 0.3), lambda g, n: g.binomial(100_000, 0.3, n)),
    "certain": (lambda n: R.binomial(n, 7, 1.0), lambda g, n: g.binomial(7, 1.0, n)),
    "geometric": (lambda n: R.geometric(n, 0.3), lambda g, n: g.geometric(0.3, n)),
    "negative_binomial": (lambda n: R.negative_binomial(n, 4.0, 0.3), lambda g, n: g.negative_binomial(4, 0.3, n)),
    "bernoulli": (lambda n: R.bernoulli(n, sg.constant(0.3), "int64"), lambda g, n: g.binomial(1, 0.3, n)),
}


def _alike(got: Any, want: Any) -> None:
    """Within five standard errors of two samples' means, and their distribution functions near each other."""
    got, want = got.astype("float64"), want.astype("float64")
    error = np.sqrt(got.var() / got.size + want.var() / want.size) + 1e-12
    assert abs(got.mean() - want.mean()) < 5 * error
    places = np.unique(np.quantile(want, np.linspace(0, 1, 41)))
    of_got, of_want = ((x[:, None] <= places).mean(0) for x in (got, want))
    assert np.abs(of_got - of_want).max() < 2.0 * np.sqrt(2 / COUNT)  # Kolmogorov-Smirnov at a level under 0.001


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous(name: str) -> None:
    make, numpy_make = CONTINUOUS[name]
    sg.set_random_seed(11)
    got = sg.function([], make(COUNT))()
    assert got.dtype == np.float32
    assert np.isfinite(got).all()
    _alike(got, numpy_make(REFERENCE, COUNT))


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete(name: str) -> None:
    make, numpy_make = DISCRETE[name]
    sg.set_random_seed(12)
    got = sg.function([], make(COUNT))()
    assert got.dtype == np.int64
    _alike(got, numpy_make(REFERENCE, COUNT))


def test_truncated_normal() -> None:
    sg.set_random_seed(1)
    z = sg.function([], R.truncated_normal((COUNT,), 1.0, 2.0))()
    assert -3 <= z.min() < -2.9 < 4.9 < z.max() <= 5
    assert z.mean() == pytest.approx(1, abs=0.05)
    assert z.std() == pytest.approx(2 * 0.8796, abs=0.02)


def test_categorical_and_multinomial() -> None:
    p = np.array([[0.1, 0.2, 0.0, 0.7], [0.25, 0.25, 0.5, 0.0]])
    sg.set_random_seed(2)
    by_p, by_logits, once, counts, one_row = sg.function([], [
        R.categorical(probs=p, shape=(20_000, 2)), R.categorical(np.log(p.T + 1e-30), axis=0),
        R.multinomial(1, p, (20_000, 2)), R.multinomial(30, p, (5_000, 2)), R.multinomial(5, p[0]),
    ])()  # fmt: skip
    hits = (by_p[..., None] == np.arange(4)).mean(0)
    np.testing.assert_allclose(hits, p, atol=0.015)
    assert hits[0, 2] == hits[1, 3] == 0
    assert by_logits.shape == (2,)
    np.testing.assert_allclose(once.mean(0), p, atol=0.015)
    assert (once.sum(-1) == 1).all()
    assert (counts.sum(-1) == 30).all()
    assert (counts[:, 0, 2] == 0).all()
    np.testing.assert_allclose(counts.mean(0), 30 * p, atol=0.2)
    np.testing.assert_allclose(counts.var(0), 30 * p * (1 - p), atol=0.4)
    assert one_row.sum() == 5


def test_dirichlet() -> None:
    alpha = np.array([0.3, 1.0, 4.0])
    sg.set_random_seed(2)
    shares = sg.function([], R.dirichlet(alpha, (20_000,)))()
    np.testing.assert_allclose(shares.sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(shares.mean(0), alpha / alpha.sum(), atol=0.01)
    want = REFERENCE.dirichlet(alpha, 20_000)
    np.testing.assert_allclose(shares.std(0), want.std(0), atol=0.01)


def test_orders() -> None:
    sg.set_random_seed(4)
    x = np.arange(12).reshape(6, 2)
    n = sg.placeholder((None,))
    one, many, rows, columns, unknown = sg.function([n], [
        R.permutation(1000), R.permutation(4, (5000,)), R.permutation(x), R.shuffle(x, axis=1),
        R.permutation(n.shape[0]),
    ])(np.zeros(7, "float32"))  # fmt: skip
    np.testing.assert_array_equal(np.sort(one), np.arange(1000))
    assert abs(np.corrcoef(one, np.arange(1000))[0, 1]) < 0.15
    _, counts = np.unique(many @ [64, 16, 4, 1], return_counts=True)
    assert len(counts) == 24
    assert abs(counts - 5000 / 24).max() < 70
    assert sorted(map(tuple, rows)) == sorted(map(tuple, x))
    np.testing.assert_array_equal(np.sort(columns, 1), x)
    np.testing.assert_array_equal(np.sort(unknown), np.arange(7))


def test_choice() -> None:
    p = np.array([0.1, 0.0, 0.6, 0.3])
    sg.set_random_seed(4)
    equal, weighted, different, uneven, picked = sg.function([], [
        R.choice(4, (20_000,)), R.choice(4, (20_000,), p=p), R.choice(50, (5, 10), replace=False),
        R.choice(4, (3,), replace=False, p=p), R.choice(np.array([2.5, 7.5]), (9,)),
    ])()  # fmt: skip
    np.testing.assert_allclose(np.bincount(equal) / 20_000, 0.25, atol=0.015)
    np.testing.assert_allclose(np.bincount(weighted, minlength=4) / 20_000, p, atol=0.015)
    assert len(np.unique(different)) == 50
    assert sorted(uneven) == [0, 2, 3]
    assert set(picked) <= {2.5, 7.5}
    with pytest.raises(sg.ArgumentError, match="5 different elements of 4"):
        R.choice(4, (5,), replace=False)
    with pytest.raises(sg.ShapeError, match="with probabilities"):
        R.choice(5, (2,), p=p)
    with pytest.raises(sg.ShapeError, match="no vector"):
        R.choice(np.zeros((2, 2)), (2,))


def test_wide_integers() -> None:
    sg.set_random_seed(4)
    wide, small, unsigned = sg.function([], [
        R.randint((2000,), -(2**62), 2**62), R.randint((2000,), 5, dtype="int8"),
        R.randint((2000,), sg.constant(0), sg.constant(2**40)),
    ])()  # fmt: skip
    assert abs(wide.mean() / 2**62) < 0.05
    assert wide.min() < -(2**61)
    assert set(small) == set(range(5))
    assert small.dtype == np.int8
    assert abs(unsigned.mean() / 2**39 - 1) < 0.05
    with pytest.raises(sg.ArgumentError, match="no integer is at least 3 and below 3"):
        R.randint((2,), 3, 3)
    with pytest.raises(sg.DTypeError, match="integer dtype"):
        R.randint((2,), 3, dtype="float32")


def test_parameters_as_tensors() -> None:
    sg.set_random_seed(5)
    mean = sg.placeholder((None,))
    f = sg.function([mean], [R.normal(None, mean), R.poisson(None, mean), R.gamma((3, 4), mean)])
    z, k, g = f(np.array([1, 10, 100, 1000], "float32"))
    np.testing.assert_allclose(z, [1, 10, 100, 1000], atol=5)
    np.testing.assert_allclose(k, [1, 10, 100, 1000], atol=150)
    assert g.shape == (3, 4)
    assert (np.diff(g.mean(0)) > 0).all()


def test_parameters_as_arrays() -> None:
    low, high = np.array([0.0, 10.0, 20.0]), np.array([1.0, 11.0, 21.0])
    u, z = sg.function([], [R.uniform(None, low, high), R.normal((50, 3), low, high)])()
    assert (low <= u).all()
    assert (u < high).all()
    assert (np.diff(z.mean(0)) > 0).all()


def test_bad_parameters() -> None:
    values = np.array([-1.0, np.nan, 2.0])
    k, g, b = sg.function([], [R.poisson(None, values), R.gamma(None, values), R.binomial(None, 5, values)])()
    np.testing.assert_array_equal(k < 0, [True, True, False])
    np.testing.assert_array_equal(np.isnan(g), [True, True, False])
    np.testing.assert_array_equal(b, [-1, -1, -1])
    with pytest.raises(sg.ArgumentError, match="either logits or probs"):
        R.categorical()
    with pytest.raises(sg.DTypeError, match="floating dtype"):
        R.gamma((3,), dtype="int32")


def test_gradients_of_parameters() -> None:
    mean, std, shape, scale = (sg.placeholder((), "float64") for _ in range(4))
    z = R.normal((5,), mean, std, "float64", seed=1)
    g = R.gamma((5,), shape, scale, "float64", seed=2)
    f = sg.function([mean, std, scale, shape], [z, g, *sg.grad(sg.sum(z) + sg.sum(g), [mean, std, scale])])
    drawn, of_gamma, by_mean, by_std, by_scale = f(1.0, 2.0, 3.0, 1.5)
    assert by_mean == 5
    assert by_std == pytest.approx(((drawn - 1) / 2).sum())
    assert by_scale == pytest.approx(of_gamma.sum() / 3)
    with pytest.raises(sg.GradientError):
        sg.grad(sg.sum(g), shape)


def test_seeds_and_loops() -> None:
    a, b = sg.function([], [R.gamma((50,), 0.5, seed=3), R.gamma((50,), 0.5, seed=3)])()
    np.testing.assert_array_equal(a, b)
    rows, updates = sg.scan(lambda: R.poisson((20,), 30.0), n_steps=3)
    drawn = sg.function([], rows, updates=updates)()
    assert not np.array_equal(drawn[0], drawn[1])


@pytest.mark.parametrize("streams", [R.RandomStreams, R.MRG_RandomStreams])
def test_streams(streams: Any) -> None:
    def run(seed: int) -> list[Any]:
        stream = streams(seed)
        rows, updates = sg.scan(lambda: stream.uniform((3,)), n_steps=4)
        f = sg.function([], [
            stream.uniform((5,)), stream.normal((5,), avg=1.0), stream.binomial((5,), p=0.3),
            stream.binomial((5,), n=9), stream.choice((5,), 4),
            stream.permutation(n=6), stream.multinomial((5,), pvals=[0.2, 0.8]),
            stream.random_integers((5,), 1, 6), stream.shuffle_row_elements(np.arange(6)), stream.poisson((5,), 3.0),
            stream.truncated_normal((5,)), rows,
        ], updates=updates)  # fmt: skip
        first, second = f(), f()
        assert not np.array_equal(first[0], second[0])
        stream.seed(seed)
        for a, b in zip(f(), first, strict=True):
            np.testing.assert_array_equal(a, b)
        return [*first, *second]

    sg.set_random_seed(1)
    one = run(7)
    sg.set_random_seed(2)
    for a, b in zip(one, run(7), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(one[0], run(8)[0])
    assert len(np.unique(one[11])) == 12
