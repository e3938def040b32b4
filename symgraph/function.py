"""Compiled functions: from tensors to a callable on NumPy arrays."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import In, Signature, check_unused
from .capacity import bytes_text, memory_limit
from .closing import Closed, close
from .display import drawn
from .dtypes import bfloat16, bfloat16_bits
from .errors import ArgumentError, BoundsError, DTypeError, GraphError, OutOfMemoryError, ShapeError
from .evaluation import evaluate_with
from .ir.dims import evaluator
from .ir.graph import Graph, Value
from .options import Options, default_options
from .sizing import Sizing
from .stages import Stages, compile_stages, uncollected
from .tensor import Tensor, TensorLike, as_tensor
from .tracer import describe
from .variable import Variable, readable

if TYPE_CHECKING:
    import networkx

    from .explain import Explanation
    from .profile import Profile

Array = np.ndarray[Any, Any]
#: Runs a plan, as ``Executable.run``.
Run = Callable[[Any, Sequence[Any], Sequence[Any], Sequence[Any]], Any]
Updates = Sequence[tuple[Variable, TensorLike]] | Mapping[Variable, TensorLike]


class _Writing:
    """Calls that write variables run one after the other, so that each sees whole values. A forked process starts
    with a free lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self.lock = threading.RLock()


_writing = _Writing()


class _Binding:
    """What is known once the shapes of the arguments are: the frame, and the shapes of the results."""

    __slots__ = ("frame", "has_empty", "outputs")

    def __init__(self, frame: Any, outputs: tuple[tuple[tuple[int, ...], np.dtype[Any]], ...], has_empty: bool) -> None:
        self.frame = frame
        self.outputs = outputs
        self.has_empty = has_empty


class Function:
    """A compiled function. Call it with one array (or number) per input; it returns fresh arrays.

    Safe to call from several threads. Made by :func:`function`.
    """

    def __init__(
        self,
        inputs: Sequence[Tensor],
        outputs: Sequence[Tensor],
        updates: Sequence[tuple[Variable, Tensor]],
        givens: Mapping[Tensor, Tensor],
        options: Options,
        name: str,
        single: bool,
        signature: Signature,
        no_default_updates: bool | Sequence[Variable] = False,
        on_unused_input: str = "ignore",
    ) -> None:
        with uncollected():
            closed = close(name, inputs, outputs, updates, givens, no_default_updates)
            check_unused(closed.graph, signature.labels, on_unused_input)
            self._compile(closed, options, name, single, signature)

    def _compile(self, closed: Closed, options: Options, name: str, single: bool, signature: Signature) -> None:
        self.name = name
        self.options = options
        self._single = single
        self.stages: Stages = compile_stages(closed.graph, options)
        self.variables = closed.variables
        graph = closed.graph
        self._executable = self.stages.executable
        self._run: Run = self._executable.run
        if options.nan_guard:
            from .nan_guard import NanGuard

            self._run = NanGuard(self).run
        self._inputs: tuple[Value, ...] = graph.inputs
        self._signature = signature
        self._labels = signature.labels
        self._dtypes = tuple(v.dtype.np for v in graph.inputs)
        self._results = tuple((v.type.shape, v.dtype.np) for v in graph.outputs)
        self._states = tuple(v.array for v in closed.variables)
        self._sizing = Sizing(name, signature.labels, graph.inputs, graph.facts, self.stages.conditions)
        self._writes = bool(graph.updates)
        self._bindings: dict[tuple[tuple[int, ...], ...], _Binding] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy, or what is unpickled, computes the same with variables of its own; it is compiled anew (from what is
        kept on disk, where it is). Objects that are copied or pickled together go on sharing variables."""
        graph = self.stages.imported
        return _function_of, (graph, self.variables, self.options, self.name, self._single, self._signature)

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        """Run the function. Arguments go by place, or by the names of the inputs; those with a value may be left out.

        Raises:
            ArgumentError: for a wrong number of arguments.
            DTypeError: for an argument whose values cannot be converted without loss of kind.
            ShapeError: for an argument whose shape does not fit.
            BoundsError: for an index outside its axis, read while running.
            OutOfMemoryError: where results or temporaries need more memory than there is.
        """
        dtypes = self._dtypes
        if named or len(arrays) != len(dtypes):
            arrays = tuple(self._signature.complete(arrays, named))
        checked = [
            a if type(a) is np.ndarray and a.dtype == dtype and a.flags.c_contiguous else self._convert(i, a)
            for i, (a, dtype) in enumerate(zip(arrays, dtypes))  # noqa: B905 - lengths were just compared
        ]
        binding = self._bindings.get(tuple([a.shape for a in checked])) or self._bind(checked)
        if binding.has_empty:
            checked = self._readable(checked)
        try:
            results = [np.empty(shape, dtype) for shape, dtype in binding.outputs]
        except (MemoryError, ValueError):
            raise self._lacking("results", binding.outputs) from None
        if self._writes:
            with _writing.lock:
                failure = self._run(binding.frame, checked, self._states, results)
        else:
            failure = self._run(binding.frame, checked, self._states, results)
        if failure is not None:
            raise self._explain_failure(failure)
        return results[0] if self._single else results

    def _readable(self, arrays: Sequence[Array]) -> list[Array]:
        try:
            return [readable(a) for a in arrays]
        except (MemoryError, ValueError):
            rows = [(a.shape, a.dtype) for a in arrays if not a.size]
            raise self._lacking("rows beside the empty axes of arguments", rows) from None

    # -- arguments --------------------------------------------------------------------------------------------------
    def _convert(self, slot: int, argument: Any) -> Array:
        wanted = self._dtypes[slot]
        try:
            array = bfloat16_bits(argument) if slot in self._signature.narrow else np.asarray(argument)
        except (TypeError, ValueError) as error:
            raise DTypeError(f"{self.name}: argument {slot} ({self._labels[slot]}) is not an array: {error}") from None
        if array.dtype != wanted:
            weak = isinstance(argument, (bool, int, float)) and not (
                isinstance(argument, float) and wanted.kind in "biu"
            )
            if array.size and not weak and not np.can_cast(array.dtype, wanted, "same_kind"):
                raise DTypeError(
                    f"{self.name}: argument {slot} ({self._labels[slot]}) has dtype {array.dtype}, "
                    f"which does not convert to {wanted} without loss; convert it first"
                )
        try:
            return np.ascontiguousarray(array, wanted).reshape(array.shape)
        except MemoryError:
            what = f"a contiguous copy of argument {slot} ({self._labels[slot]})"
            raise self._lacking(what, [(array.shape, wanted)]) from None

    def _bind(self, arrays: Sequence[Array]) -> _Binding:
        """Check shapes and bind sizes; once per combination of shapes."""
        sizes = self._sizing.sizes([a.shape for a in arrays])
        outputs = tuple((tuple(evaluator(d)(sizes) for d in shape), dtype) for shape, dtype in self._results)
        if sum(prod(shape) * dtype.itemsize for shape, dtype in outputs) > memory_limit():
            raise self._lacking("results", outputs)
        frame = self._executable.frame(tuple(sizes[s] for s in self.stages.plan.symbols))
        binding = _Binding(frame, outputs, any(a.size == 0 for a in arrays))
        if len(self._bindings) >= 64:
            self._bindings.clear()
        self._bindings[tuple(a.shape for a in arrays)] = binding
        return binding

    def _lacking(self, what: str, arrays: Sequence[tuple[tuple[int, ...], np.dtype[Any]]]) -> OutOfMemoryError:
        parts = [f"{dtype}{list(shape)} of {bytes_text(prod(shape) * dtype.itemsize)}" for shape, dtype in arrays]
        return OutOfMemoryError(f"{self.name}: no memory for {what}: {', '.join(parts)}")

    def _explain_failure(self, failure: tuple[int, int, int, int]) -> BoundsError:
        check, index, size, step = failure
        from .codegen.plan import Step

        call = list(self.stages.plan.calls())[step]
        assert isinstance(call, Step)  # Python raises by itself
        info = call.checks[check - 1]
        return BoundsError(
            f"{self.name}: index {index} is out of bounds for axis {info.axis} of size {size} "
            f"in {info.op} of {info.origin}"
        )

    # -- looking inside ---------------------------------------------------------------------------------------------
    def explain(self) -> Explanation:
        """Every stage of the compilation as text: graphs, what each pass did, clusters, kernels, plan, target code.
        ``fn.explain().save("report.html")`` writes a page that shows more."""
        from .explain import explain

        return explain(self.stages)

    def profile(self, *arrays: Any, repeat: int = 1) -> Profile:
        """What each kernel call takes, with its layer, flops, bytes and share of the machine's limit.

        With arguments, calls the function ``repeat`` times and gives the report. Without, times the calls in a block::

            with fn.profile() as report:
                fn(x)
            print(report)

        Raises:
            ArgumentError: for a ``repeat`` below 1.
        """
        from .profile import Profile

        profile = Profile(self)
        if type(repeat) is not int or repeat < 1:
            raise ArgumentError(f"{self.name}: repeat must be a positive integer, got {repeat!r}")
        if arrays or (not self._inputs and repeat > 1):
            with profile:
                for _ in range(repeat):
                    self(*arrays)
        return profile

    def watch_with(self, run: Run) -> Run:
        """Replace what runs the plan; gives what did. For profiles and guards."""
        before, self._run = self._run, run
        return before

    def debugprint(self) -> str:
        """The optimized graph as text."""
        from .ir.printer import print_graph

        return print_graph(self.stages.optimized)

    def to_networkx(self) -> networkx.MultiDiGraph[Any]:
        """The optimized graph as a networkx graph; see :func:`to_networkx`."""
        from .inspection import to_networkx

        return to_networkx(self)

    def _repr_svg_(self) -> str | None:
        return drawn(self)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{label}: {v.type}" for label, v in zip(self._labels, self._inputs, strict=True))
        return f"<function {self.name}({arguments}) on {self.options.target}>"


def function(
    inputs: Sequence[Tensor | In],
    outputs: TensorLike | Sequence[TensorLike] | None = None,
    updates: Updates | None = None,
    givens: Mapping[Tensor, TensorLike] | Sequence[tuple[Tensor, TensorLike]] | None = None,
    target: str | None = None,
    name: str | None = None,
    options: Options | None = None,
    nan_guard: bool | None = None,
    no_default_updates: bool | Sequence[Variable] = False,
    on_unused_input: str = "ignore",
) -> Function:
    """Compile a function of ``inputs`` (Theano's ``function``).

    Args:
        inputs: placeholders (or any tensors: the graph is cut there), in the order of the arguments; with a value for
            calls that leave them out as :class:`In`.
        outputs: a tensor (the call returns an array) or a list (it returns a list).
        updates: pairs of a variable and its new value. All new values are computed from the old ones.
        givens: tensors to replace by others of equal dtype and shape.
        target: ``"llvm"`` or ``"numpy"``; overrides ``options``.
        name: used in error messages.
        options: see :class:`Options`.
        nan_guard: raise :class:`NonFiniteError` at the first NaN or infinity; overrides ``options``.
        no_default_updates: True, or the variables whose ``default_update`` (random keys: next state) not to use.
        on_unused_input: ``"ignore"``, ``"warn"`` or ``"raise"`` where an input takes no part.

    Raises:
        GraphError: for a missing input, an input or an update given twice.
        ShapeError, DTypeError: where givens or updates do not fit.

    Example:
        >>> from symgraph import placeholder
        >>> x = placeholder((None,))
        >>> function([x], (x * 2).sum())([1.0, 2.0, 3.0])
        array(12., dtype=float32)
    """
    given: object = inputs
    if isinstance(given, Tensor):
        raise ArgumentError("function: inputs must be a list of tensors")
    tensors = [t.tensor if isinstance(t, In) else t for t in inputs]
    _check_inputs(tensors)
    chosen_name = name or "function"
    labels = tuple(
        (t.name if isinstance(t, In) else "") or tensors[i].name or f"input {i}" for i, t in enumerate(inputs)
    )
    values = {i: t.value for i, t in enumerate(inputs) if isinstance(t, In) and t.value is not None}
    narrow = frozenset(i for i, t in enumerate(tensors) if t.dtype is bfloat16)
    single = outputs is not None and not isinstance(outputs, (list, tuple))
    wanted: list[TensorLike] = [outputs] if single else list(outputs or ())  # type: ignore[arg-type, list-item]
    chosen = options if options is not None else default_options()
    if target is not None:
        chosen = chosen.but(target=target)
    if nan_guard is not None:
        chosen = chosen.but(nan_guard=nan_guard)
    pairs = list(givens.items()) if isinstance(givens, Mapping) else list(givens or [])
    return Function(
        tensors, [as_tensor(o) for o in wanted], _check_updates(updates or []), _check_givens(pairs, tensors), chosen,
        chosen_name, single, Signature(chosen_name, labels, values, narrow), no_default_updates, on_unused_input,
    )  # fmt: skip


def _value_of(tensor: Tensor, values: Mapping[Tensor, Any]) -> Array:
    """The value of a tensor, once: by NumPy, which has less to compile."""
    return np.asarray(function(list(values), tensor, target="numpy", name="eval")(*values.values()))


def _function_of(
    graph: Graph, variables: tuple[Variable, ...], options: Options, name: str, single: bool, signature: Signature
) -> Function:
    made = Function.__new__(Function)
    made._compile(Closed(graph, variables), options, name, single, signature)
    return made


def _check_inputs(inputs: Sequence[object]) -> None:
    seen: set[int] = set()
    for i, t in enumerate(inputs):
        if not isinstance(t, Tensor) or isinstance(t, Variable):
            raise GraphError(f"function: input {i} is a {type(t).__name__}; inputs are placeholders or other tensors")
        if id(t.value) in seen:
            raise GraphError(f"function: input {i} ({describe(t.value)}) is listed twice")
        seen.add(id(t.value))


def _check_updates(updates: Updates) -> list[tuple[Variable, Tensor]]:
    pairs = list(updates.items()) if isinstance(updates, Mapping) else list(updates)
    out: list[tuple[Variable, Tensor]] = []
    seen: set[int] = set()
    for variable, new in pairs:
        if not isinstance(variable, Variable):
            raise GraphError(f"function: only variables can be updated, got {variable!r}")
        if id(variable) in seen:
            raise GraphError(f"function: variable {variable.name!r} is updated twice")
        seen.add(id(variable))
        value = as_tensor(new, variable.dtype) if not isinstance(new, Tensor) else new
        if value.dtype != variable.dtype:
            raise DTypeError(f"function: the update of {describe(variable.value)} has dtype {value.dtype}; cast it")
        if len(value.shape) != len(variable.shape) or any(
            isinstance(a, int) and a != b for a, b in zip(value.shape, variable.shape, strict=True)
        ):
            raise ShapeError(f"function: the update of {describe(variable.value)} is a {describe(value.value)}")
        out.append((variable, value))
    return out


def _check_givens(pairs: Sequence[tuple[Tensor, TensorLike]], inputs: Sequence[Tensor]) -> dict[Tensor, Tensor]:
    out: dict[Tensor, Tensor] = {}
    for old, new in pairs:
        if not isinstance(old, Tensor):
            raise GraphError(f"function: givens replace tensors, got {type(old).__name__}")
        if any(t.value is old.value for t in inputs):
            raise GraphError(f"function: {describe(old.value)} is both an input and given")
        value = as_tensor(new, old.dtype)
        out[old] = value
    return out


evaluate_with(_value_of)
