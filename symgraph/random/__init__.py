"""Random tensors. Each call of a function draws anew; :func:`set_random_seed` makes a whole run repeat bit for bit.

Every function takes the ``shape`` of the result (without it, that of its parameters together) and ``seed``: ops with
the same explicit seed draw the same numbers, in every process. A seed gives the same numbers, to the last bit, on every
target and processor, for every number of threads, and whatever is computed from them.
"""

from ..generators import begin_with, set_random_seed
from .continuous import (
    beta,
    cauchy,
    chisquare,
    dirichlet,
    exponential,
    gamma,
    gumbel,
    laplace,
    logistic,
    lognormal,
    normal,
    pareto,
    rayleigh,
    standard_t,
    triangular,
    truncated_normal,
    uniform,
    weibull,
)
from .discrete import (
    bernoulli,
    binomial,
    categorical,
    geometric,
    multinomial,
    negative_binomial,
    poisson,
    randint,
)
from .orders import choice, permutation, shuffle
from .streams import MRG_RandomStreams, RandomStreams

__all__ = [
    "MRG_RandomStreams", "RandomStreams", "begin_with", "bernoulli", "beta", "binomial", "categorical", "cauchy",
    "chisquare", "choice", "dirichlet", "exponential", "gamma", "geometric", "gumbel", "laplace", "logistic",
    "lognormal", "multinomial", "negative_binomial", "normal", "pareto", "permutation", "poisson", "randint",
    "rayleigh", "set_random_seed", "shuffle", "standard_t", "triangular", "truncated_normal", "uniform", "weibull",
]  # fmt: skip
