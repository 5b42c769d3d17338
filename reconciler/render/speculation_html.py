"""The blast radius as part of an HTML page."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model.plan import Rule
from reconciler.model.speculation import PLACE, Example, Kind, Radius, Speculation, Unknown, Unreached

from .html import code, text
from .speculation import MARK, UNPLANNABLE, UNREACHED, effect, radius_title, stays, unknown_title, with_effect
from .values import LIMIT, sides
from .verdict import VERBS


def unplannable_html(base: str, unknown: tuple[Unknown, ...]) -> str:
    """Return the page that says why there is no speculative plan."""
    head = '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    told = "".join(speculation_html(Speculation(base, None, unknown)))
    return f"{head}<title>{UNPLANNABLE}</title>\n</head>\n<body>\n<h1>{UNPLANNABLE}</h1>\n{told}</body>\n</html>\n"


def speculation_html(speculation: Speculation) -> Iterator[str]:
    """Yield what comes of the change, and what is not known; nothing is left out."""
    yield f"<p><b>{text(MARK)}</b></p>\n<p>Compared with the policy of {code(speculation.base)}.</p>\n"
    if speculation.radius:
        yield from _radius(speculation.radius)
    if speculation.unreached:
        yield f"<h2>{UNREACHED}</h2>\n<ul>\n"
        yield from (_unreached(u) for u in speculation.unreached)
        yield "</ul>\n"
    if speculation.unknown:
        yield f"<h2>{unknown_title(speculation.unknown)}</h2>\n<ul>\n"
        yield from (f"<li>{text(u.what)}</li>\n" for u in speculation.unknown)
        yield "</ul>\n"


def _radius(radius: Radius) -> Iterator[str]:
    yield f"<h2>{radius_title(radius)}</h2>\n"
    if radius.kinds:
        yield "<table>\n<tr><th>effect</th><th>accounts</th><th>attributes</th><th>by</th></tr>\n"
        yield from (_kind(k) for k in radius.kinds)
        yield "</table>\n<table>\n"
        yield from (f'<tr><td>{code(ou)}</td><td class="n">{n:,}</td></tr>\n' for ou, n in radius.places)
        yield "</table>\n"
    if radius.examples:
        yield "<p>For example</p>\n<ul>\n"
        yield from (_example(e) for e in radius.examples)
        yield "</ul>\n"


def _kind(kind: Kind) -> str:
    what = f"{effect(kind)}: {code(kind.conflict)}" if kind.conflict else effect(kind)
    names = ", ".join(code(a) for a in kind.attributes)
    return (
        f'<tr><td>{what}</td><td class="n">{kind.accounts:,}</td><td>{names}</td><td>{_rules(kind.rules)}</td></tr>\n'
    )


def _unreached(some: Unreached) -> str:
    attribute = "" if some.attribute == PLACE else f" {code(some.attribute)}"
    shown = []
    for one in some.examples:
        both = sides(one.delta, 4 * LIMIT)
        held, given = (", ".join(code(v) for v in s) or "<i>none</i>" for s in (both.before, both.after))
        shown.append(f"<br><bdi>{text(one.label)}</bdi> {code(one.guest)}: {held}; a new one: {given}")
    return f"<li>{stays(some)}{attribute} ({_rules((some.rule,))}){''.join(shown)}</li>\n"


def _rules(rules: tuple[Rule, ...]) -> str:
    return ", ".join(f"{code(r.name)} ({code(f'{r.file}:{r.line}')})" for r in rules)


def _example(example: Example) -> str:
    change = example.change
    parts = [f"<li><b><bdi>{text(change.label)}</bdi></b> {code(change.guest)}: "]
    parts.append(with_effect(VERBS[change.action], example.effect))
    if example.to is not None:
        parts.append(f" → {code(example.to.text)}")
    for delta in change.deltas:
        if not delta.secret:
            shown = sides(delta, 4 * LIMIT)
            before, after = (", ".join(code(v) for v in s) or "<i>none</i>" for s in (shown.before, shown.after))
            parts.append(f"<br>{code(delta.attribute)} {after if change.sid is None else f'{before} → {after}'}")
    return "".join([*parts, "</li>\n"])
