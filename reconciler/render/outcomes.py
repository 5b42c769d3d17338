"""What became of each change, at the end of an apply."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from reconciler.model.plan import Action

from .verdict import VERBS

if TYPE_CHECKING:
    from rich.console import Console

    from .page import Page  # rich is loaded when something is shown

Outcome = Literal["done", "already", "stale", "failed", "skipped", "pending"]
_MANY = 20
"""Successes beyond this are counted, not listed."""
_KINDS: dict[Outcome, tuple[str, str, str]] = {
    "failed": ("✗", "bold red", "failed"),
    "stale": ("!", "bold yellow", "stale"),
    "skipped": ("-", "yellow", "skipped"),
    "pending": ("·", "yellow", "pending"),
    "already": ("=", "green", "done before"),
    "done": ("✓", "green", "done"),
}
"""Symbol, style and name, in the order they are listed: what a person must look at first."""


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """One change's outcome. `already`: it was as it should be. `stale`: neither before nor after; left alone."""

    key: str
    action: Action
    label: str
    guest: str
    outcome: Outcome
    detail: str = ""


def outcomes(results: Sequence[OutcomeRow], console: Console) -> None:
    """Print the counts, then what went wrong in full, then what went right: counted by action where it is much."""
    from .page import Page

    page = Page(console)
    _summary(page, Counter(row.outcome for row in results))
    for outcome, (symbol, style, name) in _KINDS.items():
        rows = [row for row in results if row.outcome == outcome]
        good = outcome in ("done", "already")
        if not rows:
            continue
        page.blank()
        if good and len(rows) > _MANY:
            by_action = Counter(row.action for row in rows)
            parts = ", ".join(f"{by_action[a]:,} to {verb}" for a, verb in VERBS.items() if by_action[a])
            page.line(page.words(f"{symbol} {name}", style), f": {parts}", hanging=2)
            continue
        page.line(page.words(f"{symbol} {name}: {len(rows):,}", style))
        for row in rows:
            _row(page, row)
    page.print()


def _summary(page: Page, counts: Counter[Outcome]) -> None:
    parts = []
    for outcome, (_, style, name) in reversed(_KINDS.items()):
        if counts[outcome]:
            parts += [page.words(f"{counts[outcome]:,} {name}", style), page.words(", ")]
    page.line("Applied: " if parts else "Nothing was to be applied", *parts[:-1], ".")


def _row(page: Page, row: OutcomeRow) -> None:
    action = page.words(f"{VERBS[row.action]:<10}")
    page.line(action, page.quoted(row.label, "bold", 40), "  ", page.data(row.guest, "dim", 40), indent=2, hanging=10)
    if row.detail:
        for line in row.detail.split("\n"):
            page.line(page.data(line), indent=12)
