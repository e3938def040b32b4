"""A convolutional network for small photographs in ten classes: Keras's CIFAR-10 example.

    python -m symgraph.keras examples/cifar10_cnn.py --data cifar10

``--data`` is ``cifar10`` (60,000 images, downloaded once), the path of an archive with some of them, or ``digits``,
which come with symgraph. With 10,000 images to train on, ten epochs reach 0.63 of the test images.

What is shown as validation are the test images: they are looked at after each epoch, and decide nothing.
"""

import argparse

from keras.datasets import cifar10, digits
from keras.layers import Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Sequential
from keras.optimizers import RMSprop
from keras.utils import to_categorical

CLASSES = 10


def load(name):
    """``(x, y)`` to train and to test: images ``(n, height, width, channels)`` of floats in 0..1, labels one-hot."""
    if name == "digits":
        (x_train, y_train), (x_test, y_test) = digits.load_data()
        x_train, x_test, largest = x_train[..., None], x_test[..., None], 16
    else:
        (x_train, y_train), (x_test, y_test) = cifar10.load_data(*([] if name == "cifar10" else [name]))
        largest = 255
    x_train, x_test = (x.astype("float32") / largest for x in (x_train, x_test))
    return (x_train, to_categorical(y_train, CLASSES)), (x_test, to_categorical(y_test, CLASSES))


def build(shape):
    model = Sequential()
    model.add(Conv2D(32, (3, 3), padding="same", input_shape=shape))
    model.add(Activation("relu"))
    model.add(Conv2D(32, (3, 3), padding="same"))
    model.add(Activation("relu"))
    model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Dropout(0.25))

    model.add(Conv2D(64, (3, 3), padding="same"))
    model.add(Activation("relu"))
    model.add(Conv2D(64, (3, 3), padding="same"))
    model.add(Activation("relu"))
    model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Dropout(0.25))

    model.add(Flatten())
    model.add(Dense(512))
    model.add(Activation("relu"))
    model.add(Dropout(0.5))
    model.add(Dense(CLASSES))
    model.add(Activation("softmax"))
    model.compile(loss="categorical_crossentropy", optimizer=RMSprop(lr=0.0005), metrics=["accuracy"])
    return model


def main():
    parser = argparse.ArgumentParser(description="Train a convolutional network on small photographs.")
    parser.add_argument("--data", default="cifar10", help="cifar10, digits, or the path of an archive")
    parser.add_argument("--epochs", type=int, default=10)
    arguments = parser.parse_args()
    (x_train, y_train), (x_test, y_test) = load(arguments.data)
    print(f"{len(x_train)} images to train, {len(x_test)} to test, of shape {x_train.shape[1:]}")
    model = build(x_train.shape[1:])
    model.summary()
    model.fit(
        x_train, y_train, batch_size=32, epochs=arguments.epochs, verbose=2, validation_data=(x_test, y_test)
    )  # fmt: skip
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"Test loss: {loss:.4f}\nTest accuracy: {accuracy:.4f}")


if __name__ == "__main__":
    main()
