"""What an account may do and should not: each entry once, where it was made, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from reconciler.directory.ldap.descriptor import Ace
from reconciler.doctor.finding import Check, Finding
from reconciler.model.dn import DN
from reconciler.policy.model import Policy

from . import access, checks, mend
from .access import EVERYBODY
from .names import DANGEROUS, PRIVILEGED_ALIASES, PRIVILEGED_NAMES, PRIVILEGED_RIDS
from .needs import TO_RESTORE, written
from .seen import Seen

_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Excess:
    """One entry that grants too much, on one object; `words` says what."""

    dn: DN
    entry: Ace
    words: str


def privileged(seen: Seen) -> Finding:
    """Whether the account is in a group from which a domain can be had."""
    named = {sid for sid, name in seen.names.sids.items() if name.casefold() in PRIVILEGED_NAMES}
    found = sorted(sid for sid in seen.token.sids if sid in named or _is_privileged(sid))
    if not found:
        return checks.PRIVILEGED.passed(f"It is in {len(seen.token.sids) - 1} groups.", subject=seen.token.name)
    groups = [Ace(allow=True, mask=0, sid=sid) for sid in found]
    return checks.PRIVILEGED.failed(
        *(f"member of {seen.names.sid(sid)}" for sid in found),
        subject=seen.token.name,
        mend=mend.revoke([(seen.places.base, group) for group in groups], seen),
    )


Beyond = Callable[..., int]


def excess(seen: Seen, too_wide: Beyond) -> tuple[list[Excess], list[Excess], list[Excess]]:
    """Return what is granted too much inside the OUs, outside, and to everybody alike; each entry where it was made."""
    inside: list[Excess] = []
    outside: list[Excess] = []
    everyone: list[Excess] = []
    made: dict[str, list[DN]] = {}
    for holder in seen.holders:
        if holder.descriptor is None:
            continue
        within = seen.places.inside(holder.dn)
        for granted in access.changes(holder.descriptor, seen.token):
            entry = granted.entry
            key = Ace(entry.allow, entry.rights, entry.sid, 0, entry.object_type, entry.inherited_type).sddl
            if entry.inherited and any(holder.dn.within(dn) for dn in made.get(key, ())):
                continue
            if entry.below:
                made.setdefault(key, []).append(holder.dn)
            rights = too_wide(granted, inside=within, domain=holder.dn == seen.places.base)
            if entry.sid in EVERYBODY and entry.object_type not in DANGEROUS and entry.object_type is not None:
                rights &= ~access.CONTROL  # what every user of every domain has
            if not rights:
                continue
            kind = inside if within else everyone if entry.sid in EVERYBODY else outside
            words = seen.names.rights(entry, rights)
            if kind and kind[-1] == Excess(holder.dn, entry, words):
                kind[-1] = Excess(holder.dn, entry, f"{words}, here and{seen.names.where(granted.on)}")
            else:
                kind.append(Excess(holder.dn, entry, words + seen.names.where(granted.on)))
        if access.owns(holder.descriptor, seen.token):
            owner = Ace(allow=True, mask=0, sid=holder.descriptor.owner or "")
            (inside if within else outside).append(
                Excess(holder.dn, owner, "change its access list, as its owner (WriteDacl)")
            )
    return inside, outside, everyone


def said(seen: Seen, found: list[Excess], policy: Policy | None, *, inside: bool | None) -> Iterator[str]:
    """What the controller itself says may be changed, and no entry explained. `policy` is None for an account that may nothing."""
    explained = {e.dn for e in found}
    may = {n.casefold() for n in (*written(policy), *policy.account_attributes, *TO_RESTORE)} if policy else set()
    users = {s.dn for s in seen.samples}
    for opinion in seen.opinions:
        within = seen.places.inside(opinion.dn)
        if (inside is not None and within != inside) or any(opinion.dn.within(dn) for dn in explained):
            continue
        ours = may if within and opinion.dn in users else set()
        extra = sorted(opinion.attributes - ours)
        if extra:
            yield f"{opinion.dn}: write {', '.join(cut(extra))} (allowedAttributesEffective)"
        classes = sorted(opinion.classes - ({"user"} if within and policy else set()))
        if classes:
            yield f"{opinion.dn}: create {', '.join(cut(classes))} (allowedChildClassesEffective)"
        if opinion.list_ and opinion.dn not in users:
            yield f"{opinion.dn}: change parts of its security descriptor (sDRightsEffective {opinion.list_})"


def too_much(check: Check, found: list[Excess], told: list[str], seen: Seen) -> Finding:
    """Return the finding on what is too much: by the lists (`found`), and by what the controller itself says (`told`)."""
    me = seen.token.name
    if found or told:
        steps = mend.revoke([(e.dn, e.entry) for e in found if e.entry.mask], seen) if found else check.mend
        return check.failed(*shown(found, seen), *told, subject=me, mend=steps or check.mend)
    blind = [h.dn for h in seen.holders if h.descriptor is None and _concerns(check, h.dn, seen)]
    if blind:
        return check.unknown(*cut([f"{dn}: its access list is not shown to this account" for dn in blind]), subject=me)
    return check.passed(f"{len(seen.holders)} containers and protected objects were looked at.", subject=me)


def _concerns(check: Check, hidden: DN, seen: Seen) -> bool:
    """Whether a hidden list leaves this check open: the reading account's does not, where the controller itself spoke."""
    if check is checks.READER_WRITES:
        return seen.opinion(hidden) is None
    return seen.places.inside(hidden) == (check is checks.INSIDE)


def shown(found: list[Excess], seen: Seen) -> list[str]:
    """Return each right once, with the objects it is granted on."""
    where: dict[tuple[str, str], list[str]] = {}
    for excess in sorted(found, key=lambda e: -e.entry.rights):  # the worst first: what is long is cut
        by = "" if excess.entry.sid == seen.token.sid else f", through {seen.names.sid(excess.entry.sid)}"
        where.setdefault((excess.words, by), []).append(excess.dn.text)
    return cut(
        [
            f"{dns[0]}{f' and {len(dns) - 1} more' if len(dns) > 1 else ''}: excess: {words}{by}"
            for (words, by), dns in where.items()
        ]
    )


def _is_privileged(sid: str) -> bool:
    head, _, rid = sid.rpartition("-")
    return sid in PRIVILEGED_ALIASES or (head.startswith("S-1-5-21-") and int(rid) in PRIVILEGED_RIDS)


def cut(lines: list[str]) -> list[str]:
    """Return the first twenty, and how many more there are."""
    return lines if len(lines) <= _SHOWN else [*lines[:_SHOWN], f"and {len(lines) - _SHOWN} more"]
