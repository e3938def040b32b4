"""Text and sequences."""

from __future__ import annotations

import numpy as np
import pytest

from symgraph.keras.preprocessing.sequence import (
    TimeseriesGenerator,
    make_sampling_table,
    pad_sequences,
    skipgrams,
    timeseries_generator_from_json,
)
from symgraph.keras.preprocessing.text import (
    Tokenizer,
    hashing_trick,
    one_hot,
    text_to_word_sequence,
    tokenizer_from_json,
)

TEXTS = ["The cat sat on the mat.", "The dog, the dog!", "a cat"]


def test_words() -> None:
    assert text_to_word_sequence("Hello,  World!\tAgain") == ["hello", "world", "again"]
    assert text_to_word_sequence("A-b C", filters="", lower=False) == ["A-b", "C"]
    assert text_to_word_sequence("one<s>two<s><s>", filters="", split="<s>") == ["one", "two"]
    assert text_to_word_sequence("über!straße?naïve") == ["über", "straße", "naïve"]


def test_hashes() -> None:
    numbers = hashing_trick("the cat the dog", 50, "md5")
    assert numbers[0] == numbers[2] and all(1 <= n < 50 for n in numbers)
    assert numbers == hashing_trick("the cat the dog", 50, "md5")
    assert all(1 <= n < 5 for n in one_hot("a b c d e f g", 5))
    assert hashing_trick("ab abc", 10, hash_function=len) == [3, 4]


def test_tokenizer_numbers_words_by_frequency() -> None:
    t = Tokenizer()
    t.fit_on_texts(TEXTS)
    assert t.word_index == {"the": 1, "cat": 2, "dog": 3, "sat": 4, "on": 5, "mat": 6, "a": 7}
    assert t.document_count == 3 and t.word_docs["the"] == 2 and t.index_docs[2] == 2
    assert t.texts_to_sequences(["the unknown mat"]) == [[1, 6]]
    assert t.sequences_to_texts([[1, 6, 99]]) == ["the mat"]
    small = Tokenizer(num_words=3, oov_token="?")
    small.fit_on_texts(TEXTS)
    assert small.word_index["?"] == 1 and small.texts_to_sequences(["the cat the"]) == [[2, 1, 2]]
    assert small.sequences_to_texts([[2, 3]]) == ["the ?"]
    chars = Tokenizer(char_level=True)
    chars.fit_on_texts(["aab"])
    assert chars.texts_to_sequences(["ba"]) == [[2, 1]]
    words = Tokenizer()
    words.fit_on_texts([["One", "two"], ["one"]])
    assert words.texts_to_sequences([["ONE", "two"]]) == [[1, 2]]


def test_tokenizer_matrices() -> None:
    t = Tokenizer(num_words=4)
    t.fit_on_texts(TEXTS)
    np.testing.assert_array_equal(t.texts_to_matrix(TEXTS), [[0, 1, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]])
    np.testing.assert_array_equal(t.texts_to_matrix(TEXTS, "count"), [[0, 2, 1, 0], [0, 2, 0, 2], [0, 0, 1, 0]])
    np.testing.assert_allclose(t.texts_to_matrix(TEXTS[:1], "freq"), [[0, 2 / 3, 1 / 3, 0]])
    idf = np.log(1 + 3 / (1 + 2))
    np.testing.assert_allclose(t.texts_to_matrix(TEXTS[:1], "tfidf"), [[0, (1 + np.log(2)) * idf, idf, 0]])
    with pytest.raises(ValueError, match="Unknown"):
        t.texts_to_matrix(TEXTS, "other")
    with pytest.raises(ValueError, match="num_words"):
        Tokenizer().sequences_to_matrix([[1]])
    with pytest.raises(ValueError, match="tfidf"):
        Tokenizer(num_words=3).sequences_to_matrix([[1]], "tfidf")


def test_tokenizer_as_json() -> None:
    t = Tokenizer(num_words=5, oov_token="<x>")
    t.fit_on_texts(TEXTS)
    again = tokenizer_from_json(t.to_json())
    assert again.get_config() == t.get_config()
    np.testing.assert_array_equal(again.texts_to_matrix(TEXTS, "tfidf"), t.texts_to_matrix(TEXTS, "tfidf"))


def test_the_old_name_of_num_words() -> None:
    with pytest.warns(UserWarning, match="renamed `num_words`"):
        assert Tokenizer(nb_words=7).num_words == 7
    with pytest.raises(TypeError, match="Unrecognized keyword"):
        Tokenizer(bogus=1)


def test_padding() -> None:
    a = [[1], [1, 2], [1, 2, 3]]
    assert pad_sequences(a).tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 3]]
    assert pad_sequences(a, maxlen=2).tolist() == [[0, 1], [1, 2], [2, 3]]
    assert pad_sequences(a, 2, padding="post", truncating="post", value=9).tolist() == [[1, 9], [1, 2], [1, 2]]
    assert pad_sequences(a).dtype == np.int32
    vectors = pad_sequences([[[1, 1]], [[2, 2], [3, 3]]], dtype="float32", value=-1.0)
    assert vectors.tolist() == [[[-1, -1], [1, 1]], [[2, 2], [3, 3]]]
    assert pad_sequences([["a"], ["b", "c"]], dtype=object, value="pad").tolist() == [["pad", "a"], ["b", "c"]]
    assert pad_sequences([[], [1]], maxlen=2).tolist() == [[0, 0], [0, 1]]
    for bad in ({"padding": "x"}, {"truncating": "x"}, {"value": "x"}):
        with pytest.raises(ValueError):
            pad_sequences(a, **bad)
    with pytest.raises(ValueError, match="iterables"):
        pad_sequences([1, 2])
    with pytest.raises(ValueError, match="expected shape"):
        pad_sequences([[[1, 1]], [[1, 1, 1]]])


def test_pairs_of_words() -> None:
    couples, labels = skipgrams([1, 2, 0, 3], 10, window_size=1, negative_samples=0, shuffle=False)
    assert couples == [[1, 2], [2, 1]] and labels == [1, 1]
    couples, labels = skipgrams(list(range(1, 9)), 9, window_size=2, seed=1, categorical=True)
    assert len(couples) == 2 * 26 and labels.count([0, 1]) == labels.count([1, 0]) == 26
    for (a, b), label in zip(couples, labels, strict=True):
        assert 1 <= a <= 8 and 1 <= b <= 8 and (label == [1, 0] or abs(a - b) <= 2)
    table = make_sampling_table(5, 1e-5)
    np.testing.assert_allclose(table[[0, 1, 3]], np.sqrt([9.9367e-6, 9.9367e-6, 5.49906e-5]), rtol=1e-4)


def test_windows_of_a_series() -> None:
    data, targets = np.arange(50)[:, None], np.arange(50) * 10
    g = TimeseriesGenerator(data, targets, length=10, sampling_rate=2, batch_size=2)
    assert len(g) == 20
    x, y = g[0]
    assert x[..., 0].tolist() == [[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]] and y.tolist() == [100, 110]
    x, y = TimeseriesGenerator(data, targets, 10, stride=3, start_index=10, end_index=30, reverse=True, batch_size=2)[0]
    assert y.tolist() == [200, 230] and x[0, :, 0].tolist() == list(range(19, 9, -1))
    again = timeseries_generator_from_json(g.to_json())
    np.testing.assert_array_equal(again[3][0], g[3][0])
    assert all(t % 10 == 0 for t in TimeseriesGenerator(data, targets, 10, shuffle=True)[0][1])
    with pytest.raises(TypeError, match="Targets not JSON Serializable: list"):
        TimeseriesGenerator(data, [object()] * 50, 10).to_json()
    with pytest.raises(ValueError, match="same length"):
        TimeseriesGenerator(data, targets[1:], 10)
    with pytest.raises(ValueError, match="disallowed"):
        TimeseriesGenerator(data, targets, 50)
