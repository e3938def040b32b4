"""Models in Keras 3's ``.keras`` archives: a zip of ``config.json`` and ``model.weights.h5``. Read, not written."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from typing import Any

from .. import backend as K
from ..utils.safe_mode import weight_budget
from . import hdf5_reading as reading
from .archive_config import keras_2_model, keras_2_training
from .archive_weights import load_archive_weights, optimizer_arrays
from .model_file import CONFIG_FAULTS, build_model, compile_model
from .optimizer_state import archived_state

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_MAX_CONFIG = 1 << 26  # bytes
_RATIO = 1032  # the most that deflate shrinks


def is_archive(source: Any) -> bool:
    """Whether a path or a binary stream begins as a zip file does."""
    try:
        if hasattr(source, "read"):
            at = source.tell()
            head = source.read(4)
            source.seek(at)
        else:
            with open(source, "rb") as stream:
                head = stream.read(4)
    except (OSError, TypeError, AttributeError):
        return False
    return bool(head == b"PK\x03\x04")


def read_archive(source: Any, custom_objects: dict[str, Any] | None, compiled: bool) -> Any:
    """The model of an archive.

    Raises:
        DamagedFileError: if the archive is damaged, or holds no model.
        ValueError: for configs that mean nothing here, and for code.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            config = _json(_member(archive, _CONFIG, _MAX_CONFIG))
            weights = _member(archive, _WEIGHTS, None)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise reading.DamagedFileError(f"{source} is no archive of Keras, or is cut short: {error}") from error
    try:
        described = keras_2_model(config)
        training = keras_2_training(config["compile_config"]) if compiled and config.get("compile_config") else None
    except CONFIG_FAULTS as error:
        raise ValueError(f"The archive's config cannot be read: {type(error).__name__}: {error}") from error
    with weight_budget(len(weights)):
        model = build_model(described, custom_objects, safe=True)
    with reading.reading(io.BytesIO(weights)) as group:
        load_archive_weights(group, model, described["config"])
        if training is not None:
            compile_model(model, training, custom_objects)
            if reading.has(group, "optimizer"):
                _restore_optimizer(group, model)
    return model


def _restore_optimizer(group: Any, model: Any) -> None:
    model.objective.prepare_optimizer()
    limit = 2 * sum(K.count_params(w) for w in model.optimizer.weights) + 64
    try:
        model.optimizer.set_weights(archived_state(model.optimizer, optimizer_arrays(group, limit)))
    except ValueError as error:
        warnings.warn(
            "Error in loading the saved optimizer state. As a result, your model is starting with a freshly "
            f"initialized optimizer. ({error})",
            stacklevel=5,
        )


def _member(archive: zipfile.ZipFile, name: str, limit: int | None) -> bytes:
    """A file of the archive, never larger than what is stored could unpack to."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise reading.DamagedFileError(f"The archive holds no {name!r}: it is no model of Keras") from None
    most = info.compress_size * (1 if info.compress_type == zipfile.ZIP_STORED else _RATIO)
    if info.file_size > most or (limit is not None and info.file_size > limit):
        raise reading.DamagedFileError(f"The archive is damaged: {name!r} claims to have {info.file_size} bytes")
    with archive.open(info) as stream:
        data = stream.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise reading.DamagedFileError(f"The archive is damaged: {name!r} has not the size that it claims")
    return data


def _json(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise reading.DamagedFileError(f"The archive is damaged: its config is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise reading.DamagedFileError("The archive is damaged: its config is no dictionary")
    return found
