"""``docs/keras_api.md``: a table for each module of Keras 2.3.1, with what is here and what differs.

Renew it with ``pytest tests/keras/test_spec.py --update-golden``.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

_HEAD = """# Keras 2.3.1, name by name

Every public name of Keras 2.3.1 with its signature and defaults is here, under its module path (`keras.` stands for
`symgraph.keras.`). `tests/keras/api_table.py` writes this page, and `tests/keras/test_spec.py` holds every name against
the recorded API. What differs, and why, stands beside the name; [keras.md](keras.md) says more.
"""
#: What is meant to differ, by full name.
DIFFERS = {
    "keras.backend.control_dependencies": "changes nothing: tensors are computed when something needs them",
    "keras.backend.ctc_batch_cost": "infinite where a labelling does not fit in the steps; TensorFlow stops",
    "keras.backend.ctc_decode": "as wide as there are steps, -1 after the last label: shapes never depend on values",
    "keras.backend.ctc_label_dense_to_sparse": "a triple for every place: shapes never depend on values",
    "keras.backend.get_session": "an object with `run`: there is no TensorFlow",
    "keras.backend.set_session": "refuses a session of TensorFlow",
    "keras.backend.rnn": "`input_length` is a number, never a tensor",
    "keras.backend.is_sparse": "sparse placeholders take SciPy's matrices, and are computed with as dense arrays",
    "keras.callbacks.tensorboard_v1.TensorBoard": "embeddings as tables, which the projector reads; no checkpoints",
    "keras.callbacks.tensorboard_v2.TensorBoard": "the same class: there is one kind of event file",
    "keras.engine.saving.load_model": "never runs code from a file; `safe_mode=False` allows a Lambda's",
    "keras.engine.saving.model_from_yaml": "refused: YAML's full form runs code",
    "keras.engine.network.Network.to_yaml": "refused: YAML's full form runs code",
    "keras.layers.convolutional_recurrent.ConvLSTM2D": "a mask of pixels masks the images that have no pixel left",
    "keras.layers.cudnn_recurrent.CuDNNGRU": "runs on any machine, by the engine that runs all else",
    "keras.layers.cudnn_recurrent.CuDNNLSTM": "runs on any machine, by the engine that runs all else",
    "keras.layers.wrappers.TimeDistributed": "makes samples of the steps for every batch size",
    "keras.optimizers.TFOptimizer": "wraps objects that compute with tensors of this package",
    "keras.utils.io_utils.H5Dict": "keeps other values as JSON, and never reads a pickle",
    "keras.utils.multi_gpu_utils.multi_gpu_model": "there are no GPUs: `cpu` replicas work, others are refused",
}
#: Modules whose names users do not call, and those that only pass on others'.
_INNER = ("keras.engine.training_", "keras.engine.topology", "keras.objectives", "keras.backend.", "keras.legacy")
#: The module that defines nothing itself, but whose names have no other home.
_FACADE = "keras.backend"


def page(modules: dict[str, Any], missing: set[str]) -> str:
    """The page, from the recorded API and the names that are not here."""
    parts = [_HEAD]
    for name in sorted(modules):
        rows = [] if name.startswith(_INNER) else list(_rows(name, modules[name], missing))
        if rows:
            parts.append(f"## {name}\n\n| name | what it does | differs |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _rows(name: str, recorded: dict[str, Any], missing: set[str]) -> Iterator[str]:
    try:
        module = importlib.import_module("symgraph." + name)
    except ModuleNotFoundError:
        yield f"| | | not here: {name} |"
        return
    for kind in ("exports",) if name == _FACADE else ("classes", "functions"):
        for entry in sorted(k for k, v in recorded.get(kind, {}).items() if kind != "exports" or "function" in v):
            full = f"{name}.{entry}"
            differs = "not here" if full in missing else DIFFERS.get(full, "")
            yield f"| `{entry}` | {_summary(getattr(module, entry, None))} | {differs} |"


def _summary(found: Any) -> str:
    text = (inspect.getdoc(found) or "").split("\n\n")[0]
    return " ".join(text.split()).replace("|", "\\|")


def unknown(modules: dict[str, Any]) -> list[str]:
    """Names in ``DIFFERS`` that Keras does not have."""
    found = []
    for full in DIFFERS:
        module, _, entry = full.rpartition(".")
        recorded = modules.get(module)
        if recorded is None:  # a method
            module, _, cls = module.rpartition(".")
            known = entry in modules[module]["classes"][cls]["methods"]
        else:
            known = any(entry in recorded.get(kind, {}) for kind in ("classes", "functions", "exports"))
        found += [] if known else [full]
    return found
