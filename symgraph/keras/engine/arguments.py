"""Arguments of constructors that layers keep, and write into their configs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol


class Kind(Protocol):
    """A module such as ``keras.initializers``."""

    @property
    def get(self) -> Callable[[Any], Any]: ...
    @property
    def serialize(self) -> Callable[[Any], Any]: ...


class Argument:
    """An attribute that belongs in the config of its layer.

    With a ``kind`` (``initializers``, ``activations`` ...) it takes what that takes, such as a name or a config, and
    holds the object; the config has the object's own. Not ``written``, it is no argument of this class, but only of a
    base.
    """

    def __init__(self, kind: Kind | None = None, written: bool = True) -> None:
        self.written = written
        self._kind = kind
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, layer: Any, owner: type | None = None) -> Any:
        if layer is None:
            return self
        try:
            return vars(layer)[self._name]
        except KeyError:
            raise AttributeError(f"{type(layer).__name__!r} object has no attribute {self._name!r} yet") from None

    def __set__(self, layer: Any, value: Any) -> None:
        vars(layer)[self._name] = value if self._kind is None else self._kind.get(value)

    def plain(self, layer: Any) -> Any:
        """The value as a config has it."""
        value = getattr(layer, self._name)
        return value if self._kind is None else self._kind.serialize(value)


def arguments_of(cls: type) -> Iterator[tuple[str, Argument]]:
    """The names and declarations of a class's arguments, its own before those of its bases."""
    found: dict[str, Argument] = {}
    for base in cls.__mro__:
        for name, value in vars(base).items():
            if isinstance(value, Argument):
                found.setdefault(name, value)
    return ((name, argument) for name, argument in found.items() if argument.written)


def plain_arguments(layer: Any) -> dict[str, Any]:
    """The arguments of a layer as its config has them."""
    return {name: argument.plain(layer) for name, argument in arguments_of(type(layer))}
