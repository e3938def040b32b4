"""Compiled functions and gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import symgraph as sg

from .session import symbolic_learning_phase
from .variables import Array, Tensor, as_tensor, is_tensor

Updates = Sequence[Any] | None


class Function:
    """A graph compiled on its first call.

    The learning phase is a constant of the compiled code. Where the symbolic phase is among the inputs there are two
    executables, and the fed value picks one; otherwise the phase is ``phase`` (0 unless said).
    Call with the list of input arrays (sparse matrices of SciPy are made dense, and floats for an input of integers
    lose their fractions, as Keras feeds them); gives the list of output arrays (one array for a lone output).
    """

    def __init__(
        self,
        inputs: Sequence[Tensor],
        outputs: Any,
        updates: Updates = None,
        name: str | None = None,
        phase: int = 0,
        givens: dict[Tensor, Any] | None = None,
    ) -> None:
        for what, given in (("inputs", inputs), ("updates", updates or [])):
            if not isinstance(given, (list, tuple)):
                raise TypeError(f"`{what}` to a backend function should be a list or tuple.")
        flag = symbolic_learning_phase()
        places = [i for i, x in enumerate(inputs) if x is flag]
        fixed = [i for i, x in enumerate(inputs) if isinstance(x, int)]  # the phase, after set_learning_phase
        self.name = name
        self.phase = phase
        self.inputs = [x for x in inputs if is_tensor(x) and x is not flag]
        self._whole = [str(x.dtype).startswith(("int", "uint")) for x in self.inputs]
        self._arity = len(inputs)
        self._phase_at = places[0] if places else None
        self._dropped = sorted(places + fixed, reverse=True)
        self._single = not isinstance(outputs, (list, tuple))
        self.outputs = [as_tensor(x) for x in ([outputs] if self._single else outputs)]
        # A layer that is called twice may update a variable twice: the last one counts.
        self.updates = list({id(u[0]): (u[0], _as_new_value(*u)) for u in updates or []}.values())
        self._givens = dict(givens or {})
        self._executables: dict[int, Any] = {}

    def executable(self, phase: int | None = None) -> Any:
        """The symgraph function for a phase (compiled where needed)."""
        phase = self.phase if phase is None else phase
        if phase not in self._executables:
            givens = {**self._givens, symbolic_learning_phase(): sg.constant(np.bool_(phase))}
            options = sg.default_options().but(flush_subnormals=True)  # as TensorFlow
            self._executables[phase] = sg.function(
                self.inputs, self.outputs, updates=self.updates, givens=givens, name=self.name, options=options
            )
        return self._executables[phase]

    def __call__(self, inputs: Sequence[Any] = ()) -> Any:
        if not isinstance(inputs, (list, tuple)):
            raise TypeError("`inputs` should be a list or tuple.")
        phase = self.phase
        if self._dropped:
            if len(inputs) != self._arity:
                raise ValueError(f"Expected {self._arity} inputs, got {len(inputs)}.")
            if self._phase_at is not None:
                phase = int(bool(inputs[self._phase_at]))
            inputs = list(inputs)
            for at in self._dropped:
                del inputs[at]
        run = self._executables.get(phase) or self.executable(phase)
        arrays = [x.toarray() if hasattr(x, "toarray") else x for x in inputs]
        if any(self._whole) and len(arrays) == len(self._whole):
            arrays = [_without_fraction(x) if whole else x for x, whole in zip(arrays, self._whole, strict=True)]
        results = run(*arrays)
        return results[0] if self._single else results

    def profile(self, inputs: Sequence[Any] | None = None, repeat: int = 1, phase: int | None = None) -> Any:
        """Where the time goes: with inputs, calls the function ``repeat`` times and gives the report; without, times
        the calls in a block, such as ``with model.train_function.profile() as report: model.fit(x, y)``. ``phase`` is
        the learning phase whose executable is meant.
        """
        return self.executable(phase).profile(*(inputs or ()), repeat=repeat)


def _without_fraction(value: Any) -> Any:
    array = np.asarray(value)
    return array.astype("int64") if array.dtype.kind == "f" else value


def function(inputs: Sequence[Tensor], outputs: Any, updates: Updates = None, **kwargs: Any) -> Function:
    """A callable from input arrays to output arrays that also applies ``updates``; see :class:`Function`."""
    name = kwargs.pop("name", None)
    if kwargs:
        raise ValueError(f'Invalid argument "{next(iter(kwargs))}" passed to K.function')
    return Function(inputs, outputs, updates, name)


def gradients(loss: Tensor, variables: Any) -> list[Any]:
    """Derivatives of (the sum of) ``loss``; None for a variable that it does not depend on."""
    single = is_tensor(variables)
    wrt = [variables] if single else list(variables)
    cost = sg.sum(loss) if len(loss.shape) else loss
    return list(sg.grad(cost, wrt, disconnected="none"))


def _as_new_value(variable: Tensor, value: Any) -> Tensor:
    new = as_tensor(value)
    return new if new.dtype == variable.dtype else sg.cast(new, variable.dtype)


def run_updates(updates: Updates) -> list[Array]:
    """Apply updates that depend on no input, now."""
    return list(Function([], [], updates, name="updates").executable()() or [])
