"""Sequences: padding, windows of time series, and pairs of words."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence as Listed
from typing import Any

import numpy as np

from ..utils.enqueuers import Sequence

Array = np.ndarray[Any, Any]


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> Array:
    """Sequences as rows of one length: short ones filled with ``value``, long ones cut, at the front or at the end.

    Raises:
        ValueError: for what is no list of sequences, or sequences of different elements.
    """
    if not hasattr(sequences, "__len__"):
        raise ValueError("`sequences` must be iterable.")
    for name, side in (("Padding", padding), ("Truncating", truncating)):
        if side not in ("pre", "post"):
            raise ValueError(f'{name} type "{side}" not understood')
    for x in sequences:
        if not hasattr(x, "__len__"):
            raise ValueError(f"`sequences` must be a list of iterables. Found non-iterable: {x}")
    length = max((len(x) for x in sequences), default=0) if maxlen is None else maxlen
    sample: tuple[int, ...] = next((np.asarray(x).shape[1:] for x in sequences if len(x)), ())
    is_text = np.issubdtype(dtype, np.str_)
    if isinstance(value, str) and dtype is not object and not is_text:
        raise ValueError(
            f"`dtype` {dtype} is not compatible with `value`'s type: {type(value)}\nYou should set `dtype=object` for "
            "variable length strings."
        )
    out = np.full((len(sequences), length, *sample), value, dtype=dtype)
    for row, x in zip(out, sequences, strict=True):
        if not len(x) or not length:
            continue
        kept = np.asarray(x[-length:] if truncating == "pre" else x[:length], dtype=dtype)
        if kept.shape[1:] != sample:
            raise ValueError(
                f"Shape of sample {kept.shape[1:]} of sequence is different from expected shape {sample}"
            )
        if padding == "post":
            row[: len(kept)] = kept
        else:
            row[-len(kept) :] = kept
    return out


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> Array:
    """The chance of keeping the word of each rank, for word2vec, if words follow Zipf's law."""
    gamma = 0.577
    rank = np.arange(size)
    rank[0] = 1
    inverse = rank * (np.log(rank) + gamma) + 0.5 - 1.0 / (12.0 * rank)
    share = sampling_factor * inverse
    return np.minimum(1.0, share / np.sqrt(share))


def skipgrams(
    sequence: Listed[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """Pairs of a word and one near it (label 1), and pairs with random words (label 0).

    Zeros in the sequence stand for no word. ``sampling_table`` holds the chance of using each word.
    """
    couples: list[list[int]] = []
    labels: list[Any] = []
    for i, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < random.random()):
            continue
        for j in range(max(0, i - window_size), min(len(sequence), i + window_size + 1)):
            if j != i and sequence[j]:
                couples.append([word, sequence[j]])
                labels.append([0, 1] if categorical else 1)
    if negative_samples > 0:
        count = int(len(labels) * negative_samples)
        words = [c[0] for c in couples]
        random.shuffle(words)
        couples += [[words[i % len(words)], random.randint(1, vocabulary_size - 1)] for i in range(count)]
        labels += [[1, 0] if categorical else 0] * count
    if shuffle:
        seed = random.randint(0, 10**7) if seed is None else seed
        for listed in (couples, labels):
            random.Random(seed).shuffle(listed)
    return couples, labels


class TimeseriesGenerator(Sequence):
    """Batches of windows of a series, each with the target that follows it.

    Args:
        length: steps of a window.
        sampling_rate: steps between two samples inside a window.
        stride: steps between two windows.
        start_index, end_index: the part of the series that is used.
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
    ) -> None:
        if len(data) != len(targets):
            raise ValueError(
                f"Data and targets have to be of same length. Data length is {len(data)} while target length is "
                f"{len(targets)}"
            )
        self.data = data
        self.targets = targets
        self.length = length
        self.sampling_rate = sampling_rate
        self.stride = stride
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle = shuffle
        self.reverse = reverse
        self.batch_size = batch_size
        if self.start_index > self.end_index:
            raise ValueError(
                f"`start_index+length={self.start_index} > end_index={self.end_index}` is disallowed, as no part of "
                "the sequence would be left to be used as current step."
            )

    def __len__(self) -> int:
        step = self.batch_size * self.stride
        return (self.end_index - self.start_index + step) // step

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        if self.shuffle:
            rows = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            first = self.start_index + self.batch_size * self.stride * index
            last = min(first + self.batch_size * self.stride, self.end_index + 1)
            rows = np.arange(first, last, self.stride)
        samples = np.array([self.data[row - self.length : row : self.sampling_rate] for row in rows])
        targets = np.array([self.targets[row] for row in rows])
        return (samples[:, ::-1, ...], targets) if self.reverse else (samples, targets)

    def get_config(self) -> dict[str, Any]:
        """The arguments, data as JSON (``start_index`` as Keras writes it: with ``length`` added).

        Raises:
            TypeError: if the data is neither arrays nor lists of numbers and strings.
        """
        series = {"data": _as_json(self.data, "Data"), "targets": _as_json(self.targets, "Targets")}
        names = ("length", "sampling_rate", "stride", "start_index", "end_index", "shuffle", "reverse", "batch_size")
        return {**series, **{n: getattr(self, n) for n in names}}

    def to_json(self, **kwargs: Any) -> str:
        """The generator as JSON."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def _as_json(values: Any, name: str) -> str:
    try:
        return json.dumps(values.tolist() if isinstance(values, (np.ndarray, np.generic)) else values)
    except TypeError as error:
        raise TypeError(f"{name} not JSON Serializable: {type(values).__name__}: {error}") from error


def timeseries_generator_from_json(json_string: str) -> TimeseriesGenerator:
    """The generator that :meth:`TimeseriesGenerator.to_json` wrote."""
    config = dict(json.loads(json_string)["config"])
    config["start_index"] -= config["length"]
    data, targets = json.loads(config.pop("data")), json.loads(config.pop("targets"))
    return TimeseriesGenerator(np.array(data), np.array(targets), **config)


sequence = sys.modules[__name__]  # in Keras, the module that this one took its code from
