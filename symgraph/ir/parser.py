"""From the text of :mod:`symgraph.ir.printer` to graphs. Ops are found in the registry; no op has code here."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from ..errors import GraphError, SymgraphError
from ..provenance import Origin
from .attributes import bracket_end, open_brackets, parse_attribute, parse_type, split_top
from .builder import Builder
from .dim_parser import parse_dim
from .dims import Dim
from .graph import Graph, Value
from .op import REGISTRY, Leaf, Op
from .ops.leaves import Input, State
from .region import Region
from .types import Facts, TensorType

_HEADER = re.compile(r"graph @(\S+)(?: dims\(.*?\))?(?: facts\((.*)\))? \{$")
_NODE = re.compile(r"(%\S+(?:, %\S+)*) = (\w+)(.*) : ([^:\"]*?)((?: +@\d+)*)$", re.DOTALL)
_UPDATE = re.compile(r"update state (\d+) = (%\S+)$")
_NOTE = re.compile(r"@(\d+) = (.*)$")
_ORIGIN = re.compile(r"(grad of )?(?:(.*) \((.*):(\d+)\)|(.*):(\d+)|(.*))$")


def parse_graph(text: str) -> Graph:
    """The graph that ``print_graph`` wrote: nodes in the order of the text, nothing folded or merged.

    Raises:
        GraphError: where the text is no graph, with the number of the line.
    """
    return _GraphParser(text).parse()


def parse_region(text: str) -> Region:
    """The region that :func:`symgraph.ir.printer.region_text` wrote.

    Raises:
        ValueError: where the text is none.
    """
    first, _, rest = text.strip()[1:].lstrip().partition("\n")
    facts = re.match(r"facts\(.*\)$", first)
    body = rest if facts else f"{first}\n{rest}"
    header = f"graph @body {first} {{" if facts else "graph @body {"
    return Region(_GraphParser(f"{header}\n{body}", is_body=True).parse())


def join_lines(lines: list[str]) -> list[tuple[int, str]]:
    """Lines with those of open brackets joined to where these were opened, and the number of the first of each."""
    joined: list[tuple[int, str]] = []
    depth = 0
    for number, line in enumerate(lines):
        if depth > 0:
            joined[-1] = (joined[-1][0], f"{joined[-1][1]}\n{line}")
        else:
            joined.append((number, line))
        if number and (depth or line.endswith("{")):
            depth += open_brackets(line)
    return joined


class _GraphParser:
    def __init__(self, text: str, is_body: bool = False) -> None:
        joined = join_lines([line.strip() for line in text.strip().splitlines()])
        self.lines = [line for _, line in joined]
        self.numbers = [number for number, _ in joined]
        self.is_body = is_body
        self.values: dict[str, Value] = {}
        self.notes: dict[int, Origin] = {}
        self.outputs: list[Value] = []
        self.updates: list[tuple[int, Value]] = []
        self.at = 0

    def parse(self) -> Graph:
        try:
            return self._graph()
        except (SymgraphError, ValueError, KeyError, TypeError) as error:
            line = self.lines[self.at] if self.at < len(self.lines) else ""
            number = self.numbers[self.at] if self.at < len(self.numbers) else self.at
            raise GraphError(f"line {number + 1} of the graph's text: {error}\n  {line}") from error

    def _graph(self) -> Graph:
        header = _HEADER.match(self.lines[0] if self.lines else "")
        if header is None:
            raise ValueError("a graph starts with: graph @name dims(...) {")
        facts = Facts([parse_fact(part) for part in split_top(header[2] or "")])
        end = next((i for i, line in enumerate(self.lines) if line.startswith("}")), len(self.lines))
        if end == len(self.lines):
            self.at = end
            raise ValueError("the closing } is missing")
        for at in range(end + 1, len(self.lines)):
            self.at = at
            note = _NOTE.match(self.lines[self.at])
            if note is None:
                raise ValueError("a note is written: @1 = layer (file:line)")
            self.notes[int(note[1])] = parse_origin(note[2])
        builder = Builder(facts, fold=False)
        for at in range(1, end):
            self.at = at
            self._line(builder, self.lines[self.at])
        self.at = end
        inputs, states = self._leaves(Input), self._leaves(State)
        nodes = tuple(dict.fromkeys(v.node for v in self.values.values()))
        graph = builder.finish(header[1], inputs, states, self.outputs, self.updates, self.is_body)
        return dataclasses.replace(graph, nodes=nodes)

    def _leaves(self, kind: type[Leaf]) -> list[Value]:
        found = [v for v in self.values.values() if isinstance(v.node.op, kind)]
        return sorted(found, key=lambda v: v.node.op.slot)  # type: ignore[attr-defined]

    def _line(self, builder: Builder, line: str) -> None:
        update = _UPDATE.match(line)
        if line.startswith("return "):
            self.outputs = [self._value(name) for name in line[7:].split(", ")]
        elif update:
            self.updates.append((int(update[1]), self._value(update[2])))
        else:
            self._node(builder, line)

    def _node(self, builder: Builder, line: str) -> None:
        match = _NODE.match(line)
        if match is None:
            raise ValueError("a node is written: %0 = op[attributes] %a, %b : type")
        results, name, rest, types, marks = match.groups()
        recorded = [parse_type(t) for t in split_top(types)]
        end = bracket_end(rest) if rest.startswith("[") else 0
        op, operands = parse_op(name + rest[:end], recorded), rest[end:]
        builder.origins = tuple(self.notes[int(m)] for m in re.findall(r"\d+", marks))
        made = builder.apply_all(op, *(self._value(n) for n in re.findall(r"%[^\s,]+", operands)))
        if [v.type for v in made] != recorded:
            raise ValueError(f"{name} gives {', '.join(str(v.type) for v in made)}")
        for result, value in zip(results.split(", "), made, strict=True):
            if result in self.values:
                raise ValueError(f"{result} is defined twice")
            if any(v is value for v in self.values.values()):
                raise ValueError(f"{result} is the same as an earlier value")
            self.values[result] = value

    def _value(self, name: str) -> Value:
        if name not in self.values:
            raise ValueError(f"{name} is not defined")
        return self.values[name]


def parse_op(text: str, types: list[TensorType]) -> Op:
    """The op written ``name[attributes]``; ``types`` of the results fill in an attribute that was left out.

    Raises:
        ValueError: for an unknown op or wrong attributes.
    """
    name, _, rest = text.partition("[")
    if name not in REGISTRY:
        raise ValueError(f"there is no op {name!r}")
    cls = REGISTRY[name]
    fields = [f.name for f in dataclasses.fields(cls) if f.compare and f.init]
    parts = split_top(rest[:-1]) if rest else []
    given: dict[str, Any] = {}
    if len(fields) == 1 and rest:
        given[fields[0]] = parse_attribute(rest[:-1])
    else:
        for part in parts:
            key, _, value = part.partition("=")
            given[key] = parse_attribute(value)
    if issubclass(cls, Leaf):
        given.update({f: types[0] for f in fields if f == "type" and f not in given})
    return cls(**given)


def parse_fact(text: str) -> tuple[Dim, Dim]:
    """The fact written ``N = 2*M``."""
    left, _, right = text.partition(" = ")
    return parse_dim(left), parse_dim(right)


def parse_origin(text: str) -> Origin:
    """The origin that ``str`` wrote; the folders of its file are lost."""
    match = _ORIGIN.match(text)
    assert match is not None  # the last alternative matches anything
    grad, layer, file, line, only_file, only_line, only_layer = match.groups()
    if only_layer is not None:
        return Origin("" if only_layer == "?" else only_layer, "", 0, bool(grad))
    return Origin(layer or "", file or only_file, int(line or only_line), bool(grad))
