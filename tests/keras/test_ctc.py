"""CTC against the sum over all alignments, and against all labellings."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras.layers import Dense, Input, Lambda
from symgraph.keras.models import Model

pytestmark = pytest.mark.usefixtures("session")

RNG = np.random.default_rng(1)
STEPS, CATEGORIES = 5, 4
BLANK = CATEGORIES - 1


def _probabilities(samples: int, steps: int = STEPS, categories: int = CATEGORIES) -> Any:
    scores = np.exp(2 * RNG.normal(size=(samples, steps, categories)))
    return scores / scores.sum(-1, keepdims=True)


def _collapse(path: Any) -> tuple[int, ...]:
    return tuple(int(c) for c, _ in itertools.groupby(path) if c != BLANK)


def _all_labellings(p: Any, steps: int) -> dict[tuple[int, ...], float]:
    """The probability of each labelling, summed over all paths."""
    p = (p + K.epsilon()) / (p + K.epsilon()).sum(-1, keepdims=True)
    found: dict[tuple[int, ...], float] = defaultdict(float)
    for path in itertools.product(range(p.shape[-1]), repeat=steps):
        found[_collapse(path)] += float(np.prod(p[np.arange(steps), path]))
    return found


LABELS = np.array([[0, 1, -1], [2, 2, 0], [1, -1, -1], [-1, -1, -1], [1, 1, 1], [0, 1, 2]])
LABEL_LENGTHS = np.array([[2], [3], [1], [0], [3], [3]])
INPUT_LENGTHS = np.array([[5], [5], [3], [4], [4], [3]])  # the fifth does not fit: two blanks are needed


def _cost(dtype: str) -> Any:
    inputs = [K.placeholder((None, None)), K.placeholder((None, None, CATEGORIES), dtype=dtype)]
    inputs += [K.placeholder((None, 1)), K.placeholder((None, 1))]
    cost = K.ctc_batch_cost(*inputs)
    return K.function(inputs, [cost, K.gradients(K.sum(cost), [inputs[1]])[0]])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_cost_and_gradient(dtype: str) -> None:
    p = _probabilities(6)
    f = _cost(dtype)
    cost, gradient = f([LABELS, p, INPUT_LENGTHS, LABEL_LENGTHS])
    assert cost.shape == (6, 1) and np.isinf(cost[4, 0])
    for i in (0, 1, 2, 3, 5):
        likelihood = _all_labellings(p[i], INPUT_LENGTHS[i, 0])[tuple(LABELS[i, : LABEL_LENGTHS[i, 0]])]
        assert cost[i, 0] == pytest.approx(-np.log(likelihood), rel=1e-9 if dtype == "float64" else 1e-5)
    assert np.isfinite(gradient).all() and not gradient[2, 3:].any() and not gradient[4].any()
    alone = f([LABELS[:4], p[:4], INPUT_LENGTHS[:4], LABEL_LENGTHS[:4]])[0]  # another size of batch
    np.testing.assert_allclose(alone, cost[:4], 1e-6)
    if dtype == "float64":
        direction = RNG.normal(size=p.shape)
        moved = [f([LABELS, p + s * direction, INPUT_LENGTHS, LABEL_LENGTHS])[0] for s in (1e-6, -1e-6)]
        high, low = (costs[np.isfinite(costs)].sum() for costs in moved)
        assert (gradient * direction).sum() == pytest.approx((high - low) / 2e-6, rel=1e-6)


def test_cost_of_long_sequences_stays_finite() -> None:
    p = _probabilities(2, 300, CATEGORIES).astype("float32")
    labels = RNG.integers(0, BLANK, (2, 100))
    cost, gradient = _cost("float32")([labels, p, np.full((2, 1), 300), np.full((2, 1), 100)])
    assert np.isfinite(cost).all() and (cost > 50).all() and np.isfinite(gradient).all()


@pytest.mark.parametrize("merge", [False, True])
def test_beam_search_finds_the_likeliest_labellings(merge: bool) -> None:
    samples, top = 4, 3
    p = _probabilities(samples)
    lengths = np.array([5, 4, 5, 1])
    x, n = K.placeholder((None, None, CATEGORIES), dtype="float64"), K.placeholder((None,))
    paths, scores = K.ctc_decode(x, n, greedy=False, beam_width=400, top_paths=top, merge_repeated=merge)
    *found, logs = K.function([x, n], [*paths, scores])([p, lengths])
    assert logs.shape == (samples, top) and all(f.shape == (samples, STEPS) for f in found)
    for i in range(samples):
        ranked = sorted(_all_labellings(p[i], lengths[i]).items(), key=lambda item: -item[1])[:top]
        for path, (labelling, likelihood) in enumerate(ranked):
            merged = tuple(c for c, _ in itertools.groupby(labelling)) if merge else labelling
            assert tuple(found[path][i][found[path][i] >= 0]) == merged
            assert logs[i, path] == pytest.approx(np.log(likelihood), rel=1e-9)
            assert (found[path][i][len(merged) :] == -1).all()


def _reference_search(p: Any, width: int) -> list[tuple[tuple[int, ...], float]]:
    """Prefix beam search over dictionaries."""
    p = (p + K.epsilon()) / (p + K.epsilon()).sum(-1, keepdims=True)
    beam: dict[tuple[int, ...], tuple[float, float]] = {(): (1.0, 0.0)}
    for now in p:
        new: dict[tuple[int, ...], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for prefix, (blank, label) in beam.items():
            new[prefix][0] += (blank + label) * now[BLANK]
            if prefix:
                new[prefix][1] += label * now[prefix[-1]]
            for c in range(BLANK):
                new[(*prefix, c)][1] += now[c] * (blank if prefix and prefix[-1] == c else blank + label)
        kept = sorted(new.items(), key=lambda item: -sum(item[1]))[:width]
        beam = {prefix: (a, b) for prefix, (a, b) in kept}
    return [(prefix, a + b) for prefix, (a, b) in beam.items()]


@pytest.mark.parametrize("width", [1, 2, 5])
def test_a_narrow_beam_prunes_as_the_textbook_does(width: int) -> None:
    p = _probabilities(3, 12)
    x, n = K.placeholder((None, None, CATEGORIES), dtype="float64"), K.placeholder((None,))
    paths, scores = K.ctc_decode(x, n, greedy=False, beam_width=width, top_paths=width)
    *found, logs = K.function([x, n], [*paths, scores])([p, np.full(3, 12)])
    for i in range(3):
        for path, (labelling, likelihood) in enumerate(_reference_search(p[i], width)):
            assert tuple(found[path][i][found[path][i] >= 0]) == labelling
            assert logs[i, path] == pytest.approx(np.log(likelihood), rel=1e-9)


def test_greedy_decoding() -> None:
    p = _probabilities(7)
    lengths = np.array([5, 5, 4, 3, 2, 1, 5])
    x, n = K.placeholder((None, None, CATEGORIES), dtype="float64"), K.placeholder((None,))
    (path,), score = K.ctc_decode(x, n)
    found, logs = K.function([x, n], [path, score])([p, lengths])
    assert logs.shape == (7, 1)
    for i, length in enumerate(lengths):
        best = p[i, :length].argmax(-1)
        labels = _collapse(best)
        assert tuple(found[i][: len(labels)]) == labels and (found[i][len(labels) :] == -1).all()
        assert logs[i, 0] == pytest.approx(-np.log(p[i, :length].max(-1) + K.epsilon()).sum(), rel=1e-9)


def test_dense_to_sparse() -> None:
    labels, lengths = K.placeholder((None, 3), dtype="int32"), K.placeholder((None,), dtype="int32")
    sparse = K.ctc_label_dense_to_sparse(labels, lengths)
    data = np.array([[4, 5, 6], [7, 8, 9]])
    indices, values, shape = K.function([labels, lengths], list(sparse))([data, np.array([2, 3])])
    assert shape.tolist() == [2, 3] and values.tolist() == [4, 5, -1, 7, 8, 9]
    assert indices.tolist() == [[i, j] for i in range(2) for j in range(3)]


def test_bad_widths() -> None:
    x, n = K.placeholder((None, None, 4)), K.placeholder((None,))
    with pytest.raises(ValueError, match="`top_paths` is 3 for a `beam_width` of 2"):
        K.ctc_decode(x, n, greedy=False, beam_width=2, top_paths=3)


def test_training_with_ctc() -> None:
    """The usual form: the cost is a layer's output, and the loss passes it on."""
    x, labels = Input((STEPS, 6)), Input((2,))
    steps, count = Input((1,), dtype="int64"), Input((1,), dtype="int64")
    p = Dense(CATEGORIES, activation="softmax")(x)
    cost = Lambda(lambda a: K.ctc_batch_cost(*a), output_shape=(1,))([labels, p, steps, count])
    model = Model([x, labels, steps, count], cost)
    model.compile("adam", lambda y_true, y_pred: y_pred)
    K.set_value(model.optimizer.lr, 0.1)
    data = [RNG.normal(size=(8, STEPS, 6)), RNG.integers(0, BLANK, (8, 2)), np.full((8, 1), STEPS), np.full((8, 1), 2)]
    losses = [model.train_on_batch(data, np.zeros((8, 1))) for _ in range(25)]
    assert losses[-1] < 0.5 * losses[0]
