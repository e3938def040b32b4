"""Einstein summation over any number of operands, with NumPy's notation."""

from __future__ import annotations

from collections.abc import Sequence

from .creation import diagonal
from .errors import ArgumentError, ShapeError
from .ir.contraction_order import contraction_order, multiply, sum_out
from .ir.dims import Dim
from .ir.graph import Value
from .tensor import Tensor, TensorLike, as_value, common_dtype
from .tracer import tracer

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: What a size that is not known counts in the choice of an order.
ESTIMATE = 64


def einsum(spec: str, *operands: TensorLike) -> Tensor:
    """NumPy's ``einsum``: products of operands whose axes are named by letters, summed over letters that the result
    does not have.

    A letter twice in one operand takes its diagonal; ``...`` stands for axes that broadcast; without ``->`` the result
    has the letters that occur once, in alphabetical order. Axes of size 1 broadcast. Operands are multiplied in the
    order of the fewest multiplications, where sizes that are not known count as 64.

    Raises:
        ArgumentError: for a spec that cannot be read or does not fit the number of axes.
        ShapeError: where a letter has two sizes.

    Example:
        >>> import symgraph as sg
        >>> a, b = sg.ones((2, 3)), sg.ones((3, 3))
        >>> sg.einsum("ik,kk->i", a, b).shape
        (2,)
    """
    if not operands:
        raise ArgumentError(f"einsum {spec!r} has no operands")
    dtype = common_dtype(*operands)
    values = [as_value(x, dtype) for x in operands]
    labels, result = _read(spec, [v.type.ndim for v in values])
    sizes = _sizes(spec, labels, values)
    terms = [_plain(label, value, sizes) for label, value in zip(labels, values, strict=True)]
    estimates = {c: d if isinstance(d, int) else ESTIMATE for c, d in sizes.items()}
    steps, _ = contraction_order([label for label, _ in terms], result, estimates)
    label, value = sum_out(tracer, *multiply(tracer, terms, steps), result)
    present = [c for c in result if c in label]
    turned = tracer.transpose(value, [label.index(c) for c in present])
    shape = tuple(sizes[c] for c in result)
    return Tensor(tracer.broadcast(turned, shape, [result.index(c) for c in present]))


def _read(spec: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """Labels of the operands and of the result, with a letter for every axis.

    Raises:
        ArgumentError: for a spec that cannot be read.
    """
    inputs, arrow, result = spec.replace(" ", "").partition("->")
    parts = inputs.split(",")
    if len(parts) != len(ranks):
        raise ArgumentError(f"einsum {spec!r} has {len(parts)} operands, got {len(ranks)}")
    for part in (*parts, result):
        if not part.replace("...", "", 1).isalpha() and part.replace("...", "", 1):
            raise ArgumentError(f"einsum cannot read {part!r} in {spec!r}: letters and one ... may name axes")
    free = [c for c in _LETTERS if c not in spec]
    widths = [rank - len(p.replace("...", "")) for p, rank in zip(parts, ranks, strict=True)]
    for part, width, rank in zip(parts, widths, ranks, strict=True):
        if width < 0 or (width and "..." not in part):
            raise ArgumentError(f"einsum {spec!r}: {part!r} does not name the {rank} axes of its operand")
    wide = max((w for p, w in zip(parts, widths, strict=True) if "..." in p), default=0)
    if wide > len(free):
        raise ArgumentError(f"einsum {spec!r}: too many axes")
    dots = "".join(free[:wide])
    labels = [
        p.replace("...", dots[len(dots) - w :] if w else "") for p, w in zip(parts, widths, strict=True)
    ]  # fmt: skip
    letters = "".join(p.replace("...", "") for p in parts)
    if not arrow:
        result = ("..." if dots else "") + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    if dots and "..." not in result:
        raise ArgumentError(f"einsum {spec!r}: the operands have axes under ..., the result has none")
    result = result.replace("...", dots)
    if set(result) - set("".join(labels)) or len(set(result)) != len(result):
        raise ArgumentError(f"einsum {spec!r}: each letter of the result is one of an operand, and occurs once")
    return labels, result


def _sizes(spec: str, labels: Sequence[str], values: Sequence[Value]) -> dict[str, Dim]:
    """The size of every letter. Sizes that are not known become equal; 1 gives way to any other.

    Raises:
        ShapeError: where a letter has two sizes.
    """
    sizes: dict[str, Dim] = {}
    for label, value in zip(labels, values, strict=True):
        for letter, size in zip(label, value.shape, strict=True):
            known = sizes.get(letter, 1)
            if known == 1 or size == 1:
                sizes[letter] = size if known == 1 else known
                continue
            try:
                sizes[letter] = tracer.facts.unify(known, size)
            except ShapeError:
                raise ShapeError(f"einsum {spec!r}: axis {letter!r} has sizes {known} and {size}") from None
    return sizes


def _plain(label: str, value: Value, sizes: dict[str, Dim]) -> tuple[str, Value]:
    """The operand without repeated letters and without axes of size 1 that stretch."""
    stretched = [k for k, c in enumerate(label) if value.shape[k] == 1 and sizes[c] != 1]
    value = tracer.reshape(value, [d for k, d in enumerate(value.shape) if k not in stretched])
    label = "".join(c for k, c in enumerate(label) if k not in stretched)
    for letter in dict.fromkeys(label):
        while label.count(letter) > 1:
            first = label.index(letter)
            second = label.index(letter, first + 1)
            value = diagonal(Tensor(value), 0, first, second).value
            label = "".join(c for k, c in enumerate(label) if k not in (first, second)) + letter
    return label, value


__all__ = ["einsum"]
