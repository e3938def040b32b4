"""Linear algebra against NumPy and against its own laws, on both targets."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph import linalg
from symgraph.options import Options

Array = np.ndarray[Any, Any]
TARGETS = [
    pytest.param(Options(target="numpy", verify=True), id="numpy"),
    pytest.param(Options(target="llvm", verify=True), id="llvm"),
]
D = "float64"
RNG = np.random.default_rng(0)
A = RNG.normal(size=(5, 4, 4)) + 3 * np.eye(4)
WIDE = RNG.normal(size=(2, 3, 5))
SPD = A @ A.swapaxes(-1, -2)


def run(f: Callable[..., Any], *arrays: Any, options: Options | None = None, known: bool = False) -> Any:
    """The results of ``f`` on arrays, with the first axis of stacks unknown unless all sizes are ``known``."""
    shapes = [a.shape if known or a.ndim < 3 else (None, *a.shape[1:]) for a in arrays]
    inputs = [sg.placeholder(shape, a.dtype) for shape, a in zip(shapes, arrays, strict=True)]
    made = f(*inputs)
    single = isinstance(made, sg.Tensor)
    results = sg.function(inputs, [made] if single else list(made), options=options or Options(verify=True))(*arrays)
    return results[0] if single else results


PAIRS: list[tuple[str, Callable[..., Any], Callable[..., Any], tuple[Any, ...]]] = [
    ("cholesky", linalg.cholesky, np.linalg.cholesky, (SPD,)),
    ("upper", lambda x: linalg.cholesky(x, upper=True), lambda x: np.linalg.cholesky(x).swapaxes(-1, -2), (SPD,)),
    ("solve", linalg.solve, np.linalg.solve, (A, A[..., :2])),
    ("solve vector", linalg.solve, lambda a, b: np.linalg.solve(a, b[:, None])[..., 0], (A, np.arange(4.0))),
    ("solve one for many", linalg.solve, np.linalg.solve, (A[0], A[..., :2])),
    ("solve many for one", linalg.solve, np.linalg.solve, (A, A[0, :, :2])),
    ("inv", linalg.inv, np.linalg.inv, (A,)),
    ("matrix_inverse", linalg.matrix_inverse, np.linalg.inv, (A[0],)),
    ("pinv", linalg.pinv, np.linalg.pinv, (WIDE,)),
    ("pinv of rank 1", linalg.pinv, np.linalg.pinv, (np.outer([1.0, 2, 3], [1.0, 0, 2, 1]),)),
    ("det", linalg.det, np.linalg.det, (A,)),
    ("det of integers", linalg.det, np.linalg.det, (np.arange(9).reshape(3, 3) ** 2,)),
    ("slogdet", linalg.slogdet, np.linalg.slogdet, (-A,)),
    ("eigvalsh", linalg.eigvalsh, np.linalg.eigvalsh, (SPD,)),
    ("eigvalsh U", lambda x: linalg.eigvalsh(x, "U"), lambda x: np.linalg.eigvalsh(x, "U"), (A,)),
    ("eigh", linalg.eigh, np.linalg.eigh, (SPD,)),
    ("svd", linalg.svd, np.linalg.svd, (WIDE,)),
    ("thin svd", lambda x: linalg.svd(x, False), lambda x: np.linalg.svd(x, False), (WIDE,)),
    ("no factors", lambda x: linalg.svd(x, compute_uv=False), lambda x: np.linalg.svd(x, compute_uv=False), (WIDE,)),
    ("svdvals", linalg.svdvals, lambda x: np.linalg.svd(x, compute_uv=False), (WIDE,)),
    ("qr", linalg.qr, np.linalg.qr, (WIDE,)),
    ("complete qr", lambda x: linalg.qr(x, "complete"), lambda x: np.linalg.qr(x, "complete"), (A[:, :, :2],)),
    ("r", lambda x: linalg.qr(x, "r"), lambda x: np.linalg.qr(x, "r"), (WIDE,)),
    ("rank", linalg.matrix_rank, np.linalg.matrix_rank, (np.stack([np.eye(3), np.ones((3, 3)), np.zeros((3, 3))]),)),
    ("cond", linalg.cond, np.linalg.cond, (A,)),
    ("power 5", lambda x: linalg.matrix_power(x, 5), lambda x: np.linalg.matrix_power(x, 5), (A,)),
    ("power 0", lambda x: linalg.matrix_power(x, 0), lambda x: np.linalg.matrix_power(x, 0), (A,)),
    ("power -3", lambda x: linalg.matrix_power(x, -3), lambda x: np.linalg.matrix_power(x, -3), (A,)),
    ("kron", linalg.kron, np.kron, (WIDE[0], A[0])),
    ("kron of other ranks", linalg.kron, np.kron, (np.arange(3.0), A[0])),
    ("cross", linalg.cross, np.cross, (WIDE[..., :3], WIDE[..., 2:])),
    ("cross along 1", lambda a: linalg.cross(a, a * a, axis=1), lambda a: np.cross(a, a * a, axis=1), (WIDE,)),
    ("trace", linalg.trace, lambda x: np.trace(x, axis1=-2, axis2=-1), (A,)),
    ("diagonal", lambda x: linalg.diagonal(x, 1), lambda x: np.diagonal(x, 1, -2, -1), (WIDE,)),
    ("matrix_dot", linalg.matrix_dot, lambda *a: a[0] @ a[1] @ a[2], (A[0], A[1], A[2])),
    ("tensorinv", linalg.tensorinv, np.linalg.tensorinv, (RNG.normal(size=(3, 2, 6, 1)),)),
    ("tensorsolve", linalg.tensorsolve, np.linalg.tensorsolve, (RNG.normal(size=(2, 3, 6)), RNG.normal(size=(2, 3)))),
]  # fmt: skip


@pytest.mark.parametrize("options", TARGETS)
@pytest.mark.parametrize(("f", "g", "arrays"), [p[1:] for p in PAIRS], ids=[p[0] for p in PAIRS])
def test_numpy_agrees(f: Callable[..., Any], g: Callable[..., Any], arrays: Any, options: Options) -> None:
    got, want = run(f, *arrays, options=options, known="tensor" in getattr(f, "__name__", "")), g(*arrays)
    for a, b in zip([got] if isinstance(got, np.ndarray) else got, want if isinstance(want, tuple) else [want]):  # noqa: B905
        assert a.shape == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("ord", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf, 0, 3, -2.5])
@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1), (-1, 0), (2, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_norms(ord: Any, axis: Any, keepdims: bool) -> None:
    x = RNG.normal(size=(3, 4, 2) if axis is not None or ord is None else (3, 4))
    try:
        want = np.linalg.norm(x, ord, axis)
    except ValueError:
        with pytest.raises(sg.ArgumentError):
            linalg.norm(sg.placeholder(x.shape, D), ord, axis)
        return
    want = np.linalg.norm(x, ord, axis, keepdims)
    np.testing.assert_allclose(run(lambda t: linalg.norm(t, ord, axis, keepdims), x, known=True), want, rtol=1e-9)


def test_more_norms() -> None:
    want = np.sqrt(np.sum(A**2, (1, 2)))
    np.testing.assert_allclose(run(linalg.matrix_norm, A), want)
    np.testing.assert_allclose(run(lambda t: linalg.matrix_norm(t, keepdims=True, ord=2), A)[:, 0, 0],
                               np.linalg.norm(A, 2, (1, 2)))  # fmt: skip
    np.testing.assert_allclose(run(lambda t: linalg.vector_norm(t, axis=(0, 2), ord=1), A), np.abs(A).sum((0, 2)))


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("trans", [0, 1, "N", "T"])
@pytest.mark.parametrize("unit", [False, True])
def test_triangular_systems(lower: bool, trans: Any, unit: bool) -> None:
    b = RNG.normal(size=(4, 2))
    part = np.tril(A) if lower else np.triu(A)
    if unit:
        part = part * (1 - np.eye(4)) + np.eye(4)
    matrix = part.swapaxes(-1, -2) if trans in (1, "T") else part
    got = run(lambda a, y: linalg.solve_triangular(a, y, lower, trans, unit), A, b)
    np.testing.assert_allclose(matrix @ got, np.broadcast_to(b, got.shape), rtol=1e-9, atol=1e-10)


def test_systems_by_factors() -> None:
    b = RNG.normal(size=(4, 3))
    solution = np.linalg.solve(SPD[0], b)
    for upper in (False, True):
        got = run(lambda a, y: linalg.cho_solve(linalg.cholesky(a, upper), y, lower=not upper), SPD[0], b)  # noqa: B023
        np.testing.assert_allclose(got, solution, rtol=1e-7)
    low = np.tril(A[0])
    np.testing.assert_allclose(run(linalg.solve_lower_triangular, low, b[:, 0]), np.linalg.solve(low, b[:, 0]))
    np.testing.assert_allclose(run(linalg.solve_upper_triangular, low.T, b), np.linalg.solve(low.T, b))
    q, r = run(linalg.qr, A)
    np.testing.assert_allclose(q @ r, A, atol=1e-12)
    u, s, vh = run(lambda x: linalg.svd(x, full_matrices=False), WIDE)
    np.testing.assert_allclose((u * s[:, None, :]) @ vh, WIDE, atol=1e-12)
    w, v = run(linalg.eigh, SPD)
    np.testing.assert_allclose((v * w[:, None, :]) @ v.swapaxes(-1, -2), SPD, atol=1e-10)


@pytest.mark.parametrize(("m", "n"), [(6, 3), (3, 6), (4, 4)])
def test_least_squares(m: int, n: int) -> None:
    a, b = RNG.normal(size=(m, n)), RNG.normal(size=(m, 2))
    x, residuals, rank, s = run(linalg.lstsq, a, b)
    want = np.linalg.lstsq(a, b)
    np.testing.assert_allclose(x, want[0], atol=1e-10)
    np.testing.assert_allclose(residuals, np.sum((a @ want[0] - b) ** 2, 0), atol=1e-10)
    assert rank == want[2]
    np.testing.assert_allclose(s, want[3])
    np.testing.assert_allclose(run(lambda p, y: linalg.lstsq(p, y).x, a, b[:, 0]), want[0][:, 0], atol=1e-10)
    sg.verify_grad(lambda p, y: linalg.lstsq(p, y).x, [a, b], tests=1, target="numpy")


def test_the_matrix_exponential_at_all_sizes() -> None:
    for scale in (0.0, 1e-9, 0.3, 3.0, 30.0):
        x = RNG.normal(size=(3, 4, 4)) * scale
        w, v = np.linalg.eig(x)
        want = ((v * np.exp(w)[:, None, :]) @ np.linalg.inv(v)).real if scale else np.broadcast_to(np.eye(4), x.shape)
        np.testing.assert_allclose(run(linalg.expm, x), want, rtol=1e-8, atol=1e-9 * np.abs(want).max())
    assert np.isnan(run(linalg.expm, np.full((2, 2), np.inf))).all()


def test_chains_are_multiplied_in_the_best_order() -> None:
    shapes = [(30, 3), (3, 40), (40, 2), (2, 50)]
    arrays = [RNG.normal(size=s) for s in shapes]
    np.testing.assert_allclose(run(lambda *t: linalg.multi_dot(t), *arrays), np.linalg.multi_dot(arrays), rtol=1e-9)
    got = run(lambda *t: linalg.multi_dot(t), arrays[0][0], *arrays[1:3], arrays[2][0])
    np.testing.assert_allclose(got, arrays[0][0] @ arrays[1] @ arrays[2] @ arrays[2][0], rtol=1e-9)
    inputs = [sg.placeholder(s, D) for s in ((1000, 2), (2, 1000), (1000, 1))]
    f = sg.function(inputs, linalg.multi_dot(inputs))
    products = [n for n in f.stages.optimized.nodes if n.op.name not in ("input", "reshape")]
    assert [n.output.type.size for n in products] == [2, 1000]


def test_the_first_derivative_of_the_determinant_of_a_singular_matrix() -> None:
    x = np.outer([1.0, 2.0, 3.0], [1.0, -1.0, 2.0]) + np.diag([1.0, 0, 0])
    assert abs(np.linalg.det(x)) < 1e-12
    sg.verify_grad(linalg.det, [x], atol=1e-6)


def test_a_gaussian_process_is_fitted() -> None:
    """The usual way: a kernel matrix, its factor, a solution, a determinant, gradients of all."""
    x, y = sg.placeholder((None,), D), sg.placeholder((None,), D)
    scale, noise = sg.variable(np.float64(0.3)), sg.variable(np.float64(-1.0))
    gaps = x[:, None] - x[None, :]
    kernel = sg.exp(-(gaps**2) / (2 * sg.exp(2 * scale))) + sg.exp(noise) * sg.where(sg.equal(gaps, 0.0), 1.0, 0.0)
    factor = linalg.cholesky(kernel)
    weights = linalg.cho_solve(factor, y)
    cost = sg.sum(y * weights) / 2 + sg.sum(sg.log(linalg.diagonal(factor)))
    other = sg.sum(y * linalg.solve(kernel, y)) / 2 + linalg.slogdet(kernel).logabsdet / 2
    wrt = [scale, noise]
    gradients, again = sg.grad(cost, wrt), sg.grad(other, wrt)
    train = sg.function(
        [x, y], [cost, other, *gradients, *again],
        updates=[(v, v - 0.05 * g) for v, g in zip(wrt, gradients, strict=True)], options=Options(verify=True),
    )  # fmt: skip
    data = np.linspace(0, 6, 17)
    costs = []
    for _ in range(30):
        one, two, g0, g1, h0, h1 = train(data, np.sin(data))
        np.testing.assert_allclose([one, g0, g1], [two, h0, h1], rtol=1e-6, atol=1e-8)
        costs.append(float(one))
    assert costs[-1] < costs[0] - 5
    one, two, *_ = train(data[:3], data[:3])  # another number of points
    np.testing.assert_allclose(one, two)


def test_in_a_loop() -> None:
    """A Kalman filter's covariance, step by step, is the unrolled one, with gradients."""
    f, q = sg.placeholder((3, 3), D), sg.placeholder((None, 3, 3), D)

    def step(noise: sg.Tensor, p: sg.Tensor, f: sg.Tensor) -> sg.Tensor:
        ahead = sg.dot(sg.dot(f, p), sg.transpose(f)) + noise
        return linalg.inv(linalg.inv(ahead) + sg.eye(3, dtype=D))

    rows, _ = sg.scan(step, q, sg.eye(3, dtype=D), f)
    p, unrolled = sg.eye(3, dtype=D), []
    for i in range(2):
        p = step(q[i], p, f)
        unrolled.append(p)
    costs = [sg.sum(rows**2), sg.sum(sg.stack(unrolled) ** 2)]
    g = sg.function([f, q], [*costs, *(sg.grad(c, f) for c in costs)], options=Options(verify=True))
    noise = SPD[:2, :3, :3]
    one, two, three, four = g(A[0, :3, :3] / 4, noise)
    np.testing.assert_allclose(one, two, rtol=1e-12)
    np.testing.assert_allclose(three, four, rtol=1e-10)


@pytest.mark.parametrize("options", TARGETS)
def test_singular_matrices_are_named(options: Options) -> None:
    x = sg.placeholder((None, None), D)
    v = sg.variable(np.float64(0))
    cases = ((linalg.inv, "inverse"), (linalg.cholesky, "cholesky"), (lambda t: linalg.solve(t, t), "solve"))
    for op, message in cases:
        with sg.name_scope("whitening"):
            y = op(x)
        f = sg.function([x], y, updates=[(v, v + 1)], options=options, name="train")
        f(np.eye(3))
        before = v.get_value()
        with pytest.raises(np.linalg.LinAlgError) as caught:
            f(-np.zeros((2, 2)))
        assert isinstance(caught.value, sg.LinAlgError)
        for part in (message, "whitening", "test_linalg.py", "train"):
            assert part in str(caught.value)
        assert v.get_value() == before


def test_bad_arguments_are_refused_while_building() -> None:
    x, wide = sg.placeholder((3, 3)), sg.placeholder((2, 4))
    for f in (linalg.inv, linalg.cholesky, linalg.det, linalg.slogdet, linalg.eigh, linalg.eigvalsh, linalg.expm):
        with pytest.raises(sg.ShapeError, match="square matrices"):
            f(wide)
        with pytest.raises(sg.ShapeError, match="needs matrices"):
            f(sg.placeholder((3,)))
        with pytest.raises(sg.DTypeError, match="cast it first"):
            f(sg.placeholder((3, 3), "float16"))
    either = sg.placeholder((None, 3))
    for factor in (linalg.svd(either).U, linalg.qr(either, "complete").Q):
        with pytest.raises(sg.GradientError, match="full, not square|may have more rows"):
            sg.grad(sg.sum(factor), either)
    with pytest.raises(sg.ArgumentError, match="UPLO"):
        linalg.eigh(x, "X")
    with pytest.raises(sg.ArgumentError, match="mode"):
        linalg.qr(x, "full")
    with pytest.raises(sg.ArgumentError, match="trans"):
        linalg.solve_triangular(x, x, trans="C")
    with pytest.raises(sg.ArgumentError, match="integer"):
        linalg.matrix_power(x, 0.5)  # type: ignore[arg-type]
    with pytest.raises(sg.ArgumentError, match="two operands"):
        linalg.multi_dot([x])
    with pytest.raises(sg.ShapeError, match="multiplies matrices; its operand 1 is"):
        linalg.multi_dot([x, sg.placeholder((3, 3, 3)), x])
    with pytest.raises(sg.ShapeError, match="3 elements"):
        linalg.cross(wide, wide)
    with pytest.raises(sg.ArgumentError, match="ind"):
        linalg.tensorinv(sg.placeholder((6, 2, 3)), 0)
    with pytest.raises(sg.ShapeError, match="no square matrix"):
        linalg.tensorinv(sg.placeholder((5, 2, 3)), 1)
    with pytest.raises(sg.GradientError, match="full_matrices=False"):
        sg.grad(sg.sum(linalg.svd(wide).U), wide)
    tall = sg.placeholder((4, 2))
    with pytest.raises(sg.GradientError, match="complete factor"):
        sg.grad(sg.sum(linalg.qr(tall, "complete").Q), tall)


def test_plans_come_from_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMGRAPH_CACHE", str(tmp_path / "cache"))

    def build() -> sg.Function:
        x = sg.placeholder((None, None), D)
        return sg.function([x], [linalg.solve_triangular(x, x, lower=True), linalg.pinv(x, 1e-9)])

    made = build()
    with monkeypatch.context() as patch:
        patch.setattr("symgraph.codegen.compile.make_plan", None)
        found = build()
    assert "python triangular_solve[lower=True, transposed=False, unit=False](in0: " in found.explain()
    for a, b in zip(made(SPD[0]), found(SPD[0]), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("count", [9, 66])
def test_long_chains(count: int) -> None:
    sizes = RNG.integers(1, 6, count + 1)
    arrays = [RNG.normal(size=(a, b)) / b for a, b in itertools.pairwise(sizes)]
    got = run(lambda *t: linalg.multi_dot(t), *arrays)
    np.testing.assert_allclose(got, functools.reduce(np.matmul, arrays), rtol=1e-8, atol=1e-14)


SHAPES = [(4, 2), (2, 4), (3, 3), (1, 3), (3, 1)]


def of_any_shape(a: sg.Tensor, b: sg.Tensor) -> list[sg.Tensor]:
    """What depends on which side of ``a`` is the shorter one."""
    u, s, vh = linalg.svd(a, full_matrices=False)
    q, r = linalg.qr(a)
    square_u, _, square_vh = linalg.svd(a)
    solution = linalg.lstsq(a, b)
    return [(u * s) @ vh, s, linalg.svdvals(a), q @ r, linalg.qr(a, "complete")[0][:, :0], linalg.cond(a),
            linalg.matrix_rank(a), linalg.pinv(a), solution.x, solution.rank, solution.s, linalg.norm(a, "nuc"),
            square_u @ square_u.T, square_vh @ square_vh.T, linalg.norm(a, -2), linalg.diagonal(a)]  # fmt: skip


@pytest.mark.parametrize("target", ["numpy", "llvm"])
def test_factors_of_matrices_of_any_shape(target: str) -> None:
    a, b = sg.placeholder((None, None), "float64"), sg.placeholder((None,), "float64")
    f = sg.function([a, b], of_any_shape(a, b), target=target)
    for m, n in SHAPES:
        x, y = np.random.default_rng([m, n]).normal(size=(m, n)), np.random.default_rng(m).normal(size=m)
        s = np.linalg.svd(x, compute_uv=False)
        want = [x, s, s, x, np.zeros((m, 0)), s[0] / s[-1], min(m, n), np.linalg.pinv(x), np.linalg.lstsq(x, y)[0],
                min(m, n), s, s.sum(), np.eye(m), np.eye(n), s[-1], np.diagonal(x)]  # fmt: skip
        for k, (got, value) in enumerate(zip(f(x, y), want, strict=True)):
            np.testing.assert_allclose(got, value, rtol=1e-9, atol=1e-12, err_msg=f"result {k} of {m} x {n}")
    empty = sg.function([a], [linalg.svdvals(a), *linalg.svd(a), *linalg.qr(a)], target=target)
    for shape in ((0, 3), (3, 0), (0, 0)):
        x = np.zeros(shape)
        want = [np.linalg.svd(x, compute_uv=False), *np.linalg.svd(x), *np.linalg.qr(x)]
        assert [t.shape for t in empty(x)] == [t.shape for t in want]


def test_gradients_of_factors_of_any_shape() -> None:
    def gradients(a: sg.Tensor, weights: sg.Tensor) -> list[sg.Tensor]:
        (u, s, vh), (q, r) = linalg.svd(a, full_matrices=False), linalg.qr(a)
        parts = [s, (u * s * s) @ vh, u @ vh, q, r, linalg.svdvals(a), linalg.pinv(a)]
        rows = [sg.reshape(p, (-1,)) for p in parts]
        return [sg.grad(sg.sum(sg.sin(row + weights[: row.shape[0]])), a) for row in rows]

    w = np.linspace(0, 1, 16)
    a = sg.placeholder((None, None), "float64")
    f = sg.function([a], gradients(a, sg.constant(w)))
    for m, n in SHAPES:
        x = np.random.default_rng([m, n]).normal(size=(m, n))
        known = sg.placeholder((m, n), "float64")
        for got, want in zip(f(x), sg.function([known], gradients(known, sg.constant(w)))(x), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-11)


def test_sides_that_turn_out_to_fit() -> None:
    a, b = sg.placeholder((None, None), "float64"), sg.placeholder((None, None, None), "float64")
    f = sg.function([a, b], [linalg.cross(a, a[::-1]), linalg.tensorinv(b, 1)])
    x, y = RNG.normal(size=(4, 3)), RNG.normal(size=(6, 2, 3))
    for got, want in zip(f(x, y), [np.cross(x, x[::-1]), np.linalg.tensorinv(y, 1)], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9)
    for bad in ((x[:, :2], y), (x, y[:5])):
        with pytest.raises(sg.ShapeError, match="the graph needs|is 5, expected 6"):
            f(*bad)


STACKS = [(1, 1), (5, 5), (3, 7), (7, 3), (2, 3, 4, 4), (2, 6, 2), (0, 3, 3), (3, 1, 5)]


def adjoint(x: Array) -> Array:
    return x.swapaxes(-1, -2)


def assert_orthonormal(columns: Array, atol: float) -> None:
    np.testing.assert_allclose(adjoint(columns) @ columns - np.eye(columns.shape[-1]), 0, atol=atol)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", STACKS, ids=str)
@pytest.mark.parametrize("full", [False, True], ids=["thin", "full"])
def test_factors_multiply_to_the_matrix(shape: tuple[int, ...], dtype: str, full: bool) -> None:
    """Laws that no other library is asked for: reconstruction, orthogonality, order, triangles."""
    x = np.random.default_rng(3).normal(size=shape).astype(dtype)
    rows, columns = shape[-2:]
    least, atol = min(rows, columns), 1e-12 if dtype == "float64" else 1e-5
    q, r = run(lambda a: linalg.qr(a, "complete" if full else "reduced"), x)
    assert q.shape == (*shape[:-1], rows if full else least) and q.dtype == r.dtype == dtype
    assert_orthonormal(q, atol)
    np.testing.assert_array_equal(np.tril(r, -1), 0)
    np.testing.assert_allclose(q @ r, x, atol=atol)
    u, s, vh = run(lambda a: linalg.svd(a, full), x)
    assert u.shape[-1] == (rows if full else least) and vh.shape[-2] == (columns if full else least)
    assert_orthonormal(u, atol)
    assert_orthonormal(adjoint(vh), atol)
    assert (s >= 0).all() and (np.diff(s) <= 0).all()
    np.testing.assert_allclose((u[..., :least] * s[..., None, :]) @ vh[..., :least, :], x, atol=atol)
    np.testing.assert_allclose((s**2).sum(-1), (x**2).sum((-1, -2)), rtol=1e3 * atol)
    np.testing.assert_allclose(run(linalg.svdvals, x), s, atol=atol)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [s for s in STACKS if s[-1] == s[-2]], ids=str)
@pytest.mark.parametrize("triangle", ["L", "U"])
def test_eigenvectors_of_symmetric_matrices(shape: tuple[int, ...], dtype: str, triangle: str) -> None:
    given = np.random.default_rng(4).normal(size=shape).astype(dtype)
    kept = np.tril(given) if triangle == "L" else np.triu(given)  # the other triangle is not read
    x = kept + adjoint(kept) - kept * np.eye(shape[-1], dtype=dtype)
    w, v = run(lambda a: linalg.eigh(a, triangle), given)
    atol = 1e-11 if dtype == "float64" else 1e-4
    assert_orthonormal(v, atol)
    assert (np.diff(w) >= 0).all() and w.dtype == v.dtype == dtype
    np.testing.assert_allclose(x @ v, v * w[..., None, :], atol=atol)
    np.testing.assert_allclose(w.sum(-1), np.trace(x, axis1=-2, axis2=-1), atol=atol)
    np.testing.assert_allclose((w**2).sum(-1), (x**2).sum((-1, -2)), rtol=1e-4)
    np.testing.assert_allclose(run(lambda a: linalg.eigvalsh(a, triangle), given), w, atol=atol)


def test_eigenvalues_and_singular_values_in_closed_form() -> None:
    n = 7
    path = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)  # of a string with fixed ends
    want = 2 - 2 * np.cos(np.pi * np.arange(1, n + 1) / (n + 1))
    np.testing.assert_allclose(run(linalg.eigvalsh, path), want, atol=1e-13)
    np.testing.assert_allclose(run(linalg.eigh, path)[0], want, atol=1e-13)
    np.testing.assert_allclose(run(linalg.svdvals, path), want[::-1], atol=1e-13)
    turned = np.array([[3.0, 0.0], [4.0, 5.0]])
    np.testing.assert_allclose(run(linalg.svd, turned)[1], np.sqrt([45.0, 5.0]), rtol=1e-14)
    q, r = run(linalg.qr, turned)
    np.testing.assert_allclose(np.abs(r), [[5, 4], [0, 3]], atol=1e-14)
    np.testing.assert_allclose(np.abs(q), [[0.6, 0.8], [0.8, 0.6]], atol=1e-14)
