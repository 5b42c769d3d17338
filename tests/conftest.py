"""Fixtures and settings that every test may use."""

import signal

from hypothesis import settings

pytest_plugins = ["tests.support.samba", "tests.support.operations"]

# Two busy cores: how long one example takes says nothing about the law it tries.
settings.register_profile("reconcile", deadline=None)
settings.load_profile("reconcile")

# What a shell begins in the background ignores Ctrl-C, and so would every process that a test begins, and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
