"""`reconcile explain --json`: one object, everything in it."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.plan import Rule
from reconciler.model.provenance import Commit, Spot
from reconciler.model.values import Value
from reconciler.planning.explaining import Wish

from .explanation import Told

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def document(told: Told) -> dict[str, Json]:
    """Return the explanation for machines."""
    found, where = told.found, told.found.standing
    return {
        "guest": {"id": found.guest.id, "label": found.guest.label, "removed": found.guest.removed},
        "standing": {
            "kind": where.kind if where else None,
            "cause": where.cause if where else None,
            "rule": _rule(told, found.scope),
        },
        "hold": None
        if found.hold is None
        else {
            "until": found.hold.until.isoformat(),
            "reason": found.hold.reason,
            "rule": _rule(told, found.hold.rule),
        },
        "account": _account(told),
        "join": {"how": found.how, "rule": _rule(told, found.join_rule), **_spot(told.join)},
        "placement": {
            "ou": found.placement.ou.text if found.placement.ou else None,
            "problem": found.placement.problem,
            "rule": _rule(told, found.placement.rule),
            "expression": found.placement.expression,
            "from": _reads(told, found.placement.reads),
        },
        "values": [_wish(told, wish) for wish in found.wishes],
        "conflicts": [
            {"kind": c.kind, "what": c.what, "remedy": c.remedy, "rule": _rule(told, c.rule)} for c in found.conflicts
        ],
        "changes": [
            {
                "action": c.action.value,
                "cause": c.cause,
                "dn": c.dn.text,
                "to": c.to.text if c.to else None,
                "attributes": [d.attribute for d in c.deltas],
                "rule": _rule(told, c.rule),
                "rules": [_rule(told, rule) for rule in c.rules],
            }
            for c in found.changes
        ],
        "digest": told.digest,
    }


def _account(told: Told) -> Json:
    account = told.found.account
    if account is None:
        return None
    return {
        "sid": account.sid,
        "guid": account.guid,
        "dn": account.dn.text,
        "disabled": account.disabled,
        "suspended": account.suspended,
        "adopted": account.adopted,
        "departed": account.departed,
        "missing": account.missing,
        "protected": list(account.protected),
    }


def _wish(told: Told, wish: Wish) -> Json:
    return {
        "attribute": wish.attribute,
        "kept": wish.kept,
        "wanted": _value(wish.wanted),
        "actual": _value(wish.actual),
        "generated": wish.secret,
        "problem": wish.problem,
        "rule": _rule(told, wish.rule),
        "expression": wish.expression,
        "from": _reads(told, wish.reads),
    }


def _reads(told: Told, reads: Sequence[str]) -> Json:
    guest = told.found.guest
    return [
        {
            "attribute": name,
            "value": guest.id if name == "id" else _value(guest.attributes.get(name)),
            **_spot(told.attributes.get(guest.id if name == "id" else name)),
        }
        for name in reads
    ]


def _rule(told: Told, rule: Rule | None) -> Json:
    return None if rule is None else {"name": rule.name, **_spot(told.rules[rule])}


def _spot(spot: Spot | None) -> dict[str, Json]:
    if spot is None:
        return {"file": None, "line": None, "commit": None}
    return {"file": spot.file, "line": spot.line, "commit": _commit(spot.commit)}


def _commit(commit: Commit | None) -> Json:
    if commit is None:
        return None
    return {
        "id": commit.id,
        "author": commit.author,
        "at": commit.at,
        "summary": commit.summary,
        "cut_off": commit.cut_off,
    }


def _value(value: Value | None) -> Json:
    return list(value) if isinstance(value, tuple) else value
