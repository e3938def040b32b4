"""Connectionist temporal classification (Graves et al. 2006): the cost of labellings, and decoding. The last category
is the blank."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import symgraph as sg

from .common import epsilon
from .variables import Tensor, as_tensor

_NEVER = -1e30  # the logarithm of a probability of zero, as a number that gradients pass without a NaN
_HASH = 6364136223846793005  # Knuth's multiplier for linear congruences modulo 2**64


class SparseLabels(NamedTuple):
    """Labels as triples: ``indices`` ``(n, 2)`` int64, ``values`` ``(n,)`` int32, ``dense_shape`` ``(2,)`` int64."""

    indices: Tensor
    values: Tensor
    dense_shape: Tensor


def ctc_batch_cost(y_true: Tensor, y_pred: Tensor, input_length: Tensor, label_length: Tensor) -> Tensor:
    """``-log`` of the probability of each labelling, summed over the alignments that give it.

    Args:
        y_true: labels ``(samples, most labels)``; those past ``label_length`` do not count.
        y_pred: probabilities ``(samples, steps, categories)``; scaled to sum to one after ``epsilon`` is added.
        input_length: steps ``(samples, 1)``, at least one.
        label_length: labels ``(samples, 1)``.

    Returns:
        ``(samples, 1)``; infinite where no alignment fits in the steps.
    """
    scores = _log_probabilities(y_pred)
    blank = as_tensor(y_pred.shape[-1] - 1, "int64")
    steps = sg.cast(sg.reshape(input_length, (-1, 1)), "int64")
    lengths = sg.cast(sg.reshape(label_length, (-1, 1)), "int64")
    places = _interleave_blanks(sg.cast(y_true, "int64"), lengths, blank)
    emitted = sg.take_along_axis(scores, sg.expand_dims(places, 1), axis=2)  # (samples, steps, places)
    width = places.shape[1]
    number = sg.arange(width, dtype="int64")
    # A label follows another one without a blank between them, unless it is the same.
    two_before = sg.concatenate([places[:, :2], places[:, :-2]], axis=1)
    leap = sg.where(sg.logical_or(sg.equal(places, two_before), sg.equal(places, blank)), _NEVER, 0.0)
    leap = sg.cast(leap, str(scores.dtype))
    first = sg.where(sg.less(number, 2), emitted[:, 0], _NEVER)

    def step(now: Tensor, at: Tensor, before: Tensor) -> Tensor:
        ways = [before, _later(before, 1), _later(before, 2) + leap]
        return sg.where(sg.less(at, steps), _log_add(ways) + now, before)

    times = sg.arange(scores.shape[1], dtype="int64")
    rows = sg.transpose(emitted, (1, 0, 2))
    last, _ = sg.foldl(step, [rows[1:], times[1:]], outputs_info=first)
    ends = sg.logical_or(sg.equal(number, 2 * lengths), sg.equal(number, 2 * lengths - 1))
    likelihood = sg.logsumexp(sg.where(ends, last, _NEVER), axis=1, keepdims=True)
    return sg.where(sg.less(likelihood, 0.5 * _NEVER), np.inf, -likelihood)


def ctc_decode(
    y_pred: Tensor, input_length: Tensor, greedy: bool = True, beam_width: int = 100, top_paths: int = 1,
    merge_repeated: bool = False,
) -> tuple[list[Tensor], Tensor]:  # fmt: skip
    """The labellings that probabilities speak for.

    Args:
        y_pred: probabilities ``(samples, steps, categories)``.
        input_length: steps ``(samples,)``.
        greedy: take the likeliest category of each step; else search with a beam.
        beam_width: labellings that the search keeps from step to step.
        top_paths: labellings that the search gives.
        merge_repeated: of equal labels in a row keep one, in what the search gives.

    Returns:
        Labellings ``(samples, steps)`` (int64, -1 after the last label), in falling order of probability; and the
        logarithms of their probabilities, ``(samples, top_paths)`` for the search. For ``greedy`` it is ``(samples,
        1)``: minus the sum of the logarithms along the path, as in TensorFlow.

    Raises:
        ValueError: for widths that do not fit.
    """
    steps = sg.cast(sg.reshape(input_length, (-1, 1)), "int64")
    if greedy:
        return _best_path(sg.log(y_pred + epsilon()), steps)
    if not 1 <= top_paths <= beam_width:
        raise ValueError(f"`top_paths` is {top_paths} for a `beam_width` of {beam_width}: 1 to that many are needed.")
    beam = _search(_log_probabilities(y_pred), steps, beam_width)
    found = []
    for path in range(top_paths):
        labels = beam.labels[:, path]
        if merge_repeated:
            labels = _packed(labels, sg.not_equal(labels, _earlier(labels)))
        found.append(labels)
    return found, beam.total()[:, :top_paths]


def ctc_label_dense_to_sparse(labels: Tensor, label_lengths: Tensor) -> SparseLabels:
    """Labels ``(samples, most labels)`` as triples, one for each place in rows' order. The number of triples cannot
    depend on values here, so places past a row's length stay, with the value -1."""
    rows, width = labels.shape
    total: Any = rows * width
    place = sg.arange(total, dtype="int64")
    wide = sg.size(labels, 1)
    indices = sg.stack([place // wide, place % wide], axis=1)
    inside = sg.less(sg.arange(width, dtype="int64"), sg.cast(sg.reshape(label_lengths, (-1, 1)), "int64"))
    values = sg.where(inside, sg.cast(labels, "int32"), sg.constant(np.int32(-1)))
    shape = sg.stack([sg.size(labels, 0), sg.size(labels, 1)])
    return SparseLabels(indices, sg.reshape(values, (-1,)), sg.cast(shape, "int64"))


# -- cost ---------------------------------------------------------------------------------------------------------


def _log_probabilities(y_pred: Tensor) -> Tensor:
    return sg.log_softmax(sg.log(y_pred + epsilon()), axis=-1)


def _interleave_blanks(labels: Tensor, lengths: Tensor, blank: Tensor) -> Tensor:
    """``(samples, 2 n + 1)``: a blank before, between and after the labels, and in place of those that do not count."""
    samples, count = labels.shape
    inside = sg.less(sg.arange(count, dtype="int64"), lengths)
    labels = sg.where(inside, labels, blank)
    blanks = sg.zeros_like(labels) + blank
    pairs = sg.reshape(sg.stack([labels, blanks], axis=2), (samples, 2 * count))
    return sg.concatenate([blanks[:, :1], pairs], axis=1)


def _later(x: Tensor, count: int) -> Tensor:
    """The elements moved up along the last axis, and what never happens below."""
    return sg.concatenate([sg.zeros_like(x[:, :count]) + _NEVER, x[:, :-count]], axis=1)


def _log_add(ways: list[Tensor]) -> Tensor:
    most = ways[0]
    for way in ways[1:]:
        most = sg.maximum(most, way)
    most = sg.stop_gradient(most)
    total: Any = 0.0
    for way in ways:
        total = total + sg.exp(way - most)
    return most + sg.log(total)


# -- decoding -----------------------------------------------------------------------------------------------------


def _earlier(labels: Tensor) -> Tensor:
    """The label before each one (-2 before the first)."""
    return sg.concatenate([sg.zeros_like(labels[:, :1]) - 2, labels[:, :-1]], axis=1)


def _packed(labels: Tensor, kept: Tensor) -> Tensor:
    """The labels that are kept, moved to the beginning of their rows; -1 after them."""
    order = sg.argsort(sg.cast(sg.logical_not(kept), "int64"), axis=1)
    count = sg.sum(sg.cast(kept, "int64"), axis=1, keepdims=True)
    moved = sg.take_along_axis(labels, order, axis=1)
    return sg.where(sg.less(sg.arange(labels.shape[1], dtype="int64"), count), moved, sg.zeros_like(moved) - 1)


def _best_path(scores: Tensor, steps: Tensor) -> tuple[list[Tensor], Tensor]:
    best = sg.cast(sg.argmax(scores, axis=-1), "int64")
    inside = sg.less(sg.arange(scores.shape[1], dtype="int64"), steps)
    blank = as_tensor(scores.shape[2] - 1, "int64")
    fresh = sg.logical_and(sg.not_equal(best, blank), sg.not_equal(best, _earlier(best)))
    along = sg.where(inside, sg.max(scores, axis=-1), 0.0)
    return [_packed(best, sg.logical_and(fresh, inside))], -sg.sum(along, axis=1, keepdims=True)


class _Beam(NamedTuple):
    """The labellings that the search keeps, ``(samples, width)`` each; ``labels`` has an axis of steps more.

    ``blank`` and ``label`` are logarithms of the probabilities of the alignments that end with a blank or with the last
    label. ``key`` and ``parent`` are hashes of a labelling and of what it is without its last label.
    """

    labels: Tensor
    length: Tensor
    last: Tensor
    key: Tensor
    parent: Tensor
    blank: Tensor
    label: Tensor

    def total(self) -> Tensor:
        return _log_add([self.blank, self.label])


def _search(scores: Tensor, steps: Tensor, width: int) -> _Beam:
    """Prefix beam search: every step extends each labelling by nothing (a blank, or its last label again) and by every
    label, adds up what gives the same labelling, and keeps the likeliest ones."""
    samples, count, categories = scores.shape
    place = sg.arange(width, dtype="int64")
    row = sg.zeros((samples, width), dtype="int64") + place
    start = sg.where(sg.equal(row, 0), sg.zeros((samples, width), dtype=str(scores.dtype)), _NEVER)
    beam = _Beam(
        labels=sg.zeros((samples, width, count), dtype="int64") - 1,
        length=sg.zeros((samples, width), dtype="int64"),
        last=sg.zeros((samples, width), dtype="int64") - 1,
        key=row + 1,  # of places that hold nothing yet: no labelling has such a parent
        parent=-row - 1,
        blank=start,
        label=sg.zeros_like(start) + _NEVER,
    )

    def step(now: Tensor, at: Tensor, *state: Tensor) -> list[Tensor]:
        old = _Beam(*state)
        new = _extended(old, now, width, categories)
        going = sg.less(at, steps)
        return [
            sg.where(sg.expand_dims(going, 2) if a.ndim == 3 else going, a, b) for a, b in zip(new, old, strict=True)
        ]

    times = sg.arange(count, dtype="int64")
    last, _ = sg.foldl(step, [sg.transpose(scores, (1, 0, 2)), times], outputs_info=list(beam))
    return _Beam(*last)


def _extended(old: _Beam, now: Tensor, width: int, categories: Any) -> _Beam:
    samples = now.shape[0]
    wide = as_tensor(categories, "int64")
    category = sg.arange(categories, dtype="int64")
    is_last = sg.equal(sg.expand_dims(old.last, 2), category)  # (samples, width, categories)
    total = old.total()
    # A labelling stays what it is: a blank, its last label again, or its parent and its last label.
    again = sg.where(sg.less(old.last, 0), _NEVER, sg.take_along_axis(now, sg.maximum(old.last, 0), axis=1))
    same = sg.equal(sg.expand_dims(old.last, 2), sg.expand_dims(old.last, 1))
    is_parent = sg.equal(sg.expand_dims(old.parent, 2), sg.expand_dims(old.key, 1))  # [child, parent]
    through = sg.where(same, sg.expand_dims(old.blank, 1), sg.expand_dims(total, 1))
    from_parent = sg.max(sg.where(is_parent, through, _NEVER), axis=2)
    blank = total + now[:, -1:]
    label = _log_add([old.label, from_parent]) + again
    # Or it grows by a label, unless what comes of that is there already.
    before = sg.where(is_last, sg.expand_dims(old.blank, 2), sg.expand_dims(total, 2))
    grown = before + sg.expand_dims(now, 1)
    children = sg.einsum("bkp,bkc->bpc", sg.cast(is_parent, "float32"), sg.cast(is_last, "float32"))
    closed = sg.logical_or(sg.greater(children, 0.5), sg.equal(category, wide - 1))
    grown = sg.where(closed, _NEVER, grown)
    options = sg.concatenate([_log_add([blank, label]), sg.reshape(grown, (samples, width * categories))], axis=1)
    score, chosen = sg.top_k(options, width, axis=1)
    stays = sg.less(chosen, width)
    source = sg.where(stays, chosen, (chosen - width) // wide)
    added = (chosen - width) % wide

    def of(x: Tensor) -> Tensor:
        return sg.take_along_axis(x, source, axis=1)

    length, key = of(old.length), of(old.key)
    labels = sg.take_along_axis(old.labels, sg.expand_dims(source, 2), axis=1)
    place = sg.arange(labels.shape[2], dtype="int64")
    writes = sg.logical_and(sg.expand_dims(sg.logical_not(stays), 2), sg.equal(place, sg.expand_dims(length, 2)))
    return _Beam(
        labels=sg.where(writes, sg.expand_dims(added, 2), labels),
        length=sg.where(stays, length, length + 1),
        last=sg.where(stays, of(old.last), added),
        key=sg.where(stays, key, key * _HASH + 2 * added + 1),
        parent=sg.where(stays, of(old.parent), key),
        blank=sg.where(stays, of(blank), _NEVER),
        label=sg.where(stays, of(label), score),
    )
