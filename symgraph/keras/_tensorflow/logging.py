"""``tf.logging``: TensorFlow's own messages, of which there are none here."""

from __future__ import annotations

import logging
from logging import DEBUG, ERROR, FATAL, INFO, WARN, debug, error, info, warning

__all__ = ["DEBUG", "ERROR", "FATAL", "INFO", "WARN", "debug", "error", "info", "set_verbosity", "warning"]


def set_verbosity(level: int) -> None:
    """The least serious messages that are shown."""
    logging.getLogger("tensorflow").setLevel(level)
