"""A training loop of one's own: ``K.gradients`` and a ``K.function`` with updates.

    python -m symgraph.keras examples/custom_training.py --data digits

The model is made of Keras layers, but neither ``compile`` nor ``fit`` is used: the loss, its gradients, their norm,
momentum and a learning rate that changes while training are written with the backend. On ``mnist``, five epochs reach
0.975 of the test images.
"""

import argparse

import numpy as np
from keras import backend as K
from keras.datasets import digits, mnist
from keras.layers import Dense, Input
from keras.models import Model

BATCH = 64
#: Per data set: the largest pixel value, epochs.
SETTINGS = {"digits": (16, 25), "mnist": (255, 5)}


def training_function(model, momentum=0.9, longest=5.0):
    """A function of images, labels and phase that makes one step; and the variable of its learning rate.

    Gradients longer than ``longest`` together are shortened to that length (Pascanu et al. 2013).
    """
    labels = K.placeholder((None,), dtype="int32")
    loss = K.mean(K.sparse_categorical_crossentropy(labels, model.output))
    weights = model.trainable_weights
    gradients = K.gradients(loss, weights)
    norm = K.sqrt(sum(K.sum(K.square(g)) for g in gradients))
    shorter = K.minimum(1.0, longest / (norm + 1e-7))
    rate = K.variable(0.1, name="rate")
    updates = []
    for weight, gradient in zip(weights, gradients):
        velocity = K.zeros(K.int_shape(weight))
        new = momentum * velocity - rate * shorter * gradient
        updates += [K.update(velocity, new), K.update_add(weight, new)]
    step = K.function([model.input, labels, K.learning_phase()], [loss, norm], updates=updates)
    return step, rate


def main():
    parser = argparse.ArgumentParser(description="Train with a loop of one's own.")
    parser.add_argument("--data", choices=sorted(SETTINGS), default="mnist")
    parser.add_argument("--epochs", type=int)
    arguments = parser.parse_args()
    largest, epochs = SETTINGS[arguments.data]
    (x_train, y_train), (x_test, y_test) = (digits if arguments.data == "digits" else mnist).load_data()
    x_train, x_test = (x.reshape(len(x), -1).astype("float32") / largest for x in (x_train, x_test))

    image = Input(x_train.shape[1:])
    hidden = Dense(256, activation="relu")(image)
    model = Model(image, Dense(10, activation="softmax")(hidden))
    step, rate = training_function(model)
    predict = K.function([model.input, K.learning_phase()], [K.argmax(model.output)])

    rng = np.random.default_rng(0)
    for epoch in range(arguments.epochs or epochs):
        order = rng.permutation(len(x_train))
        losses, norms = [], []
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            loss, norm = step([x_train[batch], y_train[batch], 1])
            losses.append(loss)
            norms.append(norm)
        shown = f"loss {np.mean(losses):.4f}, gradient {np.mean(norms):.3f}, rate {K.get_value(rate):.4f}"
        print(f"epoch {epoch + 1}: {shown}")
        K.set_value(rate, K.get_value(rate) * 0.8)
    (classes,) = predict([x_test, 0])
    print(f"Test accuracy: {np.mean(classes == y_test):.4f}")


if __name__ == "__main__":
    main()
