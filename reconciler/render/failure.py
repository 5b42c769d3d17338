"""An error for the person who has to act on it: what happened, and the remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import ReconcileError

from . import log

if TYPE_CHECKING:
    from rich.console import Console


def error(err: ReconcileError, console: Console) -> None:
    """Print an error on a terminal. Lines of the message stay lines; everything else in it is made visible."""
    from .page import Page

    page = Page(console)
    for i, line in enumerate(err.what.split("\n")):
        page.line(
            page.words("" if i else "error: ", "bold red"), page.data(line, "bold"), indent=7 if i else 0, hanging=7
        )
    for line in err.remedy.split("\n") if err.remedy else ():
        page.line(page.data(line), indent=7)
    page.print()


def plain_error(err: ReconcileError) -> list[str]:
    """Return an error as lines for a log, none of which the log's reader takes for a command."""
    first, *more = err.what.split("\n")
    more += err.remedy.split("\n") if err.remedy else []
    return [f"error: {log.line(first)}", *(f"       {log.line(line)}" for line in more)]
