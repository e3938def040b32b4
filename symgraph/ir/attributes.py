"""Attributes of ops as text, exactly: what the printer writes, the parser reads back equal.

=================  ==========================================================
value              text
=================  ==========================================================
int, bool, float   ``3``, ``True``, ``0.5`` (``repr``: shortest exact)
None, str          ``None``, ``"text"`` (JSON)
dtype              ``f32``
size               ``2*N+1``
tuple              ``[3, N, 1]``
tensor type        ``f32[N,3]``
literal            ``f32[2]{0.5, -0.0}``; where long, ``f32[99]{base64:...}``
region             ``{``, a node a line as in a graph, ``return %0``, ``}``
Python object      ``<python name>``: the only one that cannot be read back
=================  ==========================================================
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import zlib
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..dtypes import BY_SHORT, DType, as_dtype
from ..errors import InternalError
from .dim_parser import parse_dim
from .dims import Dim, SymDim
from .literal import Foreign, Literal
from .op import Array
from .region import Region
from .types import TensorType

_LONGEST = 16
_WORDS: dict[str, Any] = {"None": None, "True": True, "False": False, "nan": math.nan, "inf": math.inf}


def attribute_text(value: Any) -> str:
    """The text of one attribute.

    Raises:
        InternalError: for a value of a kind that has no text.
    """
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, DType):
        return value.short
    if isinstance(value, SymDim):
        text = str(value)
        return f"{text}+0" if text in BY_SHORT or text in _WORDS else text
    if isinstance(value, tuple):
        return "[" + ", ".join(attribute_text(v) for v in value) + "]"
    if isinstance(value, TensorType):
        return str(value)
    if isinstance(value, Literal):
        return literal_text(value.array)
    if isinstance(value, Region):
        from .printer import region_text

        return region_text(value)
    if isinstance(value, Foreign):
        return repr(value)
    raise InternalError(f"an attribute of type {type(value).__name__} has no text: {value!r}")


def literal_text(array: Array) -> str:
    """The text of an array: elements where there are few, else compressed bytes."""
    dtype = as_dtype(array.dtype)
    head = f"{dtype.short}[{','.join(str(n) for n in array.shape)}]"
    if array.size <= _LONGEST:
        return f"{head}{{{', '.join(_element_text(x) for x in array.reshape(-1))}}}"
    little = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<")))
    return f"{head}{{base64:{base64.b64encode(zlib.compress(little.tobytes(), 9)).decode()}}}"


def _element_text(x: Any) -> str:
    if x.dtype.kind != "f":
        return str(x.item())
    text = str(x) if np.isfinite(x) else repr(float(x))
    if _element(text, x.dtype).tobytes() == x.tobytes():
        return text
    return f"bits:{x.tobytes().hex()}"  # a NaN with a payload


def _element(text: str, dtype: np.dtype[Any]) -> Array:
    if text.startswith("bits:"):
        return np.frombuffer(bytes.fromhex(text[5:]), dtype)[0:1].reshape(())
    if dtype.kind == "f":
        return np.asarray(float(text)).astype(dtype)
    return np.asarray(_WORDS[text] if dtype.kind == "b" else int(text), dtype)


def parse_attribute(text: str) -> Any:
    """The value that :func:`attribute_text` wrote.

    Raises:
        ValueError: where the text is no attribute.
    """
    text = text.strip()
    if text in _WORDS:
        return _WORDS[text]
    if text.startswith('"'):
        return json.loads(text)
    if text.startswith("<python "):
        raise ValueError(f"{text} is an object of the process that wrote it")
    if text.startswith("{"):
        from .parser import parse_region

        return parse_region(text)
    if text.startswith("[") and bracket_end(text) == len(text):
        return tuple(parse_attribute(part) for part in split_top(text[1:-1]))
    if text in BY_SHORT:
        return BY_SHORT[text]
    head, bracket, _ = text.partition("[")
    if bracket and head in BY_SHORT:
        return _parse_literal(text) if text.endswith("}") else parse_type(text)
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    return float(text) if _is_float(text) else parse_dim(text)


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return any(c in text for c in ".einf") and not text[0].isalpha()


def parse_type(text: str) -> TensorType:
    """The type written ``f32[N,3]``.

    Raises:
        ValueError: where the text is no type.
    """
    head, bracket, rest = text.strip().partition("[")
    if head not in BY_SHORT or not bracket or not rest.endswith("]"):
        raise ValueError(f"not a type: {text!r}")
    shape: tuple[Dim, ...] = tuple(parse_dim(part) for part in split_top(rest[:-1]))
    return TensorType(BY_SHORT[head], shape)


def _parse_literal(text: str) -> Literal:
    head, _, body = text.partition("{")
    type, body = parse_type(head), body[:-1]
    shape = tuple(int(str(d)) for d in type.shape)
    dtype = type.dtype.np
    if body.startswith("base64:"):
        try:
            data = zlib.decompress(base64.b64decode(body[7:], validate=True))
        except (zlib.error, binascii.Error) as error:
            raise ValueError(f"a literal of type {type} is damaged: {error}") from None
        flat = np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype)
    else:
        flat = np.empty(math.prod(shape), dtype)
        parts = split_top(body)
        if len(parts) != flat.size:
            raise ValueError(f"a literal of type {type} has {len(parts)} elements")
        for i, part in enumerate(parts):
            flat[i] = _element(part.strip(), dtype)
    return Literal(flat.reshape(shape))


def split_top(text: str) -> list[str]:
    """The parts between commas that are in no bracket or string."""
    parts: list[str] = []
    start = 0
    for at, depth in _depths(text):
        if depth == 0 and text[at] == ",":
            parts.append(text[start:at].strip())
            start = at + 1
    last = text[start:].strip()
    return [*parts, last] if last or parts else parts


def bracket_end(text: str) -> int:
    """The position after the bracket that closes the one ``text`` begins with.

    Raises:
        ValueError: where none does.
    """
    for at, depth in _depths(text):
        if depth == 0:
            return at + 1
    raise ValueError(f"no bracket closes {text!r}")


def open_brackets(text: str) -> int:
    """How many more brackets a text opens than it closes."""
    return max((depth for _, depth in deque(_depths(text), maxlen=1)), default=0)


def _depths(text: str) -> Iterator[tuple[int, int]]:
    """Positions outside of strings, with the number of brackets open after each."""
    depth, quoted, escaped = 0, False, False
    for at, c in enumerate(text):
        if quoted:
            quoted = escaped or c != '"'
            escaped = c == "\\" and not escaped
            continue
        quoted = c == '"'
        depth += (c in "([{") - (c in ")]}")
        yield at, depth
