"""Neural style transfer on a small network (Gatys, Ecker and Bethge, "A neural algorithm of artistic style", 2015).

    python -m symgraph.keras examples/style_transfer.py --data cifar10

A small network learns to tell images apart; then it stays as it is, and an image is optimised: what its deep layer sees
should be as for the content image, and how often the features of its layers occur together (their Gram matrices) as for
the style image. ``K.gradients`` gives the gradient of the loss with respect to the pixels, ``K.function`` compiles loss
and gradient into one call, and a loop of Adam's steps changes the pixels. ``--data`` is as in ``cifar10_cnn.py``. With
10,000 photographs, 200 steps leave less than a tenth of the style loss, and the content stays recognisable.
"""

import argparse

import numpy as np
from keras import backend as K
from keras.datasets import cifar10, digits
from keras.layers import Conv2D, Dense, GlobalAveragePooling2D, MaxPooling2D
from keras.models import Sequential

CONTENT_WEIGHT, STYLE_WEIGHT, VARIATION_WEIGHT = 0.05, 1.0, 0.001


def load(name):
    """Images ``(n, height, width, channels)`` of floats in 0..1, and their classes."""
    if name == "digits":
        (x, y), _ = digits.load_data()
        return np.kron(x, np.ones((1, 2, 2)))[..., None].astype("float32") / 16, y
    (x, y), _ = cifar10.load_data(*([] if name == "cifar10" else [name]))
    return x.astype("float32") / 255, y


def classifier(shape):
    model = Sequential([
        Conv2D(16, 3, padding="same", activation="relu", input_shape=shape, name="conv1"),
        Conv2D(32, 3, padding="same", activation="relu", name="conv2"),
        MaxPooling2D(),
        Conv2D(64, 3, padding="same", activation="relu", name="conv3"),
        GlobalAveragePooling2D(),
        Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def gram(features):
    """``(channels, channels)`` products of the features of one image, averaged over positions."""
    channels = K.int_shape(features)[-1]
    rows = K.reshape(features, (-1, channels))
    return K.dot(K.transpose(rows), rows) / K.cast(K.shape(rows)[0], K.floatx())


def loss_and_gradient(model, content, style):
    """A function of an image: ``[loss, style loss, content loss, gradient]``."""
    styles = [model.get_layer(name).output for name in ("conv1", "conv2", "conv3")]
    deep = model.get_layer("conv3").output
    look = K.function([model.input], [deep, *(gram(s) for s in styles)])
    wanted_content, *wanted_styles = look([content])[:1] + look([style])[1:]

    content_loss = K.mean(K.square(deep - K.constant(wanted_content)))
    style_loss = sum(K.mean(K.square(gram(s) - K.constant(w))) / np.mean(w**2) for s, w in zip(styles, wanted_styles))
    image = model.input
    rough = K.mean(K.square(image[:, 1:] - image[:, :-1])) + K.mean(K.square(image[:, :, 1:] - image[:, :, :-1]))
    loss = CONTENT_WEIGHT * content_loss + STYLE_WEIGHT * style_loss + VARIATION_WEIGHT * rough
    return K.function([image], [loss, style_loss, content_loss, K.gradients(loss, image)[0]])


def main():
    parser = argparse.ArgumentParser(description="Paint one image in the style of another.")
    parser.add_argument("--data", default="cifar10", help="cifar10, digits, or the path of an archive")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=200)
    arguments = parser.parse_args()
    x, y = load(arguments.data)
    model = classifier(x.shape[1:])
    model.fit(x, y, batch_size=64, epochs=arguments.epochs, verbose=2)

    content, style = x[:1], x[1:2]
    function = loss_and_gradient(model, content, style)
    image = content.copy()
    first, second = np.zeros_like(image), np.zeros_like(image)
    _, start, _, _ = function([image])
    for step in range(1, arguments.steps + 1):
        loss, style_loss, content_loss, gradient = function([image])
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        image -= 0.02 * first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.999**step)) + 1e-7)
        image = np.clip(image, 0, 1)
        if step == 1 or step % 50 == 0:
            print(f"step {step}: loss {loss:.4f}, style {style_loss:.4f}, content {content_loss:.4f}")
    kept = np.corrcoef(image.ravel(), content.ravel())[0, 1]
    print(f"Correlation with the content image: {kept:.3f}")
    print(f"Style loss left: {function([image])[1] / start:.4f}")


if __name__ == "__main__":
    main()
