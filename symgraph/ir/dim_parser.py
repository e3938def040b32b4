"""Sizes from text."""

from __future__ import annotations

import re

from .dim_order import minimum
from .dims import Dim, floordiv, symbol


def parse_dim(text: str) -> Dim:
    """The inverse of ``str`` on sizes.

    Raises:
        ValueError: where the text is not a size.
    """
    return _DimParser(text).parse()


class _DimParser:
    """Recursive descent over ``+ - * //``, ``min``, integers, names and parentheses."""

    def __init__(self, text: str) -> None:
        self.tokens = re.findall(r"\d+|[A-Za-z_][\w.]*|//|[-+*(),]", text)
        if "".join(self.tokens) != text.replace(" ", ""):
            raise ValueError(f"not a size: {text!r}")
        self.text, self.at = text, 0

    def parse(self) -> Dim:
        value = self._sum()
        if self.at != len(self.tokens):
            raise ValueError(f"not a size: {self.text!r}")
        return value

    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _take(self) -> str:
        token = self._next()
        self.at += 1
        return token

    def _sum(self) -> Dim:
        value: Dim = 0
        sign = -1 if self._next() == "-" else 1
        if self._next() == "-":
            self._take()
        value = value + sign * self._product()
        while self._next() in ("+", "-"):
            sign = 1 if self._take() == "+" else -1
            value = value + sign * self._product()
        return value

    def _product(self) -> Dim:
        value = self._atom()
        while self._next() in ("*", "//"):
            value = value * self._atom() if self._take() == "*" else floordiv(value, self._atom())
        return value

    def _atom(self) -> Dim:
        token = self._take()
        if token == "(":
            value = self._sum()
            if self._take() != ")":
                raise ValueError(f"not a size: {self.text!r}")
            return value
        if token.isdigit():
            return int(token)
        if token == "min" and self._next() == "(":
            return self._minimum()
        if token.isidentifier():
            return symbol(token)
        raise ValueError(f"not a size: {self.text!r}")

    def _minimum(self) -> Dim:
        self._take()
        operands = [self._sum()]
        while (token := self._take()) == ",":
            operands.append(self._sum())
        if token != ")":
            raise ValueError(f"not a size: {self.text!r}")
        return minimum(*operands)
