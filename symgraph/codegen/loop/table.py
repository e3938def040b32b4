"""Kernels by name, as objects and as text: either is made of the other when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .grammar import Kernel


class KernelTable(Mapping[str, "Kernel"]):
    """A mapping from names to kernels. A plan that came from disk has texts only, and most are never parsed."""

    def __init__(self, kernels: Mapping[str, Kernel] | None = None, texts: Mapping[str, str] | None = None) -> None:
        self._kernels = dict(kernels or {})
        self._texts = dict(texts or {})
        self._names = tuple(dict.fromkeys((*self._kernels, *self._texts)))

    def __getitem__(self, name: str) -> Kernel:
        if name not in self._kernels:
            from .parse import parse_kernel

            self._kernels[name] = parse_kernel(self._texts[name])
        return self._kernels[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def text(self, name: str) -> str:
        """The kernel as :func:`.text.print_kernel` writes it."""
        if name not in self._texts:
            from .text import print_kernel

            self._texts[name] = print_kernel(self._kernels[name])
        return self._texts[name]

    def texts(self) -> dict[str, str]:
        """All texts, by name."""
        return {name: self.text(name) for name in self._names}
