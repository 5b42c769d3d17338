"""Where a value stands, and which commit put it there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit. Author and summary are other people's text: escape them at the sink."""

    id: str
    author: str
    at: str
    """When it was made: RFC 3339, UTC."""
    summary: str
    cut_off: bool = False
    """A shallow clone ends here: it may have been an earlier one."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A line of a file of the operations directory. `commit` last changed it; None: not committed as it is."""

    file: str
    line: int
    commit: Commit | None
