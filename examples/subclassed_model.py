"""A model as a class: its layers are attributes, and ``call`` says how they are connected.

    python -m symgraph.keras examples/subclassed_model.py --data digits

The classifier can be made with or without dropout and batch normalisation, and behaves differently in training and in
testing. On ``mnist``, five epochs reach 0.975 of the test images.
"""

import argparse

import keras
from keras.datasets import digits, mnist

#: Per data set: the largest pixel value, epochs.
SETTINGS = {"digits": (16, 20), "mnist": (255, 5)}


class Classifier(keras.Model):
    def __init__(self, classes=10, use_bn=True, use_dropout=True):
        super().__init__(name="classifier")
        self.hidden = [keras.layers.Dense(256, activation="relu", name=f"hidden_{i}") for i in range(2)]
        self.first, self.second = self.hidden
        self.dropout = keras.layers.Dropout(0.2) if use_dropout else None
        self.normalize = keras.layers.BatchNormalization(axis=-1) if use_bn else None
        self.classify = keras.layers.Dense(classes, activation="softmax")

    def call(self, inputs):
        x = self.first(inputs)
        if self.dropout is not None:
            x = self.dropout(x)
        if self.normalize is not None:
            x = self.normalize(x)
        return self.classify(self.second(x))


def main():
    parser = argparse.ArgumentParser(description="Train a model that is a class.")
    parser.add_argument("--data", choices=sorted(SETTINGS), default="mnist")
    parser.add_argument("--epochs", type=int)
    arguments = parser.parse_args()
    largest, epochs = SETTINGS[arguments.data]
    (x_train, y_train), (x_test, y_test) = (digits if arguments.data == "digits" else mnist).load_data()
    x_train, x_test = (x.reshape(len(x), -1).astype("float32") / largest for x in (x_train, x_test))

    model = Classifier()
    model.compile(loss="sparse_categorical_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=128, epochs=arguments.epochs or epochs, verbose=2)
    model.summary()
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"Test accuracy: {accuracy:.4f}")


if __name__ == "__main__":
    main()
