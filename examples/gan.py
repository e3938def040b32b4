"""A generative adversarial network of handwritten digits (Goodfellow et al. 2014), with ``trainable`` switched.

    python -m symgraph.keras examples/gan.py --data digits

The discriminator is compiled by itself; then it is frozen and becomes the second half of the model that trains the
generator. Freezing does not reach what was compiled before, so one set of weights is trained in turn by two models. A
classifier of real digits, which neither of them sees, judges the result: how many of the ten digits are drawn at all,
and how sure it is of what it sees. Before, the means and deviations of pixels are compared with those of real digits,
which an untrained generator misses by far. On ``mnist``, 4,000 steps draw all ten, at a mean certainty of 0.7.
"""

import argparse

import numpy as np
from keras.datasets import digits, mnist
from keras.layers import BatchNormalization, Dense, Dropout, Input, LeakyReLU
from keras.models import Model, Sequential
from keras.optimizers import Adam

LATENT = 64
#: Per data set: the largest pixel value, batch, steps.
SETTINGS = {"digits": (16, 64, 3000), "mnist": (255, 64, 4000)}


def build(pixels):
    """``(generator, discriminator, both)``; the first is trained through the last."""
    generator = Sequential(name="generator")
    generator.add(Dense(256, input_dim=LATENT))
    generator.add(LeakyReLU(0.2))
    generator.add(BatchNormalization(momentum=0.8))
    generator.add(Dense(512))
    generator.add(LeakyReLU(0.2))
    generator.add(BatchNormalization(momentum=0.8))
    generator.add(Dense(pixels, activation="sigmoid"))

    discriminator = Sequential(name="discriminator")
    discriminator.add(Dense(256, input_dim=pixels))
    discriminator.add(LeakyReLU(0.2))
    discriminator.add(Dropout(0.4))
    discriminator.add(Dense(128))
    discriminator.add(LeakyReLU(0.2))
    discriminator.add(Dropout(0.4))
    discriminator.add(Dense(1, activation="sigmoid"))
    discriminator.compile(loss="binary_crossentropy", optimizer=Adam(0.0002, beta_1=0.5), metrics=["accuracy"])

    discriminator.trainable = False
    noise = Input((LATENT,))
    both = Model(noise, discriminator(generator(noise)))
    both.compile(loss="binary_crossentropy", optimizer=Adam(0.0002, beta_1=0.5))
    return generator, discriminator, both


def judge(x, y):
    """A classifier of real digits."""
    model = Sequential([
        Dense(256, activation="relu", input_shape=x.shape[1:]),
        Dropout(0.3),
        Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam")
    model.fit(x, y, batch_size=128, epochs=3 if len(x) > 5000 else 20, verbose=0)
    return model


def mismatch(images, x):
    """How far the means and deviations of all pixels are from those of real images, in the mean."""
    return np.abs(images.mean(0) - x.mean(0)).mean() + np.abs(images.std(0) - x.std(0)).mean()


def main():
    parser = argparse.ArgumentParser(description="Train a generator of digits against a discriminator.")
    parser.add_argument("--data", choices=sorted(SETTINGS), default="mnist")
    parser.add_argument("--steps", type=int)
    arguments = parser.parse_args()
    largest, batch, steps = SETTINGS[arguments.data]
    (x, y), _ = (digits if arguments.data == "digits" else mnist).load_data()
    x = x.reshape(len(x), -1).astype("float32") / largest

    np.random.seed(0)
    generator, discriminator, both = build(x.shape[1])
    both.summary()
    rng = np.random.default_rng(0)
    shown = rng.normal(size=(1000, LATENT))
    before = mismatch(generator.predict(shown), x)
    real, made = np.full((batch, 1), 0.9), np.zeros((batch, 1))  # one-sided label smoothing
    for step in range(arguments.steps or steps):
        noise = rng.normal(size=(batch, LATENT))
        d_real = discriminator.train_on_batch(x[rng.integers(len(x), size=batch)], real)[0]
        d_made, accuracy = discriminator.train_on_batch(generator.predict(noise), made)
        g_loss = both.train_on_batch(rng.normal(size=(batch, LATENT)), np.ones((batch, 1)))
        if step % 500 == 0:
            print(f"step {step}: discriminator {d_real + d_made:.3f} ({accuracy:.2f} of made), generator {g_loss:.3f}")

    images = generator.predict(shown)
    print(f"Mismatch of the pixels' statistics left: {mismatch(images, x) / before:.3f}")
    seen = judge(x, y).predict(images)
    counts = np.bincount(seen.argmax(1), minlength=10)
    print("digits drawn:", " ".join(f"{digit}:{count}" for digit, count in enumerate(counts)))
    print(f"Digits drawn at least 10 times in 1000: {np.count_nonzero(counts >= 10)}")
    print(f"Mean certainty: {seen.max(1).mean():.3f}")


if __name__ == "__main__":
    main()
