"""A plan as GitHub-flavoured Markdown: `state/plan.md` and the body of its pull request."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model.plan import Action, Change, Conflict, Delta, Plan, Rule
from reconciler.model.values import utf16_length

from .fit import OPEN, Block, Section, fit
from .groups import Group, conflicts_by_kind, grouped
from .markdown import cell, code, prose
from .speculation import MARK, SPECULATIVELY, parts, pending_title, speculative_verdict
from .speculation_markdown import radius_markdown
from .values import LIMIT, sides
from .verdict import VERBS, Kind, count, verdict
from .visible import Shown

WHERE = "state/plan.json"
_LONGEST = 65_536
"""GitHub's own limit, in characters; counted here in UTF-16 code units, which are no fewer."""
_SPARE = 1_024
_SENTENCE = 600
_NOTES = 10
_FEW = 5
_UNMANAGED = 10
_WHOSE = (Action.DELETE, Action.JOIN, Action.RESTORE)
"""Where it matters that it is this account and no other of the name."""
_ALERT = {
    Kind.REFUSED: "CAUTION",
    Kind.CONFLICTS: "WARNING",
    Kind.DANGEROUS: "IMPORTANT",
    Kind.SAFE: "TIP",
    Kind.NOTHING: "NOTE",
}


def limit(plan: Plan) -> int:
    """Return how long the page may be: of a speculative plan it becomes a comment, to which a line or two are added."""
    return _LONGEST - _SPARE if plan.speculation else _LONGEST


def markdown(plan: Plan, digest: str, changes_digest: str, limit: int = _LONGEST, where: str = WHERE) -> str:
    """Return the plan for people, in at most `limit` UTF-16 code units (GitHub's own limit by default; at least 8,000).

    The verdict comes first, then what is dangerous, then what is routine. A large plan shows the beginning of each
    group and says how many it left out; `where` is the file that has them all.
    """
    top = "".join(_top(plan, min(_SENTENCE, limit // 100)))
    foot = _foot(plan, digest, changes_digest)
    if plan.speculation and where == WHERE:
        where = SPECULATIVELY
    return top + fit(_sections(plan, where), limit - utf16_length(top) - utf16_length(foot)) + foot


def _top(plan: Plan, sentence: int) -> Iterator[str]:
    speculation = plan.speculation
    said = speculative_verdict(plan, speculation) if speculation else verdict(plan)
    yield f"> [!{_ALERT[said.kind]}]\n> **{said.title}.** {said.detail}\n"
    if speculation:
        yield f">\n> {MARK}\n"
    for guard in plan.refused:
        message = guard.message.replace("\n", " ")
        yield f">\n> - **{VERBS[guard.action]}**: {prose(message, sentence)}\n"
    yield "\n"
    if speculation:
        yield radius_markdown(speculation)
    if plan.changes:
        yield from _counts(plan)
    if plan.deferred:
        yield f"{plan.deferred:,} more are left for later plans: this one is full (`plan.batch`).\n\n"
    for note in plan.notes[:_NOTES]:
        yield f"- Note: {prose(note, sentence)}\n"
    if plan.notes:
        left = len(plan.notes) - _NOTES
        yield f"- …and {count(left, 'more note')}\n\n" if left > 0 else "\n"


def _counts(plan: Plan) -> Iterator[str]:
    guards = {g.action: g for g in plan.guards}
    yield "| action | accounts | guard |\n|---|---:|---|\n"
    for action in Action:
        if n := plan.count(action):
            guard = guards.get(action)
            at_most = "" if guard is None else f"at most {guard.limit:,}{': **refused**' if guard.refused else ''}"
            yield f"| {VERBS[action]} | {n:,} | {at_most} |\n"
    yield "\n"


def _sections(plan: Plan, where: str) -> Iterator[Section]:
    def rest(groups: int, changes: int) -> str:
        return f"…and {changes:,} more in {count(groups, 'other group')}: all of them are in {code(where)}.\n\n"

    def folded(title: str) -> tuple[str, str]:
        return f"<details>\n<summary>{title}</summary>\n\n", "</details>\n\n"

    told = parts(plan)
    plan, other = told.own, told.other
    dangerous, routine = grouped(plan)
    if dangerous:
        n = sum(len(g.changes) for g in dangerous)
        yield Section(f"## Dangerous: {count(n, 'change')}\n\n", [_block(g, where) for g in dangerous], rest)
    if plan.conflicts:
        blocks = [_conflicts(kind, found, where) for kind, found in conflicts_by_kind(plan.conflicts).items()]
        yield Section(f"## Conflicts: {len(plan.conflicts):,}\n\n", blocks, rest)
    if routine:
        n = sum(len(g.changes) for g in routine)
        head, foot = folded(f"<b>Routine: {count(n, 'change')}</b>")
        yield Section(head, [_block(g, where) for g in routine], rest, foot)
    if other.changes or other.conflicts:
        head, foot = folded(pending_title(other))
        blocks = [_block(g, where) for some in grouped(other) for g in some]
        blocks += [_conflicts(kind, found, where) for kind, found in conflicts_by_kind(other.conflicts).items()]
        yield Section(head, blocks, rest, foot)
    if plan.held:
        head, foot = folded(f"Held back by the policy: {len(plan.held):,}")
        blocks = [_conflicts(kind, found, where, "object") for kind, found in conflicts_by_kind(plan.held).items()]
        yield Section(head, blocks, rest, foot)
    if plan.unmanaged:
        n = len(plan.unmanaged)
        head, foot = folded(f"Not managed, and left alone: {count(n, 'account')}")
        yield Section(head, [_unmanaged(plan, where)], rest, foot)


def _block(group: Group, where: str) -> Block:
    n = len(group.changes)
    place = f"in {code(group.ou, LIMIT)}"
    if group.to is not None:
        place = f"{code(group.ou, LIMIT)} → {code(group.to, LIMIT)}"
    head = (
        f"**{VERBS[group.action].capitalize()} {count(n, 'account')}**: {prose(group.cause, LIMIT)}<br>\n"
        f"{_rules(group.rules)} {place}"
    )
    common = group.common
    if common:
        head += f"<br>\nAll with {', '.join(_set(d) for d in common)}"

    def item(i: int) -> str:
        return _change(group.changes[i], common, last=i + 1 == n)

    return Block(head + "\n\n", n, item, lambda left: _left_out(left, where), _fold(n))


def _fold(n: int) -> tuple[str, str]:
    return f"\n<details>\n<summary>{n - OPEN:,} more</summary>\n\n", "</details>\n\n"


def _left_out(left: int, where: str) -> str:
    return f"- …and {left:,} more, in {code(where)}\n\n"


def _rules(rules: tuple[Rule, ...]) -> str:
    more = f" and {len(rules) - _FEW} more" if len(rules) > _FEW else ""
    return ", ".join(_rule(r) for r in rules[:_FEW]) + more


def _rule(rule: Rule) -> str:
    return f"{code(rule.name, LIMIT)} ({code(f'{rule.file}:{rule.line}', LIMIT)})"


def _change(change: Change, common: tuple[Delta, ...], *, last: bool) -> str:
    lines = [f"- {code(change.label, LIMIT)} {code(change.guest, LIMIT)}{_account(change)}"]
    if change.action is Action.CREATE:
        own = [_set(d) for d in change.deltas if d not in common]
        lines[0] += f": {', '.join(own)}" if own else ""
    elif len(change.deltas) == 1:
        lines[0] += f": {_delta(change.deltas[0])}"
    else:
        lines += [f"  - {_delta(d)}" for d in change.deltas]
    lines += [f"  - **Warning:** {prose(w, _SENTENCE)}" for w in change.warnings]
    return "\n".join([*lines, "\n"]) if last else "\n".join([*lines, ""])


def _account(change: Change) -> str:
    """Say which account, where the guest's id does not say it already."""
    parts = []
    if change.dn.name != change.guest:
        parts.append(code(change.dn.rdn, LIMIT))
    if change.to is not None and change.to.rdn != change.dn.rdn:
        parts.append(f"→ {code(change.to.rdn, LIMIT)}")
    if change.action in _WHOSE and change.sid:
        parts.append(code(change.sid, LIMIT))
    return f" ({' '.join(parts)})" if parts else ""


def _set(delta: Delta) -> str:
    if delta.secret:
        return f"{code(delta.attribute, LIMIT)} made at apply"
    shown = sides(delta)
    return f"{code(delta.attribute, LIMIT)} {_values(shown.after)}{_flags(shown.flags)}"


def _delta(delta: Delta) -> str:
    if delta.secret:
        return f"{code(delta.attribute, LIMIT)} made anew at apply, never shown"
    shown = sides(delta)
    via = f" → (for a moment) {_values(shown.via)}" if shown.via else ""
    same = f" ({shown.same:,} more stay)" if shown.same else ""
    attribute = code(delta.attribute, LIMIT)
    return f"{attribute} {_values(shown.before)}{via} → {_values(shown.after)}{_flags(shown.flags)}{same}"


def _values(values: tuple[Shown, ...]) -> str:
    return ", ".join(code(v) for v in values) or "_none_"


def _flags(flags: str) -> str:
    return f" ({code(flags)})" if flags else ""


def _conflicts(kind: str, found: list[Conflict], where: str, noun: str = "conflict") -> Block:
    n = len(found)
    remedies = {c.remedy for c in found}
    shared = remedies.pop() if len(remedies) == 1 else None
    head = f"**{count(n, noun)}**: {prose(kind, LIMIT)}"
    head += f"<br>\nRemedy: {prose(shared, _SENTENCE)}\n\n" if shared else "\n\n"

    def item(i: int) -> str:
        conflict = found[i]
        who = code(conflict.label, LIMIT)
        who += f" {code(conflict.subject, LIMIT)}" if conflict.subject != conflict.label else ""
        at = f" at {code(conflict.dn.text, LIMIT)}" if conflict.dn else ""
        by = f" · {_rule(conflict.rule)}" if conflict.rule else ""
        text = f"- {who}{at}: {prose(conflict.what, _SENTENCE)}{by}\n"
        if conflict.remedy and shared is None:
            text += f"  - Remedy: {prose(conflict.remedy, _SENTENCE)}\n"
        return text + ("\n" if i + 1 == n else "")

    return Block(head, n, item, lambda left: _left_out(left, where), _fold(n))


def _unmanaged(plan: Plan, where: str) -> Block:
    shown, left = plan.unmanaged[:_UNMANAGED], len(plan.unmanaged) - _UNMANAGED
    lines = [f"- {code(u.dn.text, LIMIT)} {code(u.sid, LIMIT)}\n" for u in shown]
    lines[-1] += _left_out(left, where) if left > 0 else "\n"
    return Block("", len(shown), lambda i: lines[i], lambda n: _left_out(max(left, 0) + n, where))


def _foot(plan: Plan, digest: str, changes_digest: str) -> str:
    origin = plan.origin
    rows = [
        ("tenant", cell(origin.tenant, LIMIT)),
        ("domain", f"{cell(origin.domain_dn, LIMIT)} {cell(origin.domain_sid, LIMIT)}"),
        ("controller", cell(origin.controller, LIMIT)),
        ("import", f"serial {origin.serial:,}, as of {cell(origin.as_of, LIMIT)}"),
        ("expires", cell(origin.expires, LIMIT)),
        ("managed accounts", f"{plan.managed:,}"),
        ("digest", cell(digest, LIMIT)),
        ("changes digest", cell(changes_digest, LIMIT)),
    ]
    table = "".join(f"| {name} | {shown} |\n" for name, shown in rows)
    how = SPECULATIVELY if plan.speculation else "reconcile plan"
    again = f"`{how}` recomputes it from the same tree, with no credentials."
    return f"| this plan | |\n|---|---|\n{table}\n{again}\n"
