"""Writes LLVM functions as text: fresh names, structured loops, and every pure instruction once, where it belongs.

The writer keeps a stack of *levels*: the function's entry, then for each open loop its preheader and its body. A pure
instruction is placed at the innermost level that any of its operands lives at, so loop-invariant code leaves the
loops as it is written; and at one level the same text is written once. Text of an inner level is attached to the
outer one when its loop closes, so what is placed in an outer level meanwhile stands before the loop and dominates it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Level:
    """Text under construction: ``block`` is the label of the basic block at its end. ``guarded`` tells of a preheader
    that its loop may have no iteration, so that nothing unsafe may leave it."""

    block: str
    guarded: bool = False
    lines: list[str] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class OpenLoop:
    """A loop being written: its counter, its carried values, and (set in the body) what they become."""

    counter: str
    level: int  # the body's level
    carried: tuple[str, ...]
    next: tuple[str, ...] = ()
    results: tuple[str, ...] = ()  # the carried values after the loop, set when it closes


class Module:
    """A module under construction: functions, helper functions and declarations, each by name once."""

    def __init__(self, triple: str, attributes: str) -> None:
        self.triple = triple
        self.attributes = attributes
        self._parts: dict[str, str] = {}

    def declare(self, name: str, text: str) -> None:
        """Make ``name`` known by the given declaration, definition or global; the first text of a name counts."""
        self._parts.setdefault(name, text)

    def has(self, name: str) -> bool:
        return name in self._parts

    def text(self) -> str:
        body = "\n".join(self._parts.values())
        attributes = f"attributes #0 = {{ {self.attributes} }}"
        return f'target triple = "{self.triple}"\n\n{body}\n{attributes}\n!0 = !{{}}\n'


class FunctionWriter:
    """Writes one function of ``module``. ``level`` numbers the innermost open level; 0 is the function's entry."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.levels = [Level("entry")]
        self._names = 0

    @property
    def level(self) -> int:
        return len(self.levels) - 1

    def name(self, hint: str = "v") -> str:
        """A fresh local name, with its ``%``."""
        self._names += 1
        return f"%{hint}{self._names}"

    def label(self, hint: str) -> str:
        """A fresh label, without ``%``."""
        self._names += 1
        return f"{hint}{self._names}"

    # -- instructions -------------------------------------------------------------------------------------------
    def pure(self, text: str, level: int) -> str:
        """The name of the result of an instruction without effects that is safe to execute at any time; ``level`` is
        the innermost level of its operands."""
        home = self.levels[level]
        name = home.known.get(text)
        if name is None:
            self._names += 1
            name = f"%v{self._names}"
            home.lines.append(f"{name} = {text}")
            home.known[text] = name
        return name

    def safe_level(self, level: int) -> int:
        """The outermost level, not outside ``level``, that is executed only if the current one is: no loop that may be
        empty lies between the two."""
        for i in range(len(self.levels) - 1, level, -1):
            if self.levels[i].guarded:
                return i
        return level

    def here(self, text: str) -> str:
        """The name of the result of an instruction written now, at the innermost level."""
        name = self.name()
        self.levels[-1].lines.append(f"{name} = {text}")
        return name

    def effect(self, text: str, level: int | None = None) -> None:
        """Write an instruction without result at a level (the innermost one)."""
        self.levels[self.level if level is None else level].lines.append(text)

    def start_block(self, label: str, level: int | None = None) -> None:
        """Begin a basic block; the one before must have been ended by a terminator."""
        home = self.levels[self.level if level is None else level]
        home.lines.append(f"{label}:")
        home.block = label

    # -- structure ----------------------------------------------------------------------------------------------
    @contextmanager
    def loop(
        self, start: str, stop: str, step: str = "1", carried: Sequence[tuple[str, str]] = (), nonempty: bool = False
    ) -> Iterator[OpenLoop]:
        """``for counter = start; counter < stop; counter += step`` over i64; ``step`` > 0.

        ``carried`` are (type, initial value) of values that each iteration replaces by ``next``; ``results`` are the
        last ones. ``nonempty`` promises at least one iteration. """
        before, head, after = self.label("pre"), self.label("loop"), self.label("done")
        outer = self.level
        self.levels.append(Level(before, guarded=not nonempty))
        self.levels.append(Level(head))
        counter = self.name("i")
        opened = OpenLoop(counter, self.level, tuple(self.name("c") for _ in carried))
        yield opened
        body, pre = self.levels.pop(), self.levels.pop()
        assert self.level == outer and len(opened.next) == len(carried)
        home = self.levels[-1]
        lines, skipped = home.lines, home.block
        if nonempty:
            lines.append(f"br label %{before}")
        else:
            test = self.here(f"icmp slt i64 {start}, {stop}")
            lines.append(f"br i1 {test}, label %{before}, label %{after}")
        lines.append(f"{before}:")
        lines += pre.lines
        lines.append(f"br label %{head}")
        lines.append(f"{head}:")
        following = self.name("i")
        lines.append(f"{counter} = phi i64 [ {start}, %{pre.block} ], [ {following}, %{body.block} ]")
        for (kind, first), name, last in zip(carried, opened.carried, opened.next, strict=True):
            lines.append(f"{name} = phi {kind} [ {first}, %{pre.block} ], [ {last}, %{body.block} ]")
        lines += body.lines
        lines.append(f"{following} = add nuw nsw i64 {counter}, {step}")
        again = self.here(f"icmp slt i64 {following}, {stop}")
        lines.append(f"br i1 {again}, label %{head}, label %{after}")
        self.start_block(after)
        if nonempty:
            opened.results = opened.next
            return
        opened.results = tuple(
            self.here(f"phi {kind} [ {first}, %{skipped} ], [ {last}, %{body.block} ]")
            for (kind, first), last in zip(carried, opened.next, strict=True)
        )

    def finish(self, header: str) -> str:
        """The function's text; ``header`` is ``define ...`` up to the opening brace."""
        assert self.level == 0
        return "\n".join([header + " {", "entry:", *self.levels[0].lines, "ret void", "}"])
