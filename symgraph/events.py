"""What symgraph is doing, one line an event, where ``SYMGRAPH_LOG`` asks for it.

``SYMGRAPH_LOG=cache,compile`` (or ``all``) sends the events of these topics to standard error, through the logger
``symgraph`` of :mod:`logging`. Topics: ``cache`` (what was found, kept, refused on disk), ``passes`` (what each pass
did to a graph), ``kernels`` (each kernel that was compiled), ``compile`` (how long each stage of a function took).
Without it nothing is imported, formatted or measured beyond a look at one frozen set.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache
from typing import Any

TOPICS = ("cache", "passes", "kernels", "compile")


@lru_cache(maxsize=4)
def _topics(setting: str) -> frozenset[str]:
    asked = {word.strip().lower() for word in setting.split(",")} - {""}
    chosen = frozenset(TOPICS) if "all" in asked else frozenset(asked & set(TOPICS))
    unknown = sorted(asked - set(TOPICS) - {"all"})
    if chosen:
        _listen()
    if unknown:
        warn("SYMGRAPH_LOG: no topic %s; the topics are: %s", ", ".join(unknown), ", ".join((*TOPICS, "all")))
    return chosen


def is_on(topic: str) -> bool:
    """Whether events of a topic are wanted; ask before you measure or put words together."""
    setting = os.environ.get("SYMGRAPH_LOG", "")
    return bool(setting) and topic in _topics(setting)


def tell(topic: str, message: str, *values: Any) -> None:
    """One line ``symgraph <topic>: <message % values>``, where the topic is wanted."""
    if is_on(topic):
        import logging

        logging.getLogger("symgraph").info(f"{topic}: {message}", *values)


def warn(message: str, *values: Any) -> None:
    """Something the user should know, whatever the topics."""
    import logging

    logging.getLogger("symgraph").warning(message, *values)


class Stopwatch:
    """Milliseconds between laps, on the wall clock."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()

    def lap(self) -> float:
        """Milliseconds since the last lap (or the start)."""
        before, self._last = self._last, time.perf_counter()
        return 1e3 * (self._last - before)

    def total(self) -> float:
        """Milliseconds since the start."""
        return 1e3 * (time.perf_counter() - self._start)


def _listen() -> None:
    """Write the logger's lines to standard error, once, unless the program has set it up itself."""
    import logging

    logger = logging.getLogger("symgraph")
    logger.setLevel(logging.INFO)
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
        logger.addHandler(handler)
        logger.propagate = False
