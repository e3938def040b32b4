"""Too little memory, and sizes beyond 31, 32 and 63 bits: a clear error or the right result, never a wrong one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import symgraph as sg
from symgraph.capacity import bytes_text, memory_limit

ROOT = Path(__file__).parents[1]
targets = pytest.mark.parametrize("target", ["llvm", "numpy"])


def table(target: str) -> sg.Function:
    """A function whose result has the square of its argument's size."""
    x = sg.placeholder((None,), name="x")
    return sg.function([x], sg.outer(x, x), name="table", target=target)


@targets
def test_results_that_cannot_fit_are_refused(target: str) -> None:
    fn = table(target)
    with pytest.raises(sg.OutOfMemoryError, match=r"table: no memory for results: float32.* of 58.2 TiB"):
        fn(np.zeros(4_000_000, "float32"))
    np.testing.assert_array_equal(fn(np.ones(3, "float32")), np.ones((3, 3)))


@targets
def test_temporaries_that_cannot_fit_are_refused(target: str) -> None:
    x = sg.placeholder((None,), name="x")
    ordered = sg.cumsum(sg.outer(x, x), axis=0)
    fn = sg.function([x], ordered.max(), name="most", target=target)
    with pytest.raises(MemoryError, match=r"most: no memory for .* TiB of temporaries where N\w* = 4000000"):
        fn(np.zeros(4_000_000, "float32"))
    assert fn(np.ones(3, "float32")) == 3


def test_parts_of_expressions_that_cannot_fit_are_refused() -> None:
    """Native code adds up products as they are made; NumPy makes them all: here more than there are addresses, for some
    systems promise what they do not have."""
    x, total = sg.placeholder((None,), name="x"), sg.variable(np.zeros(3, "float32"), name="total")
    fn = sg.function([x], sg.outer(x, x).sum(), [(total, total + x.sum())], name="pairs", target="numpy")
    for _ in range(2):
        with pytest.raises(sg.OutOfMemoryError, match=r"pairs: no memory for \w+ where .* = 8000000: .* 233. TiB"):
            fn(np.zeros(8_000_000, "float32"))
        assert not total.get_value().any()
    assert fn(np.ones(3, "float32")) == 9
    assert total.get_value().tolist() == [3, 3, 3]


@targets
def test_python_that_runs_out_of_memory_changes_nothing(target: str) -> None:
    @sg.as_op(otypes=["float32"], infer_shape=lambda shape: [shape])
    def hungry(x: np.ndarray) -> np.ndarray:
        return np.full(1 << 50 if len(x) > 4 else len(x), x.sum(), "float32")

    x, total = sg.placeholder((None,), name="x"), sg.variable(np.zeros((), "float32"), name="total")
    made = hungry(x * 2)
    fn = sg.function([x], made, [(total, total + made.sum())], target=target)
    with pytest.raises(MemoryError, match="4.00 PiB"):
        fn(np.ones(5, "float32"))
    assert total.get_value() == 0
    assert fn(np.ones(2, "float32")).tolist() == [4, 4]
    assert total.get_value() == 8


@targets
def test_constants_beyond_all_memory_are_not_made(target: str) -> None:
    """Neither while compiling nor in a call that needs none of their elements, or one at a time."""
    x = sg.placeholder((None,), name="x")
    large = [sg.zeros((1 << 40,)), sg.eye(1 << 20), sg.arange(1 << 40, dtype="float32")]
    fn = sg.function([x], [large[0][3] + x, large[1][7, 7] * x, large[2][5] + x, large[0].sum() + x], target=target)
    for got, wanted in zip(fn([1, 2]), ([1, 2], [1, 2], [6, 7], [1, 2]), strict=True):
        assert got.tolist() == wanted
    whole = sg.function([x], large[2] + x[0], name="whole", target=target)
    with pytest.raises(sg.OutOfMemoryError, match="whole: no memory for results: float32.* of 4.0 TiB"):
        whole([1.0])


@targets
def test_copies_of_arguments_that_cannot_fit_are_refused(target: str) -> None:
    x = sg.placeholder((None,), "int8", name="x")
    fn = sg.function([x], x.sum(), name="total", target=target)
    with pytest.raises(sg.OutOfMemoryError, match=r"total: no memory for a contiguous copy of argument 0 \(x\): int8"):
        fn(np.broadcast_to(np.int8(1), (1 << 50,)))
    assert fn(np.broadcast_to(np.int8(1), (5,))) == 5


@targets
def test_more_elements_than_64_bits_count_are_refused(target: str) -> None:
    x, y = sg.placeholder((0, None), "int8", name="x"), sg.placeholder((0, None), "int8", name="y")
    columns = sg.ones((x.shape[1],)), sg.ones((y.shape[1],))
    fn = sg.function([x, y], sg.exp(sg.outer(*columns)).sum(), name="all_pairs", target=target)
    with pytest.raises(sg.ShapeError, match=r"all_pairs: number .* of elements in a \w+ does not fit where"):
        fn(np.zeros((0, 1 << 32), "int8"), np.zeros((0, 1 << 32), "int8"))
    np.testing.assert_allclose(fn(np.zeros((0, 3), "int8"), np.zeros((0, 2), "int8")), 6 * np.e, rtol=1e-6)
    line = sg.arange(1 << 32, dtype="float32") * sg.cast(sg.shape(y)[1], "float32")
    with pytest.raises(sg.ShapeError, match="more elements than 64 bits count"):
        sg.function([y], sg.exp(sg.outer(line, line)).max(), target=target)


PROGRAM = """
import resource, numpy as np, symgraph as sg
x = sg.placeholder((None,), name="x")
fn = sg.function([x], sg.cumsum(sg.outer(x, x), axis=0).max(), name="most", target="{target}")
assert fn(np.ones(3, "float32")) == 3
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20), resource.RLIM_INFINITY))
for _ in range(2):
    try:
        fn(np.ones(20_000, "float32"))
        print("fits")
    except sg.OutOfMemoryError as error:
        print(error)
print(fn(np.ones(300, "float32")))
"""


@targets
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of address space are Linux's here")
def test_a_function_outlives_a_lack_of_memory(target: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PROGRAM.format(target=target)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    first, second, last = done.stdout.splitlines()
    assert first == second
    assert re.fullmatch(r"most: no memory for \d\.\d GiB of temporaries where \w+ = 20000; use smaller batches", first)
    assert last == "300.0"


def test_the_limit_of_memory() -> None:
    assert 1 << 20 < memory_limit() < 1 << 60
    assert [bytes_text(n) for n in (0, 1023, 1 << 30, 1 << 62)] == ["0 bytes", "1023 bytes", "1.0 GiB", "4.0 EiB"]


@pytest.mark.slow
def test_indices_beyond_31_bits_are_right() -> None:
    """An array of 2^31 + 11 bytes: positions found, read, summed and counted at both ends."""
    size = (1 << 31) + 11
    data = np.zeros(size, np.int8)
    data[[5, -2]] = 3, 7
    x, i = sg.placeholder((None,), "int8", name="x"), sg.placeholder((None,), "int64", name="i")
    results = [x.argmax(), x.sum(), x[-2], sg.take(x, i), sg.count_nonzero(x), sg.shape(x)[0] * 2]
    fn = sg.function([x, i], results)
    top, total, late, taken, count, twice = fn(data, [5, size - 2, size - 1])
    assert (top, total, late, count, twice) == (size - 2, 10, 7, 2, 2 * size)
    np.testing.assert_array_equal(taken, [3, 7, 0])
    with pytest.raises(sg.BoundsError, match=f"index {size} is out of bounds for axis 0 of size {size}"):
        fn(data, [size])


@targets
def test_empty_arguments_need_no_memory_for_their_other_axes(target: str) -> None:
    x, y = sg.placeholder((None, None), "int8", name="x"), sg.placeholder((None, None), "int8", name="y")
    fn = sg.function([x, y], [x.sum(0), (x.T + 1).sum(1), sg.concatenate([y, y], 1).sum(0)], name="f", target=target)
    for rows in (3, 1 << 45, (1 << 61) + 5):
        arguments = np.zeros((rows, 0), "int8"), np.ones((3, 2), "int8")
        if rows > 1 << 60 and target == "numpy":  # NumPy makes no array of so many rows of int64, even if empty
            with pytest.raises(sg.OutOfMemoryError, match="f: no memory for fold.* too big"):
                fn(*arguments)
        else:
            assert [a.tolist() for a in fn(*arguments)] == [[], [], [3, 3, 3, 3]]
    taken = sg.function([x], sg.pad(x, ((1, 0), (0, 0)))[:, :3], name="padded", target=target)
    assert taken(np.zeros((0, 5), "int8")).tolist() == [[0, 0, 0]]
    with pytest.raises(sg.OutOfMemoryError, match=r"padded: no memory for"):
        taken(np.zeros((0, 1 << 61), "int8"))
