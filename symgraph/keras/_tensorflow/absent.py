"""What to use in place of the parts of TensorFlow that are not here."""

from __future__ import annotations

_RUNS = "there are no sessions: K.function or symgraph.function runs tensors, and K.get_value reads a variable"
_MEMORY = "there is no GPU memory to reserve; leave out the lines that configure a session"
_VARIABLES = "variables have their values when they are made; leave this line out"
_GRADIENT = "K.gradients(loss, tensors) with K.function, or symgraph.grad, differentiates a graph"
_DATA = "fit takes NumPy arrays, generators and keras.utils.Sequence"
_FILES = "model.save, save_weights, keras.models.load_model and load_weights keep models"
_RAGGED = "the shape of a tensor never depends on values; pad with keras.preprocessing.sequence.pad_sequences and mask"
_PYTHON = "symgraph.as_op calls Python from a graph"

#: By name under ``tf``; what is not listed gets ``OTHERWISE``.
HINTS = {
    "Session": _RUNS,
    "InteractiveSession": _RUNS,
    "get_default_session": _RUNS,
    "placeholder": "K.placeholder or keras.layers.Input makes inputs",
    "get_variable": "K.variable, or add_weight of a layer, makes variables",
    "ConfigProto": _MEMORY,
    "GPUOptions": _MEMORY,
    "global_variables_initializer": _VARIABLES,
    "local_variables_initializer": _VARIABLES,
    "initialize_all_variables": _VARIABLES,
    "get_default_graph": "there is one graph, for all threads; leave this line out",
    "Graph": "there is one graph; leave this line out",
    "reset_default_graph": "K.clear_session() starts names anew",
    "GradientTape": _GRADIENT,
    "function": "symgraph.function compiles outputs of inputs; layers and losses are compiled anyway",
    "data": _DATA,
    "io": _DATA,
    "TFRecordReader": _DATA,
    "train": f"keras.optimizers has the optimizers; {_FILES}",
    "saved_model": _FILES,
    "estimator": "keras.models.Model with compile and fit trains",
    "distribute": "threads share the work of one machine; leave the strategy out",
    "device": "everything runs on this machine's processor; leave the device out",
    "summary": "keras.callbacks.TensorBoard writes summaries",
    "RaggedTensor": _RAGGED,
    "ragged": _RAGGED,
    "boolean_mask": "the shape of a tensor never depends on values; multiply by the mask, or use tf.where(mask, x, 0)",
    "unique": "the shape of a tensor never depends on values; use np.unique before",
    "SparseTensor": "inputs take SciPy's sparse matrices; K.placeholder(sparse=True) stands for one",
    "py_func": _PYTHON,
    "py_function": _PYTHON,
    "numpy_function": _PYTHON,
    "Print": "K.print_tensor prints a tensor",
    "print": "K.print_tensor prints a tensor",
    "contrib": "what programs took from tf.contrib for Keras has its own layer or K function",
    "feature_column": "keras.layers.Embedding and Concatenate take such columns",
    "strings": "text is numbered before, by keras.preprocessing.text.Tokenizer",
    "string": "text is numbered before, by keras.preprocessing.text.Tokenizer",
    "lookup": "text is numbered before, by keras.preprocessing.text.Tokenizer",
    "assign": "K.update(variable, value) with K.function(updates=) or a layer's add_update changes variables",
    "control_dependencies": "updates run through K.function(updates=) or a layer's add_update",
    "app": "call main() as any program does",
    "flags": "argparse reads the command line",
}
OTHERWISE = "symgraph stands in for TensorFlow, with tf.keras and functions on tensors; see keras.backend for others"


def hint(name: str) -> str:
    """What to use in place of ``tf.name``."""
    return HINTS.get(name, OTHERWISE)
