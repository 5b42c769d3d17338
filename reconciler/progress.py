"""Progress of long work, with no user interface inside the logic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Task(Protocol):
    """One piece of long work."""

    def done(self, count: int) -> None:
        """Say how much is done so far, absolutely."""
        ...


class Progress(Protocol):
    """Where long work is announced."""

    @contextmanager
    def task(self, what: str, total: int | None = None) -> Iterator[Task]:
        """Announce work; `total` None while unknown."""
        ...

    def say(self, what: str) -> None:
        """One line about what happens now."""
        ...


class Silent:
    """No progress at all: for libraries and tests."""

    class _Task:
        def done(self, count: int) -> None:
            """Ignore."""

    @contextmanager
    def task(self, what: str, total: int | None = None) -> Iterator[Task]:  # noqa: ARG002  the port's signature
        """Ignore."""
        yield self._Task()

    def say(self, what: str) -> None:
        """Ignore."""
