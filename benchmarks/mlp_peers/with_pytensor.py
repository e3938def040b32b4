"""PyTensor: one compiled training function with updates."""

import itertools

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.tensor.random.utils import RandomStream

SIZES = (784, 512, 512, 10)
KEEP, RATE, RHO, EPSILON = 0.8, 1e-3, 0.9, 1e-7


class Trainer:
    version = pytensor.__version__

    def __init__(self, batch):
        self.batch = batch
        rng = np.random.default_rng(0)
        x, y = pt.matrix("x", dtype="float32"), pt.matrix("y", dtype="float32")
        stream = RandomStream(seed=1)
        params = []
        for inputs, outputs in itertools.pairwise(SIZES):
            limit = (6 / (inputs + outputs)) ** 0.5
            params.append(pytensor.shared(rng.uniform(-limit, limit, (inputs, outputs)).astype("float32")))
            params.append(pytensor.shared(np.zeros(outputs, "float32")))

        def logits(value, training):
            for layer in range(3):
                value = value @ params[2 * layer] + params[2 * layer + 1]
                if layer < 2:
                    value = pt.maximum(value, np.float32(0))
                    if training:
                        mask = stream.uniform(size=value.shape, dtype="float32") < np.float32(KEEP)
                        value = pt.switch(mask, value / np.float32(KEEP), np.float32(0))
            return value

        cost = -pt.mean(pt.sum(y * pt.special.log_softmax(logits(x, True), axis=1), axis=1))
        updates = []
        for p, g in zip(params, pytensor.grad(cost, params), strict=True):
            square = pytensor.shared(np.zeros_like(p.get_value()))
            new = np.float32(RHO) * square + np.float32(1 - RHO) * g * g
            updates += [(square, new), (p, p - np.float32(RATE) * g / (pt.sqrt(new) + np.float32(EPSILON)))]
        self.train = pytensor.function([x, y], cost, updates=updates)
        self.run = pytensor.function([x], pt.special.softmax(logits(x, False), axis=1))

    def step(self, x, y):
        self.train(x, y)

    def epoch(self, x, y, order):
        for start in range(0, len(order), self.batch):
            rows = order[start : start + self.batch]
            self.train(x[rows], y[rows])

    def predict(self, x):
        return self.run(x)
