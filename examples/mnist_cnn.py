"""A convolutional network that reads handwritten digits, in plain Keras 2.

    python -m symgraph.keras examples/mnist_cnn.py --data digits

``digits`` are 1,797 real 8 x 8 images that come with symgraph; ``mnist`` is the set of 70,000 images of 28 x 28,
downloaded once. The program is plain Keras 2: ``python -m symgraph.keras`` answers its ``import keras``.

What is shown as validation are the test images: they are looked at after each epoch, and decide nothing.
"""

import argparse

import keras
from keras.datasets import digits, mnist
from keras.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Sequential

CLASSES = 10
#: Per data set: the largest pixel value, width of an image, batch size, epochs.
SETTINGS = {"digits": (16, 8, 32, 20), "mnist": (255, 28, 128, 12)}


def load(name):
    """``(x, y)`` to train and to test: images with one channel of floats in 0..1, labels one-hot."""
    (x_train, y_train), (x_test, y_test) = digits.load_data() if name == "digits" else mnist.load_data()
    largest, width, _, _ = SETTINGS[name]

    def prepared(x, y):
        images = x.reshape(len(x), width, width, 1).astype("float32") / largest
        return images, keras.utils.to_categorical(y, CLASSES)

    return prepared(x_train, y_train), prepared(x_test, y_test)


def build(width):
    model = Sequential()
    model.add(Conv2D(32, kernel_size=(3, 3), activation="relu", input_shape=(width, width, 1)))
    model.add(Conv2D(64, (3, 3), activation="relu"))
    model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Dropout(0.25))
    model.add(Flatten())
    model.add(Dense(128, activation="relu"))
    model.add(Dropout(0.5))
    model.add(Dense(CLASSES, activation="softmax"))
    model.compile(
        loss=keras.losses.categorical_crossentropy, optimizer=keras.optimizers.Adadelta(), metrics=["accuracy"]
    )
    return model


def main():
    parser = argparse.ArgumentParser(description="Train a convolutional network on handwritten digits.")
    parser.add_argument("--data", choices=sorted(SETTINGS), default="mnist")
    parser.add_argument("--epochs", type=int)
    arguments = parser.parse_args()
    _, width, batch, epochs = SETTINGS[arguments.data]
    (x_train, y_train), (x_test, y_test) = load(arguments.data)
    model = build(width)
    model.summary()
    model.fit(
        x_train, y_train, batch_size=batch, epochs=arguments.epochs or epochs, verbose=2,
        validation_data=(x_test, y_test),
    )  # fmt: skip
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"Test loss: {loss:.4f}\nTest accuracy: {accuracy:.4f}")


if __name__ == "__main__":
    main()
