"""Theano 1.0's public names of ``theano`` and ``theano.tensor``, and what is here for each.

Types and their constructors are one function, :func:`symgraph.placeholder`. Names that are here too need no entry.
"""

from __future__ import annotations

import inspect

import symgraph as sg

#: Functions of ``theano.tensor`` and of what it re-exports from ``basic``, ``extra_ops``, ``subtensor`` and ``sort``.
TENSOR = """
abs_ add addbroadcast alloc all allclose and_ angle any arange arccos arccosh arcsin arcsinh arctan arctan2 arctanh
argmax argmin argsort argtopk as_tensor_variable bartlett batched_dot batched_tensordot bincount bitwise_and
bitwise_not bitwise_or bitwise_xor broadcast_shape_iter cast ceil ceil_intdiv chi2sf choose clip compress concatenate
conj constant cos cosh cov cumprod cumsum default deg2rad diag diagonal diff divmod dot eq erf erfc erfcinv erfcx
erfinv exp exp2 expm1 extract_constant eye fill fill_diagonal fill_diagonal_offset flatten floor floor_div gamma
gammaln ge get_scalar_constant_value get_vector_length grad gt hessian horizontal_stack identity_like i0 i1 imag
inc_subtensor int_div inv invert iround isclose isinf isnan iv j0 j1 jacobian jv largest le log log10 log1p log2 lt
make_vector mapping matrix_dot max max_and_argmax maximum mean mgrid min minimum mod mul neg neq nonzero
nonzero_values norm ogrid ones ones_like or_ outer patternbroadcast permute_row_elements polygamma pow power prod
prod_without_zeros psi ptp rad2deg real register_transfer repeat reshape roll Rop Lop round round_half_away_from_zero
round_half_to_even scalar_from_tensor searchsorted second set_subtensor sgn shape shape_padaxis shape_padleft
shape_padright sin sinh smallest sort split sqr sqrt square squeeze stack stacklists std sub sum swapaxes switch take
tan tanh tensor_copy tensor_from_scalar tensordot tile to_one_hot topk topk_and_argtopk trace transfer transpose tri
tri_gamma tril tril_indices triu triu_indices true_div trunc unbroadcast unique unravel_index ravel_multi_index var
verify_grad vertical_stack where xor zeros zeros_like
""".split()
#: Of ``theano.tensor.nnet``, ``signal``, ``nlinalg`` and ``slinalg``.
MORE = """
nnet.binary_crossentropy nnet.sigmoid_binary_crossentropy nnet.categorical_crossentropy nnet.confusion_matrix
nnet.conv2d nnet.conv2d_transpose nnet.conv3d nnet.separable_conv2d nnet.elu nnet.hard_sigmoid nnet.h_softmax
nnet.logsoftmax nnet.relu nnet.selu nnet.sigmoid nnet.softmax nnet.softplus nnet.softsign nnet.ultra_fast_sigmoid
nnet.bn.batch_normalization_train nnet.neighbours.images2neibs nnet.ctc signal.pool.pool_2d signal.conv.conv2d
""".split()
#: Of ``theano`` itself.
THEANO = """
clone config.floatX config.mode consider_constant dot foldl foldr function function.allow_input_downcast
function.givens function.mode function.name function.no_default_updates function.on_unused_input function.profile
function.updates gradient.disconnected_grad gradient.grad_clip gradient.grad_not_implemented gradient.zero_grad grad
grad.consider_constant grad.disconnected_inputs grad.known_grads grad.return_disconnected ifelse.ifelse In Lop map
OpFromGraph Out pp printing.Print printing.debugprint printing.pydotprint reduce Rop scan shared shared.default_update
shared.get_value shared.set_value sandbox.rng_mrg.MRG_RandomStreams sparse tensor.opt.Assert
""".split()

#: What a name is called here; an expression where none is needed.
RENAMED = {
    "abs_": "abs", "addbroadcast": "reshape", "alloc": "broadcast_to", "and_": "bitwise_and",
    "argtopk": "top_k(x, k)[1]", "as_tensor_variable": "as_tensor", "batched_tensordot": "einsum",
    "bitwise_not": "invert", "ceil_intdiv": "-(-a // b)", "divmod": "divmod", "eq": "equal",
    "erfcinv": "erfinv(1 - x)", "fill": "full_like", "fill_diagonal_offset": "fill_diagonal(x, value, offset)",
    "floor_div": "floor_divide", "gamma": "exp(gammaln(x))", "ge": "greater_equal", "get_vector_length": "x.shape[0]",
    "gt": "greater", "horizontal_stack": "hstack", "identity_like": "eye(*x.shape)", "int_div": "floor_divide",
    "inv": "reciprocal", "iround": "cast(round(x), int)", "largest": "maximum", "le": "less_equal", "lt": "less",
    "make_vector": "stack", "mapping": "map", "matrix_dot": "dot (chains are multiplied in the best order)",
    "max_and_argmax": "max, argmax", "mgrid": "meshgrid", "mul": "multiply", "neg": "negative", "neq": "not_equal",
    "ogrid": "meshgrid", "or_": "bitwise_or", "patternbroadcast": "reshape",
    "permute_row_elements": "take_along_axis", "pow": "power", "prod_without_zeros": "prod(where(x == 0, 1, x))",
    "psi": "digamma", "round_half_away_from_zero": "trunc(x + 0.5 * sign(x))", "round_half_to_even": "round",
    "scalar_from_tensor": "the tensor itself", "second": "full_like", "sgn": "sign", "shape_padaxis": "expand_dims",
    "shape_padleft": "expand_dims", "shape_padright": "expand_dims", "smallest": "minimum", "sqr": "square",
    "stacklists": "stack", "sub": "subtract", "switch": "where", "tensor_copy": "positive",
    "tensor_from_scalar": "the tensor itself", "to_one_hot": "one_hot", "topk": "top_k(x, k)[0]",
    "topk_and_argtopk": "top_k", "tri_gamma": "polygamma(1, x)", "true_div": "divide", "unbroadcast": "reshape",
    "vertical_stack": "vstack", "xor": "bitwise_xor", "nnet.binary_crossentropy": "keras.losses.binary_crossentropy",
    "nnet.sigmoid_binary_crossentropy": "softplus(x) - x * target",
    "nnet.categorical_crossentropy": "-sum(target * log(p), -1)", "nnet.confusion_matrix": "scatter_nd",
    "nnet.conv2d": "conv", "nnet.conv2d_transpose": "conv_transpose", "nnet.conv3d": "conv",
    "nnet.separable_conv2d": "separable_conv", "nnet.elu": "elu", "nnet.hard_sigmoid": "hard_sigmoid",
    "nnet.logsoftmax": "log_softmax", "nnet.relu": "relu", "nnet.selu": "selu", "nnet.sigmoid": "sigmoid",
    "nnet.softmax": "softmax", "nnet.softplus": "softplus", "nnet.softsign": "softsign",
    "nnet.ultra_fast_sigmoid": "hard_sigmoid",
    "nnet.bn.batch_normalization_train": "keras.backend.normalize_batch_in_training",
    "signal.pool.pool_2d": "max_pool, avg_pool", "signal.conv.conv2d": "conv",
    "config.floatX": "the dtype argument; keras.backend.set_floatx", "config.mode": "Options",
    "consider_constant": "stop_gradient", "function.allow_input_downcast": "always, inside one kind of numbers",
    "function.mode": "function(options=...), function(target=...)", "function.profile": "Function.profile",
    "gradient.disconnected_grad": "stop_gradient", "gradient.grad_clip": "grad_clip",
    "gradient.grad_not_implemented": "custom_gradient", "gradient.zero_grad": "stop_gradient",
    "grad.consider_constant": "grad(stop=...)", "grad.disconnected_inputs": "grad(disconnected=...)",
    "grad.return_disconnected": "grad(disconnected='zeros' or 'none')", "ifelse.ifelse": "cond",
    "OpFromGraph": "a Python function, or custom_gradient", "Out": "the output; results are always fresh arrays",
    "pp": "str(Function)", "printing.Print": "print_tensor", "printing.debugprint": "print(Function.explain())",
    "printing.pydotprint": "Function.plot", "reduce": "foldl", "shared": "variable",
    "shared.default_update": "Variable.default_update", "shared.get_value": "Variable.get_value",
    "shared.set_value": "Variable.set_value", "sandbox.rng_mrg.MRG_RandomStreams": "random.MRG_RandomStreams",
    "tensor.opt.Assert": "assert_op",
}  # fmt: skip
#: What is left out, and why.
LEFT_OUT = {
    "angle, conj, imag, real": "no complex numbers",
    "i0, i1, iv, j0, j1, jv": "Bessel functions are of no use to networks; an op of one's own can call SciPy",
    "chi2sf, erfc, erfcx":
        "tails need functions of their own to keep digits; an op of one's own can call SciPy",
    "nonzero, nonzero_values, unique":
        "the size of the result would depend on values; where, or masks known when built",
    "bartlett, tril_indices, triu_indices, unravel_index, ravel_multi_index":
        "NumPy computes it while the graph is built",
    "broadcast_shape_iter, default, extract_constant, get_scalar_constant_value": "inner workings of Theano",
    "register_transfer, transfer": "one device",
    "nnet.h_softmax, nnet.neighbours.images2neibs": "compositions of a few lines; convolutions make no windows",
    "nnet.ctc": "belongs to keras.backend",
    "sparse": "dense arrays only; gradients of lookups are scattered, not dense",
}  # fmt: skip




def missing() -> list[str]:
    """Names that are neither here, nor called otherwise, nor left out with a reason; new names that are not here."""
    known = {*RENAMED, *(name for names in LEFT_OUT for name in names.split(", "))}
    plain = [name for name in RENAMED.values() if name.isidentifier()]
    here = [*plain, *(name for name in (*TENSOR, *MORE, *THEANO) if name not in known)]
    return [name for name in here if not _exists(name)]


def _exists(name: str) -> bool:
    """Whether symgraph has a function, or a function an argument, of this name."""
    function, _, argument = name.partition(".")
    found = getattr(sg, function, None)
    return found is not None and (not argument or argument in inspect.signature(found).parameters)
