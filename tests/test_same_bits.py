"""Random numbers have the same bits on every target, whatever is fused with them; and they are the ones they were."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.codegen.plan import Step
from symgraph.codegen.targets.llvm.cpu import can_run, cpu_for, host_cpu
from symgraph.generators import default
from symgraph.ir.interp import interpret
from symgraph.ir.ops.portable import LogFactorial, LogInside, NormalOfBits, PortableFunction
from symgraph.keras import backend as K
from symgraph.options import Options
from tests.codegen.running import run_plan

R = sg.random
Array = np.ndarray[Any, Any]
Golden = Callable[[str, str], None]
Make = Callable[[tuple[Any, ...], str], sg.Tensor]

#: Not a multiple of any number of lanes, nor of a block of random bits.
SHAPE = (3, 47)
FLOATS = ("float16", "float32", "float64")
#: Each distribution of a formula, by a maker from shape and dtype.
FORMULAS: dict[str, Make] = {
    "uniform": lambda n, d: R.uniform(n, -1.3, 3.7, d),
    "normal": lambda n, d: R.normal(n, dtype=d),
    "normal of parameters": lambda n, d: R.normal(n, 0.3, 1.7, d),
    "truncated_normal": lambda n, d: R.truncated_normal(n, 0.3, 1.7, d),
    "lognormal": lambda n, d: R.lognormal(n, 0.2, 0.5, d),
    "exponential": lambda n, d: R.exponential(n, 1.9, d),
    "laplace": lambda n, d: R.laplace(n, 1.1, 2.3, d),
    "gumbel": lambda n, d: R.gumbel(n, 1.1, 2.3, d),
    "logistic": lambda n, d: R.logistic(n, 1.1, 2.3, d),
    "cauchy": lambda n, d: R.cauchy(n, 1.1, 2.3, d),
    "rayleigh": lambda n, d: R.rayleigh(n, 2.3, d),
    "weibull": lambda n, d: R.weibull(n, 1.7, 2.3, d),
    "pareto": lambda n, d: R.pareto(n, 5.3, d),
    "triangular": lambda n, d: R.triangular(n, -1.0, 0.4, 2.3, d),
}
#: Those that draw until they are content.
LOOPS: dict[str, Make] = {
    "gamma": lambda n, d: R.gamma(n, 3.3, 0.7, d),
    "small gamma": lambda n, d: R.gamma(n, 0.2, 0.7, d),
    "beta": lambda n, d: R.beta(n, 0.7, 2.0, d),
    "dirichlet": lambda n, d: R.dirichlet(np.linspace(0.3, 4.0, n[-1]), n[:-1], d),
    "chisquare": lambda n, d: R.chisquare(n, 5.0, d),
    "standard_t": lambda n, d: R.standard_t(n, 3.0, d),
}
WHOLE: dict[str, Make] = {
    "randint": lambda n, d: R.randint(n, -3, 1000, d),
    "bernoulli": lambda n, d: R.bernoulli(n, 0.3, d),
    "bernoulli of a tensor": lambda n, d: R.bernoulli(n, sg.constant(0.3), d),
    "categorical": lambda n, d: R.categorical(np.linspace(-1.0, 1.3, 5), shape=n, dtype=d),
    "categorical of probabilities": lambda n, d: R.categorical(probs=[0.1, 0.2, 0.7], shape=n, dtype=d),
    "geometric": lambda n, d: R.geometric(n, 0.3, d),
    "permutation": lambda n, d: R.permutation(int(np.prod(n)), dtype=d),
    "shuffle": lambda n, d: R.shuffle(sg.constant(np.arange(np.prod(n)).astype(d))),
    "choice": lambda n, d: R.choice(70, n, p=np.linspace(1, 2, 70) / 105, dtype=d),
    "choice without replacement": lambda n, d: R.choice(70, (40,), False, np.linspace(1, 2, 70) / 105, d),
    "multinomial of one": lambda n, d: R.multinomial(1, [0.1, 0.2, 0.7], n, d),
}
WHOLE_LOOPS: dict[str, Make] = {
    "poisson": lambda n, d: R.poisson(n, np.cumprod(np.full(n[-1], 1.41)) * 0.1, d),
    "binomial": lambda n, d: R.binomial(n, 90, np.linspace(0.0, 1.0, n[-1]), d),
    "negative_binomial": lambda n, d: R.negative_binomial(n, 4.0, 0.3, d),
    "multinomial": lambda n, d: R.multinomial(30, [0.1, 0.2, 0.7], n, d),
}
CASES: dict[str, tuple[Make, str]] = {
    **{f"{name} {d}": (make, d) for name, make in FORMULAS.items() for d in FLOATS},
    **{f"{name} {d}": (make, d) for name, make in LOOPS.items() for d in FLOATS[1:]},
    **{name: (make, "int64") for name, make in (WHOLE | WHOLE_LOOPS).items()},
}
#: What is tried in every run; the rest is slow.
USUAL = [f"{name} float32" for name in FORMULAS] + ["normal float64", *WHOLE, "gamma float32", "poisson"]
NUMPY = Options(target="numpy")
OPTIONS = {
    "llvm": Options(), "baseline": Options(cpu="baseline"), "avx2": Options(cpu="avx2"),
    "avx512": Options(cpu="avx512"), "flushed": Options(flush_subnormals=True), "as written": Options(inexact=False),
    "numpy, as written": Options(target="numpy", inexact=False),
}  # fmt: skip


def options_of(name: str) -> Options:
    options = OPTIONS[name]
    if options.cpu != "host" and (host_cpu().arch != "x86_64" or not can_run(cpu_for(options.cpu))):
        pytest.skip(f"this processor has no {options.cpu}")
    return options


def function_of(name: str, options: Options, around: Callable[[sg.Tensor], Any] = lambda draws: [draws]) -> sg.Function:
    """A function of what is built ``around`` the draws, at the beginning of its stream."""
    make, dtype = CASES[name]
    sg.set_random_seed(20)
    return sg.function([], around(make(SHAPE, dtype)), options=options)


@lru_cache
def drawn(name: str, options: Options = NUMPY) -> list[Array]:
    """What two calls give."""
    f = function_of(name, options)
    return [*f(), *f()]


def assert_same_bits(got: list[Array], want: list[Array]) -> None:
    for a, b in zip(got, want, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        if a.tobytes() != b.tobytes():
            np.testing.assert_array_equal(a, b)
            raise AssertionError("zeros of different signs, or different NaNs")


def hashes(names: Iterable[str]) -> str:
    lines = []
    for name in names:
        digest = hashlib.sha256()
        for a in drawn(name):
            digest.update(a.astype(a.dtype.newbyteorder("<")).tobytes())
        lines.append(f"{digest.hexdigest()[:16]} {name}\n")
    return "".join(lines)


def test_the_streams_are_the_ones_they_were(golden: Golden) -> None:
    """The numbers that a seed gives are a promise: who renews this file breaks it."""
    golden("draws", hashes(USUAL))


@pytest.mark.slow
def test_the_other_streams_too(golden: Golden) -> None:
    golden("draws_others", hashes(name for name in CASES if name not in USUAL))


@pytest.mark.parametrize("name", USUAL)
def test_the_native_target_gives_the_same_bits(name: str) -> None:
    assert_same_bits(drawn(name, OPTIONS["llvm"]), drawn(name))


@pytest.mark.slow
@pytest.mark.parametrize("where", OPTIONS)
@pytest.mark.parametrize("name", CASES)
def test_every_target_gives_the_same_bits(name: str, where: str) -> None:
    assert_same_bits(drawn(name, options_of(where)), drawn(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_interpreters_give_the_same_bits(name: str) -> None:
    """The graph as it was built, by the references of its ops; and kernels, element by element."""
    want, _ = drawn(name)
    f = function_of(name, OPTIONS["llvm"])
    states = [default.key.get_value()]
    assert_same_bits([interpret(f.stages.imported, [], states).outputs[0]], [want])
    plan = f.stages.plan
    if all(isinstance(step, Step) for step in plan.steps):
        assert_same_bits(run_plan(plan, [], states, {})[0], [want])


def consumed(draws: sg.Tensor) -> list[sg.Tensor]:
    """Draws that a larger expression reads, which returns them too; and one that keeps their bits."""
    x = draws.astype("float64")
    return [sg.sum(sg.sin(x * 3.0) * 7.0 + x), draws, sg.log(sg.exp(sg.stack([x, x * 2.0]) * 0.1) + 1.0), x * 2.0]


@pytest.mark.parametrize("name", ["normal float32", "exponential float32", "categorical"])
@pytest.mark.parametrize("options", [OPTIONS["llvm"], NUMPY])
def test_readers_do_not_change_the_bits(name: str, options: Options) -> None:
    _check_readers(name, options)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_no_reader_changes_the_bits(name: str) -> None:
    _check_readers(name, OPTIONS["llvm"])


def _check_readers(name: str, options: Options) -> None:
    want = drawn(name)[0]
    _, got, _, twice = function_of(name, options, consumed)()
    assert_same_bits([got, twice], [want, want.astype("float64") * 2])
    (alone,) = function_of(name, options, lambda draws: [draws.astype("float64") * 2.0])()
    assert_same_bits([alone], [want.astype("float64") * 2])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_size_begins_with_the_same_numbers(dtype: str) -> None:
    """Whole blocks of random bits, parts of vectors and single elements."""
    n = sg.placeholder((None,))
    sg.set_random_seed(20)
    draws = [R.normal(n.shape, dtype=dtype, seed=1), R.exponential(n.shape, dtype=dtype, seed=2)]
    want = [a.reshape(-1) for a in sg.function([n], draws, options=NUMPY)(np.zeros(300, "float32"))]
    f = sg.function([n], draws)
    for count in (0, 1, 2, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 129, 300):
        sg.set_random_seed(20)
        assert_same_bits(f(np.zeros(count, "float32")), [a[:count] for a in want])


def test_layers_drop_the_same_units_everywhere() -> None:
    x = sg.placeholder((None, 37), "float32")
    got = []
    for options in (NUMPY, OPTIONS["llvm"]):
        sg.set_random_seed(20)
        noise = K.random_normal((5, 37)) + K.truncated_normal((5, 37)) + K.random_uniform((5, 37))
        got.append(sg.function([x], [K.dropout(x, 0.3), noise], options=options)(np.ones((5, 37), "float32")))
    assert_same_bits(*got)


@pytest.mark.parametrize("cls", PortableFunction.__subclasses__())
def test_portable_functions_are_the_functions(cls: type[PortableFunction]) -> None:
    for sample in cls.samples():
        if not sample.error:
            want = cls.of.reference(*sample.arrays)
            rtol = {4: 1e-6, 8: 1e-14}[want.itemsize]
            np.testing.assert_allclose(cls().reference(*sample.arrays), want, rtol=rtol)


def test_logarithms_inside() -> None:
    x = np.concatenate([np.random.default_rng(1).uniform(0, 1, 1000), 10.0 ** np.arange(-300, 300)])
    np.testing.assert_allclose(LogInside().reference(x), np.log(x), rtol=4e-16)
    single = x[:1000].astype("float32")
    np.testing.assert_allclose(LogInside().reference(single), np.log(single.astype("float64")), rtol=1.3e-7)
    k = np.concatenate([np.arange(0.0, 300.0), 10.0 ** np.arange(3, 19)])
    want = np.array([math.lgamma(n + 1) for n in k])
    np.testing.assert_allclose(LogFactorial().reference(k), want, rtol=1e-15, atol=2e-14)


def test_normal_numbers_reach_far() -> None:
    """Where the bits are extreme, the numbers are the quantiles of their probabilities."""
    edge = np.array([2**31, 2**31 + 1, 2**31 - 1, 0, 2**32 - 1], "uint32")
    single = NormalOfBits().reference(edge)
    np.testing.assert_allclose(single[[0, 2]], [-6.3379577545537, 6.3379577545537], rtol=1e-6)
    assert 0 < single[3] == -single[4] < 1e-9
    low = np.array([0, 0, 2**32 - 1, 0, 2**32 - 1], "uint32")
    double = NormalOfBits().reference(edge, low)
    np.testing.assert_allclose(double[[0, 2]], [-9.155293772686074, 9.155293772686074], rtol=1e-14)
    assert 0 < double[3] == -double[4] < 1e-18
    high = np.random.default_rng(0).integers(0, 2**32, 20_000).astype("uint32")
    high[:4000] = 2**31 - 1 - high[:4000] // 2**17
    numbers = [int(h) for h in high.astype("int32")]
    for values, width in ((NormalOfBits().reference(high), 32), (NormalOfBits().reference(high, high), 64)):
        wide = numbers if width == 32 else [(n << 32) + int(h) for n, h in zip(numbers, high, strict=True)]
        tails = [((1 << width) - abs(2 * n + 1)) / 2 ** (width + 1) for n in wide]
        z = np.abs(values.astype("float64"))
        got = np.array([math.erfc(x / math.sqrt(2)) / 2 for x in z])
        # How much the tail changes with the last bit of the number, and the error of erfc itself.
        unit = np.exp(-z * z / 2) / math.sqrt(2 * math.pi) * np.spacing(np.abs(values)).astype("float64")
        assert ((np.abs(got - tails) - 4e-16 * got) / unit).max() < 6
