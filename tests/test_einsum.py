"""Einstein summation against NumPy's: any number of operands, diagonals, ..., axes that stretch; and the order."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import symgraph as sg
from symgraph.ir.contraction_order import contraction_order

SPECS = [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij,jk", [(2, 3), (3, 4)]),
    ("ba", [(2, 3)]),
    ("ij->ji", [(2, 3)]),
    ("ij->", [(2, 3)]),
    ("bij,bjk,bk->bi", [(2, 3, 4), (2, 4, 5), (2, 5)]),
    ("i,j,k->kji", [(2,), (3,), (4,)]),
    ("ij,ij->i", [(2, 3), (2, 3)]),
    ("ij,kl->jl", [(2, 3), (4, 5)]),
    ("ii", [(3, 3)]),
    ("ii->i", [(3, 3)]),
    ("iij->j", [(3, 3, 2)]),
    ("iii->i", [(3, 3, 3)]),
    ("ijij->ij", [(2, 3, 2, 3)]),
    ("ij,jj->ij", [(2, 3), (3, 3)]),
    ("...ij,...jk->...ik", [(5, 1, 2, 3), (4, 3, 2)]),
    ("i...->...", [(2, 3, 4)]),
    ("...", [(2, 3)]),
    ("...i,i", [(2, 3, 4), (4,)]),
    ("...ii->...i", [(2, 3, 3)]),
    ("ij...,jk->ik...", [(2, 3, 4), (3, 5)]),
    ("ij,jk", [(2, 1), (3, 4)]),
    ("ab,bc,cd,de,ef->af", [(2, 3), (3, 4), (4, 2), (2, 5), (5, 3)]),
    ("ea,fb,abcd,gc,hd->efgh", [(2, 2), (2, 2), (2, 2, 2, 2), (2, 2), (2, 2)]),
    (",ij,->ji", [(), (2, 3), ()]),
]


@pytest.mark.parametrize(("spec", "shapes"), SPECS, ids=[s for s, _ in SPECS])
def test_einsum_is_numpys(spec: str, shapes: list[tuple[int, ...]]) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s) for s in shapes]
    xs = [sg.placeholder(s, "float64", name=f"x{k}") for k, s in enumerate(shapes)]
    y = sg.einsum(spec, *xs)
    want = np.einsum(spec, *arrays)
    assert y.shape == want.shape
    fn = sg.function(xs, [y, *sg.grad(sg.sum(sg.sin(y)), xs)], options=sg.Options(target="numpy"))
    got, *slopes = fn(*arrays)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)
    for k, slope in enumerate(slopes):
        step = 1e-6 * rng.normal(size=arrays[k].shape)
        ends = [np.sin(np.einsum(spec, *arrays[:k], arrays[k] + d, *arrays[k + 1 :])).sum() for d in (step, -step)]
        np.testing.assert_allclose((slope * step).sum(), (ends[0] - ends[1]) / 2, rtol=1e-4, atol=1e-12)


def test_unknown_sizes() -> None:
    x, y = sg.placeholder((None, 3), name="x"), sg.placeholder((3, None), name="y")
    fn = sg.function([x, y], sg.einsum("ik,kj->ji", x, y))
    for n, m in ((1, 1), (2, 5)):
        a, b = np.ones((n, 3), "float32"), np.full((3, m), 2, "float32")
        np.testing.assert_array_equal(fn(a, b), (a @ b).T)


@pytest.mark.parametrize(
    ("spec", "shapes", "text"),
    [
        ("ij,jk", [(2, 3)], "has 2 operands, got 1"),
        ("i1", [(2, 3)], "cannot read 'i1'"),
        ("ijk", [(2, 3)], "'ijk' does not name the 2 axes"),
        ("i", [(2, 3)], "'i' does not name the 2 axes"),
        ("ij->ik", [(2, 3)], "each letter of the result"),
        ("ij->ii", [(2, 3)], "each letter of the result"),
        ("...->", [(2, 3)], "axes under ..., the result has none"),
        ("ij,jk", [(2, 3), (4, 2)], "axis 'j' has sizes 3 and 4"),
        ("ii", [(2, 3)], "axis 'i' has sizes 2 and 3"),
    ],
)
def test_what_does_not_fit_is_named(spec: str, shapes: list[tuple[int, ...]], text: str) -> None:
    with pytest.raises((sg.ArgumentError, sg.ShapeError), match=text.replace(".", r"\.")):
        sg.einsum(spec, *(sg.ones(s) for s in shapes))


def _least(terms: list[str], result: str, sizes: dict[str, int]) -> int:
    """The multiplications of the best order, all orders tried."""
    if len(terms) == 1:
        return 0
    found = []
    for i, j in itertools.combinations(range(len(terms)), 2):
        rest = [t for k, t in enumerate(terms) if k not in (i, j)]
        needed = set(result).union(*rest)
        both = set(terms[i] + terms[j])
        work = math.prod(sizes[c] for c in both)
        found.append(work + _least([*rest, "".join(both & needed)], result, sizes))
    return min(found)


@pytest.mark.parametrize("seed", range(20))
def test_the_order_is_the_best(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = {c: int(rng.integers(1, 9)) for c in "abcdef"}
    terms = ["".join(rng.choice(list("abcdef"), rng.integers(1, 4), replace=False)) for _ in range(5)]
    result = "".join(sorted(set("".join(terms)))[:2])
    steps, work = contraction_order(terms, result, sizes)
    assert work == _least(terms, result, sizes)
    assert len(steps) == len(terms) - 1
    assert set(steps[-1].out) == set(result)


def test_many_operands_are_ordered_too() -> None:
    terms = [chr(97 + k) + chr(98 + k) for k in range(12)]
    sizes = {chr(97 + k): 1 if k == 12 else 10 for k in range(13)}
    steps, work = contraction_order(terms, "am", sizes)
    assert len(steps) == 11
    assert work == 11 * 100  # from the narrow end


@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_a_chain_is_the_best_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = {c: int(rng.integers(1, 6)) for c in "abcdefg"}
    terms = ["ab", "bc", "dc", "de", "ef", "fg"]
    steps, work = contraction_order(terms, "ag", sizes)
    assert work == _least(terms, "ag", sizes)
    assert steps[-1].out == "ag"
