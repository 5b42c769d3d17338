"""Fixtures that every test may use."""

pytest_plugins = ["tests.support.samba", "tests.support.operations"]
