"""A plan that has one text wherever data can stand."""

from __future__ import annotations

from dataclasses import replace

from reconciler.model.dn import DN
from reconciler.model.plan import Action, Change, Conflict, Delta, Guard, Plan, Rule, Unmanaged

from . import builder


def everywhere(text: str) -> Plan:
    """Return it; `text` must not be empty, since a field that is empty is left out.

    What must differ from it, or from a name that means something, has one more character.
    """
    dn = DN(builder.GUESTS).child("OU", text).child("CN", text)
    rule = Rule(text, text, 1)
    deltas = (
        Delta(text + "?", text, text + "!", rule, via=text),
        Delta("mail", None, text, rule),
        Delta("proxyAddresses", (text, text + "?"), (text + "!", text + "?"), rule),
    )
    changes = tuple(
        Change(
            action,
            builder.guest_id(1),
            text,
            dn,
            rule,
            text,
            sid=text,
            guid=text,
            to=DN(builder.GUESTS).child("CN", text + "!") if action in (Action.MOVE, Action.RENAME) else None,
            deltas=deltas,
            warnings=(text,),
        )
        for action in Action
    )
    conflicts = (
        Conflict(builder.guest_id(1), text, text, text, text, dn, rule),
        Conflict(builder.guest_id(2), text, text, text, text + "!", dn, rule),
        Conflict(builder.guest_id(3), text, text + "?", text, text, dn, rule),
    )
    origin = replace(
        builder.ORIGIN,
        tenant=text,
        domain_sid=text,
        domain_dn=text,
        controller=text,
        as_of=text,
        expires=text,
    )
    return Plan(
        origin,
        changes,
        conflicts,
        (Guard(Action.DELETE, 1, 0, refused=True, message=text.replace("\n", " ")),),
        (Unmanaged(text, dn),),
        conflicts,
        notes=(text,),
    )
