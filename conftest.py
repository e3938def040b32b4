"""Plugins and settings of the test suite."""

from hypothesis import settings

pytest_plugins = ("tests.rotation",)

# A test is never about time: a busy machine must not fail one.
settings.register_profile("symgraph", parent=settings.default, deadline=None)
settings.load_profile("symgraph")
