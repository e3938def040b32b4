"""Pickled numbers read without running anything: what CIFAR's batches and the arrays of IMDB and Reuters are kept in.

A pickle is a program. Ours may use the instructions that data needs, which are checked before any runs, and may name
the functions below, for which it gets stand-ins that record their arguments. Nothing of NumPy or of the standard
library is called in the pickle's name.
"""

from __future__ import annotations

import io
import math
import pickle
import re
from collections.abc import Callable
from typing import IO, Any

import numpy as np

Array = np.ndarray[Any, Any]
_ELEMENT = re.compile(r"[?]|b1|[iu][1248]|f[248]|O8?")
#: Runs of instructions of a fixed size: marks, tuples, lists, dictionaries, numbers, small memo places, calls.
_FIXED = re.compile(
    rb"(?:[()\]}Naesut012ldRb\x85-\x89\x93\x94]|[Khq\x80][\s\S]|M[\s\S]{2}|[Jj][\s\S]{4}|[G\x95][\s\S]{8})+"
)
#: Instructions that bring bytes, by the size of the number before these: strings, bytes, long integers.
_COUNTED = {**dict.fromkeys(b"UC\x8c\x8a", 1), **dict.fromkeys(b"TXB", 4)}
_NAMED = re.compile(rb"c[\w.]+\n\w+\n")


def read_plain_pickle(stream: IO[bytes]) -> Any:
    """The object of a pickle made of numbers, strings, bytes, lists, dictionaries and NumPy arrays of these.

    Strings of Python 2 are read as bytes.

    Raises:
        ValueError: if it is damaged, or holds anything else.
    """
    content = stream.read()
    _check_instructions(content)
    try:
        return _plain(_Reader(io.BytesIO(content), encoding="bytes").load())
    except ValueError:
        raise
    except Exception as error:  # a broken pickle raises nearly any exception
        raise ValueError(f"the pickled data is damaged: {type(error).__name__}: {error}") from error


def _check_instructions(content: bytes) -> None:
    """Refuse instructions other than those of data, and memo places that would make Python reserve endless memory."""
    at, end = 0, len(content)
    while at < end:
        kind = content[at]
        if kind == ord("."):
            return
        if kind in _COUNTED:
            size = _COUNTED[kind]
            at += 1 + size + int.from_bytes(content[at + 1 : at + 1 + size], "little")
        elif kind == ord("r"):
            if int.from_bytes(content[at + 1 : at + 5], "little") > end:
                raise ValueError("the pickled data is damaged: a memo place past its end")
            at += 5
        else:
            found = _FIXED.match(content, at) or _NAMED.match(content, at)
            if found is None:
                raise ValueError(f"the pickled data uses the instruction {bytes([kind])!r}, which data never needs")
            at = found.end()
    raise ValueError("the pickled data is damaged: it has no end")


class _Dtype:
    """The arguments of a ``numpy.dtype``."""

    __slots__ = ("dtype",)

    def __init__(self, code: Any, *flags: Any) -> None:
        name = code.decode("ascii") if isinstance(code, bytes) else code
        if not isinstance(name, str) or not _ELEMENT.fullmatch(name):
            raise ValueError(f"arrays of {name!r} are not read")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: Any) -> None:
        order = state[1].decode("ascii") if isinstance(state[1], bytes) else state[1]
        if order not in ("<", ">", "|", "=") or any(part is not None for part in state[2:5]):
            raise ValueError("arrays with fields are not read")
        if order in "<>":
            self.dtype = np.dtype(order + self.dtype.str[1:])


class _Array:
    """The state of a ``numpy.ndarray``."""

    __slots__ = ("value",)

    def __init__(self, kind: Any, shape: Any, code: Any) -> None:
        self.value: Array | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, described, is_fortran, content = state
        if not isinstance(described, _Dtype) or not all(isinstance(n, int) and n >= 0 for n in shape):
            raise ValueError("an array without element type or shape")
        if described.dtype.hasobject:
            if not isinstance(content, list) or shape != (len(content),):
                raise ValueError("an array of objects that is no list")
            self.value = np.empty(len(content), dtype=object)
            for i, item in enumerate(content):
                self.value[i] = _plain(item)
            return
        if not isinstance(content, bytes) or len(content) != math.prod(shape) * described.dtype.itemsize:
            raise ValueError(f"an array of shape {shape} with another number of bytes")
        self.value = np.frombuffer(content, described.dtype).reshape(shape, order="F" if is_fortran else "C")


class _Name:
    """What a pickle gets for a name: it may call it, and nothing else."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make

    def __call__(self, *args: Any) -> Any:
        return self._make(*args)

    def __setstate__(self, state: Any) -> None:
        raise ValueError("a pickle that changes what it names")


def _no_call(*args: Any) -> Any:
    raise ValueError("a pickle that makes arrays in an unusual way")


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise ValueError("bytes in an unusual encoding")
    return text.encode("latin1")


_NAMES: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): _no_call,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMES:
            raise ValueError(f"the pickled data names {module}.{name}, which is not called: it could do anything")
        return _Name(_NAMES[module, name])


def _plain(value: Any) -> Any:
    """Arrays in place of what records them, at the top and inside a dictionary; numbers, strings and lists of these."""
    if isinstance(value, _Array):
        if value.value is None:
            raise ValueError("an array without values")
        return value.value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (_Name, _Dtype)):
        raise ValueError("the pickled data holds more than numbers, strings and arrays")
    return value
