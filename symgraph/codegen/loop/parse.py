"""Reads what :mod:`symgraph.codegen.loop.text` writes."""

from __future__ import annotations

import re

from ...dtypes import BY_SHORT, DType, bool_, int64
from ...errors import InternalError
from ...ir.algebra import COMPARE, TEST
from ...ir.attributes import split_top
from ...ir.dim_parser import parse_dim
from ...ir.dims import Dim
from .grammar import Buffer, Contract, Expr, Fold, Kernel, Let, Load, Loop, Sort, Stmt, Store
from .intern import Interner
from .text import INFIX

_TOKEN = re.compile(
    r"\s*(?:(?P<const>-?(?:\d+(?:\.\d*)?(?:e[-+]?\d+)?(?::\w+)?|(?:inf|nan):\w+))"
    r"|(?P<size>#)|(?P<temp>%\d+)|(?P<name>[A-Za-z_][\w.]*(?:<\w+>)?)|(?P<sign>[-+*/(),\[\]]))"
)
_HEADER = re.compile(r"kernel (\w+)\((.*?)(?:; ([\w, ]+))?\)(?: checks (\d+))? \{")
_BUFFER = re.compile(r"(\w+): (in|out|inout) (\w+)\[([^\]]*)\]")
_SIGNS = {sign: (name, strength) for name, (sign, strength) in INFIX.items()}


def parse_kernel(text: str) -> Kernel:
    """The kernel a text describes.

    Raises:
        InternalError: naming the line that is not kernel text.
    """
    return _Parser(text).kernel()


class _Parser:
    """Line by line; ``scopes`` give dtypes of names and meanings of ``%0``."""

    def __init__(self, text: str) -> None:
        self._lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
        self._at = 0
        self._make = Interner()
        self._buffers: dict[str, Buffer] = {}
        self._names: dict[str, DType] = {}
        self._temps: dict[str, Expr] = {}

    def _fail(self, what: str) -> InternalError:
        line = self._lines[self._at - 1] if self._lines else ""
        return InternalError(f"not kernel text: {what} in line {self._at}: {line!r}")

    def _line(self) -> str:
        if self._at >= len(self._lines):
            raise self._fail("the end comes too early")
        self._at += 1
        return self._lines[self._at - 1]

    def kernel(self) -> Kernel:
        match = _HEADER.fullmatch(self._line())
        if match is None:
            raise self._fail("no header")
        for name, mode, dtype, shape in _BUFFER.findall(match[2]):
            dims = tuple(self._dim(d) for d in split_top(shape))
            self._buffers[name] = Buffer(name, self._dtype(dtype), dims, mode)
        sizes = tuple(s.strip() for s in match[3].split(",")) if match[3] else ()
        body, _ = self._block()
        if self._at != len(self._lines):
            raise self._fail("more than one kernel")
        return Kernel(match[1], tuple(self._buffers.values()), sizes, body, int(match[4] or 0))

    def _dtype(self, short: str) -> DType:
        if short not in BY_SHORT:
            raise self._fail(f"no dtype {short}")
        return BY_SHORT[short]

    def _dim(self, text: str) -> Dim:
        try:
            return parse_dim(text)
        except ValueError as error:
            raise self._fail(str(error)) from None

    # -- statements ---------------------------------------------------------------------------------------------
    def _block(self) -> tuple[tuple[Stmt, ...], list[tuple[str, str, Expr]]]:
        """The statements up to the closing brace, and the ``next``/``merge`` lines among them."""
        names, temps = dict(self._names), dict(self._temps)
        body: list[Stmt] = []
        tail: list[tuple[str, str, Expr]] = []
        while (line := self._line()) != "}":
            word, _, rest = line.partition(" ")
            if word in ("par", "vec", "seq"):
                body.append(self._loop(word, rest))
            elif word == "fold":
                body.append(self._fold(rest))
            elif word == "contract":
                body.append(self._contract(rest))
            elif word == "sort":
                body.append(self._sort(rest))
            elif word == "store":
                body.append(self._store(rest))
            elif word in ("next", "merge"):
                name, _, value = rest.partition(" = ")
                tail.append((word, name, self._expr(value)))
            elif word == "let":
                name, _, value = rest.partition(" = ")
                bound = self._expr(value)
                self._names[name] = bound.dtype
                body.append(Let(name, bound))
            elif word.startswith("%"):
                self._temps[word] = self._expr(rest.removeprefix("= "))
            else:
                raise self._fail("no statement")
        self._names, self._temps = names, temps
        return tuple(body), tail

    def _range(self, text: str) -> tuple[str, Dim]:
        match = re.fullmatch(r"(\w+) in 0\.\.(.+)", text)
        if match is None:
            raise self._fail(f"no range {text!r}")
        self._names[match[1]] = int64
        return match[1], self._dim(match[2])

    def _loop(self, kind: str, rest: str) -> Loop:
        var, extent = self._range(rest.removesuffix(" {"))
        body, _ = self._block()
        return Loop(var, extent, kind, body)

    def _store(self, rest: str) -> Store:
        target, _, value = rest.partition(" = ")
        load = self._expr(target)
        if not isinstance(load, Load):
            raise self._fail("a store to no element")
        return Store(load.buffer, load.index, self._expr(value))

    def _sort(self, rest: str) -> Sort:
        match = re.fullmatch(r"(\w+) by (\w+) check (\d+)", rest)
        if match is None:
            raise self._fail("no sort")
        return Sort(match[1], match[2], int(match[3]))

    def _fold(self, rest: str) -> Fold:
        match = re.fullmatch(r"(seq|vec) (\w+ in 0\.\..+?) with (.+) \{", rest)
        if match is None:
            raise self._fail("no fold")
        names: list[str] = []
        dtypes: list[DType] = []
        init: list[Expr] = []
        reader = _Reader(self, match[3])
        while True:
            name, short = reader.state()
            names.append(name)
            dtypes.append(self._dtype(short))
            init.append(reader.sum(1))
            if not reader.skip(","):
                break
        reader.finish()
        outer = dict(self._names)
        var, extent = self._range(match[2])
        self._names.update(zip(names, dtypes, strict=True))
        body, tail = self._block()
        self._names = outer | dict(zip(names, dtypes, strict=True))
        nexts = tuple(e for word, _, e in tail if word == "next")
        merge = tuple(e for word, _, e in tail if word == "merge")
        return Fold(var, extent, match[1], tuple(names), tuple(dtypes), tuple(init), body, nexts, merge)

    def _contract(self, rest: str) -> Contract:
        names, temps = dict(self._names), dict(self._temps)
        texts = [r.partition(" as ") for r in rest.removesuffix(" {").split(", ")]
        *batch, (m_var, m), (n_var, n), (k_var, k) = [self._range(r) for r, _, _ in texts]
        m_parts, k_parts = (
            tuple(self._range(part) for part in re.findall(r"\w+ in \S+", texts[i][2])) for i in (-3, -1)
        )
        while (line := self._line()).startswith("%"):
            temp, _, value = line.partition(" = ")
            self._temps[temp] = self._expr(value)
        match = re.fullmatch(r"sum (\w+): (\w+) = (.+)", line)
        if match is None:
            raise self._fail("no sum")
        a = self._expr(match[3])
        while (line := self._line()).startswith("%"):
            temp, _, value = line.partition(" = ")
            self._temps[temp] = self._expr(value)
        b = self._expr(line.removeprefix("times "))
        if not (isinstance(a, Load) and isinstance(b, Load)):
            raise self._fail("operands that are no loads")
        dtype = self._dtype(match[2])
        self._temps = dict(temps)
        self._names[match[1]] = dtype
        epilogue, _ = self._block()
        self._names, self._temps = names, temps
        variables, extents = tuple(v for v, _ in batch), tuple(d for _, d in batch)
        return Contract(
            variables, extents, m_var, m, n_var, n, k_var, k, a, b, match[1], dtype, epilogue, m_parts, k_parts
        )

    # -- expressions --------------------------------------------------------------------------------------------
    def _expr(self, text: str) -> Expr:
        reader = _Reader(self, text)
        value = reader.sum(1)
        reader.finish()
        return value


class _Reader:
    """Recursive descent over the expressions of one line."""

    def __init__(self, parser: _Parser, text: str) -> None:
        self._p = parser
        self._text = text
        self._at = 0

    def _fail(self) -> InternalError:
        return self._p._fail(f"no expression at {self._text[self._at :]!r}")

    def skip(self, sign: str) -> bool:
        """Step over ``sign`` if it comes next."""
        match = re.compile(r"\s*" + re.escape(sign)).match(self._text, self._at)
        if match:
            self._at = match.end()
        return match is not None

    def _expect(self, sign: str) -> None:
        if not self.skip(sign):
            raise self._fail()

    def state(self) -> tuple[str, str]:
        """``s: f32 =``"""
        match = re.compile(r"\s*(\w+): (\w+) = ").match(self._text, self._at)
        if match is None:
            raise self._fail()
        self._at = match.end()
        return match[1], match[2]

    def finish(self) -> None:
        if self._text[self._at :].strip():
            raise self._fail()

    def sum(self, strength: int) -> Expr:
        """Infix operations that bind at least as strongly as ``strength``."""
        value = self.sum(strength + 1) if strength < 2 else self._atom()
        while True:
            match = re.compile(r" ([-+*/]) ").match(self._text, self._at)
            if match is None or _SIGNS[match[1]][1] != strength:
                return value
            self._at = match.end()
            other = self.sum(strength + 1) if strength < 2 else self._atom()
            value = self._p._make.call(_SIGNS[match[1]][0], (value, other), value.dtype)

    def _list(self, end: str) -> list[Expr]:
        out: list[Expr] = []
        if self.skip(end):
            return out
        while True:
            out.append(self.sum(1))
            if self.skip(end):
                return out
            self._expect(",")

    def _atom(self) -> Expr:
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            raise self._fail()
        self._at = match.end()
        kind, word = match.lastgroup, match[0].strip()
        if kind == "const":
            return self._const(word)
        if kind == "temp" and word in self._p._temps:
            return self._p._temps[word]
        if kind == "size":
            return self._size()
        if kind == "name":
            return self._named(word)
        if word == "(":
            value = self.sum(1)
            self._expect(")")
            return value
        raise self._fail()

    def _const(self, word: str) -> Expr:
        digits, _, short = word.partition(":")
        dtype = self._p._dtype(short) if short else int64
        return self._p._make.const(float(digits) if dtype.is_float else int(digits), dtype)

    def _size(self) -> Expr:
        start, depth = self._at, 0
        while self._at < len(self._text):
            c = self._text[self._at]
            if depth == 0 and not (c == "(" or c.isalnum() or c == "_"):
                break
            depth += (c == "(") - (c == ")")
            self._at += 1
            if depth == 0 and c == ")":
                break
        return self._p._make.size(self._p._dim(self._text[start : self._at]))

    def _named(self, word: str) -> Expr:
        p, make = self._p, self._p._make
        if word in ("true", "false"):
            return make.const(word == "true", bool_)
        if self.skip("["):
            if word not in p._buffers:
                raise p._fail(f"no buffer {word}")
            return make.load(word, self._list("]"), p._buffers[word].dtype)
        if not self.skip("("):
            dtype = p._names.get(word.removesuffix(".a").removesuffix(".b"))
            if dtype is None:
                raise p._fail(f"no name {word}")
            return make.var(word, dtype)
        args = self._list(")")
        head, _, inner = word.rstrip(">").partition("<")
        if head == "bits":
            return make.bitcast(args[0], p._dtype(inner))
        if head == "bounds":
            return make.bounds(args[0], args[1], int(inner))
        if head == "select":
            return make.select(*args)
        if head in BY_SHORT:
            return make.cast(args[0], BY_SHORT[head])
        return make.call(head, args, bool_ if head in COMPARE or head in TEST else args[0].dtype)
