"""Matrix products as native code, against NumPy in float64, over sizes, layouts, dtypes and processors; schedules."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.codegen.gemm import GemmSchedule, Machine, choose_schedule, operand
from symgraph.codegen.loop.grammar import Buffer, Call, Const, Contract, Kernel, Let, Load, Store, Var
from symgraph.codegen.loop.text import print_kernel
from symgraph.codegen.targets.llvm.contract_plan import plan_contract
from symgraph.dtypes import DType, float16, float32, float64, int32
from symgraph.ir.dims import Dim, symbol, symbols

from .llvm_run import CPUS, Native

Array = np.ndarray[Any, Any]
SIZES = [(1, 1, 1), (8, 32, 4), (13, 37, 19), (7, 10, 5), (33, 100, 0), (5, 33, 300), (150, 130, 20), (16, 64, 16)]


def product(
    m: Dim, n: Dim, k: Dim, layout: str = "NN", dtype: DType = float32, batch: Sequence[Dim] = (), bias: bool = False
) -> Kernel:
    """``c = a @ b``, or ``max(a @ b + d, 0)`` with ``bias``; T in ``layout``: an operand is transposed in memory."""
    outer = tuple(Var(f"b{i}") for i in range(len(batch)))
    i, j, p, acc = Var("i"), Var("j"), Var("p"), Var("acc", dtype)
    rows, columns = ((m, k), (i, p)), ((k, n), (p, j))
    a_shape, a_index = rows if layout[0] == "N" else tuple(x[::-1] for x in rows)
    b_shape, b_index = columns if layout[1] == "N" else tuple(x[::-1] for x in columns)
    buffers = [Buffer("a", dtype, (*batch, *a_shape)), Buffer("b", dtype, (*batch, *b_shape)),
               Buffer("c", dtype, (*batch, m, n), "out")]  # fmt: skip
    epilogue: tuple[Let | Store, ...] = (Store("c", (*outer, i, j), acc),)
    if bias:
        buffers.append(Buffer("d", dtype, (n,)))
        moved = Var("moved", dtype)
        epilogue = (
            Let("moved", Call("add", (acc, Load("d", (j,), dtype)), dtype)),
            Store("c", (*outer, i, j), Call("maximum", (moved, Const(0, dtype)), dtype)),
        )
    names = dict.fromkeys(s.name for s in symbols([*batch, m, n, k]))
    contract = Contract(
        tuple(v.name for v in outer), tuple(batch), "i", m, "j", n, "p", k,
        Load("a", (*outer, *a_index), dtype), Load("b", (*outer, *b_index), dtype), "acc", dtype, epilogue,
    )  # fmt: skip
    return Kernel("product", tuple(buffers), tuple(names), (contract,))


def operands(m: int, n: int, k: int, layout: str, dtype: DType, batch: tuple[int, ...]) -> tuple[Array, Array, Array]:
    """Random operands as they lie in memory, and their product in float64."""
    rng = np.random.default_rng(m + 10 * n + 100 * k)
    a, b = rng.normal(size=(*batch, m, k)).astype(dtype.np), rng.normal(size=(*batch, k, n)).astype(dtype.np)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    a = a if layout[0] == "N" else np.ascontiguousarray(a.swapaxes(-1, -2))
    b = b if layout[1] == "N" else np.ascontiguousarray(b.swapaxes(-1, -2))
    return a, b, exact


def check(
    kernel: Kernel, cpu: str, m: int, n: int, k: int, layout: str, batch: tuple[int, ...] = (), pieces: int = 1
) -> Array:
    """Run a product of :func:`product` on random operands, compare it with NumPy's, and return it."""
    dtype = kernel.buffers[0].dtype
    a, b, exact = operands(m, n, k, layout, dtype, batch)
    c = np.full((*batch, m, n), np.nan, dtype.np)
    d = np.linspace(-1, 1, n).astype(dtype.np)
    biased = len(kernel.buffers) == 4
    Native(kernel, CPUS[cpu])(*((a, b, c, d) if biased else (a, b, c)), pieces=pieces, M=m, N=n, K=k, B=2)
    expected = np.maximum(exact + d, 0) if biased else exact
    scale = np.finfo(dtype.np).eps * max(k, 1) * 4
    np.testing.assert_allclose(c, expected, rtol=scale, atol=scale)
    return c


@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize("layout", ["NN", "NT", "TN", "TT"])
def test_products_with_known_sizes(cpu: str, layout: str) -> None:
    for i, (m, n, k) in enumerate(SIZES):
        dtype = (float32, float64)[i % 2]
        check(product(m, n, k, layout, dtype, bias=i % 3 == 0), cpu, m, n, k, layout)


@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize("layout", ["NN", "NT", "TN", "TT"])
@pytest.mark.parametrize("dtype", [float32, float64], ids=str)
def test_one_kernel_serves_all_sizes(cpu: str, layout: str, dtype: DType) -> None:
    kernel = product(symbol("M"), symbol("N"), symbol("K"), layout, dtype, bias=True)
    native = Native(kernel, CPUS[cpu])
    for m, n, k in [*SIZES, (0, 3, 2), (3, 0, 2), (2, 200, 31), (31, 1, 9)]:
        a, b, exact = operands(m, n, k, layout, dtype, ())
        c = np.full((m, n), np.nan, dtype.np)
        d = np.linspace(-1, 1, n).astype(dtype.np)
        native(a, b, c, d, M=m, N=n, K=k)
        scale = np.finfo(dtype.np).eps * max(k, 1) * 4
        np.testing.assert_allclose(c, np.maximum(exact + d, 0), rtol=scale, atol=scale)


@pytest.mark.parametrize("cpu", CPUS)
def test_batches(cpu: str) -> None:
    for layout in ("NN", "NT", "TT"):
        check(product(9, 21, 6, layout, float32, (symbol("B"), 3)), cpu, 9, 21, 6, layout, (2, 3), pieces=3)


@pytest.mark.parametrize("cpu", CPUS)
def test_large_products_are_packed_and_right(cpu: str) -> None:
    for layout, packed in (("NN", "packed b"), ("TT", "packed ab")):
        kernel = product(530, 600, 2050, layout)
        (contract,) = kernel.body
        assert isinstance(contract, Contract)
        planned = plan_contract(contract, kernel, CPUS[cpu])
        assert planned is not None
        assert str(planned.schedule).endswith(packed)
        check(kernel, cpu, 530, 600, 2050, layout)


@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize("layout", ["NN", "NT", "TN", "TT"])
def test_long_sums_are_cut_into_chunks(cpu: str, layout: str) -> None:
    kernel = product(77, 150, 64 * symbol("K"), layout)
    (contract,) = kernel.body
    assert isinstance(contract, Contract)
    planned = plan_contract(contract, kernel, CPUS[cpu])
    assert planned is not None
    assert str(planned.schedule).endswith("packed ab by 256")
    native = Native(kernel, CPUS[cpu])
    for k in (0, 1, 4, 5, 70):
        a, b, exact = operands(77, 150, 64 * k, layout, float32, ())
        c = np.full((77, 150), np.nan, "f4")
        native(a, b, c, K=k)
        np.testing.assert_allclose(c, exact, rtol=1e-4, atol=1e-4)
    whole, cut = (check(product(77, 150, 4100, layout), cpu, 77, 150, 4100, layout, pieces=p) for p in (1, 3))
    assert whole.tobytes() == cut.tobytes()


def test_a_long_sum_over_two_axes_that_lie_in_another_order_in_each_operand() -> None:
    x, g = sg.placeholder((None, None, 60)), sg.placeholder((None, None, 96))
    f = sg.function([x, g], sg.einsum("nmi,mnj->ij", x, g), target="llvm")
    rng = np.random.default_rng(0)
    for n, m in ((3, 5), (1, 1), (17, 40), (40, 17), (0, 4)):
        a, b = rng.normal(size=(n, m, 60)).astype("f4"), rng.normal(size=(m, n, 96)).astype("f4")
        np.testing.assert_allclose(f(a, b), np.einsum("nmi,mnj->ij", a, b), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("cpu", CPUS)
def test_the_cut_into_calls_changes_no_bit(cpu: str) -> None:
    for layout in ("NN", "NT"):
        kernel = product(symbol("M"), 70, 40, layout)
        whole, cut = (check(kernel, cpu, 300, 70, 40, layout, pieces=pieces) for pieces in (1, 5))
        assert whole.tobytes() == cut.tobytes()


@pytest.mark.parametrize("cpu", CPUS)
def test_strided_operands_and_rows_used_by_the_whole_batch(cpu: str) -> None:
    """``a`` is every second row of a reversed buffer; ``b`` does not depend on the batch."""
    i, j, p, q = Var("i"), Var("j"), Var("p"), Var("q")
    two, last = Const(2, i.dtype), Const(18, i.dtype)
    row = Call("sub", (last, Call("mul", (i, two), i.dtype)), i.dtype)
    load_a, load_b = Load("a", (q, row, p), float32), Load("b", (j, p), float32)
    contract = Contract(("q",), (3,), "i", 10, "j", 18, "p", 7, load_a, load_b, "s", float32,
                        (Store("c", (q, i, j), Var("s", float32)),))  # fmt: skip
    out = Buffer("c", float32, (3, 10, 18), "out")
    buffers = (Buffer("a", float32, (3, 19, 7)), Buffer("b", float32, (18, 7)), out)
    kernel = Kernel("strided", buffers, (), (contract,))
    assert plan_contract(contract, kernel, CPUS[cpu]) is not None
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(3, 19, 7)).astype("f4"), rng.normal(size=(18, 7)).astype("f4")
    c = np.zeros((3, 10, 18), "f4")
    Native(kernel, CPUS[cpu])(a, b, c)
    np.testing.assert_allclose(c, a[:, 18::-2] @ b.T, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [int32, float16], ids=str)
def test_other_dtypes_are_computed_by_loops(dtype: DType) -> None:
    cpu = next(iter(CPUS))
    kernel = product(5, 9, 4, "NN", dtype)
    assert plan_contract(kernel.body[0], kernel, CPUS[cpu]) is None  # type: ignore[arg-type]
    a, b = np.arange(20).reshape(5, 4).astype(dtype.np), np.arange(36).reshape(4, 9).astype(dtype.np) % 3
    c = np.zeros((5, 9), dtype.np)
    Native(kernel, CPUS[cpu])(a, b, c)
    np.testing.assert_array_equal(c, a @ b)


@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize("layout", ["NN", "NT", "TN"])
def test_an_update_in_place_touches_every_element_once(cpu: str, layout: str) -> None:
    """``w -= a @ b / 2`` as an epilogue that reads what it writes."""
    kernel = product(symbol("M"), 45, 11, layout)
    (contract,) = kernel.body
    assert isinstance(contract, Contract)
    i, j = Var("i"), Var("j")
    half = Call("mul", (Var("acc", float32), Const(0.5, float32)), float32)
    new = Call("sub", (Load("c", (i, j), float32), half), float32)
    contract = Contract((), (), "i", contract.m, "j", 45, "p", 11, contract.a, contract.b, "acc", float32,
                        (Store("c", (i, j), new),))  # fmt: skip
    buffers = (*kernel.buffers[:2], Buffer("c", float32, kernel.buffers[2].shape, "inout"))
    a, b, exact = operands(29, 45, 11, layout, float32, ())
    c = np.ones((29, 45), "f4")
    Native(Kernel("update", buffers, kernel.sizes, (contract,)), CPUS[cpu])(a, b, c, M=29)
    np.testing.assert_allclose(c, 1 - exact / 2, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize("layout", ["NN", "NT", "TN", "TT"])
@pytest.mark.parametrize("sizes", [(3, 5, 7), (13, 37, 19), (9, 33, 6), (1, 133, 11), (130, 533, 70)])
@pytest.mark.parametrize("known", [True, False])
def test_nothing_outside_the_operands_is_touched(
    cpu: str, layout: str, sizes: tuple[int, int, int], known: bool
) -> None:
    """The operands end where a page ends whose next may not be read: an access beyond would end the process."""
    m, n, k = sizes
    dims: tuple[Dim, Dim, Dim] = sizes if known else (symbol("M"), symbol("N"), symbol("K"))
    a, b, exact = operands(m, n, k, layout, float32, ())
    guarded = [_guarded(x) for x in (a, b, np.zeros((m, n), "f4"))]
    Native(product(*dims, layout), CPUS[cpu])(*(g[0] for g in guarded), pieces=3, M=m, N=n, K=k)
    np.testing.assert_allclose(guarded[2][0], exact, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize(("n", "k"), [(1024, 60), (4096, 9), (2050, 17), (1536, 33), (517, 8)])
@pytest.mark.parametrize("batch", [(), (3,)])
@pytest.mark.parametrize("known", [True, False])
def test_a_lone_row_in_several_tasks(cpu: str, n: int, k: int, batch: tuple[int, ...], known: bool) -> None:
    """Each task writes its own columns and no others, however many tasks there are."""
    kernel = product(1 if known else symbol("M"), n, k, batch=batch)
    native = Native(kernel, CPUS[cpu])
    a, b, exact = operands(1, n, k, "NN", float32, batch)
    for pieces in (1, 2, 5):
        arrays = [_guarded(x) for x in (a, b, np.full((*batch, 1, n), np.nan, "f4"))]
        native(*(g[0] for g in arrays), pieces=pieces, M=1)
        np.testing.assert_allclose(arrays[2][0], exact, rtol=1e-4, atol=1e-4)


def _guarded(x: Array) -> tuple[Array, mmap.mmap]:
    """A copy of ``x`` whose last byte is the last before a page without access (where the system can do that)."""
    import ctypes

    page = mmap.PAGESIZE
    length = -(-x.nbytes // page) * page
    memory = mmap.mmap(-1, length + page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    libc = ctypes.CDLL(None)
    libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    assert libc.mprotect(start + length, page, 0) == 0
    copy = np.frombuffer(memory, x.dtype, x.size, length - x.nbytes).reshape(x.shape)
    copy[...] = x
    return copy, memory


WIDE = Machine(64, 32, True, 1 << 20)
HALVED = Machine(64, 32, True, 1 << 20, True)
NARROW = Machine(16, 16, False, 1 << 20)


def schedule(kernel: Kernel, machine: Machine) -> GemmSchedule:
    (contract,) = kernel.body
    assert isinstance(contract, Contract)
    shapes = {b.name: b.shape for b in kernel.buffers}
    a, b = operand(contract.a, shapes, contract, "i"), operand(contract.b, shapes, contract, "j")
    assert a is not None and b is not None
    return choose_schedule(contract, a, b, kernel.buffers[0].dtype.itemsize, machine)


def test_schedules_as_text() -> None:
    batch = symbol("N")
    assert str(schedule(product(batch, 512, 784, "NN"), HALVED)) == (
        "gemm block 8x2*16 tile 128x128 packed none, up to 1 rows apart"
    )
    assert str(schedule(product(batch, 512, 784, "NN"), WIDE)) == (
        "gemm block 8x2*16 tile 128x128 packed b, up to 63 rows apart"
    )
    assert str(schedule(product(32, 512, 784, "NN"), WIDE)) == "gemm block 8x2*16 tile 32x64 packed none"
    assert str(schedule(product(784, 512, batch, "TN"), WIDE)).endswith("packed ab")
    assert str(schedule(product(784, 512, batch, "TN"), HALVED)).endswith("packed none")
    assert str(schedule(product(batch, 512, 512, "NT"), WIDE)).startswith("gemm block 8x2*16 tile 128x32 packed")
    assert schedule(product(batch, 10, 512, "NN"), WIDE).vectors == 1
    assert schedule(product(batch, 10, 512, "NN"), NARROW).pack_b, "columns that no mask can cut are packed"
    assert not schedule(product(batch, 512, 64, "NN"), NARROW).pack_b
    assert schedule(product(batch, 512, 512, "NN"), NARROW).pack_b, "few registers: lines far apart are packed early"


def test_few_rows_read_b_where_it_lies() -> None:
    some = schedule(product(symbol("N"), 600, 2050, "NN"), WIDE).for_few
    assert (some.rows, some.vectors, some.pack_b, some.few) == (8, 2, False, 1), "unpacked"
    few = schedule(product(symbol("N"), 600, 2050, "NN"), NARROW).for_few
    assert (few.rows, few.vectors, few.pack_b, few.few) == (1, 8, False, 1), "in blocks of one row"
    assert few.tile_columns % few.columns == 0
    for one in (some.for_few, few.for_few, schedule(product(symbol("N"), 600, 50, "NN"), HALVED).for_few):
        assert one.streamed and one.rows == 1 and not one.few, "and a lone row line by line"
    assert str(schedule(product(1, 4096, 784, "NN"), WIDE)) == "gemm streamed tile 1x1024 packed none"
    assert not schedule(product(symbol("N"), 600, 2050, "NT"), WIDE).few, "what lies across is packed"


@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize(("n", "k"), [(600, 2050), (150, 9), (33, 40)])
def test_few_rows_have_the_bits_of_many(cpu: str, n: int, k: int) -> None:
    kernel = product(symbol("M"), n, k)
    native = Native(kernel, CPUS[cpu])
    many = None
    for m in (70, 63, 20, 9, 8, 2, 1, 0):
        a, b, exact = operands(70, n, k, "NN", float32, ())
        c = np.empty((m, n), np.float32)
        native(a[:m], b, c, M=m)
        np.testing.assert_allclose(c, exact[:m], rtol=1e-3, atol=1e-3)
        many = c if many is None else many
        np.testing.assert_array_equal(c, many[:m])


def test_tiles_are_whole_blocks() -> None:
    for m in (1, 7, 128, 1000, symbol("M")):
        for n in (1, 10, 512, symbol("N")):
            for machine in (WIDE, NARROW):
                s = schedule(product(m, n, 300), machine)
                assert s.streamed or (s.tile_rows % s.rows == 0 and s.tile_columns % s.columns == 0)


@pytest.mark.parametrize("target", ["numpy", "llvm"])
@pytest.mark.parametrize("k", [1, 5, 64])
def test_a_sum_whose_length_one_operand_knows_has_it_in_the_kernel(k: int, target: str) -> None:
    x, w = sg.placeholder((None, None), "float64"), np.random.default_rng(0).normal(size=(k, 24))
    f = sg.function([x], sg.dot(x[:, :k], sg.constant(w)), target=target)
    assert not any("min(" in print_kernel(kernel) for kernel in f.stages.plan.kernels.values())
    for rows in (0, 1, 9):
        a = np.random.default_rng(1).normal(size=(rows, 70))
        np.testing.assert_allclose(f(a), a[:, :k] @ w, rtol=1e-12, atol=1e-12)
    with pytest.raises(sg.ShapeError, match="the graph needs"):
        f(np.ones((2, k - 1)))
