"""Data sets, as ``keras.datasets``: each module has ``load_data``."""

from . import boston_housing, cifar, cifar10, cifar100, digits, fashion_mnist, imdb, mnist, reuters

__all__ = [
    "boston_housing",
    "cifar",
    "cifar10",
    "cifar100",
    "digits",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
]
