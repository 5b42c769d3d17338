"""Progress for people: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from reconciler.progress import Progress, Task

from .terminal import text

_EVERY = 5.0
"""Seconds between two lines of one task in a log."""


def for_terminal(console: Console, clock: Callable[[], float] = time.monotonic) -> Progress:
    """Return bars where the console is a terminal, else lines, each at least five seconds of `clock` after the last."""
    if not console.is_terminal:
        return _InLog(console, clock)
    from .bars import OnTerminal  # a log has no use for what draws them

    return OnTerminal(console)


class _InLog:
    """One line when a task starts to take time, then at intervals, and one when it ends."""

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        self._console, self._clock = console, clock

    @contextmanager
    def task(self, what: str, total: int | None = None) -> Iterator[Task]:
        """Say that the work begins, how it goes on, and how long it took."""
        task = _LogTask(self.say, self._clock, what, total)
        yield task
        task.end()

    def say(self, what: str) -> None:
        """Print a line."""
        self._console.print(text(what), soft_wrap=True)


class _LogTask:
    def __init__(self, say: Callable[[str], None], clock: Callable[[], float], what: str, total: int | None) -> None:
        self._say, self._clock, self._what, self._total = say, clock, what, total
        self._start = self._last = clock()
        self._count = 0

    def done(self, count: int) -> None:
        self._count = count
        now = self._clock()
        if now - self._last >= _EVERY:
            self._last = now
            self._say(f"{self._what}: {self._so_far()}{self._left(now)}")

    def end(self) -> None:
        """Say the end of it."""
        self._say(f"{self._what}: {self._so_far()} in {self._clock() - self._start:.1f} s")

    def _so_far(self) -> str:
        if self._total is None or self._count > self._total:  # an estimate, and there are more
            return f"{self._count:,}"
        return f"{self._count:,} of {self._total:,}"

    def _left(self, now: float) -> str:
        rate = self._count / (now - self._start)
        if not rate:
            return ""
        left = (
            ""
            if self._total is None or self._count > self._total
            else f", about {(self._total - self._count) / rate:,.0f} s left"
        )
        return f", {rate:,.0f}/s{left}"
