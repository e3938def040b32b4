"""A convolutional network over words that tells positive film reviews from negative ones, in plain Keras 2.

    python -m symgraph.keras examples/sentence_cnn.py

The data are 10,662 sentences of film reviews (B. Pang and L. Lee, 2005), downloaded once; ``--data FOLDER`` reads
``rt-polarity.pos`` and ``rt-polarity.neg`` from a folder. The network is that of Y. Kim, "Convolutional Neural Networks
for Sentence Classification" (2014), smaller: words as vectors, convolutions over three words, the strongest of each.
Five epochs reach a test accuracy of 0.75 to 0.77, depending on which sentences are held out.
"""

import argparse
from pathlib import Path

import numpy as np
from keras.layers import Conv1D, Dense, Dropout, Embedding, GlobalMaxPooling1D
from keras.models import Sequential
from keras.preprocessing.sequence import pad_sequences
from keras.preprocessing.text import Tokenizer
from keras.utils import get_file

ORIGIN = "https://www.cs.cornell.edu/people/pabo/movie-review-data/rt-polaritydata.tar.gz"
WORDS = 8000
LENGTH = 40


def load(folder, samples, seed):
    """Sentences in a random order, and whether each is positive."""
    folder = Path(folder or get_file("rt-polaritydata", ORIGIN, untar=True))
    texts, labels = [], []
    for name, label in (("rt-polarity.pos", 1), ("rt-polarity.neg", 0)):
        content = (folder / name).read_bytes()
        try:
            lines = content.decode("utf-8").splitlines()
        except UnicodeDecodeError:
            lines = content.decode("latin-1").splitlines()
        texts += lines
        labels += [label] * len(lines)
    order = np.random.RandomState(seed).permutation(len(texts))[:samples]
    return [texts[i] for i in order], np.array(labels)[order]


def build(words):
    model = Sequential()
    model.add(Embedding(words, 64, input_length=LENGTH))
    model.add(Dropout(0.5))
    model.add(Conv1D(128, 3, padding="same", activation="relu"))
    model.add(GlobalMaxPooling1D())
    model.add(Dropout(0.5))
    model.add(Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def main():
    parser = argparse.ArgumentParser(description="Train a convolutional network on sentences of film reviews.")
    parser.add_argument("--data", metavar="FOLDER", help="where rt-polarity.pos and rt-polarity.neg are")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--samples", type=int, help="use only so many sentences")
    parser.add_argument("--seed", type=int, default=0, help="of the order of the sentences")
    arguments = parser.parse_args()

    texts, labels = load(arguments.data, arguments.samples, arguments.seed)
    held = len(texts) // 10
    tokenizer = Tokenizer(num_words=WORDS, oov_token="<unknown>")
    tokenizer.fit_on_texts(texts[held:])
    x = pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=LENGTH)
    print(f"{len(texts) - held} sentences to train, {held} to test, {len(tokenizer.word_index)} words")

    model = build(min(WORDS, len(tokenizer.word_index) + 1))
    model.summary()
    model.fit(x[held:], labels[held:], batch_size=64, epochs=arguments.epochs, verbose=2)
    loss, accuracy = model.evaluate(x[:held], labels[:held], verbose=0)
    print(f"Test loss: {loss:.4f}\nTest accuracy: {accuracy:.4f}")


if __name__ == "__main__":
    main()
