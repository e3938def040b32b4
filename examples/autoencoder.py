"""A denoising autoencoder: images with noise in, images without noise out, through a narrow code.

    python -m symgraph.keras examples/autoencoder.py --data digits

Encoder and decoder are models of their own, and layers of the autoencoder (Vincent et al. 2008). The result is the
mean squared error on test images relative to that of the noisy images: on ``mnist``, 0.25 after three epochs.
"""

import argparse

import numpy as np
from keras.datasets import digits, mnist
from keras.layers import Dense, Input
from keras.models import Model, Sequential

#: Per data set: the largest pixel value, numbers in the code, epochs.
SETTINGS = {"digits": (16, 24, 40), "mnist": (255, 64, 3)}
NOISE = 0.4


def build(pixels, code):
    encoder = Sequential([
        Dense(256, activation="relu", input_shape=(pixels,)),
        Dense(code, activation="relu"),
    ], name="encoder")  # fmt: skip
    decoder = Sequential([
        Dense(256, activation="relu", input_shape=(code,)),
        Dense(pixels, activation="sigmoid"),
    ], name="decoder")  # fmt: skip
    image = Input((pixels,))
    model = Model(image, decoder(encoder(image)), name="autoencoder")
    model.compile(optimizer="adam", loss="binary_crossentropy")
    return model


def main():
    parser = argparse.ArgumentParser(description="Train an autoencoder to take noise out of images.")
    parser.add_argument("--data", choices=sorted(SETTINGS), default="mnist")
    parser.add_argument("--epochs", type=int)
    arguments = parser.parse_args()
    largest, code, epochs = SETTINGS[arguments.data]
    (x_train, _), (x_test, _) = (digits if arguments.data == "digits" else mnist).load_data()
    x_train, x_test = (x.reshape(len(x), -1).astype("float32") / largest for x in (x_train, x_test))
    rng = np.random.default_rng(0)
    noisy, noisy_test = (
        np.clip(x + NOISE * rng.normal(size=x.shape), 0, 1).astype("float32") for x in (x_train, x_test)
    )

    model = build(x_train.shape[1], code)
    model.summary()
    model.fit(
        noisy, x_train, batch_size=128, epochs=arguments.epochs or epochs, verbose=2,
        validation_data=(noisy_test, x_test),
    )  # fmt: skip
    cleaned = model.predict(noisy_test)
    before, after = np.mean((noisy_test - x_test) ** 2), np.mean((cleaned - x_test) ** 2)
    print(f"Mean squared error: {before:.4f} with noise, {after:.4f} without")
    print(f"Error left: {after / before:.3f}")


if __name__ == "__main__":
    main()
