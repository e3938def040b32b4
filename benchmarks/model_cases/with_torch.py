"""The cases with PyTorch, eager, as its tutorials write it."""

import functools

import torch
from torch import nn
from torch.nn import functional as f

torch.set_num_threads(1)


def floats(*shape):
    return torch.rand(shape) * 2 - 1


def integers(high, *shape):
    return torch.randint(0, high, shape)


# -- models -----------------------------------------------------------------------------------------------------


def mlp():
    return nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, 512), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(512, 10),
    )  # fmt: skip


def mnist_cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10),
    )  # fmt: skip


def cifar_cnn():
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Dropout(0.25), nn.Flatten(), nn.Linear(2304, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 10),
    )  # fmt: skip


class Pooled(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(32, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Conv2d(32, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32),
        )  # fmt: skip

    def forward(self, x):
        return f.relu(x + self.body(x))


def resnet():
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(), Residual(), Residual(), Residual(),
        Pooled(), nn.Linear(32, 10),
    )  # fmt: skip


def mobilenet():
    layers = []
    for channels, filters in ((64, 128), (128, 128)):
        layers += [
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False), nn.BatchNorm2d(channels),
            nn.ReLU6(), nn.Conv2d(channels, filters, 1, bias=False), nn.BatchNorm2d(filters), nn.ReLU6(),
        ]  # fmt: skip
    return nn.Sequential(*layers, Pooled(), nn.Linear(128, 10))


def vgg():
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), Pooled(), nn.Linear(128, 10),
    )  # fmt: skip


class TextCnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.conv = nn.Embedding(5000, 50), nn.Conv1d(50, 250, 3)
        self.dense, self.last = nn.Linear(250, 250), nn.Linear(250, 10)

    def forward(self, x):
        y = f.relu(self.conv(self.words(x).transpose(1, 2))).amax(2)
        return self.last(f.relu(self.dense(y)))


class Recurrent(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.words, self.layer = nn.Embedding(5000, 128), layer(128, 128, batch_first=True)
        self.dense = nn.Linear(128, 10)

    def forward(self, x):
        return self.dense(self.layer(self.words(x))[0][:, -1])


def autoencoder():
    return nn.Sequential(
        nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 10)
    )


def upsampler():
    return nn.Sequential(
        nn.ConvTranspose2d(192, 96, 5, 2, 2, 1), nn.ReLU(), nn.ConvTranspose2d(96, 16, 5, 2, 2, 1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10),
    )  # fmt: skip


MODELS = {
    "mlp": (mlp, lambda n: floats(n, 784)), "mnist cnn": (mnist_cnn, lambda n: floats(n, 1, 28, 28)),
    "cifar cnn": (cifar_cnn, lambda n: floats(n, 3, 32, 32)), "resnet": (resnet, lambda n: floats(n, 3, 32, 32)),
    "mobilenet": (mobilenet, lambda n: floats(n, 64, 56, 56)), "vgg": (vgg, lambda n: floats(n, 3, 224, 224)),
    "text cnn": (TextCnn, lambda n: integers(5000, n, 400)),
    "lstm": (lambda: Recurrent(nn.LSTM), lambda n: integers(5000, n, 80)),
    "gru": (lambda: Recurrent(nn.GRU), lambda n: integers(5000, n, 80)),
    "autoencoder": (autoencoder, lambda n: floats(n, 784)), "upsampler": (upsampler, lambda n: floats(n, 192, 7, 7)),
}  # fmt: skip


def predict(name, batch):
    build, data = MODELS[name]
    model, x = build().eval(), data(batch)

    def call():
        with torch.inference_mode():
            return torch.softmax(model(x), dim=1)

    return call


def train(name, batch):
    build, data = MODELS[name]
    model, x, y, loss = build(), data(batch), integers(10, batch), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters())

    def call():
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        return value.item()

    return call


# -- steps ------------------------------------------------------------------------------------------------------


def update(make):
    p = nn.Parameter(floats(2500000))
    p.grad = floats(2500000)
    return make([p]).step


def wide_softmax():
    z, y = floats(128, 10000).requires_grad_(), integers(10000, 128)

    def call():
        z.grad = None
        f.cross_entropy(z, y).backward()

    return call


def batch_normalization():
    x, gamma, beta = floats(32, 32, 32, 32).requires_grad_(), floats(32).requires_grad_(), floats(32).requires_grad_()
    g = floats(32, 32, 32, 32)

    def call():
        x.grad = gamma.grad = beta.grad = None
        f.batch_norm(x, None, None, gamma, beta, training=True).backward(g)

    return call


def layer_normalization():
    x, gamma, beta = floats(2048, 512).requires_grad_(), floats(512).requires_grad_(), floats(512).requires_grad_()
    g = floats(2048, 512)

    def call():
        x.grad = gamma.grad = beta.grad = None
        f.layer_norm(x, (512,), gamma, beta).backward(g)

    return call


class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.dense = nn.Embedding(20000, 64), nn.Linear(64, 10)

    def forward(self, x):
        return self.dense(self.words(x).mean(1))


def embedding():
    model, x, y = Bag(), integers(20000, 32, 100), floats(32, 10)
    optimizer = torch.optim.Adam(model.parameters())

    def call():
        optimizer.zero_grad()
        f.mse_loss(model(x), y).backward()
        optimizer.step()

    return call


def of_arrays(expression, *shapes):
    arrays = [floats(*s) for s in shapes]

    def call():
        with torch.inference_mode():
            return expression(*arrays)

    return call


def dense_row(m):
    w, b = floats(1024, m), floats(m)
    return of_arrays(lambda x: torch.addmm(b, x, w), (1, 1024))


CASES = {
    **{f"predict {n} {name}": functools.partial(predict, name, n) for name in MODELS for n in (1, 32)},
    **{f"train {n} {name}": functools.partial(train, name, n) for name in MODELS for n in (1, 32, 128)},
    "update sgd momentum": lambda: update(lambda p: torch.optim.SGD(p, 0.01, momentum=0.9)),
    "update rmsprop": lambda: update(torch.optim.RMSprop),
    "update adam": lambda: update(functools.partial(torch.optim.Adam, fused=True)),
    "softmax 10k and gradient": wide_softmax,
    "batch normalization and gradient": batch_normalization,
    "layer normalization and gradient": layer_normalization,
    "embedding with adam": embedding,
    "sum of all": lambda: of_arrays(torch.sum, (1024, 1024)),
    "sum of columns": lambda: of_arrays(lambda x: x.sum(0), (1024, 1024)),
    "sum of rows": lambda: of_arrays(lambda x: x.sum(1), (1024, 1024)),
    "max of middle axis": lambda: of_arrays(lambda x: x.amax(1), (64, 128, 128)),
    "argmax of rows": lambda: of_arrays(lambda x: x.argmax(1), (1024, 1024)),
    "transpose": lambda: of_arrays(lambda x: x.t().contiguous(), (1024, 1024)),
    "permute 0213": lambda: of_arrays(lambda x: x.permute(0, 2, 1, 3).contiguous(), (32, 64, 8, 64)),
    "tanh of 16": lambda: of_arrays(torch.tanh, (16,)),
    "sum of two of 1M": lambda: of_arrays(lambda a, b: a + b, (1 << 20,), (1 << 20,)),
    "tanh of 1M": lambda: of_arrays(torch.tanh, (1 << 20,)),
    "row times 1024x1024": lambda: dense_row(1024),
    "row times 1024x1024 of any rows": lambda: dense_row(1024),
    "row times 1024x10 of any rows": lambda: dense_row(10),
    "product 512": lambda: of_arrays(torch.matmul, (512, 512), (512, 512)),
    "product of batches": lambda: of_arrays(torch.matmul, (64, 64, 64), (64, 64, 64)),
}  # fmt: skip
