"""The blast radius as GitHub-flavoured Markdown, for a pull request that changes the policy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.model.plan import Change, Rule
from reconciler.model.speculation import PLACE, Example, Kind, Radius, Speculation, Stay, Unknown, Unreached

from .markdown import cell, code, prose
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
from .values import LIMIT, sides
from .verdict import VERBS, count

_SENTENCE = 300
_UNKNOWN = 10
_FEW = 3
_SHORT = 60


def unplannable_markdown(base: str, unknown: tuple[Unknown, ...]) -> str:
    """Return the page that says why there is no speculative plan."""
    head = f"> [!IMPORTANT]\n> **{UNPLANNABLE}.** {MARK}\n\n"
    return head + "".join(_unknown(unknown)) + _base(base)


def radius_markdown(speculation: Speculation) -> str:
    """Return what comes of the change, and what is not known."""
    radius = speculation.radius
    shown = "".join(_radius(radius)) if radius else ""
    return (
        shown
        + "".join(_unreached(speculation.unreached))
        + "".join(_unknown(speculation.unknown))
        + _base(speculation.base)
    )


def _base(base: str) -> str:
    return f"Compared with the policy of {code(base, LIMIT)}, over the import in this tree.\n\n"


def _radius(radius: Radius) -> Iterator[str]:
    yield f"## {radius_title(radius)}\n\n"
    if not radius.kinds:
        return
    yield "| effect | accounts | attributes | by |\n|---|---:|---|---|\n"
    yield from (_kind(kind) for kind in radius.kinds[:KINDS])
    if left := radius.kinds[KINDS:]:
        yield f"| {count(len(left), 'other kind')} | {sum(k.accounts for k in left):,} | | |\n"
    yield "\n"
    if radius.places:
        shown = ", ".join(f"{code(ou, LIMIT)} {n:,}" for ou, n in radius.places[:PLACES])
        more = f", and {sum(n for _, n in radius.places[PLACES:]):,} elsewhere" if radius.places[PLACES:] else ""
        yield f"By OU: {shown}{more}.\n\n"
    if radius.examples:
        yield f"Examples ({len(radius.examples)}):\n\n"
        yield from (_example(example) for example in radius.examples)
        yield "\n"


def _kind(kind: Kind) -> str:
    what = f"{effect(kind)}: {cell(kind.conflict, _SHORT)}" if kind.conflict else effect(kind)
    attributes = _few([cell(a, _SHORT) for a in kind.attributes])
    return f"| {what} | {kind.accounts:,} | {attributes} | {_few([_rule(r) for r in kind.rules])} |\n"


def _few(shown: Sequence[str]) -> str:
    more = f" and {len(shown) - _FEW} more" if len(shown) > _FEW else ""
    return ", ".join(shown[:_FEW]) + more


def _rule(rule: Rule) -> str:
    return f"{cell(rule.name, _SHORT)} ({cell(f'{rule.file}:{rule.line}', _SHORT)})"


def _example(example: Example) -> str:
    change = example.change
    head = f"- {code(change.label, _SHORT)} {code(change.guest, _SHORT)}: "
    shown = [f"{code(d.attribute, _SHORT)} {_sides(change, i)}" for i, d in enumerate(change.deltas) if not d.secret]
    to = f" → {code(example.to.text, LIMIT)}" if example.to else ""
    return f"{head}{with_effect(VERBS[change.action], example.effect)}{to}{': ' if shown else ''}{_few(shown)}\n"


def _sides(change: Change, i: int) -> str:
    shown = sides(change.deltas[i], _SHORT)
    before, after = (", ".join(code(v) for v in side) or "_none_" for side in (shown.before, shown.after))
    return after if change.sid is None else f"{before} → {after}"


def _unreached(unreached: Sequence[Unreached]) -> Iterator[str]:
    if not unreached:
        return
    yield f"### {UNREACHED}\n\n"
    for some in unreached[:KINDS]:
        attribute = "" if some.attribute == PLACE else f" {code(some.attribute, _SHORT)}"
        yield f"- {stays(some)}{attribute}, {code(f'{some.rule.name} ({some.rule.file}:{some.rule.line})', LIMIT)}\n"
        yield from (_stay(one) for one in some.examples)
    left = len(unreached) - KINDS
    yield f"- …and {left:,} more\n\n" if left > 0 else "\n"


def _stay(one: Stay) -> str:
    shown = sides(one.delta, _SHORT)
    held, given = (", ".join(code(v) for v in side) or "_none_" for side in (shown.before, shown.after))
    return f"  - {code(one.label, _SHORT)} {code(one.guest, _SHORT)}: {held}; a new one: {given}\n"


def _unknown(unknown: tuple[Unknown, ...]) -> Iterator[str]:
    if unknown:
        yield f"### {unknown_title(unknown)}\n\n"
        yield from (f"- Unknown: {prose(u.what, _SENTENCE)}\n" for u in unknown[:_UNKNOWN])
        left = len(unknown) - _UNKNOWN
        yield f"- …and {left:,} more\n\n" if left > 0 else "\n"
