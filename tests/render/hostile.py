"""A plan that has one text wherever data can stand."""

from __future__ import annotations

from dataclasses import replace

from reconciler.model.dn import DN
from reconciler.model.plan import Action, Change, Conflict, Delta, Guard, Plan, Rule, Unmanaged
from reconciler.model.speculation import Effect, Example, Kind, Radius, Speculation, Stay, Unknown, Unreached

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


def speculating(text: str) -> Plan:
    """The same as a speculative plan, with the text wherever its radius can hold data."""
    plan = everywhere(text)
    rule = Rule(text, text, 1)
    named = text + "?"
    kinds = tuple(
        Kind(effect, action, "", (text, named), (rule, Rule(named, text, 1)), 1)
        for effect in Effect
        for action in Action
    )
    conflicts = tuple(Kind(effect, None, text, (), (rule,), 1) for effect in Effect)
    radius = Radius(
        accounts=3,
        kinds=(*kinds[:4], *conflicts, *kinds[4:]),
        places=((text, 2), (named, 1)),
        examples=tuple(Example(Effect.NEW, c) for c in plan.changes),
        changes=frozenset(c.key for c in plan.changes[:-2]),
        conflicts=frozenset({(plan.conflicts[0].subject, text)}),
    )
    stay = Stay(text, text, Delta(text, text, named, rule))
    unreached = Unreached(text, rule, 2, (stay, Stay(text, text, Delta(text, None, (text, named), rule))))
    unknown = Unknown(text, rule), Unknown(f"says {text}.")
    return replace(plan, speculation=Speculation(text, radius, unknown, (unreached,)))
