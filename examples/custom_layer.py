"""A layer of one's own: with weights, a config, and a model that is saved and loaded with it.

    python -m symgraph.keras examples/custom_layer.py --data digits

``Antirectifier`` keeps the negative part of what ``relu`` drops, beside the positive part; ``Scale`` has a weight for
each feature, made when the number of features is known. On ``mnist``, five epochs reach 0.975 of the test images.
"""

import argparse
import os
import tempfile

import numpy as np
from keras import backend as K
from keras.datasets import digits, mnist
from keras.initializers import Constant
from keras.layers import Dense, Dropout, Layer
from keras.models import Sequential, load_model

#: Per data set: the largest pixel value, epochs.
SETTINGS = {"digits": (16, 20), "mnist": (255, 5)}


class Antirectifier(Layer):
    """``(n, k)`` to ``(n, 2k)``: each row centred and normalised, its positive part, and its negative part."""

    def call(self, inputs):
        centred = inputs - K.mean(inputs, axis=1, keepdims=True)
        rows = K.l2_normalize(centred, axis=1)
        return K.concatenate([K.relu(rows), K.relu(-rows)], axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 2 * input_shape[1])


class Scale(Layer):
    """Each feature times a weight that is trained."""

    def __init__(self, start=1.0, **kwargs):
        super().__init__(**kwargs)
        self.start = start

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.factor = self.add_weight(name="factor", shape=shape, initializer=Constant(self.start))
        super().build(input_shape)

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        return {"start": self.start, **super().get_config()}


def build(pixels):
    model = Sequential([
        Dense(256, input_shape=(pixels,)),
        Antirectifier(),
        Scale(8.0),
        Dropout(0.1),
        Dense(256),
        Antirectifier(),
        Scale(8.0),
        Dropout(0.1),
        Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile(loss="sparse_categorical_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
    return model


def main():
    parser = argparse.ArgumentParser(description="Train a network with layers of one's own.")
    parser.add_argument("--data", choices=sorted(SETTINGS), default="mnist")
    parser.add_argument("--epochs", type=int)
    arguments = parser.parse_args()
    largest, epochs = SETTINGS[arguments.data]
    (x_train, y_train), (x_test, y_test) = (digits if arguments.data == "digits" else mnist).load_data()
    x_train, x_test = (x.reshape(len(x), -1).astype("float32") / largest for x in (x_train, x_test))

    model = build(x_train.shape[1])
    model.summary()
    model.fit(x_train, y_train, batch_size=128, epochs=arguments.epochs or epochs, verbose=2)
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "model.h5")
        model.save(file)
        again = load_model(file, custom_objects={"Antirectifier": Antirectifier, "Scale": Scale})
    assert np.array_equal(model.predict(x_test), again.predict(x_test))
    _, accuracy = again.evaluate(x_test, y_test, verbose=0)
    print(f"Test accuracy: {accuracy:.4f}")


if __name__ == "__main__":
    main()
