"""A plan on a terminal: what is dangerous first, before and after in line, one summary at the end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from reconciler.model.plan import Action, Change, Conflict, Delta, Plan, Rule
from reconciler.model.values import Value

from .groups import Group, conflicts_by_kind, grouped
from .page import Page, padded, widest
from .speculation import SPECULATIVELY, parts, pending_title, speculative_verdict
from .speculation_terminal import speculation
from .values import sides
from .verdict import VERBS, Kind, count, summary, verdict
from .visible import Shown

WHERE = "state/plan.json"
_WHOLE = 20
"""A plan of more changes and conflicts is summarised."""
_VALUE = 80
_LABEL = 40
_SENTENCE = 600
_SYMBOLS = {
    Action.DELETE: ("-", "red"),
    Action.DISABLE: ("!", "red"),
    Action.JOIN: ("&", "magenta"),
    Action.RESTORE: ("^", "magenta"),
    Action.ENABLE: ("*", "magenta"),
    Action.MOVE: ("→", "yellow"),
    Action.RENAME: ("»", "yellow"),
    Action.UPDATE: ("~", "yellow"),
    Action.CREATE: ("+", "green"),
}
_VERDICTS = {
    Kind.REFUSED: "bold red",
    Kind.CONFLICTS: "bold yellow",
    Kind.DANGEROUS: "bold yellow",
    Kind.SAFE: "bold green",
    Kind.NOTHING: "bold green",
}


@dataclass(frozen=True, slots=True)
class _Most:
    """How much is shown of a plan."""

    dangerous: int = 10
    routine: int = 3
    groups: int = 12
    conflicts: int = 5
    unmanaged: int = 3


_ALL = _Most(*[sys.maxsize] * 5)


def terminal(plan: Plan, digest: str, console: Console, *, full: bool = False, where: str = WHERE) -> None:
    """Print a plan. One of many changes is summarised, unless `full`; `where` is the file that has them all."""
    page = Page(console)
    if plan.speculation and where == WHERE:
        where = SPECULATIVELY
    told = parts(plan)
    most = _ALL if full or len(plan.changes) + len(plan.conflicts) <= _WHOLE else _Most()
    dangerous, routine = grouped(told.own)
    left = _groups(page, "Dangerous", dangerous, most.dangerous, most.groups)
    left += _groups(page, "Routine", routine, most.routine, most.groups)
    left += _conflicts(page, "Conflicts, for a person to resolve", told.own.conflicts, most.conflicts)
    if told.other.changes or told.other.conflicts:
        page.line(page.words(f"{pending_title(told.other)} (`reconcile plan` shows them)", "dim"))
        page.blank()
    left += _conflicts(page, "Held back by the policy", plan.held, most.conflicts)
    if left:
        page.line(f"{left:,} more are not shown here: ", page.data(where), " has them all.")
        page.blank()
    _about(page, plan, digest, (_ALL if full else _Most()).unmanaged)
    if plan.speculation:
        speculation(page, plan.speculation)
    _verdict(page, plan)
    page.print()


def _groups(page: Page, title: str, groups: Sequence[Group], most: int, most_groups: int) -> int:
    if not groups:
        return 0
    page.line(page.words(f"{title}: {count(sum(len(g.changes) for g in groups), 'change')}", "bold"))
    page.blank()
    for group in groups[:most_groups]:
        _group(page, group, most)
    left_out = groups[most_groups:]
    left = sum(len(g.changes) for g in left_out)
    if left_out:
        page.line(page.words(f"…and {left:,} more in {count(len(left_out), 'other group')}", "dim"), indent=2)
        page.blank()
    return left + sum(max(len(g.changes) - most, 0) for g in groups[:most_groups])


def _group(page: Page, group: Group, most: int) -> None:
    symbol, style = _SYMBOLS[group.action]
    n = len(group.changes)
    head = page.words(f"{symbol} {VERBS[group.action]} {count(n, 'account')}", f"bold {style}")
    page.line(head, ": ", page.data(group.cause, limit=_SENTENCE), indent=2, hanging=2)
    page.line(*_rules(page, group.rules), indent=4, hanging=2)
    place = [page.words("in ", "dim"), page.data(group.ou, "dim", 2 * _VALUE)]
    if group.to is not None:
        place += [page.words(" → ", style), page.data(group.to, limit=2 * _VALUE)]
    page.line(*place, indent=4, hanging=2)
    common = group.common
    if common:
        page.line(page.words("all with", "dim"), indent=4)
        _deltas(page, [(d, True) for d in common], indent=6)
    page.blank()
    shown = group.changes[:most]
    labels = [page.quoted(c.label, "bold", _LABEL) for c in shown]
    column = widest(labels, page.width - 50)
    for change, label in zip(shown, labels, strict=True):
        mark = page.words(f"{symbol} ", style)
        page.line(mark, padded(label, column), "  ", page.data(change.guest, "dim", _LABEL), indent=4, hanging=2)
        _change(page, change, common)
    if n > most:
        page.line(page.words(f"…and {n - most:,} more like these", "dim"), indent=4)
    page.blank()


def _change(page: Page, change: Change, common: Sequence[Delta]) -> None:
    if change.dn.name != change.guest:
        page.line(page.data(change.dn.rdn, "dim", _VALUE), indent=6, hanging=2)
    if change.to is not None and change.to.rdn != change.dn.rdn:
        page.line(page.words("→ ", "yellow"), page.data(change.to.rdn, limit=_VALUE), indent=6, hanging=2)
    if change.action in (Action.DELETE, Action.JOIN, Action.RESTORE) and change.sid:
        page.line(page.data(change.sid, "dim", _VALUE), indent=6)
    created = change.action is Action.CREATE
    own = [(d, created) for d in change.deltas if d not in common]
    _deltas(page, own, indent=6)
    for warning in change.warnings:
        page.line(page.words("warning: ", "bold yellow"), page.data(warning, limit=_SENTENCE), indent=6, hanging=2)
    if len(own) > 1:
        page.blank()


def _deltas(page: Page, deltas: Sequence[tuple[Delta, bool]], indent: int) -> None:
    """Print each attribute, what it was and what it becomes, in columns where the width allows."""
    names = [page.data(d.attribute, limit=_LABEL) for d, _ in deltas]
    shown = [sides(d, _VALUE, ascii_only=page.ascii_only) for d, _ in deltas]
    befores = [_values(page, s.before, d.before, "red") for s, (d, _) in zip(shown, deltas, strict=True)]
    name_column, before_column = widest(names, page.width // 3), widest(befores, page.width // 3)
    for (delta, created), name, side, before in zip(deltas, names, shown, befores, strict=True):
        head = Text.assemble(padded(name, name_column), "  ", end="")
        after = _values(page, side.after, delta.after, "green")
        if side.via:
            via = _values(page, side.via, delta.via, "yellow")
            after = Text.assemble(via, page.words(" for a moment → ", "dim"), after, end="")
        if side.flags:
            after = Text.assemble(after, page.words(f"  {side.flags}", "dim"), end="")
        if side.same:
            after = Text.assemble(after, page.words(f"  ({side.same:,} more stay)", "dim"), end="")
        if delta.secret:
            page.line(head, page.words("made at apply, never shown", "dim"), indent=indent, hanging=2)
        elif created:
            page.line(head, after, indent=indent, hanging=head.cell_len)
        else:
            _before_after(page, head, padded(before, before_column), after, indent)


def _before_after(page: Page, head: Text, before: Text, after: Text, indent: int) -> None:
    arrow = page.words(" → ", "dim")
    if indent + head.cell_len + before.cell_len + arrow.cell_len + after.cell_len <= page.width:
        page.line(head, before, arrow, after, indent=indent)
        return
    before.rstrip()
    page.line(head, "  ", before, indent=indent, hanging=head.cell_len + 2)
    page.line(page.words("→ ", "dim"), after, indent=indent + head.cell_len, hanging=2)


def _values(page: Page, values: Sequence[Shown], raw: Value | None, style: str) -> Text:
    if not values:
        return page.words("none", "dim italic")
    show = page.data if isinstance(raw, int) else page.quoted
    return Text(", ").join(show(v, style) for v in values)


def _rules(page: Page, rules: Sequence[Rule]) -> list[Text]:
    shown = [page.data(f"{r.name} ({r.file}:{r.line})", "dim", _VALUE) for r in rules[:3]]
    more = page.words(f" and {len(rules) - 3} more" if len(rules) > len(shown) else "", "dim")
    return [Text(", ", "dim").join(shown), more]


def _conflicts(page: Page, title: str, conflicts: Sequence[Conflict], most: int) -> int:
    if not conflicts:
        return 0
    page.line(page.words(f"{title}: {len(conflicts):,}", "bold"))
    page.blank()
    left = 0
    for kind, found in conflicts_by_kind(conflicts).items():
        page.line(page.words("? ", "bold yellow"), page.data(kind, "bold yellow", _VALUE), indent=2)
        for conflict in found[:most]:
            _conflict(page, conflict)
        if len(found) > most:
            page.line(page.words(f"…and {len(found) - most:,} more of this kind", "dim"), indent=4)
            left += len(found) - most
        page.blank()
    return left


def _conflict(page: Page, conflict: Conflict) -> None:
    label = page.quoted(conflict.label, "bold", _LABEL)
    page.line(label, "  ", page.data(conflict.subject, "dim", _VALUE), indent=4, hanging=2)
    if conflict.dn:
        page.line(page.data(conflict.dn.text, "dim", 2 * _VALUE), indent=6, hanging=2)
    page.line(page.data(conflict.what, limit=_SENTENCE), indent=6)
    if conflict.remedy:
        page.line(page.words("→ ", "green"), page.data(conflict.remedy, limit=_SENTENCE), indent=6, hanging=2)
    if conflict.rule:
        page.line(*_rules(page, (conflict.rule,)), indent=6, hanging=2)


def _about(page: Page, plan: Plan, digest: str, most: int) -> None:
    for note in plan.notes:
        page.line("Note: ", page.data(note, limit=_SENTENCE), hanging=2)
    if plan.unmanaged:
        n = len(plan.unmanaged)
        page.line(f"{count(n, 'account')} under the OUs {'is' if n == 1 else 'are'} not managed, and left alone:")
        for unmanaged in plan.unmanaged[:most]:
            page.line(page.data(unmanaged.dn.text, "dim", 2 * _VALUE), indent=2, hanging=2)
        if n > most:
            page.line(page.words(f"…and {n - most:,} more", "dim"), indent=2)
    page.blank()
    origin = plan.origin
    rows = (
        ("digest", digest),
        ("as of", f"{origin.as_of}, serial {origin.serial}"),
        ("expires", origin.expires),
        ("tenant", origin.tenant),
        ("domain", f"{origin.domain_dn} on {origin.controller}"),
    )
    for name, value in rows:
        whole = page.words(f"{name:<9}", "dim"), page.data(value, limit=2 * _VALUE)
        page.line(*whole, hanging=9, wraps=name != "digest")
    page.blank()


def _verdict(page: Page, plan: Plan) -> None:
    said = speculative_verdict(plan, plan.speculation) if plan.speculation else verdict(plan)
    if said.kind is not Kind.NOTHING:
        page.line(page.words(f"{said.title}.", _VERDICTS[said.kind]), " ", said.detail)
        for guard in plan.refused:
            for message in guard.message.split("\n"):
                mark = page.words(f"{VERBS[guard.action]}: ", "bold red")
                page.line(mark, page.data(message, limit=_SENTENCE), indent=2, hanging=2)
        page.blank()
    page.line(page.words(summary(plan), "bold"))
