"""What ``tf.config`` says of devices: there is no GPU to set up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


def list_physical_devices(device_type: str | None = None) -> list[Any]:
    """The devices that can be set up: none."""
    return []


list_logical_devices = list_physical_devices
experimental = SimpleNamespace(list_physical_devices=list_physical_devices, list_logical_devices=list_logical_devices)
