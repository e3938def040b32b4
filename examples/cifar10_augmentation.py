"""A convolutional network on small photographs that are turned, moved and mirrored while it trains, in plain Keras 2.

    python -m symgraph.keras examples/cifar10_augmentation.py

``cifar10`` (A. Krizhevsky, 2009) is downloaded once; ``digits`` come with symgraph; any other name is an ``.npz``
archive of ``x_train``, ``y_train``, ``x_test`` and ``y_test`` or a folder of CIFAR-10's batches. ``--plain`` trains on
the images as they are. On 10,000 images, nine epochs with ``--width 16`` reach about 0.6 of the test images.

What is shown as validation are the test images: they are looked at after each epoch, and decide nothing.
"""

import argparse

import keras
from keras.datasets import cifar10, digits
from keras.layers import Activation, BatchNormalization, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Sequential
from keras.preprocessing.image import ImageDataGenerator

CLASSES = 10
BATCH = 64


def build(shape, width):
    """Blocks of two convolutions; each halves the image and has twice the channels of the one before it."""
    model = Sequential()
    blocks = 3 if shape[0] >= 32 else 2
    for block in range(blocks):
        for i in range(2):
            first = {"input_shape": shape} if block == i == 0 else {}
            model.add(Conv2D(width * 2**block, (3, 3), padding="same", use_bias=False, **first))
            model.add(BatchNormalization())
            model.add(Activation("relu"))
        model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Flatten())
    model.add(Dropout(0.3))
    model.add(Dense(CLASSES, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def load(data):
    """Images with channels, and their classes: to train, and to test."""
    if data == "digits":
        return [(x[..., None], y) for x, y in digits.load_data()]
    return cifar10.load_data() if data == "cifar10" else cifar10.load_data(path=data)


def main():
    parser = argparse.ArgumentParser(description="Train a convolutional network on transformed photographs.")
    parser.add_argument("--data", default="cifar10", help="cifar10, digits, an archive or a folder")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--width", type=int, default=32, help="channels of the first convolution")
    parser.add_argument("--workers", type=int, default=1, help="threads that transform images")
    parser.add_argument("--plain", action="store_true", help="train on the images as they are")
    arguments = parser.parse_args()

    (x_train, y_train), (x_test, y_test) = load(arguments.data)
    y_train, y_test = (keras.utils.to_categorical(y, CLASSES) for y in (y_train, y_test))
    print(f"{len(x_train)} images to train, {len(x_test)} to test")

    moves = {"rotation_range": 10, "width_shift_range": 0.1, "height_shift_range": 0.1}
    moves["horizontal_flip"] = arguments.data != "digits"
    if arguments.plain:
        moves = {}
    normal = {"featurewise_center": True, "featurewise_std_normalization": True}
    train, test = ImageDataGenerator(**normal, **moves), ImageDataGenerator(**normal)
    for generator in (train, test):
        generator.fit(x_train)

    model = build(x_train.shape[1:], arguments.width)
    model.summary()
    held = test.flow(x_test, y_test, batch_size=BATCH, shuffle=False)
    model.fit_generator(
        train.flow(x_train, y_train, batch_size=BATCH, seed=1),
        epochs=arguments.epochs, validation_data=held, workers=arguments.workers, verbose=2,
    )  # fmt: skip
    loss, accuracy = model.evaluate_generator(held)
    print(f"Test loss: {loss:.4f}\nTest accuracy: {accuracy:.4f}")


if __name__ == "__main__":
    main()
