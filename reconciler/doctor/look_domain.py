"""Reads what the checks on the domain go by. Each fact by itself: one that cannot be had takes no other with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.directory.ldap import filters, root
from reconciler.directory.ldap.root import Naming
from reconciler.directory.ldap.session import Session
from reconciler.directory.ldap.wire import Found
from reconciler.errors import DirectoryError
from reconciler.model.dn import DN

from .attempt import attempt
from .domain import UNSET_LIFETIME, DomainSeen, PasswordRules
from .finding import Unknown
from .rights.look import is_samba
from .rights.names import Attribute

_DOMAIN = ("minPwdLength", "pwdProperties", "ms-DS-MachineAccountQuota")
_COMPLEX = 0x1
_FOREST_TRANSITIVE = 0x8
_SETTINGS = ("msDS-MinimumPasswordLength", "msDS-PasswordComplexityEnabled")


def look(
    session: Session, naming: Naming, ous: Iterable[DN], attributes: Mapping[str, Attribute] | Unknown
) -> DomainSeen:
    """Return what can be read of the domain. `ous`: those to look for."""
    configuration = DN(naming.configuration)
    service = configuration.child("CN", "Services").child("CN", "Windows NT").child("CN", "Directory Service")
    domain = attempt(lambda: _object(session, naming.domain, _DOMAIN))
    lifetimes = attempt(lambda: _object(session, service.text, ("tombstoneLifetime", "msDS-DeletedObjectLifetime")))
    tombstones: int | Unknown
    deleted: int | Unknown
    if isinstance(lifetimes, Unknown):
        tombstones = deleted = lifetimes
    else:
        days = int(lifetimes.text("tombstoneLifetime") or UNSET_LIFETIME)
        tombstones, deleted = days, int(lifetimes.text("msDS-DeletedObjectLifetime") or days)
    return DomainSeen(
        samba=is_samba(session.read("", ["vendorName"])),
        recycle_bin=attempt(lambda: root.recycle_bin(session, naming)),
        tombstones=tombstones,
        deleted=deleted,
        passwords=domain if isinstance(domain, Unknown) else _passwords(domain),
        finer=attempt(lambda: _finer(session, naming)),
        machines=domain if isinstance(domain, Unknown) else _number(domain, "ms-DS-MachineAccountQuota"),
        suffixes=attempt(lambda: _suffixes(session, configuration)),
        partners=attempt(lambda: _partners(session, naming)),
        there=attempt(lambda: {ou: session.read(ou.text, ()) is not None for ou in ous}),
        attributes=attributes,
        directory_service=service,
    )


def _object(session: Session, dn: str, attributes: Iterable[str]) -> Found:
    found = session.read(dn, list(attributes))
    if found is None:
        raise DirectoryError(f"{dn} is not visible to this account.")
    return found


def _passwords(domain: Found) -> PasswordRules | Unknown:
    length = _number(domain, "minPwdLength")
    flags = _number(domain, "pwdProperties")
    if isinstance(length, Unknown):
        return length
    return PasswordRules(domain.dn, length, not isinstance(flags, Unknown) and bool(flags & _COMPLEX))


def _number(found: Found, name: str) -> int | Unknown:
    text = found.text(name)
    return int(text) if text else Unknown(f"{name} of {found.dn} is not visible to this account.")


def _finer(session: Session, naming: Naming) -> tuple[PasswordRules, ...] | Unknown:
    container = DN(naming.domain).child("CN", "System").child("CN", "Password Settings Container")
    hidden = Unknown("None is visible, and ordinary accounts see none: whether there is one cannot be told.")
    if session.read(container.text, ()) is None:
        return hidden
    found = list(session.search(container.text, "(objectClass=msDS-PasswordSettings)", _SETTINGS))
    rules = tuple(
        PasswordRules(f.dn, int(f.text(_SETTINGS[0])), f.text(_SETTINGS[1]) == "TRUE")
        for f in found
        if f.text(_SETTINGS[0])
    )
    return rules or hidden


def _suffixes(session: Session, configuration: DN) -> frozenset[str]:
    partitions = configuration.child("CN", "Partitions").text
    declared = _object(session, partitions, ["uPNSuffixes"]).values.get("upnsuffixes", ())
    domains = session.search(partitions, filters.equals("objectClass", "crossRef"), ["dnsRoot"])
    names = {raw.decode() for raw in declared} | {f.text("dnsRoot") for f in domains}
    return frozenset(name.casefold() for name in names if name)


def _partners(session: Session, naming: Naming) -> frozenset[str]:
    system = DN(naming.domain).child("CN", "System").text
    trusts = session.search(system, "(objectClass=trustedDomain)", ["trustPartner", "trustAttributes"])
    forests = (t for t in trusts if int(t.text("trustAttributes") or 0) & _FOREST_TRANSITIVE)
    return frozenset(t.text("trustPartner").casefold() for t in forests if t.text("trustPartner"))
