"""`reconcile adopt --json`: one object, everything in it; docs/how-to/adopt.md describes it."""

from __future__ import annotations

from reconciler.model.account import Account
from reconciler.model.plan import Rule
from reconciler.model.values import Value
from reconciler.planning.adoption import Adoption, Dispute, Orphan, Pair
from reconciler.planning.rivals import Person

from .adoption_steps import next_steps

FORMAT_VERSION = "1.0"
Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def document(found: Adoption, anchor: str) -> dict[str, Json]:
    """Return the report for machines. `anchor` is the policy's anchor attribute."""
    origin = found.plan.origin
    return {
        "format_version": FORMAT_VERSION,
        "tenant": origin.tenant,
        "domain": {"sid": origin.domain_sid, "dn": origin.domain_dn},
        "serial": origin.serial,
        "as_of": origin.as_of,
        "summary": {
            "accounts": found.accounts,
            "joins": len(found.joins),
            "joined": len(found.joined),
            "disputed": len(found.disputed),
            "orphans": len(found.orphans),
            "conflicts": len(found.disputes),
            "creates": found.creates,
            "by_rule": {rule.name: n for rule, n in found.rules.items()},
            "by_maker": {maker.value: n for maker, n in found.makers.items()},
            "by_attribute": dict(found.attributes),
        },
        "joins": [_pair(p) for p in found.joins],
        "joined": [_pair(p) for p in found.joined],
        "conflicts": [_dispute(d) for d in found.disputes],
        "orphans": [_orphan(o) for o in found.orphans],
        "guards": [{"action": g.action.value, "message": g.message} for g in found.plan.refused],
        "next": list(next_steps(found, anchor)),
    }


def _pair(pair: Pair) -> Json:
    return {
        **_account(pair.account),
        "guest": pair.guest.id,
        "label": pair.guest.label,
        "maker": pair.maker.value,
        "rule": _rule(pair.rule),
        "actions": [c.action.value for c in pair.changes],
        "attributes": {
            d.attribute: {"before": _value(d.before), "after": _value(d.after), "rule": _rule(d.rule)}
            for d in pair.deltas
        },
        "to": next((c.to.text for c in reversed(pair.changes) if c.to is not None), None),
    }


def _dispute(dispute: Dispute) -> Json:
    return {
        "kind": dispute.kind,
        "what": dispute.what,
        "remedy": dispute.remedy,
        "rule": _rule(dispute.rule),
        "guests": [_person(g) for g in dispute.guests],
        "accounts": [_account(a) for a in dispute.accounts],
    }


def _orphan(orphan: Orphan) -> Json:
    return {
        **_account(orphan.account),
        "maker": orphan.maker.value,
        "names": orphan.names,
        "rivals": [{**_person(r.guest), "rule": _rule(r.rule)} for r in orphan.rivals],
    }


def _account(account: Account) -> dict[str, Json]:
    return {"sid": account.sid, "guid": account.guid, "dn": account.dn.text}


def _person(person: Person) -> dict[str, Json]:
    return {"guest": person.id, "label": person.label}


def _rule(rule: Rule | None) -> Json:
    return None if rule is None else {"name": rule.name, "file": rule.file, "line": rule.line}


def _value(value: Value | None) -> Json:
    return list(value) if isinstance(value, tuple) else value
