"""Reviews of films, positive or negative, as ``keras.datasets.imdb``: 25,000 to train and 25,000 to test."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..utils.data_utils import get_file
from .archives import ORIGIN, Split, local_or_cached, read_word_index
from .word_sequences import Encoding, read_texts, with_old_names

__all__ = ["get_file", "get_word_index", "load_data"]
_SHA256 = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
_INDEX_MD5 = "bfafd718b763782e994055a2d397834f"


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **kwargs: Any,
) -> tuple[Split, Split]:
    """``(x_train, y_train), (x_test, y_test)``: object arrays of lists of word numbers, and labels 0 and 1.

    Args:
        path: file name in the cache (``~/.keras/datasets``), downloaded once; or a file by its full path: Keras's own
            archive, or one of flat word numbers with offsets (see ``word_sequences.read_texts``).
        num_words: words with this number and above are not used (nor, by default, the rarest word).
        skip_top: neither are words with a number below this.
        maxlen: only reviews shorter than this are kept.
        seed: of the order of reviews.
        start_char: begins every review; None for no such number.
        oov_char: stands for words that are not used; None leaves them out.
        index_from: added to the rank of every word.

    Raises:
        OSError: if the file is not there and cannot be downloaded.
        ValueError: if it is damaged, or no review is shorter than ``maxlen``.
    """
    encoding = Encoding(with_old_names(num_words, kwargs), skip_top, maxlen, start_char, oov_char, index_from)
    file = local_or_cached(path, ORIGIN + "imdb.npz", _SHA256)
    rng = np.random.RandomState(seed)
    train, test = (
        encoding.numbered(read_texts(file, "x_" + part, "y_" + part).shuffled(rng)) for part in ("train", "test")
    )
    if not len(train) or not len(test):
        raise ValueError(
            f"After filtering for sequences shorter than maxlen={maxlen}, no sequence was kept. Increase maxlen."
        )
    limit = encoding.limit(train, test)
    return encoding.lists(train, limit), encoding.lists(test, limit)


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The rank of every word (the most frequent has 1), downloaded once; ``path`` as in :func:`load_data`."""
    return read_word_index(local_or_cached(path, ORIGIN + "imdb_word_index.json", _INDEX_MD5))
