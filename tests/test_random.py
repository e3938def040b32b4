"""Random tensors: fresh on each call, with the right distributions (`test_same_bits.py`: the same everywhere)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

import symgraph as sg
from symgraph.ir.ops.random import RandomBits


def _run(target: str) -> list[np.ndarray]:
    sg.set_random_seed(1234)
    f = sg.function(
        [],
        [
            sg.random.uniform((3, 70)),
            sg.random.normal((100,)),
            sg.random.bernoulli((5, 33), 0.3),
            sg.random.uniform((9,), -1, 1, "float64"),
        ],
        target=target,
    )
    return [*f(), *f()]


@pytest.mark.parametrize("target", ["numpy", "llvm"])
def test_a_seed_repeats_the_run_and_calls_differ(target: str) -> None:
    first, second = _run(target), _run(target)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first[0], first[4])


def test_philox_gives_the_known_answer() -> None:
    # The known-answer vectors of the authors' Random123 for philox4x32-10: counter 0, key 0 and all ones.
    zero = RandomBits((64,), 0).reference(np.zeros(4, np.uint32))
    assert [hex(int(zero[16 * w])) for w in range(4)] == ["0x6627e8d5", "0xe169c58d", "0xbc57ac4c", "0x9b00dbd8"]


def test_distributions() -> None:
    sg.set_random_seed(5)
    n = 200_000
    u, z, b, w = sg.function(
        [],
        [
            sg.random.uniform((n,), 2, 5),
            sg.random.normal((n,), 1.0, 2.0),
            sg.random.bernoulli((n,), 0.3),
            sg.random.uniform((n,), dtype="float64"),
        ],
    )()
    assert 2 <= u.min() < 2.01 < 4.99 < u.max() < 5
    assert abs(u.mean() - 3.5) < 0.01
    assert abs(z.mean() - 1) < 0.03
    assert abs(z.std() - 2) < 0.03
    assert abs(((z - 1) / 2 < 1).mean() - 0.8413) < 0.005
    assert abs(b.mean() - 0.3) < 0.005
    assert abs(np.corrcoef(w[:-1], w[1:])[0, 1]) < 0.01
    assert len(np.unique(w)) == n


def test_probabilities_at_the_ends() -> None:
    never, always = sg.function([], [sg.random.bernoulli((100,), 0.0), sg.random.bernoulli((100,), 1.0)])()
    assert not never.any()
    assert always.all()


def test_the_shape_may_hold_unknown_sizes() -> None:
    x = sg.placeholder((None, 3))
    f = sg.function([x], sg.random.uniform(x.shape) + x)
    assert f(np.zeros((4, 3))).shape == (4, 3)
    assert f(np.zeros((1, 3))).shape == (1, 3)


def test_ops_with_one_seed_draw_alike() -> None:
    a, b = sg.function([], [sg.random.uniform((5,), seed=3), sg.random.uniform((5,), seed=3)])()
    np.testing.assert_array_equal(a, b)


def test_random_integers_are_refused() -> None:
    with pytest.raises(sg.DTypeError, match="floating dtype"):
        sg.random.uniform((3,), dtype="int32")


def test_threads_build_loops_with_draws_side_by_side() -> None:
    barrier = threading.Barrier(4)

    def build(_: int) -> float:
        barrier.wait()
        for _ in range(5):
            stream = sg.random.RandomStreams(7)
            xs, updates = sg.scan(partial(stream.uniform, (3,)), n_steps=4)
        return float(sg.function([], sg.sum(xs), updates=updates)())

    with ThreadPoolExecutor(4) as pool:
        sums = set(pool.map(build, range(4)))
    assert len(sums) == 1
