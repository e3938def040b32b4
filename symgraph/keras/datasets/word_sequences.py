"""Texts as lists of word numbers, in the encoding that Keras's IMDB and Reuters sets share."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .archives import Array, array_names, read_arrays

#: Stands for a word whose rank is not known, in files that were cut to the most frequent words.
UNKNOWN = -1
#: How files of flat numbers are encoded: Keras's defaults.
_START, _INDEX_FROM = 1, 3
_MOST_WORDS = 1 << 28


@dataclass(frozen=True)
class Texts:
    """Text ``i`` is ``ranks[offsets[i]:offsets[i + 1]]``; the most frequent word has rank 1."""

    ranks: Array
    offsets: Array
    labels: Array

    def __len__(self) -> int:
        return len(self.labels)

    def taken(self, order: Array) -> Texts:
        """The texts of an order or choice."""
        lengths = np.diff(self.offsets)[order]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        places = np.repeat(self.offsets[:-1][order] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Texts(self.ranks[places], offsets, self.labels[order])

    def shuffled(self, rng: np.random.RandomState) -> Texts:
        """The texts in a random order."""
        order = np.arange(len(self))
        rng.shuffle(order)
        return self.taken(order)


@dataclass(frozen=True)
class Encoding:
    """Which number stands for what. ``None`` leaves the start, or words that are not used, out."""

    num_words: int | None
    skip_top: int
    maxlen: int | None
    start_char: int | None
    oov_char: int | None
    index_from: int

    def numbered(self, texts: Texts) -> Texts:
        """Ranks as word numbers, starts added, texts of ``maxlen`` and more left out; unknown words stay."""
        known = texts.ranks != UNKNOWN
        ranks = np.where(known, texts.ranks + (self.index_from or 0), UNKNOWN)
        offsets = texts.offsets
        if self.start_char is not None:
            ranks = np.insert(ranks, offsets[:-1], self.start_char)
            offsets = offsets + np.arange(len(offsets))
        found = Texts(ranks, offsets, texts.labels)
        return found.taken(np.flatnonzero(np.diff(offsets) < self.maxlen)) if self.maxlen else found

    def limit(self, *parts: Texts) -> int:
        """The number from which on words are not used (by default the largest there is, as in Keras)."""
        return self.num_words or max(int(part.ranks.max(initial=0)) for part in parts)

    def lists(self, texts: Texts, limit: int) -> tuple[Array, Array]:
        """An object array of lists, and the labels; other words than ``skip_top`` to ``limit - 1`` are replaced."""
        used = (texts.ranks >= self.skip_top) & (texts.ranks < limit) & (texts.ranks != UNKNOWN)
        if self.oov_char is None:
            ends = np.concatenate([[0], np.cumsum(used)])[texts.offsets]
            numbers = texts.ranks[used]
        else:
            ends = texts.offsets
            numbers = np.where(used, texts.ranks, self.oov_char)
        x = np.empty(len(texts), dtype=object)
        values = numbers.tolist()
        for i, (first, last) in enumerate(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)):
            x[i] = values[first:last]
        return x, texts.labels


def with_old_names(num_words: int | None, kwargs: dict[str, Any]) -> int | None:
    """``num_words``, or Keras 1's ``nb_words``.

    Raises:
        TypeError: for any other keyword.
    """
    if "nb_words" in kwargs:
        warnings.warn("The `nb_words` argument in `load_data` has been renamed `num_words`.", stacklevel=3)
        num_words = kwargs.pop("nb_words")
    if kwargs:
        raise TypeError("Unrecognized keyword arguments: " + str(kwargs))
    return num_words


def read_texts(file: Path, x: str, y: str) -> Texts:
    """Texts of an ``.npz`` archive: Keras's array of lists of ranks, or flat numbers with offsets.

    The flat form has ``<x>_flat`` and ``<x>_offsets`` in Keras's default encoding (1 starts a text, 2 is an unknown
    word, the word of rank ``r`` is ``r + 3``).

    Raises:
        ValueError: if it holds neither.
    """
    if x + "_flat" in array_names(file):
        flat, offsets, labels = read_arrays(file, [x + "_flat", x + "_offsets", y])
        _check_offsets(file, flat, offsets, labels)
        is_start = np.zeros(len(flat), dtype=bool)
        is_start[offsets[:-1][np.diff(offsets) > 0]] = True
        is_start &= flat == _START
        ranks = np.where(flat > _INDEX_FROM, flat.astype(np.int64) - _INDEX_FROM, UNKNOWN)[~is_start]
        return Texts(ranks, offsets - np.concatenate([[0], np.cumsum(is_start)])[offsets], labels)
    lists, labels = read_arrays(file, [x, y])
    if not all(isinstance(text, list) for text in lists) or lists.ndim != 1 or labels.shape != lists.shape:
        raise ValueError(f"{file} does not hold lists of numbers in {x}, each with a label in {y}")
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in lists], dtype=np.int64)])
    if offsets[-1] > _MOST_WORDS:
        raise ValueError(f"{file} holds {offsets[-1]} words in {x}")
    try:
        ranks = np.fromiter((rank for text in lists for rank in text), np.int64, count=int(offsets[-1]))
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{file} holds something else than numbers in {x}: {error}") from error
    return Texts(ranks, offsets, labels)


def _check_offsets(file: Path, flat: Array, offsets: Array, labels: Array) -> None:
    integers = flat.dtype.kind in "iu" and offsets.dtype.kind in "iu"
    if not integers or (flat.ndim, offsets.ndim, labels.ndim) != (1, 1, 1) or len(offsets) != len(labels) + 1:
        raise ValueError(f"{file}: word numbers {flat.dtype}{flat.shape}, offsets {offsets.dtype}{offsets.shape} and "
                         f"labels {labels.dtype}{labels.shape} do not fit each other")  # fmt: skip
    if offsets[0] != 0 or (offsets[1:] < offsets[:-1]).any() or offsets[-1] != len(flat):
        raise ValueError(f"{file}: the offsets do not cut {len(flat)} numbers into {len(labels)} texts")
