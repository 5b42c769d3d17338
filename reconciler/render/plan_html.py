"""A plan as one self-contained HTML page: no scripts, nothing fetched, light or dark as the reader's system is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.model.plan import Action, Change, Conflict, Delta, Plan, Rule

from .groups import Group, conflicts_by_kind, grouped
from .html import code, text
from .speculation import SPECULATIVELY, parts, speculative_verdict
from .speculation_html import speculation_html
from .values import LIMIT, sides
from .verdict import VERBS, count, summary, verdict
from .visible import Shown

_OPEN = 200
"""A group of more changes starts folded."""
_STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --paper: #fff; --soft: #59636e; --line: #d1d9e0; --tint: #f6f8fa;
  --red: #b3261e; --green: #1a7f37; --yellow: #8a6100; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9198a1; --line: #3d444d;
  --tint: #161b22; --red: #ff7b72; --green: #3fb950; --yellow: #d29922; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 72rem;
  margin: 2rem auto; padding: 0 1rem; }
code { font: 0.9em ui-monospace, monospace; background: var(--tint); padding: 0.1em 0.3em; border-radius: 4px;
  overflow-wrap: anywhere; }
header { border-left: 4px solid var(--green); padding: 0.5rem 1rem; background: var(--tint); }
header.refused { border-color: var(--red); } header.conflicts, header.dangerous { border-color: var(--yellow); }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.2rem; margin-top: 2rem; }
section { border: 1px solid var(--line); border-radius: 6px; margin: 1rem 0; padding: 0.5rem 1rem; }
summary { cursor: pointer; } p { margin: 0.3rem 0; } .soft { color: var(--soft); }
table { border-collapse: collapse; margin: 0.5rem 0; } td, th { text-align: left; vertical-align: top;
  padding: 0.15rem 1rem 0.15rem 0; } td.n { text-align: right; }
ul { padding-left: 1.2rem; } li { margin: 0.4rem 0; }
.before code { color: var(--red); } .after code { color: var(--green); } .warning { color: var(--yellow); }
"""


def html(plan: Plan, digest: str) -> str:
    """Return the whole plan as an HTML page, in UTF-8 once encoded; nothing is left out, however large it is."""
    return "".join(_page(plan, digest))


def _page(plan: Plan, digest: str) -> Iterator[str]:
    speculation = plan.speculation
    said = speculative_verdict(plan, speculation) if speculation else verdict(plan)
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
    yield f"<title>{text(said.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
    yield f'<header class="{said.kind}">\n<h1>{text(said.title)}</h1>\n<p>{text(said.detail)}</p>\n'
    for guard in plan.refused:
        message = "<br>\n".join(text(line) for line in guard.message.split("\n"))
        yield f"<p><b>{VERBS[guard.action]}</b>: {message}</p>\n"
    yield f"<p>{text(summary(plan))}</p>\n</header>\n"
    if speculation:
        yield from speculation_html(speculation)
    yield from _counts(plan)
    yield from (f"<p>Note: {text(note)}</p>\n" for note in plan.notes)
    told = parts(plan)
    dangerous, routine = grouped(told.own)
    pending = [g for some in grouped(told.other) for g in some]
    titled = ("Dangerous", dangerous), ("Routine", routine), ("Pending without this change too", pending)
    for title, groups in titled:
        if groups:
            yield f"<h2>{title}: {count(sum(len(g.changes) for g in groups), 'change')}</h2>\n"
        for group in groups:
            yield from _group(group)
    yield from _conflicts("Conflicts", told.own.conflicts)
    yield from _conflicts("Conflicts pending without this change too", told.other.conflicts)
    yield from _conflicts("Held back by the policy", plan.held)
    if plan.unmanaged:
        yield f"<h2>Not managed, and left alone: {count(len(plan.unmanaged), 'account')}</h2>\n<details>\n"
        yield "<summary>accounts</summary>\n<ul>\n"
        yield from (f"<li>{code(u.dn.text)} {code(u.sid)}</li>\n" for u in plan.unmanaged)
        yield "</ul>\n</details>\n"
    yield from _about(plan, digest)
    yield "</body>\n</html>\n"


def _counts(plan: Plan) -> Iterator[str]:
    if not plan.changes:
        return
    guards = {g.action: g for g in plan.guards}
    yield "<table>\n<tr><th>action</th><th>accounts</th><th>guard</th></tr>\n"
    for action in Action:
        if n := plan.count(action):
            guard = guards.get(action)
            at_most = "" if guard is None else f"at most {guard.limit:,}{': <b>refused</b>' if guard.refused else ''}"
            yield f'<tr><td>{VERBS[action]}</td><td class="n">{n:,}</td><td>{at_most}</td></tr>\n'
    yield "</table>\n"


def _group(group: Group) -> Iterator[str]:
    n = len(group.changes)
    yield f"<section>\n<p><b>{VERBS[group.action].capitalize()} {count(n, 'account')}</b>: {text(group.cause)}</p>\n"
    to = f" → {code(group.to)}" if group.to is not None else ""
    yield f'<p class="soft">{", ".join(_rule(r) for r in group.rules)} in {code(group.ou)}{to}</p>\n'
    common = group.common
    if common:
        yield f"<p>All with</p>\n{_deltas(common, created=True)}"
    yield f"<details{' open' if n <= _OPEN else ''}>\n<summary>{count(n, 'account')}</summary>\n<ul>\n"
    yield from (_change(change, common) for change in group.changes)
    yield "</ul>\n</details>\n</section>\n"


def _rule(rule: Rule) -> str:
    return f"{code(rule.name)} ({code(f'{rule.file}:{rule.line}')})"


def _change(change: Change, common: Sequence[Delta]) -> str:
    parts = [f"<li><b><bdi>{text(change.label)}</bdi></b> {code(change.guest)}"]
    if change.dn.name != change.guest:
        parts.append(f" {code(change.dn.rdn)}")
    if change.to is not None and change.to.rdn != change.dn.rdn:
        parts.append(f" → {code(change.to.rdn)}")
    if change.dangerous and change.sid:
        parts.append(f" {code(change.sid)}")
    parts.append("\n" + _deltas([d for d in change.deltas if d not in common], created=change.action is Action.CREATE))
    parts += [f'<p class="warning">Warning: {text(w)}</p>\n' for w in change.warnings]
    return "".join([*parts, "</li>\n"])


def _deltas(deltas: Sequence[Delta], *, created: bool) -> str:
    rows = "".join(f"<tr><td>{text(d.attribute)}</td>{_sides(d, created=created)}</tr>\n" for d in deltas)
    return f"<table>\n{rows}</table>\n" if rows else ""


def _sides(delta: Delta, *, created: bool) -> str:
    if delta.secret:
        return '<td class="soft">made at apply, never shown</td>'
    shown = sides(delta, 4 * LIMIT)
    flags = f' <span class="soft">{text(shown.flags)}</span>' if shown.flags else ""
    same = f' <span class="soft">({shown.same:,} more stay)</span>' if shown.same else ""
    via = f'{_values(shown.via)} <span class="soft">for a moment</span> → ' if shown.via else ""
    after = f'<td class="after">{via}{_values(shown.after)}{flags}{same}</td>'
    return after if created else f'<td class="before">{_values(shown.before)}</td><td>→</td>{after}'


def _values(values: tuple[Shown, ...]) -> str:
    return ", ".join(code(v) for v in values) or '<i class="soft">none</i>'


def _conflicts(title: str, conflicts: Sequence[Conflict]) -> Iterator[str]:
    if conflicts:
        yield f"<h2>{title}: {len(conflicts):,}</h2>\n"
    for kind, found in conflicts_by_kind(conflicts).items():
        yield f"<section>\n<p><b>{text(kind)}</b>: {len(found):,}</p>\n<ul>\n"
        for conflict in found:
            at = f" at {code(conflict.dn.text)}" if conflict.dn else ""
            by = f'<p class="soft">{_rule(conflict.rule)}</p>' if conflict.rule else ""
            remedy = f"<p>Remedy: {text(conflict.remedy)}</p>" if conflict.remedy else ""
            who = f"<b><bdi>{text(conflict.label)}</bdi></b> {code(conflict.subject)}"
            yield f"<li>{who}{at}<p>{text(conflict.what)}</p>{remedy}{by}</li>\n"
        yield "</ul>\n</section>\n"


def _about(plan: Plan, digest: str) -> Iterator[str]:
    origin = plan.origin
    rows = {
        "tenant": code(origin.tenant),
        "domain": f"{code(origin.domain_dn)} {code(origin.domain_sid)}",
        "controller": code(origin.controller),
        "import": f"serial {origin.serial:,}, as of {code(origin.as_of)}",
        "expires": code(origin.expires),
        "managed accounts": f"{plan.managed:,}",
        "digest": code(digest),
    }
    yield "<h2>This plan</h2>\n<table>\n"
    yield from (f"<tr><td>{name}</td><td>{shown}</td></tr>\n" for name, shown in rows.items())
    how = SPECULATIVELY if plan.speculation else "reconcile plan"
    yield f"</table>\n<p>{code(how)} recomputes it from the same tree, with no credentials.</p>\n"
