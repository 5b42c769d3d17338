"""The blast radius of a change of the policy: two plans over the same state, compared guest by guest. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from reconciler.model.plan import Action, Change, Conflict, Delta, Plan
from reconciler.model.speculation import Effect, Example, Kind, Radius

EXAMPLES = 5
_EFFECTS = list(Effect)
_ACTIONS = list(Action)


def radius(before: Plan, after: Plan) -> Radius:
    """Return what `after` does and `before` does not, and the other way round. Neither may be cut off by the batch."""
    found = [*_changes(before, after), *_conflicts(before, after)]
    kinds: dict[Kind, list[_Difference]] = defaultdict(list)
    for difference in found:
        kinds[difference.kind].append(difference)
    ordered = sorted(kinds.items(), key=lambda k: _order(k[0], len(k[1])))
    return Radius(
        accounts=len({d.guest for d in found}),
        kinds=tuple(replace(kind, accounts=len(members)) for kind, members in ordered),
        places=_places(found),
        examples=tuple(_examples([members for _, members in ordered])),
        changes=frozenset(d.change.key for d in found if d.change and d.kind.effect is not Effect.GONE),
        conflicts=frozenset(
            (d.guest, d.kind.conflict) for d in found if d.kind.conflict and d.kind.effect is not Effect.GONE
        ),
    )


@dataclass(frozen=True, slots=True)
class _Difference:
    """One guest's. `kind` counts nobody yet; `change` has only what differs, `place` is the account's container."""

    kind: Kind
    guest: str
    place: str
    change: Change | None


def _changes(before: Plan, after: Plan) -> Iterator[_Difference]:
    old, new = ({c.key: c for c in plan.changes} for plan in (before, after))
    for key, change in new.items():
        earlier = old.get(key)
        if earlier is None:
            yield _difference(Effect.NEW, change, _named(change))
        elif _values(earlier) != _values(change):
            yield _difference(Effect.OTHERWISE, change, [*_only(earlier, change), *_only(change, earlier)], earlier)
    for key, change in old.items():
        if key not in new:
            yield _difference(Effect.GONE, change, _named(change))


def _difference(effect: Effect, change: Change, told: Iterable[Delta], earlier: Change | None = None) -> _Difference:
    deltas = {d.attribute: d for d in told}
    rules = tuple(dict.fromkeys(d.rule for d in deltas.values())) or (change.rule,)
    kind = Kind(effect, change.action, "", tuple(sorted(deltas)), rules, 0)
    where = (change.dn if change.to is None else change.to).parent
    shown = change if earlier is None else replace(change, deltas=_only(change, earlier))
    return _Difference(kind, change.guest, where.text, shown)


def _named(change: Change) -> tuple[Delta, ...]:
    """What the accounts of a kind are told apart by: a new account has everything, and a disable says it all."""
    return change.deltas if change.action in (Action.UPDATE, Action.RENAME) else ()


def _only(change: Change, other: Change) -> tuple[Delta, ...]:
    """The attributes that this change writes and the other does not, or otherwise."""
    mine, theirs = _written(change), _written(other)
    return tuple(d for d in change.deltas if mine[d.attribute] != theirs.get(d.attribute))


def _conflicts(before: Plan, after: Plan) -> Iterator[_Difference]:
    old, new = ({(c.subject, c.kind): c for c in plan.conflicts} for plan in (before, after))
    for effect, found, others in ((Effect.NEW, new, old), (Effect.GONE, old, new)):
        for key, conflict in found.items():
            if key not in others:
                kind = Kind(effect, None, conflict.kind, (), (conflict.rule,) if conflict.rule else (), 0)
                yield _Difference(kind, conflict.subject, _place(conflict), None)


def _place(conflict: Conflict) -> str:
    return conflict.dn.parent.text if conflict.dn else ""


def _values(change: Change) -> object:
    """What a change comes to, whatever rule and line ask for it."""
    return change.dn, change.to, _written(change)


def _written(change: Change) -> Mapping[str, object]:
    return {d.attribute: (d.before, d.after, d.secret) for d in change.deltas}


def _order(kind: Kind, accounts: int) -> tuple[bool, int, int, int]:
    """The dangerous first, then conflicts; what comes new before what differs and what falls away; the most first."""
    action = -1 if kind.action is None else _ACTIONS.index(kind.action)
    return not kind.dangerous, _EFFECTS.index(kind.effect), action, -accounts


def _places(found: list[_Difference]) -> tuple[tuple[str, int], ...]:
    guests: dict[str, set[str]] = defaultdict(set)
    for difference in found:
        guests[difference.place].add(difference.guest)
    counted = Counter({place: len(ids) for place, ids in guests.items() if place})
    return tuple(sorted(counted.items(), key=lambda p: (-p[1], p[0])))


def _examples(kinds: list[list[_Difference]]) -> Iterator[Example]:
    """Yield at most five, of as many kinds and as many guests as there are."""
    waiting = [[d for d in members if d.change] for members in kinds]
    seen: set[str] = set()
    while len(seen) < EXAMPLES and any(waiting):
        for members in waiting:
            while members and members[0].guest in seen:
                members.pop(0)
            if members and len(seen) < EXAMPLES:
                difference = members.pop(0)
                seen.add(difference.guest)
                if difference.change:
                    yield Example(difference.kind.effect, difference.change)
