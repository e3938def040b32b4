"""Sizes against brute force: values, order, text, and what is equal."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgraph.ir.dim_order import is_nonnegative, is_one_if_any, least_sizes, maximum, minimum, raised
from symgraph.ir.dim_parser import parse_dim
from symgraph.ir.dims import Dim, Symbol, divide_exact, evaluate, evaluator, floordiv, substitute, symbol, symbols

N, M = symbol("N"), symbol("M")
VALUES = [{"N": n, "M": m} for n, m in itertools.product((0, 1, 2, 3, 5, 8, 13), repeat=2)]
#: A size and what it is, worked out with integers.
Pair = tuple[Dim, Callable[[dict[str, int]], int]]
many = settings(max_examples=150, deadline=None, derandomize=True)


def leaves() -> st.SearchStrategy[Pair]:
    numbers = st.integers(-4, 9).map(lambda k: (k, lambda sizes: k))
    return st.sampled_from([(N, lambda s: s["N"]), (M, lambda s: s["M"])]) | numbers


def combined(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    def binary(symbolic: Callable[..., Dim], plain: Callable[..., int]) -> Callable[[Pair, Pair], Pair]:
        return lambda a, b: (symbolic(a[0], b[0]), lambda s: plain(a[1](s), b[1](s)))

    operations = [
        binary(lambda a, b: a + b, lambda a, b: a + b),
        binary(lambda a, b: a - b, lambda a, b: a - b),
        binary(lambda a, b: a * b, lambda a, b: a * b),
        binary(minimum, min),
        binary(maximum, max),
    ]
    divided = st.tuples(inner, st.integers(2, 4)).map(lambda t: (floordiv(t[0][0], t[1]), lambda s: t[0][1](s) // t[1]))
    return st.tuples(st.sampled_from(operations), inner, inner).map(lambda t: t[0](t[1], t[2])) | divided


sizes = st.recursive(leaves(), combined, max_leaves=7)


@many
@given(sizes)
def test_values_text_and_signs(pair: Pair) -> None:
    dim, plain = pair
    want = [plain(v) for v in VALUES]
    assert [evaluate(dim, v) for v in VALUES] == want
    assert [evaluator(dim)(v) for v in VALUES] == want
    assert parse_dim(str(dim)) == dim
    assert not is_nonnegative(dim) or min(want) >= 0
    assert not is_one_if_any(dim) or max(want) <= 1
    least = least_sizes(dim)
    for value, sizes in zip(want, VALUES, strict=True):
        assert value < 1 or all(sizes[s.name] >= n for s, n in least.items())
    assert substitute(substitute(dim, {Symbol("N"): M}), {Symbol("M"): 5}) == plain({"N": 5, "M": 5})
    beyond = raised(dim, {Symbol("N"): 2})
    assert [evaluate(beyond, v) for v in VALUES] == [plain({**v, "N": v["N"] + 2}) for v in VALUES]
    assert all(s in (Symbol("N"), Symbol("M")) for s in symbols([dim]))


@many
@given(sizes, sizes, sizes)
def test_minima_do_not_depend_on_how_they_are_made(a: Pair, b: Pair, c: Pair) -> None:
    x, y, z = a[0], b[0], c[0]
    assert minimum(x, y) == minimum(y, x)
    assert minimum(x + z, y + z) == minimum(x, y) + z
    assert minimum(x, x) == x
    assert minimum(x, y) + maximum(x, y) == x + y
    assert minimum(3 * x, 3 * y) == 3 * minimum(x, y)


@pytest.mark.parametrize(
    "dim, text",
    [
        (minimum(N, N + 3), "N"),
        (minimum(N + 1, 6), "min(N,5)+1"),
        (minimum(N, 0), "0"),
        (minimum(N - 1, 0), "min(N,1)-1"),
        (maximum(N - 4, 0), "N-min(N,4)"),
        (minimum(minimum(N, 5), 3), "min(N,3)"),
        (minimum(minimum(N, M), 3, N + 2), "min(M,N,3)"),
        (minimum(minimum(N, 2), 5), "min(N,2)"),
        (minimum(2 * N, 2 * M), "2*min(M,N)"),
        (minimum(N * M, 3 * N), "N*min(M,3)"),
        (minimum(N + M, M + 3), "min(N,3)+M"),
        (minimum(N, N // 2), "((N)//(2))"),
        (maximum(maximum(N - 1, 0) - 1, 0), "N-min(N,2)"),
        (maximum(N - 1, 0) + minimum(N, 1), "N"),
        ((minimum(N, 6) + 1) // 2, "min(((N+1)//(2)),3)"),
        (minimum((N + 1) // 2, 3), "min(((N+1)//(2)),3)"),
        ((maximum(N - 1, 0) + 1) // 2, "((N)//(2))"),
        (minimum(3, 5), "3"),
    ],
)
def test_what_can_be_told_is_decided(dim: Dim, text: str) -> None:
    assert str(dim) == text


@pytest.mark.parametrize(
    "dim",
    [
        N - minimum(N, 3), minimum(N, 5) - minimum(N, 2), N - N // 2, N + 1 - 2 * ((N + 1) // 2), 5 - minimum(N, 5),
        minimum(N, M) + 2 - minimum(N, 2), N - minimum(N, M), 2 * ((N + 1) // 2) - N,
    ],
    ids=str,
)  # fmt: skip
def test_what_is_never_negative_is_seen(dim: Dim) -> None:
    assert is_nonnegative(dim) and not is_nonnegative(-1 - dim)


@pytest.mark.parametrize(
    "positive, least",
    [
        (N, 1), (N - 3, 4), (maximum(N - 4, 0), 5), (minimum(N, 5), 1), (minimum(N, 5) - minimum(N, 2), 3),
        (N // 2, 2), (2 * N - 3, 2), (N * M, 1), (N * minimum(M, 3), 1), (3 * N - 3 * minimum(N, 1), 2), (N + M, 0),
    ],
    ids=str,
)  # fmt: skip
def test_least_sizes(positive: Dim, least: int) -> None:
    assert least_sizes(positive).get(Symbol("N"), 0) == least


def test_sums_of_many_minima_are_no_work() -> None:
    total: Dim = 0
    for k in range(0, 120, 3):
        total = total + minimum(symbol(f"N{k}"), k + 1) - minimum(M, k + 2)
    assert not is_nonnegative(total - 50) and total - total == 0
    assert minimum(total, N) == minimum(N, total)
    assert not least_sizes(total)


def test_sums_of_some_minima_are_little_work() -> None:
    total: Dim = 0
    for k in range(4):
        total = total + minimum(symbol(f"N{k}"), symbol(f"M{k}"), 9)
    assert least_sizes(total) == {}
    assert least_sizes(total - 27) == {Symbol(f"{c}{k}"): 1 for k in range(4) for c in "NM"}
    assert not is_nonnegative(total - 27) and is_nonnegative(36 - total)


def test_exact_quotients_of_minima() -> None:
    assert divide_exact(6 * minimum(N, 5), 3) == 2 * minimum(N, 5)
    assert divide_exact(M * minimum(N, 5), minimum(N, 5)) == M
    assert divide_exact(minimum(N, 5), 2) is None


@pytest.mark.parametrize("text", ["min(N", "min(N,)", "min()", "N,5", "min(N;5)", "min N"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_dim(text)
