"""From the text of :mod:`symgraph.codegen.plan_text` to plans."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import InternalError, SymgraphError
from ..ir.attributes import bracket_end, parse_attribute, parse_type, split_top
from ..ir.dim_parser import parse_dim
from ..ir.dims import Dim
from ..ir.op import Host
from ..ir.parser import parse_fact, parse_op, parse_origin
from .loop.grammar import Kernel
from .plan import ENDLESS, Check, HostCall, Loop, Move, Plan, PlanBuffer, Step

_HEADER = re.compile(r'plan @("(?:[^"\\]|\\.)*"|[^\s()"]+)\((.*?)\)(?: dims\((.*?)\))?(?: facts\((.*)\))? \{')
_BUFFER = re.compile(r"buf (\S+) : (\S+) (\w+)(?:\[(\d+)\])?(?: (\w+\[.*?\]\{.*\}))?(, .*)?")
_PLACE = re.compile(r"(?:, in the memory of (\S+?))?(?:, live (\d+)\.\.(\d+))?")
_STEP = re.compile(r"\d+: (call|python|loop) (.*)")
_LOOP = re.compile(r"(?:(once)|(endlessly)|(.+?) times)(?: while (not )?(\S+))? over (\(.*)")
_MOVE = re.compile(r"(\w+)\[(\d+)\] is ([^\s\[]+)(?:\[(.*)\])? : (\S+)")
_ROW = re.compile(r"(\()?(.+?)(?:([+-])(?:(\d+)\*)?i)?(?(1)\)%(\d+))")


def parse_plan(text: str, kernels: Mapping[str, Kernel]) -> Plan:
    """The plan that ``print_plan`` wrote, of these kernels; origins have lost their folders. A kernel that is not among
    them keeps the name it has in the text.

    Raises:
        InternalError: where the text is no plan, with the number of the line.
    """
    return _PlanParser(text, kernels).parse()


class _PlanParser:
    """Line by line."""

    def __init__(self, text: str, kernels: Mapping[str, Kernel]) -> None:
        self.lines = [line.strip() for line in text.strip().splitlines()]
        self.at = -1
        self.kernels = kernels
        self.readers: dict[str, Callable[[str], Step | HostCall | Loop]] = {
            "call": self.call, "python": _python, "loop": self.loop,
        }  # fmt: skip
        self.keys = {kernel.name: key for key, kernel in kernels.items()}

    def parse(self) -> Plan:
        try:
            plan = self.plan(self.line(), self.kernels)
            if self.at + 1 < len(self.lines):
                self.line()
                raise ValueError("more than one plan")
            return plan
        except (SymgraphError, ValueError, KeyError, TypeError, IndexError) as error:
            line = self.lines[self.at] if self.at < len(self.lines) else ""
            raise InternalError(f"line {self.at + 1} of the plan's text: {error}\n  {line}") from error

    def line(self) -> str:
        self.at += 1
        if self.at >= len(self.lines):
            raise ValueError("the closing } is missing")
        return self.lines[self.at]

    def plan(self, header: str, kernels: Mapping[str, Kernel]) -> Plan:
        name, taken, dims, facts = _matched(_HEADER, header, "a plan starts with: plan @name(inputs; states) {")
        inputs, _, states = taken.partition(";")
        buffers: dict[str, PlanBuffer] = {}
        live: dict[str, tuple[int, int]] = {}
        steps: list[Step | HostCall | Loop] = []
        outputs: list[str] = []
        while (line := self.line()) != "}":
            if line.startswith("buf "):
                buffer, alive = _parse_buffer(line)
                buffers[buffer.name] = buffer
                live.update({buffer.name: alive} if alive else {})
            elif line.startswith("return "):
                outputs = split_top(line.removeprefix("return "))
            else:
                kind, rest = _matched(_STEP, line, "a step is written: 0: call, 0: python or 0: loop")
                steps.append(self.readers[kind](rest))
        return Plan(
            json.loads(name) if name.startswith('"') else name, tuple(split_top(dims or "")), tuple(split_top(inputs)),
            tuple(split_top(states)), tuple(outputs), buffers, kernels, tuple(steps),
            tuple(parse_fact(part) for part in split_top(facts or "")), live,
        )  # fmt: skip

    def call(self, text: str) -> Step:
        name, _, rest = text.partition("(")
        inside, notes = _parts("(" + rest)
        passed, _, sizes = inside.partition(";")
        args = split_top(passed)
        writes = tuple(k for k, arg in enumerate(args) if " " in arg)
        checks = tuple(Check(op, axis, parse_origin(origin)) for op, axis, origin in notes.get("checks", ()))
        return Step(
            self.keys.get(name, name), tuple(arg.split(" ")[-1] for arg in args),
            tuple(parse_dim(d) for d in split_top(sizes)), _sites(notes), checks, writes, notes.get("flops", 0),
        )  # fmt: skip

    def loop(self, text: str) -> Loop:
        once, endless, times, negated, condition, rest = _matched(_LOOP, text.removesuffix(" {"), "no loop")
        length: Dim = 1 if once else ENDLESS if endless else parse_dim(times)
        inside, notes = _parts(rest)
        passed, _, arena = inside.partition(";")
        args = split_top(passed)
        moves: list[Move] = []
        while not (line := self.line()).startswith("plan "):
            moves.append(_parse_move(line, args))
        body = self.plan(line, {})
        if self.line() != "}":
            raise ValueError("a loop ends after its plan")
        return Loop(
            body, length, (*args, arena.strip()), tuple(moves), _sites(notes),
            -1 if condition is None else _number(condition, args), not negated,
        )  # fmt: skip


def _matched(pattern: re.Pattern[str], text: str, otherwise: str) -> tuple[Any, ...]:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError(otherwise)
    return match.groups()


def _parts(text: str) -> tuple[str, dict[str, Any]]:
    """What is in the parentheses, and the notes behind them."""
    end = bracket_end(text)
    notes = text[end:].strip()
    pairs = [part.partition("=") for part in split_top(notes[1:-1])]
    return text[1 : end - 1], {key: parse_attribute(value) for key, _, value in pairs}


def _sites(notes: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(parse_origin(site) for site in notes.get("sites", ()))


def _parse_buffer(line: str) -> tuple[PlanBuffer, tuple[int, int] | None]:
    shown = line.split("  # ")[0]
    name, type_, kind, slot, literal, place = _matched(_BUFFER, shown, "a buffer is written: buf name : type kind")
    alias, first, last = _matched(_PLACE, place or "", "no memory or lifetime")
    type = parse_type(type_)
    value = None if literal is None else parse_attribute(literal)
    buffer = PlanBuffer(name, type.dtype, type.shape, kind, -1 if slot is None else int(slot), value, alias or "")
    return buffer, None if first is None else (int(first), int(last))


def _python(text: str) -> HostCall:
    name = re.match(r"\w*", text)
    assert name is not None  # may be empty
    end = name.end() + (bracket_end(text[name.end() :]) if text[name.end() :].startswith("[") else 0)
    inside, notes = _parts(text[end:])
    op = parse_op(text[:end], [])
    if not isinstance(op, Host):
        raise ValueError(f"{op.name} is no op that Python computes")
    named = [part.partition(": ") for part in split_top(inside)]
    args, types = [arg for arg, _, _ in named], tuple(parse_type(type) for _, _, type in named)
    operands = sum(" " not in arg for arg in args)
    return HostCall(op, tuple(a.split(" ")[-1] for a in args), types, operands, _sites(notes), notes.get("flops", 0))


def _parse_move(line: str, args: list[str]) -> Move:
    kind, slot, array, row, type_ = _matched(_MOVE, line, "a move is written: input[0] is t0[0+i] : type")
    first: Dim = 0
    step = wrap = 0
    if row is not None:
        _, start, sign, factor, modulus = _matched(_ROW, row, "no row")
        first, wrap = parse_dim(start), int(modulus or 0)
        step = 0 if sign is None else int(f"{sign}{factor or 1}")
    type = parse_type(type_)
    return Move(kind, int(slot), _number(array, args), first, step, wrap, type.shape, type.dtype)


def _number(argument: str, args: list[str]) -> int:
    name, _, number = argument.partition("@")
    return int(number) if number else args.index(name)


__all__ = ["parse_plan"]
