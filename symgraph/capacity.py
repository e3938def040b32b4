"""How much memory there is."""

from __future__ import annotations

import os
import sys
from functools import lru_cache


def bytes_text(count: int) -> str:
    """A number of bytes for people.

    Example:
        >>> bytes_text(1536)
        '1.5 KiB'
    """
    amount, units = float(count), ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    while amount >= 1024 and len(units) > 1:
        amount /= 1024
        units.pop(0)
    return f"{count} bytes" if units[0] == "bytes" else f"{amount:.1f} {units[0]}"


@lru_cache(maxsize=1)
def memory_limit() -> int:
    """Bytes that this process can have at most: the machine's memory, or its control group's share of it.

    Systems promise more than they have and end a process that uses it; what can never fit is refused before.
    """
    try:
        limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, OSError, ValueError):  # not a system that tells
        return sys.maxsize
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(file, encoding="ascii") as stream:
                text = stream.read().strip()
        except OSError:
            continue
        if text.isdigit():
            limits.append(int(text))
    return min(limits)
