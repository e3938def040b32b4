"""Newswires of Reuters in 46 topics, as ``keras.datasets.reuters``: 11,228 of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..utils.data_utils import get_file
from .archives import ORIGIN, Split, local_or_cached, read_word_index
from .word_sequences import Encoding, read_texts, with_old_names

__all__ = ["get_file", "get_word_index", "load_data"]
_SHA256 = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
_INDEX_MD5 = "4d44cc38712099c9e383dc6e5f11a921"


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **kwargs: Any,
) -> tuple[Split, Split]:
    """``(x_train, y_train), (x_test, y_test)``: object arrays of lists of word numbers, and topics 0 to 45.

    Args:
        test_split: the share of newswires that are for testing.

    The other arguments, and the errors, are those of :func:`symgraph.keras.datasets.imdb.load_data`.
    """
    encoding = Encoding(with_old_names(num_words, kwargs), skip_top, maxlen, start_char, oov_char, index_from)
    file = local_or_cached(path, ORIGIN + "reuters.npz", _SHA256)
    texts = encoding.numbered(read_texts(file, "x", "y").shuffled(np.random.RandomState(seed)))
    if not len(texts):
        raise ValueError(
            f"After filtering for sequences shorter than maxlen={maxlen}, no sequence was kept. Increase maxlen."
        )
    x, y = encoding.lists(texts, encoding.limit(texts))
    at = int(len(x) * (1 - test_split))
    return (x[:at], y[:at]), (x[at:], y[at:])


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """The rank of every word (the most frequent has 1), downloaded once; ``path`` as in :func:`load_data`."""
    return read_word_index(local_or_cached(path, ORIGIN + "reuters_word_index.json", _INDEX_MD5))
