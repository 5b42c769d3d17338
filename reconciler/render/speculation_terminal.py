"""The blast radius on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from reconciler.model.speculation import PLACE, Example, Kind, Radius, Speculation, Unknown, Unreached
from reconciler.model.values import Value

from .page import Page
from .speculation import (
    KINDS,
    MARK,
    PLACES,
    UNPLANNABLE,
    UNREACHED,
    effect,
    radius_title,
    stays,
    unknown_title,
    with_effect,
)
from .values import sides
from .verdict import VERBS, count
from .visible import Shown

_SENTENCE = 600
_SHORT = 60
_FEW = 3


def unplannable(base: str, unknown: tuple[Unknown, ...], console: Console) -> None:
    """Print why there is no speculative plan."""
    page = Page(console)
    speculation(page, Speculation(base, None, unknown))
    page.line(page.words(f"{UNPLANNABLE}.", "bold yellow"))
    page.print()


def speculation(page: Page, told: Speculation) -> None:
    """Add what comes of the change, and what is not known."""
    page.line(page.words(MARK, "bold magenta"))
    page.line("Compared with the policy of ", page.data(told.base, limit=_SHORT), ".")
    page.blank()
    if told.radius:
        _radius(page, told.radius)
    if told.unreached:
        _unreached(page, told.unreached)
    if told.unknown:
        page.line(page.words(unknown_title(told.unknown), "bold yellow"))
        for unknown in told.unknown:
            page.line(page.words("? ", "yellow"), page.data(unknown.what, limit=_SENTENCE), indent=2, hanging=2)
        page.blank()


def _radius(page: Page, radius: Radius) -> None:
    page.line(page.words(radius_title(radius), "bold"))
    for kind in radius.kinds[:KINDS]:
        _kind(page, kind)
    if left := radius.kinds[KINDS:]:
        more = f"…and {sum(k.accounts for k in left):,} in {count(len(left), 'other kind')}"
        page.line(page.words(more, "dim"), indent=2)
    for ou, n in radius.places[:PLACES]:
        page.line(f"{n:>9,}  in ", page.data(ou, "dim", 2 * _SHORT), hanging=14)
    if left_out := sum(n for _, n in radius.places[PLACES:]):
        page.line(page.words(f"{left_out:>9,}  elsewhere", "dim"))
    page.blank()
    if radius.examples:
        page.line(page.words("For example", "bold"))
        for example in radius.examples:
            _example(page, example)
        page.blank()


def _unreached(page: Page, unreached: Sequence[Unreached]) -> None:
    page.line(page.words(UNREACHED, "bold"), hanging=2)
    for some in unreached[:KINDS]:
        attribute = [] if some.attribute == PLACE else [page.words(" "), page.data(some.attribute, limit=_SHORT)]
        rule = page.data(f"{some.rule.name} ({some.rule.file}:{some.rule.line})", "dim", 2 * _SHORT)
        page.line(page.words(stays(some)), *attribute, "  ", rule, indent=2, hanging=2)
        for one in some.examples:
            shown = sides(one.delta, 2 * _SHORT, ascii_only=page.ascii_only)
            who = page.quoted(one.label, limit=40), "  ", page.data(one.guest, "dim", 40)
            page.line(*who, indent=4, hanging=2)
            now = _values(page, shown.before, one.delta.before), page.words("; a new one: ", "dim")
            page.line(*now, _values(page, shown.after, one.delta.after), indent=6, hanging=2)
    if left := unreached[KINDS:]:
        page.line(page.words(f"…and {count(len(left), 'other')}", "dim"), indent=2)
    page.blank()


def _kind(page: Page, kind: Kind) -> None:
    style = "bold red" if kind.dangerous else "bold yellow" if kind.action is None else "bold"
    parts = [page.words(f"{kind.accounts:>9,}  "), page.words(effect(kind), style)]
    if kind.conflict:
        parts += [page.words(": "), page.data(kind.conflict, limit=_SHORT)]
    if kind.attributes:
        more = f" and {len(kind.attributes) - _FEW} more" if len(kind.attributes) > _FEW else ""
        parts += [page.words(": "), page.data(", ".join(kind.attributes[:_FEW]), limit=2 * _SHORT), page.words(more)]
    page.line(*parts, hanging=11)
    for rule in kind.rules[:_FEW]:
        page.line(page.data(f"{rule.name} ({rule.file}:{rule.line})", "dim", 2 * _SHORT), indent=11)


def _example(page: Page, example: Example) -> None:
    change = example.change
    how = page.words(with_effect(VERBS[change.action], example.effect), "dim")
    who = page.quoted(change.label, "bold", 40), "  ", page.data(change.guest, "dim", 40), "  ", how
    page.line(*who, indent=2, hanging=2)
    if example.to is not None:
        page.line(page.words("→ ", "dim"), page.data(example.to.text, limit=2 * _SHORT), indent=4, hanging=2)
    for delta in change.deltas[: 2 * _FEW]:
        if delta.secret:
            continue
        shown = sides(delta, _SHORT, ascii_only=page.ascii_only)
        parts = [page.data(delta.attribute, limit=_SHORT), page.words("  ")]
        if change.sid is not None:
            parts += [_values(page, shown.before, delta.before), page.words(" → ", "dim")]
        page.line(*parts, _values(page, shown.after, delta.after), indent=4, hanging=2)


def _values(page: Page, values: Sequence[Shown], raw: Value | None) -> Text:
    if not values:
        return page.words("none", "dim italic")
    show = page.data if isinstance(raw, int) else page.quoted
    return Text(", ").join(show(v) for v in values)
