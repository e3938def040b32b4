"""Several inputs and outputs: two images of digits, what each shows, and what they sum up to.

    python -m symgraph.keras examples/multi_input_output.py --data digits

The functional model takes a pair of images and has three outputs of three kinds: the class of the first, the class of
the second, and the sum as a number. The error of the sum counts a twentieth of the others in the total loss. Data
come as dictionaries by the names of the layers. On ``mnist``, three epochs read both digits of 0.94 of the test pairs.
"""

import argparse

import numpy as np
from keras.datasets import digits, mnist
from keras.layers import Dense, Dropout, Input, concatenate
from keras.models import Model
from keras.utils import to_categorical

CLASSES = 10
#: Per data set: the largest pixel value, pairs to train on, epochs.
SETTINGS = {"digits": (16, 6000, 15), "mnist": (255, 60000, 3)}


def pairs(x, y, largest, count, rng):
    """``(inputs, targets)`` of random pairs, as dictionaries."""
    x = x.reshape(len(x), -1).astype("float32") / largest
    one, two = rng.integers(len(x), size=(2, count))
    targets = {
        "first": to_categorical(y[one], CLASSES),
        "second": to_categorical(y[two], CLASSES),
        "total": y[one].astype("float32") + y[two],
    }
    return {"left": x[one], "right": x[two]}, targets


def build(pixels):
    left, right = Input((pixels,), name="left"), Input((pixels,), name="right")
    codes = []
    for image in (left, right):
        code = Dense(256, activation="relu")(image)
        codes.append(Dropout(0.2)(code))
    first = Dense(CLASSES, activation="softmax", name="first")(codes[0])
    second = Dense(CLASSES, activation="softmax", name="second")(codes[1])
    both = Dense(64, activation="relu")(concatenate([first, second]))
    total = Dense(1, name="total")(both)
    model = Model(inputs=[left, right], outputs=[first, second, total])
    model.compile(
        optimizer="adam",
        loss={"first": "categorical_crossentropy", "second": "categorical_crossentropy", "total": "mse"},
        loss_weights={"total": 0.05},
        metrics={"first": "accuracy", "second": "accuracy", "total": "mae"},
    )
    return model


def main():
    parser = argparse.ArgumentParser(description="Read two digits and add them.")
    parser.add_argument("--data", choices=sorted(SETTINGS), default="mnist")
    parser.add_argument("--epochs", type=int)
    arguments = parser.parse_args()
    largest, count, epochs = SETTINGS[arguments.data]
    (x_train, y_train), (x_test, y_test) = (digits if arguments.data == "digits" else mnist).load_data()
    rng = np.random.default_rng(0)
    inputs, targets = pairs(x_train, y_train, largest, count, rng)
    test_inputs, test_targets = pairs(x_test, y_test, largest, 2000, rng)

    model = build(inputs["left"].shape[1])
    model.summary()
    model.fit(inputs, targets, batch_size=64, epochs=arguments.epochs or epochs, verbose=2)
    for name, value in zip(model.metrics_names, model.evaluate(test_inputs, test_targets, verbose=0)):
        print(f"test {name}: {value:.4f}")
    first, second, total = model.predict(test_inputs)
    right = np.argmax(first, 1) == np.argmax(test_targets["first"], 1)
    right &= np.argmax(second, 1) == np.argmax(test_targets["second"], 1)
    print(f"Mean error of the sum: {np.mean(np.abs(total[:, 0] - test_targets['total'])):.3f}")
    print(f"Test accuracy: {right.mean():.4f}")


if __name__ == "__main__":
    main()
