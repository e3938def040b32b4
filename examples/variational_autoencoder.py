"""A variational autoencoder of handwritten digits (Kingma and Welling, "Auto-encoding variational Bayes", 2013).

    python -m symgraph.keras examples/variational_autoencoder.py --data digits

The encoder gives mean and logarithm of the variance of a code of two numbers, a ``Lambda`` layer draws from that
distribution, and the decoder makes an image of what was drawn. The loss is added with ``add_loss``. On ``mnist``, the
bound on the likelihood is -161 nats an image after five epochs; the prior alone, without a code, gives -206.
"""

import argparse

import numpy as np
from keras import backend as K
from keras.datasets import digits, mnist
from keras.layers import Dense, Input, Lambda
from keras.losses import binary_crossentropy
from keras.models import Model

#: Per data set: the largest pixel value, epochs.
SETTINGS = {"digits": (16, 60), "mnist": (255, 5)}


def sample(arguments):
    mean, log_variance = arguments
    noise = K.random_normal(K.shape(mean))
    return mean + K.exp(0.5 * log_variance) * noise


def build(pixels, latent=2):
    """The model that is trained, with its loss, and the decoder."""
    image = Input((pixels,), name="image")
    hidden = Dense(512, activation="relu")(image)
    mean, log_variance = Dense(latent, name="mean")(hidden), Dense(latent, name="log_variance")(hidden)
    code = Lambda(sample, output_shape=(latent,), name="code")([mean, log_variance])

    drawn = Input((latent,), name="drawn")
    decoder = Model(drawn, Dense(pixels, activation="sigmoid")(Dense(512, activation="relu")(drawn)), name="decoder")
    decoded = decoder(code)

    model = Model(image, decoded, name="vae")
    reconstruction = pixels * binary_crossentropy(image, decoded)
    divergence = -0.5 * K.sum(1 + log_variance - K.square(mean) - K.exp(log_variance), axis=-1)
    model.add_loss(K.mean(reconstruction + divergence))
    model.compile(optimizer="adam")
    return model, decoder


def without_code(x):
    """The loss of the best answer that looks at no image: the mean image."""
    p = np.clip(x.mean(0), 1e-7, 1 - 1e-7)
    return -np.mean(np.sum(x * np.log(p) + (1 - x) * np.log(1 - p), axis=1))


def main():
    parser = argparse.ArgumentParser(description="Train a variational autoencoder.")
    parser.add_argument("--data", choices=sorted(SETTINGS), default="mnist")
    parser.add_argument("--epochs", type=int)
    arguments = parser.parse_args()
    largest, epochs = SETTINGS[arguments.data]
    (x_train, _), (x_test, _) = (digits if arguments.data == "digits" else mnist).load_data()
    x_train, x_test = (x.reshape(len(x), -1).astype("float32") / largest for x in (x_train, x_test))

    model, decoder = build(x_train.shape[1])
    model.summary()
    model.fit(x_train, batch_size=128, epochs=arguments.epochs or epochs, verbose=2, validation_data=(x_test, None))
    loss = model.evaluate(x_test, None, batch_size=128, verbose=0)
    width = int(x_train.shape[1] ** 0.5)
    (image,) = decoder.predict(np.zeros((1, 2)))
    print("The image in the middle of the codes:")
    for row in image.reshape(width, width):
        print("".join(" .:-=+*#%@"[min(9, int(10 * value))] for value in row))
    print(f"Bound: {-loss:.2f} nats; without a code {-without_code(x_test):.2f}")
    print(f"Loss relative to the mean image: {loss / without_code(x_test):.3f}")


if __name__ == "__main__":
    main()
