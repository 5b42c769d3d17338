"""The explanation of one guest on a terminal: who, which account and why it, each value with where it comes from, the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from reconciler.model.plan import Change, Delta, Rule
from reconciler.model.provenance import Spot
from reconciler.model.values import Value
from reconciler.planning.explaining import Explanation, Wish

from .page import Page
from .values import sides
from .verdict import VERBS
from .visible import Shown

_VALUE = 120
_SENTENCE = 600
_SHORT = 8
_NOWHERE = Rule("", "", 0)


@dataclass(frozen=True, slots=True)
class Told:
    """An explanation with where everything stands: guest attributes by name, the join, rules."""

    found: Explanation
    attributes: Mapping[str, Spot]
    join: Spot | None
    rules: Mapping[Rule, Spot]
    digest: str


def explanation(told: Told, console: Console) -> None:
    """Print it."""
    page = Page(console)
    _who(page, told)
    _account(page, told)
    _placement(page, told)
    _values(page, told)
    _verdict(page, told)
    _commits(page, told)
    page.print()


def _who(page: Page, told: Told) -> None:
    guest, where = told.found.guest, told.found.standing
    page.line(page.quoted(guest.label, "bold", _VALUE), "  ", page.data(guest.id, "dim"))
    if where is None:
        page.line(page.words("its scope cannot be decided: see the conflict below", "yellow"), indent=2)
    elif where.kind == "active":
        page.line(page.words("active, and in scope", "green"), indent=2)
    else:
        page.line(page.words(where.cause, "yellow"), indent=2)
    _rule(page, told, told.found.scope, indent=2)
    if told.found.hold is not None:
        hold = told.found.hold
        words = page.words(f"held until {hold.until.isoformat()}: ", "yellow")
        page.line(words, page.quoted(hold.reason, limit=_VALUE), indent=2, hanging=2)
        _rule(page, told, hold.rule, indent=4)
    page.blank()


def _account(page: Page, told: Told) -> None:
    found, account = told.found, told.found.account
    page.line(page.words("Account", "bold"))
    if account is None:
        words = "in conflict: see below" if found.how == "conflict" else "none"
        page.line(page.words(words, "yellow"), indent=2)
        page.blank()
        return
    page.line(page.data(account.dn.text, limit=2 * _VALUE), indent=2, hanging=2)
    page.line(page.data(account.sid, "dim"), indent=2)
    facts = {
        "disabled": account.disabled,
        "disabled by this program, which may enable it again": account.suspended,
        "made by others, and taken over": account.adopted,
        f"departed on {account.departed}": account.departed is not None,
        f"missing: {account.missing}": account.missing is not None,
        f"protected: {', '.join(account.protected)}": bool(account.protected),
    }
    for words in (words for words, holds in facts.items() if holds):
        page.line(page.data(words, "yellow"), indent=2)
    if found.join_rule is not None:
        page.line("would be joined by ", page.data(found.join_rule.name), indent=2)
        _rule(page, told, found.join_rule, indent=4)
    elif told.join is not None:
        page.line("joined: recorded in ", *_place(page, told.join), indent=2)
    page.blank()


def _placement(page: Page, told: Told) -> None:
    place, account = told.found.placement, told.found.account
    page.line(page.words("Placement", "bold"), page.words("  at its creation and its return", "dim"))
    if place.ou is None:
        page.line(page.data(place.problem or "", "yellow", _SENTENCE), indent=2)
    else:
        there = account is None or account.dn.parent == place.ou
        page.line(page.data(place.ou.text, limit=2 * _VALUE), "" if there else "  (it is elsewhere)", indent=2)
    _rule(page, told, place.rule, place.expression, indent=4)
    _reads(page, told, place.reads)
    page.blank()


def _values(page: Page, told: Told) -> None:
    where = told.found.standing
    gone = "  while the guest is there: now left as it is" if where and where.kind == "left" else ""
    for title, note, kept in (("Kept equal", gone, True), ("Set once", "  at its creation", False)):
        page.line(page.words(title, "bold"), page.words(note, "dim"))
        for wish in (w for w in told.found.wishes if w.kept is kept):
            _wish(page, told, wish)
        page.blank()


def _wish(page: Page, told: Told, wish: Wish) -> None:
    name = page.data(wish.attribute, "bold")
    if wish.problem is not None:
        page.line(name, "  ", page.data(wish.problem, "yellow", _SENTENCE), indent=2, hanging=4)
    elif wish.secret:
        page.line(name, page.words("  generated when the account is made; written nowhere", "dim"), indent=2)
    elif told.found.account is None or wish.wanted == wish.actual:
        page.line(name, "  ", *_values_of(page, wish, None, wish.wanted)[1:], indent=2, hanging=4)
    else:
        is_now, wanted, *flags = _values_of(page, wish, wish.actual, wish.wanted)
        arrow = page.words(" → " if wish.kept else "  is now; was made as ", "dim")
        page.line(name, "  ", is_now, arrow, wanted, *flags, indent=2, hanging=4)
    _rule(page, told, wish.rule, wish.expression, indent=4)
    _reads(page, told, wish.reads)


def _reads(page: Page, told: Told, reads: Sequence[str]) -> None:
    guest = told.found.guest
    for name in reads:
        value = guest.id if name == "id" else guest.attributes.get(name)
        spot = told.attributes.get(guest.id if name == "id" else name)
        where: list[Text | str] = ["  ", *_place(page, spot)] if spot else []
        shown: list[Text | str] = [page.words("guest.", "cyan"), page.data(name, "cyan"), " = ", _value(page, value)]
        page.line(*shown, *where, indent=4, hanging=4)


def _rule(page: Page, told: Told, rule: Rule | None, expression: str | None = None, *, indent: int) -> None:
    if rule is None:
        return
    source: list[Text | str] = ["  ", page.data(expression, limit=_VALUE)] if expression else []
    spot = told.rules[rule]
    page.line(page.data(rule.name), "  ", *_place(page, spot), *source, indent=indent, hanging=4)


def _place(page: Page, spot: Spot) -> list[Text]:
    known = page.words(f" {spot.commit.id[:_SHORT]}", "dim") if spot.commit else page.words(" uncommitted", "yellow")
    return [page.data(f"{spot.file}:{spot.line}", "dim"), known]


def _commits(page: Page, told: Told) -> None:
    spots = [*told.rules.values(), *told.attributes.values(), *([told.join] if told.join else [])]
    commits = {spot.commit.id: spot.commit for spot in spots if spot.commit is not None}
    if commits:
        page.blank()
        page.line(page.words("Commits", "bold"))
    for commit in sorted(commits.values(), key=lambda c: (c.at, c.id)):
        said = [
            page.quoted(commit.summary, limit=_VALUE),
            page.words(" by ", "dim"),
            page.quoted(commit.author, limit=_VALUE),
        ]
        cut = "  or an earlier one: the history is cut off there" if commit.cut_off else ""
        page.line(
            page.data(commit.id[:_SHORT]), "  ", page.data(commit.at[:10], "dim"), "  ", *said, cut, indent=2, hanging=4
        )


def _verdict(page: Page, told: Told) -> None:
    found = told.found
    for conflict in found.conflicts:
        page.line(page.words("Conflict ", "bold yellow"), page.data(conflict.kind, "bold yellow", _VALUE))
        page.line(page.data(conflict.what, limit=_SENTENCE), indent=2)
        page.line(page.words("→ ", "green"), page.data(conflict.remedy, limit=_SENTENCE), indent=2, hanging=2)
        page.blank()
    page.line(page.words("The present plan", "bold"), page.words(f"  {told.digest[:12]}", "dim"))
    if not found.changes:
        page.line("changes nothing here.", indent=2)
    for change in found.changes:
        _change(page, told, change)


def _change(page: Page, told: Told, change: Change) -> None:
    style = "yellow" if change.dangerous else ""
    to = [page.words(" → ", "dim"), page.data(change.to.text, limit=2 * _VALUE)] if change.to else []
    names = ", ".join(delta.attribute for delta in change.deltas)
    of: list[Text | str] = [": ", page.data(names, limit=_SENTENCE)] if names else []
    page.line(page.words(VERBS[change.action], style), *to, *of, indent=2, hanging=4)
    page.line(page.data(change.cause, "dim", _SENTENCE), indent=4)
    for rule in change.rules:
        _rule(page, told, rule, indent=4)


def _values_of(page: Page, wish: Wish, before: Value | None, after: Value | None) -> list[Text]:
    """Return both sides so that a reader sees how they differ, and what a number means."""
    shown = sides(Delta(wish.attribute, before, after, wish.rule), _VALUE, ascii_only=page.ascii_only)
    flags = [page.words(f"  {shown.flags}", "dim")] if shown.flags else []
    return [_side(page, shown.before, before), _side(page, shown.after, after), *flags]


def _value(page: Page, value: Value | None) -> Text:
    shown = sides(Delta("", None, value, _NOWHERE), _VALUE, ascii_only=page.ascii_only)
    return _side(page, shown.after, value)


def _side(page: Page, shown: Sequence[Shown], raw: Value | None) -> Text:
    if not shown:
        return page.words("none", "dim italic")
    show = page.data if isinstance(raw, int) else page.quoted
    return Text(", ").join(show(v) for v in shown)
