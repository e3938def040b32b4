"""Plugins of the test suite."""

pytest_plugins = ("tests.rotation",)
