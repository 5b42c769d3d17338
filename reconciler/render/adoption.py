"""The report of `reconcile adopt` on a terminal: how many of each first, then who, then what to do next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.text import Text

from reconciler.model.account import Account
from reconciler.model.plan import Action, Change, Rule
from reconciler.model.values import Value
from reconciler.planning.adoption import Adoption, Dispute, Orphan, Pair
from reconciler.planning.makers import WORDS

from .adoption_steps import next_steps
from .page import Page, padded, widest
from .values import sides
from .verdict import VERBS, count
from .visible import Shown

_MOST = 20
_LABEL = 40
_VALUE = 80
_SENTENCE = 600
_T = TypeVar("_T")


def adoption(found: Adoption, anchor: str, console: Console) -> None:
    """Print the report; of each kind at most twenty are listed. `anchor` is the policy's anchor attribute."""
    page = Page(console)
    _summary(page, found)
    _makers(page, found)
    _attributes(page, found, anchor)
    left = _section(page, "Would be taken over", found.joins, _pair)
    left += _section(page, "Joined already, and a plan changes", [p for p in found.joined if p.changes], _pair)
    left += _section(page, "Conflicts, for a person to resolve", found.disputes, _dispute)
    left += _section(page, "Orphans, left alone", found.orphans, _orphan)
    if left:
        page.line(f"{left:,} more are not shown here: `reconcile adopt --json` has them all.")
        page.blank()
    _next(page, next_steps(found, anchor))
    page.print()


def _summary(page: Page, found: Adoption) -> None:
    origin = found.plan.origin
    head = f"{count(found.accounts, 'account')} under the OUs, as imported. Nothing was changed."
    page.line(page.words(head, "bold"))
    page.line(page.data(f"as of {origin.as_of}, serial {origin.serial}, {origin.domain_dn}", "dim", 2 * _VALUE))
    page.blank()
    rows = [
        (len(found.joins), "would be taken over, with their SIDs", "magenta"),
        (len(found.joined), "are joined already", "green"),
        (len(found.disputed), "are in conflict, for a person to resolve", "yellow"),
        (len(found.orphans), "are orphans: no guest matches", "yellow"),
    ]
    for number, words, style in rows:
        page.line(page.words(f"{number:>9,}  ", f"bold {style}" if number else "dim"), words, hanging=11)
    if found.creates:
        page.line(
            page.words(f"{count(found.creates, 'guest')} without an account would get a new one.", "dim"), indent=2
        )
    page.blank()
    if found.rules:
        page.line(page.words("By rule", "bold"))
        for rule, number in found.rules.items():
            page.line(page.words(f"{number:>9,}  "), page.data(_place(rule), limit=_VALUE), hanging=11)
        page.blank()


def _makers(page: Page, found: Adoption) -> None:
    if found.makers:
        page.line(page.words("Not joined yet, by the pattern of their names", "bold"))
        for maker, number in found.makers.items():
            page.line(page.words(f"{number:>9,}  "), WORDS[maker], hanging=11)
        page.blank()


def _attributes(page: Page, found: Adoption, anchor: str) -> None:
    if found.attributes:
        page.line(page.words("What taking them over changes", "bold"))
        for name, number in found.attributes.items():
            own = page.words("  the anchor: the mark of the takeover", "dim") if name == anchor else ""
            page.line(page.words(f"{number:>9,}  "), page.data(name, limit=_VALUE), own, hanging=11)
        page.blank()


def _section(page: Page, title: str, items: Sequence[_T], show: Callable[[Page, _T], None]) -> int:
    """Print a section and return how many items it leaves out."""
    if not items:
        return 0
    page.line(page.words(f"{title}: {len(items):,}", "bold"))
    page.blank()
    for item in items[:_MOST]:
        show(page, item)
    left = max(len(items) - _MOST, 0)
    if left:
        page.line(page.words(f"…and {left:,} more", "dim"), indent=2)
    page.blank()
    return left


def _pair(page: Page, pair: Pair) -> None:
    page.line(page.words("& ", "magenta"), *_person(page, pair.guest.label, pair.guest.id), indent=2, hanging=2)
    _account(page, pair.account)
    if pair.rule is not None:
        page.line(page.words("by ", "dim"), page.data(_place(pair.rule), "dim", _VALUE), indent=4, hanging=2)
    names = [page.data(d.attribute, limit=_LABEL) for d in pair.deltas]
    column = widest(names, page.width // 3)
    for name, delta in zip(names, pair.deltas, strict=True):
        shown = sides(delta, _VALUE, ascii_only=page.ascii_only)
        before, after = _values(page, shown.before, delta.before), _values(page, shown.after, delta.after)
        flags = page.words(f"  {shown.flags}" if shown.flags else "", "dim")
        page.line(
            padded(name, column), "  ", before, page.words(" → ", "dim"), after, flags, indent=4, hanging=column + 2
        )
    for change in pair.changes:
        _whole(page, change)


def _whole(page: Page, change: Change) -> None:
    """Say what a change does to the account as a whole."""
    if change.action not in (Action.JOIN, Action.UPDATE):
        to = [page.words(" → ", "dim"), page.data(change.to.text, limit=2 * _VALUE)] if change.to else []
        page.line(page.words(VERBS[change.action], "yellow"), *to, indent=4, hanging=2)


def _dispute(page: Page, dispute: Dispute) -> None:
    page.line(page.words("? ", "bold yellow"), page.data(dispute.kind, "bold yellow", _VALUE), indent=2)
    for guest in dispute.guests:
        page.line(page.words("guest ", "dim"), *_person(page, guest.label, guest.id), indent=4, hanging=2)
    for account in dispute.accounts:
        _account(page, account)
    page.line(page.data(dispute.what, limit=_SENTENCE), indent=4)
    page.line(page.words("→ ", "green"), page.data(dispute.remedy, limit=_SENTENCE), indent=4, hanging=2)
    if dispute.rule is not None:
        page.line(page.data(_place(dispute.rule), "dim", _VALUE), indent=4, hanging=2)


def _orphan(page: Page, orphan: Orphan) -> None:
    page.line(page.words("- ", "yellow"), page.data(orphan.account.dn.text, limit=2 * _VALUE), indent=2, hanging=2)
    page.line(page.data(orphan.account.sid, "dim", _VALUE), indent=4)
    if orphan.names is not None:
        page.line("its anchor names guest ", page.data(orphan.names), ", whom nobody knows", indent=4, hanging=2)
    for rival in orphan.rivals:
        who = _person(page, rival.guest.label, rival.guest.id)
        found = page.data(_place(rival.rule), "dim", _VALUE)
        page.line(
            "found for ",
            *who,
            page.words(" by ", "dim"),
            found,
            ", but an earlier rule decides for that guest",
            indent=4,
            hanging=2,
        )


def _person(page: Page, label: str, guest_id: str) -> tuple[Text, str, Text]:
    return page.quoted(label, "bold", _LABEL), "  ", page.data(guest_id, "dim", _LABEL)


def _account(page: Page, account: Account) -> None:
    page.line(page.data(account.dn.text, limit=2 * _VALUE), indent=4, hanging=2)
    page.line(page.data(account.sid, "dim", _VALUE), indent=4)


def _values(page: Page, values: Sequence[Shown], raw: Value | None) -> Text:
    if not values:
        return page.words("none", "dim italic")
    show = page.data if isinstance(raw, int) else page.quoted
    return Text(", ").join(show(v) for v in values)


def _next(page: Page, steps: Sequence[str]) -> None:
    if not steps:
        page.line(page.words("Nothing is to be taken over.", "bold green"))
        return
    page.line(page.words("Next", "bold"))
    for number, step in enumerate(steps, 1):
        page.line(page.words(f"{number}. ", "bold"), page.data(step, limit=2 * _SENTENCE), indent=2, hanging=3)


def _place(rule: Rule) -> str:
    return f"{rule.name} ({rule.file}:{rule.line})"
