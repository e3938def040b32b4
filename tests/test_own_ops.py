"""A user's own ops: values, gradients, types, loops, and what happens where ``perform`` misbehaves."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.errors import SymgraphError
from symgraph.options import Options
from tests.pages import python_blocks, run_page

Array = np.ndarray[Any, Any]
TARGETS = [
    pytest.param(Options(target="numpy", verify=True), id="numpy"),
    pytest.param(Options(target="llvm", verify=True), id="llvm"),
]
pytestmark = pytest.mark.parametrize("options", TARGETS)
D = "float64"


class Cube(sg.Op):
    """Counts its calls."""

    calls = 0

    def perform(self, x: Array) -> Array:
        self.calls += 1
        return x**3

    def grad(self, inputs: list[sg.Tensor], output_grads: list[sg.Tensor]) -> list[sg.Tensor]:
        return [output_grads[0] * 3 * inputs[0] ** 2]


class SinCos(sg.Op):
    """Two outputs; the gradient uses the outputs."""

    otypes = (D, D)

    def perform(self, x: Array) -> list[Array]:
        return [np.sin(x), np.cos(x)]

    def grad(self, inputs: list[sg.Tensor], output_grads: list[sg.Tensor]) -> list[sg.Tensor]:
        sine, cosine = self(*inputs)
        return [output_grads[0] * cosine - output_grads[1] * sine]


class Scale(sg.Op):
    """Instances with the same factor are the same op."""

    __props__ = ("factor",)

    def __init__(self, factor: float) -> None:
        self.factor = factor
        self.calls = 0

    def perform(self, x: Array) -> Array:
        self.calls += 1
        return x * self.factor


def test_values_and_gradients_at_several_sizes(options: Options) -> None:
    x = sg.placeholder((None, 3), D)
    y = sg.sum(Cube()(sg.sin(x)))
    first = sg.grad(y, x)
    f = sg.function([x], [y, first, sg.grad(sg.sum(first), x)], options=options)
    for n in (1, 2, 0, 7):
        a = np.random.default_rng(n).normal(size=(n, 3))
        s, c = np.sin(a), np.cos(a)
        want = (np.sum(s**3), 3 * s**2 * c, 6 * s * c**2 - 3 * s**3)
        for got, expected in zip(f(a), want, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


def test_several_outputs_are_computed_once_with_their_gradient(options: Options) -> None:
    x = sg.placeholder((4,), D)
    sine, cosine = SinCos()(x)
    y = sg.sum(sine * 2 + cosine)
    f = sg.function([x], [y, sg.grad(y, x)], options=options)
    a = np.linspace(-1, 1, 4)
    np.testing.assert_allclose(f(a)[1], 2 * np.cos(a) - np.sin(a), rtol=1e-12)
    assert sum(n.op.name == "custom" for n in f.stages.optimized.nodes) == 1
    one = sg.grad(sg.sum(SinCos()(x)[1]), x)
    np.testing.assert_allclose(sg.function([x], one, options=options)(a), -np.sin(a), rtol=1e-12)


def test_verify_grad_finds_a_right_and_a_wrong_gradient(options: Options) -> None:
    sg.verify_grad(Cube(), [np.linspace(0.5, 2, 5)], target=options.target)
    wrong = sg.as_op(grad=lambda inputs, grads: [grads[0] * 2])(lambda x: x**2)
    with pytest.raises(sg.GradientError):
        sg.verify_grad(wrong, [np.linspace(0.5, 2, 5)], target=options.target)


def test_shapes_follow_from_those_of_the_inputs(options: Options) -> None:
    def infer(a: Any, b: Any) -> list[Any]:
        return [(a[0] + b[0], 2), (), (a[0] * 2 - 1,)]

    @sg.as_op([D, "float32"], ["float32", "int64", D], infer_shape=infer)
    def parts(a: Array, b: Array) -> tuple[Any, ...]:
        both = np.concatenate([a, b]).astype("float32")
        return np.stack([both, both], 1), np.int64(a.size), np.zeros(2 * a.size - 1)

    a, b = sg.placeholder((None,), D), sg.placeholder((None,), "float32")
    outputs = parts(a, b)
    assert outputs[0].shape == (a.shape[0] + b.shape[0], 2)
    f = sg.function([a, b], [outputs[0] * 2, *outputs[1:]], options=options)
    for n, m in ((1, 1), (3, 0), (2, 5)):
        x, y, z = f(np.arange(float(n)), np.arange(m, dtype="float32"))
        np.testing.assert_array_equal(x[:, 1], 2 * np.concatenate([np.arange(n), np.arange(m)]))
        assert int(y) == n
        assert z.shape == (2 * n - 1,)


def test_equal_ops_on_equal_inputs_are_one_call(options: Options) -> None:
    x = sg.placeholder((3,))
    a, b, c = Scale(2.0), Scale(2.0), Scale(3.0)
    assert a == b != c
    unused = Cube()
    unused(x)
    f = sg.function([x], [a(x) + b(x), c(x)], options=options)
    np.testing.assert_array_equal(f([1, 2, 3])[0], [4, 8, 12])
    assert (a.calls + b.calls, c.calls, unused.calls) == (1, 1, 0)


def test_in_loops_with_gradients(options: Options) -> None:
    cube = Cube()

    def cost(step: Any, x: sg.Tensor, w: sg.Tensor, n: int | None) -> sg.Tensor:
        if n is None:
            rows, _ = sg.scan(step, x, sg.constant(0.1, D), w)
            return sg.sum(rows * rows)
        total, h = sg.constant(0.0, D), sg.constant(0.1, D)
        for i in range(n):
            h = step(x[i], h, w)
            total = total + h * h
        return total

    def step(op: Any) -> Any:
        return lambda row, h, w: op(h * 0.5 + row * w)

    x, w = sg.placeholder((None,), D), sg.placeholder((), D)
    results = []
    for op in (cube, lambda t: t**3):
        y = cost(step(op), x, w, None)
        first = sg.grad(y, [x, w])
        second = sg.grad(sg.sum(first[0]) + first[1], [x, w])
        results.append(sg.function([x, w], [y, *first, *second], options=options))
    for n in (0, 1, 5):
        a = np.random.default_rng(n).normal(size=n)
        for got, want in zip(results[0](a, 0.9), results[1](a, 0.9), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-12)
    before = cube.calls
    sg.function([x, w], cost(step(cube), x, w, None), options=options)(np.ones(6), 1.0)
    assert cube.calls == before + 6


def test_in_choices_and_while_loops(options: Options) -> None:
    cube = Cube()
    x, yes = sg.placeholder((2,), D), sg.placeholder((), "bool")
    f = sg.function([x, yes], sg.cond(yes, lambda: cube(x + 1), lambda: x), options=options)
    np.testing.assert_array_equal(f([1, 2], True), [8, 27])
    np.testing.assert_array_equal(f([1, 2], False), [1, 2])
    assert cube.calls == 1
    double = sg.as_op()(lambda v: v * 2)
    last = sg.while_loop(lambda v: sg.sum(v) < 100, double, x)
    np.testing.assert_array_equal(sg.function([x], last, options=options)([1, 2]), [64, 128])


def test_an_invariant_call_leaves_its_loop(options: Options) -> None:
    cube = Cube()
    x, w = sg.placeholder((None,), D), sg.placeholder((), D)
    rows, _ = sg.scan(lambda row, h: h + row * cube(w), x, sg.constant(0.0, D))
    f = sg.function([x, w], rows, options=options)
    np.testing.assert_allclose(f(np.ones(4), 2.0), [8, 16, 24, 32])
    assert cube.calls == 1


def test_what_perform_gets_is_its_own(options: Options) -> None:
    kept: list[Array] = []

    @sg.as_op()
    def greedy(x: Array) -> Array:
        kept.append(x)
        x += 1  # must not change what others see
        return x

    x = sg.placeholder((None,), D)
    f = sg.function([x], [greedy(x), x * 1, greedy(x * 2) + x], options=options)
    for n in (3, 50_000, 3):
        a = np.arange(float(n))
        one, two, three = f(a)
        np.testing.assert_array_equal(a, np.arange(float(n)))
        np.testing.assert_array_equal(one, a + 1)
        np.testing.assert_array_equal(two, a)
        np.testing.assert_array_equal(three, 3 * a + 1)
    assert [len(k) for k in kept] == [3, 3, 50_000, 50_000, 3, 3]
    for k in kept:
        ramp = np.arange(float(len(k)))
        assert np.array_equal(k, ramp + 1) or np.array_equal(k, 2 * ramp + 1)


BAD_RESULTS = [
    (lambda x: x.astype("float32"), sg.DTypeError, "dtype float32, expected float64"),
    (lambda x: x[:1], sg.ShapeError, r"shape \(1,\), expected \(3,\)"),
    (lambda x: x[:, None], sg.ShapeError, r"shape \(3, 1\), expected \(3,\)"),
    (lambda x: [x, x], sg.ArgumentError, r"gave 2 result\(s\), expected 1"),
    (lambda x: None, sg.DTypeError, "dtype object"),
]


@pytest.mark.parametrize("number", range(len(BAD_RESULTS)))
def test_wrong_results_are_refused_naming_op_layer_and_line(options: Options, number: int) -> None:
    perform, kind, message = BAD_RESULTS[number]
    x = sg.placeholder((None,), D)
    with sg.name_scope("my_layer"):
        y = sg.as_op(name="broken")(perform)(x)
    f = sg.function([x], y + 1, options=options, name="train")
    for _ in range(2):
        with pytest.raises(kind, match=message) as caught:
            f(np.ones(3))
        for part in ("broken", "my_layer", "test_own_ops.py", "train"):
            assert part in str(caught.value)


def test_what_perform_raises_arrives_and_no_variable_changes(options: Options) -> None:
    class Refusal(Exception):
        pass

    @sg.as_op(grad=lambda inputs, grads: [grads[0]])
    def picky(x: Array) -> Array:
        if x.max() > 10:
            raise Refusal(x.max())
        return x

    x = sg.placeholder((None,), D)
    a, b, c = (sg.variable(np.full(3, float(k)), name=f"v{k}") for k in range(3))
    count = sg.variable(0)
    total = sg.sum(x)
    rows, _ = sg.scan(lambda row, h: picky(h + row), x, sg.constant(0.0, D))
    late = picky(total + sg.sum(rows) * 0)
    f = sg.function(
        [x], [late, rows],
        updates=[(a, a + 1), (b, a * total), (c, picky(c * 1) + late), (count, count + 1)], options=options,
    )  # fmt: skip

    def state() -> list[Array]:
        return [v.get_value().copy() for v in (a, b, c, count)]

    f([1.0, 2.0])
    before = state()
    assert int(before[3]) == 1
    for bad in ([5.0, 6.0], [20.0]):
        with pytest.raises(Refusal) as caught:
            f(bad)
        assert caught.value.args[0] > 10
        for old, new in zip(before, state(), strict=True):
            np.testing.assert_array_equal(old, new)
    f([1.0, 2.0])
    np.testing.assert_array_equal(a.get_value(), [2, 2, 2])
    np.testing.assert_array_equal(b.get_value(), [3, 3, 3])


def test_an_update_waits_for_python_that_comes_after_its_value(options: Options) -> None:
    """The new value is known early, and read by an op that then refuses it."""

    @sg.as_op()
    def refuse(x: Array) -> Array:
        raise ValueError("no")

    v = sg.variable(np.zeros(3), name="v")
    new = v + 1
    f = sg.function([], refuse(new), updates=[(v, new)], options=options)
    with pytest.raises(ValueError, match="no"):
        f()
    np.testing.assert_array_equal(v.get_value(), np.zeros(3))
    assert any("Python" in reason for reason in f.stages.lowering.memory)


def test_signals_arrive(options: Options) -> None:
    @sg.as_op()
    def interrupted(x: Array) -> Array:
        raise KeyboardInterrupt

    x = sg.placeholder((2,), D)
    f = sg.function([x], interrupted(x), options=options)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            f([1, 2])


def test_a_function_may_call_others_and_itself(options: Options) -> None:
    functions: list[sg.Function] = []

    @sg.as_op()
    def factorial(n: Array) -> Array:
        return n * functions[0](n - 1) if n > 1 else n

    n = sg.placeholder((), D)
    functions.append(sg.function([n], factorial(n) * 1, options=options))
    assert float(functions[0](6.0)) == 720


def test_many_threads_call_one_function(options: Options) -> None:
    x = sg.placeholder((None,), D)
    rows, _ = sg.scan(lambda row, h: Cube()(h * 0.5) + row, x, sg.constant(0.0, D))
    f = sg.function([x], [rows, Cube()(x)], options=options)
    arrays = [np.random.default_rng(k).normal(size=5 + k % 3) for k in range(8)]
    wanted = [f(a) for a in arrays]
    wrong: list[int] = []

    def work(k: int) -> None:
        for _ in range(20):
            got = f(arrays[k])
            if not all(np.array_equal(g, w) for g, w in zip(got, wanted[k], strict=True)):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_inputs_that_do_not_fit_are_refused_at_once(options: Options) -> None:
    x = sg.placeholder((3,), "float32")
    op = sg.as_op(itypes=[D], name="strict")(lambda a: a)
    with pytest.raises(sg.DTypeError, match="strict: input 0 is float32, expected float64"):
        op(x)
    with pytest.raises(sg.ArgumentError, match="takes 1 input"):
        op(x, x)
    np.testing.assert_array_equal(sg.function([], op(2) * 1, options=options)(), 2.0)
    with pytest.raises(sg.DTypeError, match="write otypes"):
        sg.as_op()(lambda: 1)()
    with pytest.raises(sg.ArgumentError, match="infer gives types"):
        type("Odd", (sg.Op,), {"infer": lambda self, *types: 3})()(x)
    with pytest.raises(sg.ShapeError, match=r"1 shape\(s\) for 2 output"):
        sg.as_op(otypes=[D, D], infer_shape=lambda s: s)(lambda a: (a, a))(x)
    with pytest.raises(NotImplementedError, match="write perform"):
        sg.function([x], sg.Op()(x), options=options)([1, 2, 3])


def test_gradients_that_do_not_exist_or_do_not_fit(options: Options) -> None:
    x = sg.placeholder((3,), D)
    with pytest.raises(sg.GradientError, match="silent has no gradient"):
        sg.grad(sg.sum(sg.as_op(name="silent")(lambda a: a)(x)), x)
    with pytest.raises(sg.GradientError, match=r"2 gradient\(s\) for 1 input"):
        sg.grad(sg.sum(sg.as_op(grad=lambda i, g: [g[0], g[0]])(lambda a: a)(x)), x)
    with pytest.raises(sg.GradientError, match="gradient of input 0"):
        sg.grad(sg.sum(sg.as_op(grad=lambda i, g: [sg.sum(g[0])])(lambda a: a)(x)), x)
    none = sg.as_op(grad=lambda i, g: [None])(lambda a: a)(x)
    np.testing.assert_array_equal(
        sg.function([x], sg.grad(sg.sum(none), x, disconnected="zeros"), options=options)([1, 2, 3]), np.zeros(3)
    )


def test_a_gradient_in_a_loop_reads_its_inputs_and_constants_only(options: Options) -> None:
    factor, v = sg.constant(3.0, D), sg.variable(np.float64(3.0), name="v")
    x = sg.placeholder((None,), D)

    def total(k: sg.Tensor) -> sg.Tensor:
        op = sg.as_op(grad=lambda i, g: [g[0] * k + sg.stop_gradient(i[0]) * 0])(lambda a: a * 3)
        return sg.sum(sg.scan(lambda row, h: op(row + h), x, sg.constant(0.0, D))[0])

    f = sg.function([x], sg.grad(total(factor), x), options=options)
    np.testing.assert_allclose(f([1.0, 1.0, 1.0]), [39, 12, 3])
    with pytest.raises(sg.GradientError, match="make that an input"):
        sg.grad(total(v), x)


def test_plans_with_python_are_shown_and_not_kept(
    options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYMGRAPH_CACHE", str(tmp_path / "cache"))
    x = sg.placeholder((None,), D)

    def build(factor: float) -> sg.Function:
        op = sg.as_op(name="scale")(lambda a: a * factor)
        rows, _ = sg.scan(lambda row: op(row * x[0]), x)
        return sg.function([x], [op(x), rows], options=options.but(verify=False))

    one, two = build(2.0), build(3.0)
    np.testing.assert_array_equal(one([1.0, 2.0])[0], [2, 4])
    np.testing.assert_array_equal(two([1.0, 2.0])[0], [3, 6])
    text = one.explain()
    call = r"\d: python custom\[<python scale>\]\(in0: \S+, out out0: \S+\) \[sites=\[\"test_own_ops.py:\d+\"\]\]"
    assert re.search(call, text)
    assert "computed by Python" in text
    from symgraph.ir.parser import parse_graph

    with pytest.raises(SymgraphError, match="an object of the process that wrote it"):
        parse_graph(one.debugprint())


def test_the_page_runs(options: Options, capsys: pytest.CaptureFixture[str]) -> None:
    run_page("docs/own_ops.md")
    printed = re.findall(r"# prints (.*)", "".join(python_blocks("docs/own_ops.md")))
    assert printed
    assert capsys.readouterr().out.splitlines() == printed


def test_a_watched_run_sees_python(options: Options) -> None:
    from symgraph.codegen.plan import HostCall
    from symgraph.codegen.targets.watch import Watch

    x = sg.placeholder((3,), D)
    rows, _ = sg.scan(lambda row: Cube()(row), x)
    f = sg.function([x], [Cube()(x + 1), rows], options=options)
    calls = list(f.stages.plan.calls())
    python = [k for k, call in enumerate(calls) if isinstance(call, HostCall)]
    seen: list[tuple[int, list[float]]] = []

    def observer(number: int, after: bool, arrays: Any) -> bool:
        if after and number in python:
            seen.append((number, [float(np.sum(a)) for a in arrays]))
        return False

    watch = Watch(observer)
    data = np.array([1.0, 2.0, 3.0])
    executable = f.stages.executable
    results = [np.empty(3), np.empty(3)]
    assert executable.run_watched(executable.frame(()), [data], [], results, watch) is None
    assert sorted(values for _, values in seen) == [[1, 1], [2, 8], [3, 27], [9, 99]]
    assert sorted(watch.spent[k][1] for k in python) == [1, 3]
    assert all(watch.spent[k][0] > 0 for k in python)
