"""Checks on the domain: what it has, and what of it the policy leans on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Final

from reconciler.model.dn import DN
from reconciler.policy.model import Policy
from reconciler.verify.quoting import powershell

from .domain_checks import (
    ANCHOR,
    ATTRIBUTES,
    LIFETIME,
    MACHINES,
    OUS,
    PASSWORDS,
    RECYCLE_BIN,
    SETTINGS_OBJECTS,
    SUFFIXES,
    index_on_samba,
)
from .finding import Finding, Steps, Unknown
from .rights.mend import DATABASE, ldif_dn
from .rights.names import Attribute

UNSET_LIFETIME: Final = 60
"""Days, where tombstoneLifetime is not set ([MS-ADTS] 6.1.1.2.4.1.1)."""
ENTRA_KEEPS: Final = 30
"""Days for which Entra keeps a deleted user."""
_INDEXED: Final = 0x1
_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """A password policy: the domain's, or a fine-grained one (by its DN)."""

    name: str
    length: int
    complex: bool


@dataclass(frozen=True, slots=True)
class DomainSeen:
    """What was read of the domain. Days count whole ones."""

    samba: bool
    recycle_bin: bool | Unknown
    tombstones: int | Unknown
    deleted: int | Unknown
    """msDS-DeletedObjectLifetime, the tombstones' where it is not set."""
    passwords: PasswordRules | Unknown
    finer: tuple[PasswordRules, ...] | Unknown
    machines: int | Unknown
    """How many computers every account may join to the domain (ms-DS-MachineAccountQuota)."""
    suffixes: frozenset[str] | Unknown
    """UPN suffixes of the forest, those of its domains among them; folded."""
    partners: frozenset[str] | Unknown
    """DNS names of the forests that are trusted; folded."""
    there: Mapping[DN, bool] | Unknown
    """Which of the OUs that settings and policy name are there."""
    attributes: Mapping[str, Attribute] | Unknown
    """The schema's, by folded name."""
    directory_service: DN


def judge(seen: DomainSeen, policy: Policy, upns: frozenset[str] | Unknown) -> Iterator[Finding]:
    """Judge the domain. `upns`: the guests' user principal names, as imported."""
    yield _ous(seen)
    yield _attributes(seen, policy)
    yield _anchor(seen, policy)
    yield _recycle_bin(seen)
    yield _lifetime(seen, policy)
    yield _passwords(seen, policy)
    yield _finer(seen, policy)
    yield _suffixes(seen, upns)
    yield _machines(seen)


def _ous(seen: DomainSeen) -> Finding:
    if isinstance(seen.there, Unknown):
        return OUS.unknown(seen.there.why)
    missing = [ou for ou, there in seen.there.items() if not there]
    if not missing:
        return OUS.passed(f"{len(seen.there)} OUs")
    make = tuple(
        f"New-ADOrganizationalUnit -Name {powershell(ou.name)} -Path {powershell(ou.parent.text)}" for ou in missing
    )
    samba = tuple(f"samba-tool ou create {quote(ou.text)}" for ou in missing)
    return OUS.failed(*(f"missing, or not visible: {ou}" for ou in missing), mend=Steps(OUS.mend.words, make, samba))


def _attributes(seen: DomainSeen, policy: Policy) -> Finding:
    if isinstance(seen.attributes, Unknown):
        return ATTRIBUTES.unknown(seen.attributes.why)
    faults = []
    for name in policy.account_attributes:
        there, known = seen.attributes.get(name.casefold()), policy.attribute(name)
        if there is None:
            faults.append(f"{name}: the schema has no such attribute")
        elif known.multi == there.single:
            faults.append(f"{name}: holds {'one value' if there.single else 'several values'} in this schema")
        elif known.max is not None and there.upper is not None and there.upper < known.max and known.kind == "string":
            faults.append(
                f"{name}: at most {there.upper} characters in this schema, and the program allows {known.max}"
            )
    return ATTRIBUTES.failed(*faults) if faults else ATTRIBUTES.passed(f"{len(policy.account_attributes)} attributes")


def _anchor(seen: DomainSeen, policy: Policy) -> Finding:
    name = policy.anchor.attribute
    if isinstance(seen.attributes, Unknown):
        return ANCHOR.unknown(seen.attributes.why, subject=name)
    found = seen.attributes.get(name.casefold())
    if found is None:
        return ANCHOR.failed("The schema has no such attribute.", subject=name, mend=ATTRIBUTES.mend, blocks=True)
    if found.search_flags & _INDEXED:
        return ANCHOR.passed(f"searchFlags is {found.search_flags}", subject=name)
    flags = found.search_flags | _INDEXED
    schema = "-SearchBase (Get-ADRootDSE).schemaNamingContext"
    by_name = f"-LDAPFilter {powershell(f'(lDAPDisplayName={found.name})')}"
    return ANCHOR.failed(
        f"searchFlags is {found.search_flags}: it has no index (1).",
        subject=name,
        mend=Steps(
            ANCHOR.mend.words,
            (f"Get-ADObject {schema} {by_name} | Set-ADObject -Replace @{{searchFlags = {flags}}}",),
            index_on_samba(DN(found.dn), flags),
        ),
    )


def _recycle_bin(seen: DomainSeen) -> Finding:
    if isinstance(seen.recycle_bin, Unknown):
        return RECYCLE_BIN.unknown(seen.recycle_bin.why)
    if seen.samba:
        if seen.recycle_bin:
            return RECYCLE_BIN.failed(
                "It is on, and with it Samba brings no account back (tried with 4.17).",
                mend=Steps(
                    "It cannot be switched off again. Bring accounts back from a backup, or let new ones be made."
                ),
            )
        return RECYCLE_BIN.passed("It is off, as is best on Samba: accounts are brought back from tombstones.")
    return RECYCLE_BIN.passed("It is on.") if seen.recycle_bin else RECYCLE_BIN.failed("It is off.")


def _lifetime(seen: DomainSeen, policy: Policy) -> Finding:
    if isinstance(seen.tombstones, Unknown) or isinstance(seen.deleted, Unknown):
        return LIFETIME.unknown(seen.tombstones.why if isinstance(seen.tombstones, Unknown) else "It cannot be read.")
    if isinstance(seen.recycle_bin, Unknown) and seen.tombstones != seen.deleted:
        return LIFETIME.unknown(seen.recycle_bin.why)  # which of the two counts depends on it
    name, days = (
        ("msDS-DeletedObjectLifetime", seen.deleted)
        if seen.recycle_bin is True
        else ("tombstoneLifetime", seen.tombstones)
    )
    said = f"A deleted account can be brought back for {days} days ({name})."
    if days >= ENTRA_KEEPS or not policy.lifecycle.returned_restore:
        return LIFETIME.passed(said)
    service = seen.directory_service
    return LIFETIME.failed(
        said,
        mend=Steps(
            LIFETIME.mend.words,
            (f"Set-ADObject -Identity {powershell(service.text)} -Replace @{{{powershell(name)} = 180}}",),
            (
                DATABASE,
                'ldbmodify -H "$db" <<EOF',
                ldif_dn(service),
                "changetype: modify",
                f"replace: {name}",
                f"{name}: 180",
                "EOF",
            ),
        ),
    )


def _passwords(seen: DomainSeen, policy: Policy) -> Finding:
    if isinstance(seen.passwords, Unknown):
        return PASSWORDS.unknown(seen.passwords.why)
    mine, asked = policy.initial.password_length, seen.passwords.length
    said = f"The domain asks for {asked} characters, and initial.unicodePwd makes {mine}, of three kinds at least."
    return PASSWORDS.failed(said) if mine < asked else PASSWORDS.passed(said)


def _finer(seen: DomainSeen, policy: Policy) -> Finding:
    if isinstance(seen.finer, Unknown):
        return SETTINGS_OBJECTS.unknown(seen.finer.why)
    mine = policy.initial.password_length
    over = [rules for rules in seen.finer if rules.length > mine]
    if over:
        return SETTINGS_OBJECTS.failed(*(f"{r.name} asks for {r.length} characters, and {mine} are made" for r in over))
    return SETTINGS_OBJECTS.passed(f"{len(seen.finer)} are visible, and none asks for more than {mine} characters.")


def _suffixes(seen: DomainSeen, upns: frozenset[str] | Unknown) -> Finding:
    if isinstance(upns, Unknown):
        return SUFFIXES.unknown(upns.why)
    if isinstance(seen.suffixes, Unknown) or isinstance(seen.partners, Unknown):
        why = seen.suffixes if isinstance(seen.suffixes, Unknown) else seen.partners
        return SUFFIXES.unknown(why.why if isinstance(why, Unknown) else "")
    used = {upn.rpartition("@")[2].casefold() for upn in upns if "@" in upn}
    partners = seen.partners
    routed = sorted(s for s in used if any(s == p or s.endswith(f".{p}") for p in partners))
    if routed:
        return SUFFIXES.failed(*(f"@{s} belongs to a forest that is trusted" for s in routed[:_SHOWN]))
    loose = sorted(used - seen.suffixes)
    said = [f"@{s} is registered nowhere in the forest, and works all the same" for s in loose[:_SHOWN]]
    return SUFFIXES.passed(*(said or [f"in use: {len(used)}, all registered in the forest"]))


def _machines(seen: DomainSeen) -> Finding:
    if isinstance(seen.machines, Unknown):
        return MACHINES.unknown(seen.machines.why)
    if seen.machines:
        return MACHINES.failed(f"Every account may join {seen.machines} computers (ms-DS-MachineAccountQuota).")
    return MACHINES.passed("ms-DS-MachineAccountQuota is 0.")
