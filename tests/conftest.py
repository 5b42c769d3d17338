"""Fixtures and settings that every test may use."""

from hypothesis import settings

pytest_plugins = ["tests.support.samba", "tests.support.operations"]

# Two busy cores: how long one example takes says nothing about the law it tries.
settings.register_profile("reconcile", deadline=None)
settings.load_profile("reconcile")
