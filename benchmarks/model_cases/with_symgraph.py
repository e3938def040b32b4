"""The cases, with Keras's names or symgraph's own."""

import functools

import numpy as np

import symgraph as sg
from symgraph.keras import layers as k
from symgraph.keras import models, optimizers

RANDOM = np.random.default_rng(0)


def floats(*shape):
    return RANDOM.uniform(-1, 1, shape).astype("float32")


def integers(high, *shape):
    return RANDOM.integers(0, high, shape).astype("int32")


# -- models -----------------------------------------------------------------------------------------------------


def mlp():
    return models.Sequential([
        k.Dense(512, activation="relu", input_shape=(784,)), k.Dropout(0.2), k.Dense(512, activation="relu"),
        k.Dropout(0.2), k.Dense(10, activation="softmax"),
    ])  # fmt: skip


def mnist_cnn():
    return models.Sequential([
        k.Conv2D(32, 3, activation="relu", input_shape=(28, 28, 1)), k.Conv2D(64, 3, activation="relu"),
        k.MaxPooling2D(), k.Dropout(0.25), k.Flatten(), k.Dense(128, activation="relu"), k.Dropout(0.5),
        k.Dense(10, activation="softmax"),
    ])  # fmt: skip


def cifar_cnn():
    return models.Sequential([
        k.Conv2D(32, 3, padding="same", activation="relu", input_shape=(32, 32, 3)), k.Conv2D(32, 3, activation="relu"),
        k.MaxPooling2D(), k.Dropout(0.25), k.Conv2D(64, 3, padding="same", activation="relu"),
        k.Conv2D(64, 3, activation="relu"), k.MaxPooling2D(), k.Dropout(0.25), k.Flatten(),
        k.Dense(512, activation="relu"), k.Dropout(0.5), k.Dense(10, activation="softmax"),
    ])  # fmt: skip


def resnet():
    x = entry = k.Input((32, 32, 3))
    x = k.Activation("relu")(k.BatchNormalization()(k.Conv2D(32, 3, padding="same", use_bias=False)(x)))
    for _ in range(3):
        y = k.Activation("relu")(k.BatchNormalization()(k.Conv2D(32, 3, padding="same", use_bias=False)(x)))
        y = k.BatchNormalization()(k.Conv2D(32, 3, padding="same", use_bias=False)(y))
        x = k.Activation("relu")(k.add([x, y]))
    return models.Model(entry, k.Dense(10, activation="softmax")(k.GlobalAveragePooling2D()(x)))


def mobilenet():
    x = entry = k.Input((56, 56, 64))
    for filters in (128, 128):
        x = k.ReLU(6.0)(k.BatchNormalization()(k.DepthwiseConv2D(3, padding="same", use_bias=False)(x)))
        x = k.ReLU(6.0)(k.BatchNormalization()(k.Conv2D(filters, 1, use_bias=False)(x)))
    return models.Model(entry, k.Dense(10, activation="softmax")(k.GlobalAveragePooling2D()(x)))


def vgg():
    return models.Sequential([
        k.Conv2D(64, 3, padding="same", activation="relu", input_shape=(224, 224, 3)),
        k.Conv2D(64, 3, padding="same", activation="relu"), k.MaxPooling2D(),
        k.Conv2D(128, 3, padding="same", activation="relu"), k.MaxPooling2D(), k.GlobalAveragePooling2D(),
        k.Dense(10, activation="softmax"),
    ])  # fmt: skip


def text_cnn():
    return models.Sequential([
        k.Embedding(5000, 50, input_length=400), k.Conv1D(250, 3, activation="relu"), k.GlobalMaxPooling1D(),
        k.Dense(250, activation="relu"), k.Dense(10, activation="softmax"),
    ])  # fmt: skip


def recurrent(layer):
    return models.Sequential([k.Embedding(5000, 128, input_length=80), layer(128), k.Dense(10, activation="softmax")])


def autoencoder():
    return models.Sequential([
        k.Dense(128, activation="relu", input_shape=(784,)), k.Dense(32, activation="relu"),
        k.Dense(128, activation="relu"), k.Dense(10, activation="softmax"),
    ])  # fmt: skip


def upsampler():
    return models.Sequential([
        k.Conv2DTranspose(96, 5, strides=2, padding="same", activation="relu", input_shape=(7, 7, 192)),
        k.Conv2DTranspose(16, 5, strides=2, padding="same", activation="relu"), k.GlobalAveragePooling2D(),
        k.Dense(10, activation="softmax"),
    ])  # fmt: skip


MODELS = {
    "mlp": (mlp, lambda n: floats(n, 784)), "mnist cnn": (mnist_cnn, lambda n: floats(n, 28, 28, 1)),
    "cifar cnn": (cifar_cnn, lambda n: floats(n, 32, 32, 3)), "resnet": (resnet, lambda n: floats(n, 32, 32, 3)),
    "mobilenet": (mobilenet, lambda n: floats(n, 56, 56, 64)), "vgg": (vgg, lambda n: floats(n, 224, 224, 3)),
    "text cnn": (text_cnn, lambda n: integers(5000, n, 400)),
    "lstm": (lambda: recurrent(k.LSTM), lambda n: integers(5000, n, 80)),
    "gru": (lambda: recurrent(functools.partial(k.GRU, reset_after=True)), lambda n: integers(5000, n, 80)),
    "autoencoder": (autoencoder, lambda n: floats(n, 784)), "upsampler": (upsampler, lambda n: floats(n, 7, 7, 192)),
}  # fmt: skip


def predict(name, batch):
    build, data = MODELS[name]
    model, x = build(), data(batch)
    return lambda: model.predict_on_batch(x)


def train(name, batch):
    build, data = MODELS[name]
    model, x, y = build(), data(batch), integers(10, batch, 1)
    model.compile("adam", "sparse_categorical_crossentropy")
    return lambda: model.train_on_batch(x, y)


# -- steps ------------------------------------------------------------------------------------------------------


def update(make):
    """One update of 2.5 million parameters whose gradients are an array."""
    p, g = sg.variable(floats(2500000)), sg.variable(floats(2500000))
    updates = make().get_updates(loss=sg.sum(p * g), params=[p])  # whose gradient is g
    return sg.function([], [], updates=updates)


def wide_softmax():
    z, y = sg.placeholder((None, 10000)), sg.placeholder((None,), "int32")
    loss = sg.mean(-sg.take_along_axis(sg.log_softmax(z), y[:, None], axis=1))
    run, a, b = sg.function([z, y], [loss, sg.grad(loss, z)]), floats(128, 10000), integers(10000, 128)
    return lambda: run(a, b)


def normalized(axes, shape, epsilon=1e-3):
    x, gamma, beta, g = (sg.placeholder(s) for s in (shape, shape[-1:], shape[-1:], shape))
    centred = x - sg.mean(x, axis=axes, keepdims=True)
    y = centred / sg.sqrt(sg.mean(centred * centred, axis=axes, keepdims=True) + epsilon) * gamma + beta
    run = sg.function([x, gamma, beta, g], [y, *sg.grad(sg.sum(y * g), [x, gamma, beta])])
    arrays = [floats(*s) for s in (shape, shape[-1:], shape[-1:], shape)]
    return lambda: run(*arrays)


def embedding():
    model = models.Sequential([k.Embedding(20000, 64, input_length=100), k.GlobalAveragePooling1D(), k.Dense(10)])
    model.compile("adam", "mse")
    x, y = integers(20000, 32, 100), floats(32, 10)
    return lambda: model.train_on_batch(x, y)


def of_arrays(expression, *shapes):
    places = [sg.placeholder(s) for s in shapes]
    run, arrays = sg.function(places, expression(*places)), [floats(*s) for s in shapes]
    return lambda: run(*arrays)


def dense_row(m, rows=None):
    x, w, b = sg.placeholder((rows, 1024)), sg.variable(floats(1024, m)), sg.variable(floats(m))
    run, a = sg.function([x], sg.matmul(x, w) + b), floats(1, 1024)
    return lambda: run(a)


CASES = {
    **{f"predict {n} {name}": functools.partial(predict, name, n)
       for name in MODELS for n in (1, 32) if (name, n) != ("vgg", 32)},
    **{f"train {n} {name}": functools.partial(train, name, n)
       for name in MODELS for n in [{"mlp": 128, "autoencoder": 128, "vgg": 1}.get(name, 32)]},
    "update sgd momentum": lambda: update(lambda: optimizers.SGD(0.01, momentum=0.9)),
    "update rmsprop": lambda: update(optimizers.RMSprop),
    "update adam": lambda: update(optimizers.Adam),
    "softmax 10k and gradient": wide_softmax,
    "batch normalization and gradient": lambda: normalized((0, 1, 2), (32, 32, 32, 32)),
    "layer normalization and gradient": lambda: normalized((-1,), (2048, 512)),
    "embedding with adam": embedding,
    "sum of all": lambda: of_arrays(sg.sum, (1024, 1024)),
    "sum of columns": lambda: of_arrays(lambda x: sg.sum(x, axis=0), (1024, 1024)),
    "sum of rows": lambda: of_arrays(lambda x: sg.sum(x, axis=1), (1024, 1024)),
    "max of middle axis": lambda: of_arrays(lambda x: sg.max(x, axis=1), (64, 128, 128)),
    "argmax of rows": lambda: of_arrays(lambda x: sg.argmax(x, axis=1), (1024, 1024)),
    "transpose": lambda: of_arrays(sg.transpose, (1024, 1024)),
    "permute 0213": lambda: of_arrays(lambda x: sg.transpose(x, (0, 2, 1, 3)), (32, 64, 8, 64)),
    "tanh of 16": lambda: of_arrays(sg.tanh, (16,)),
    "sum of two of 1M": lambda: of_arrays(lambda a, b: a + b, (1 << 20,), (1 << 20,)),
    "tanh of 1M": lambda: of_arrays(sg.tanh, (1 << 20,)),
    "row times 1024x1024": lambda: dense_row(1024, 1),
    "row times 1024x1024 of any rows": lambda: dense_row(1024),
    "row times 1024x10 of any rows": lambda: dense_row(10),
    "product 512": lambda: of_arrays(sg.matmul, (512, 512), (512, 512)),
    "product of batches": lambda: of_arrays(sg.matmul, (64, 64, 64), (64, 64, 64)),
}  # fmt: skip
