"""Progress on a terminal: a bar for each task that goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, TaskID, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.progress import Task as Bar
from rich.text import Text

from reconciler.progress import Task

from .terminal import text


class _What(ProgressColumn):
    def render(self, task: Bar) -> Text:
        return text(task.description)


class _Count(ProgressColumn):
    """How many of how many, and how many a second."""

    def render(self, task: Bar) -> Text:
        total = "" if task.total is None or task.completed > task.total else f" of {task.total:,.0f}"
        rate = f", {task.speed:,.0f}/s" if task.speed else ""
        return Text(f"{task.completed:,.0f}{total}{rate}", "dim")


class OnTerminal:
    """All running tasks as bars; they vanish when the last one ends."""

    def __init__(self, console: Console) -> None:
        columns = (
            SpinnerColumn("line"),
            _What(),
            BarColumn(),
            _Count(),
            TimeRemainingColumn(elapsed_when_finished=True),
        )
        self._bars = Bars(*columns, console=console, transient=True)
        self._running = 0

    @contextmanager
    def task(self, what: str, total: int | None = None) -> Iterator[Task]:
        """Show a bar while the work goes on."""
        bar = self._bars.add_task(what, total=total)
        if not self._running:
            self._bars.start()
        self._running += 1
        try:
            yield _BarTask(self._bars, bar)
        finally:
            self._bars.remove_task(bar)
            self._running -= 1
            if not self._running:
                self._bars.stop()

    def say(self, what: str) -> None:
        """Print a line above the bars."""
        self._bars.console.print(text(what))


class _BarTask:
    def __init__(self, bars: Bars, bar: TaskID) -> None:
        self._bars, self._bar = bars, bar

    def done(self, count: int) -> None:
        self._bars.update(self._bar, completed=count)
