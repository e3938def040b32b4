"""JAX: a jitted training step written by hand, parameters donated."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

SIZES = (784, 512, 512, 10)
KEEP, RATE, RHO, EPSILON = 0.8, 1e-3, 0.9, 1e-7


def initial(key):
    params = []
    for inputs, outputs in itertools.pairwise(SIZES):
        key, used = jax.random.split(key)
        limit = (6 / (inputs + outputs)) ** 0.5
        params.append((jax.random.uniform(used, (inputs, outputs), minval=-limit, maxval=limit), jnp.zeros(outputs)))
    return params


def logits(params, x, key=None):
    for layer, (kernel, bias) in enumerate(params):
        x = x @ kernel + bias
        if layer < len(params) - 1:
            x = jax.nn.relu(x)
            if key is not None:
                key, used = jax.random.split(key)
                x = jnp.where(jax.random.bernoulli(used, KEEP, x.shape), x / KEEP, 0)
    return x


def loss(params, x, y, key):
    return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(logits(params, x, key)), axis=1))


@partial(jax.jit, donate_argnums=(0, 1, 2))
def train(params, squares, key, x, y):
    key, used = jax.random.split(key)
    value, gradients = jax.value_and_grad(loss)(params, x, y, used)
    squares = jax.tree.map(lambda s, g: RHO * s + (1 - RHO) * g * g, squares, gradients)
    params = jax.tree.map(lambda p, s, g: p - RATE * g / (jnp.sqrt(s) + EPSILON), params, squares, gradients)
    return params, squares, key, value


class Trainer:
    version = jax.__version__

    def __init__(self, batch):
        self.batch = batch
        self.key = jax.random.key(0)
        self.params = initial(jax.random.key(1))
        self.squares = jax.tree.map(jnp.zeros_like, self.params)

    def step(self, x, y):
        jax.block_until_ready(self._step(x, y))

    def _step(self, x, y):
        self.params, self.squares, self.key, value = train(self.params, self.squares, self.key, x, y)
        return value

    def epoch(self, x, y, order):
        for start in range(0, len(order), self.batch):
            rows = order[start : start + self.batch]
            value = self._step(x[rows], y[rows])
        jax.block_until_ready((value, self.params))

    def predict(self, x):
        return np.asarray(jax.nn.softmax(logits(self.params, x)))
