"""``K.get_session()``: what scripts of the graph style run tensors with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

from .functions import Function
from .session import state, symbolic_learning_phase
from .variables import Tensor, Update, is_tensor


class Session:
    """Runs tensors and updates. Variables have their values without one, so there is nothing to initialise or close.

    Example:
        >>> from symgraph.keras import backend as K
        >>> x = K.placeholder((2,))
        >>> K.get_session().run(2 * x, feed_dict={x: [1.0, 2.0]})
        array([2., 4.], dtype=float32)
    """

    def __init__(self) -> None:
        self._functions: dict[tuple[int, ...], tuple[Function, list[Tensor]]] = {}

    def run(self, fetches: Any, feed_dict: Mapping[Tensor, Any] | None = None) -> Any:
        """The values of ``fetches`` (a tensor, an update, None, or lists, tuples and dictionaries of these).

        Raises:
            TypeError: for anything else.
            UnboundInputError: where a placeholder that a fetch needs is not fed.
        """
        leaves: list[Any] = []
        form = _flatten(fetches, leaves)
        fed = dict(feed_dict or {})
        phase = next((v for k, v in fed.items() if k is symbolic_learning_phase()), 0)
        inputs = [k for k in fed if is_tensor(k) and k is not symbolic_learning_phase()]
        key = (*(id(x) for x in inputs), -1, *(id(x) for x in leaves))
        if key not in self._functions:
            outputs = [x for x in leaves if not isinstance(x, Update)]
            updates = [x for x in leaves if isinstance(x, Update)]
            names = [*inputs, symbolic_learning_phase()]
            self._functions[key] = Function(names, outputs, updates, "session"), [*inputs, *leaves]  # keeps the ids
        values = iter(self._functions[key][0]([*(fed[k] for k in inputs), phase]))
        return form([None if isinstance(x, Update) else next(values) for x in leaves])

    def close(self) -> None:
        """Forget the compiled functions."""
        self._functions.clear()

    def as_default(self) -> AbstractContextManager[Session]:
        """For ``with session.as_default()``: there is one session."""
        return nullcontext(self)


def _flatten(fetches: Any, leaves: list[Any]) -> Any:
    """Appends the tensors and updates; gives what puts their values in the form of ``fetches``."""
    if fetches is None:
        return lambda values: None
    if is_tensor(fetches) or isinstance(fetches, Update):
        place = len(leaves)
        leaves.append(fetches)
        return lambda values: values[place]
    if isinstance(fetches, dict):
        forms = {k: _flatten(v, leaves) for k, v in fetches.items()}
        return lambda values: {k: form(values) for k, form in forms.items()}
    if isinstance(fetches, (list, tuple)):
        parts = [_flatten(v, leaves) for v in fetches]
        kind = type(fetches)
        return lambda values: kind(form(values) for form in parts)
    raise TypeError(f"A session runs tensors and updates (and lists, tuples, dictionaries of them), not {fetches!r}.")


def get_session() -> Session:
    """The session of this process."""
    if state.runner is None:
        state.runner = Session()
    return cast(Session, state.runner)


def set_session(session: Session) -> None:
    """Use another session.

    Raises:
        TypeError: for a session of TensorFlow.
    """
    if not isinstance(session, Session):
        raise TypeError(
            f"`K.set_session` takes what `K.get_session()` gives; {type(session).__module__} does not run graphs here. "
            "Threads and memory are set through environment variables (see the documentation)."
        )
    state.runner = session


def control_dependencies(control_inputs: Iterable[Any] | None) -> AbstractContextManager[None]:
    """For ``with K.control_dependencies(tensors)``: tensors are computed when something needs them, so nothing changes.

    Raises:
        ValueError: for updates, which would have to run: give them to ``K.function(updates=)`` or ``add_update``.
    """
    if any(isinstance(x, Update) for x in control_inputs or []):
        raise ValueError(
            "`K.control_dependencies` cannot run updates: give them to `K.function(..., updates=[...])` or to "
            "a layer's `add_update`."
        )
    return nullcontext()
