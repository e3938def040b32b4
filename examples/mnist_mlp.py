"""A multilayer perceptron that reads handwritten digits: the classic first program of Keras 2.

    python -m symgraph.keras examples/mnist_mlp.py --data digits --plot model.svg

``digits`` are 1,797 real 8 x 8 images that come with symgraph; ``mnist`` is the set of 70,000 images of 28 x 28,
downloaded once. The program is plain Keras 2: ``python -m symgraph.keras`` answers its ``import keras``.

What is shown as validation are the test images: they are looked at after each epoch, and decide nothing.
"""

import argparse

import numpy as np
from keras import backend as K
from keras.datasets import digits, mnist
from keras.layers import Dense, Dropout
from keras.models import Sequential
from keras.optimizers import RMSprop
from keras.utils import plot_model, to_categorical

CLASSES = 10
#: Per data set: the largest pixel value, units of the hidden layers, batch size, epochs.
SETTINGS = {"digits": (16, 128, 32, 20), "mnist": (255, 512, 128, 20)}


def load(name):
    """``(x, y)`` to train and to test: images as rows of floats in 0..1, labels one-hot."""
    (x_train, y_train), (x_test, y_test) = digits.load_data() if name == "digits" else mnist.load_data()
    largest = SETTINGS[name][0]

    def prepared(x, y):
        return x.reshape(len(x), -1).astype("float32") / largest, to_categorical(y, CLASSES)

    return prepared(x_train, y_train), prepared(x_test, y_test)


def build(pixels, hidden):
    model = Sequential()
    model.add(Dense(hidden, activation="relu", input_shape=(pixels,)))
    model.add(Dropout(0.2))
    model.add(Dense(hidden, activation="relu"))
    model.add(Dropout(0.2))
    model.add(Dense(CLASSES, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer=RMSprop(), metrics=["accuracy"])
    return model


def show_hidden(model, x):
    """Look at what the first hidden layer makes of one image."""
    hidden = K.function([model.input, K.learning_phase()], [model.layers[0].output])
    (active,) = hidden([x[:1], 0])
    print(f"\nThe first hidden layer on the first test image: {active.shape}, {np.count_nonzero(active)} units active,")
    print("the strongest:", ", ".join(f"{i} ({active[0, i]:.2f})" for i in np.argsort(-active[0])[:5]))


def main():
    parser = argparse.ArgumentParser(description="Train a multilayer perceptron on handwritten digits.")
    parser.add_argument("--data", choices=sorted(SETTINGS), default="mnist")
    parser.add_argument("--epochs", type=int, help="default: 20")
    parser.add_argument("--plot", metavar="FILE", help="draw the model to this file (.svg, .png, .dot ...)")
    arguments = parser.parse_args()

    _, hidden, batch_size, epochs = SETTINGS[arguments.data]
    (x_train, y_train), (x_test, y_test) = load(arguments.data)
    print(f"{len(x_train)} images to train, {len(x_test)} to test, {x_train.shape[1]} pixels each")
    model = build(x_train.shape[1], hidden)
    model.summary()
    model.fit(
        x_train,
        y_train,
        batch_size=batch_size,
        epochs=arguments.epochs or epochs,
        verbose=1,
        validation_data=(x_test, y_test),
    )
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"\nTest loss: {loss:.4f}\nTest accuracy: {accuracy:.4f}")
    show_hidden(model, x_test)
    if arguments.plot:
        plot_model(model, to_file=arguments.plot, show_shapes=True)
        print("\nThe model is drawn in", arguments.plot)


if __name__ == "__main__":
    main()
