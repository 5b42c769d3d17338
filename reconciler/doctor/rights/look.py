"""Reads what rights are judged by. Everything here is a search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from reconciler.directory.ldap import decode, filters
from reconciler.directory.ldap.descriptor import parse
from reconciler.directory.ldap.root import Naming, deleted_seen
from reconciler.directory.ldap.session import Session
from reconciler.directory.ldap.wire import Found
from reconciler.errors import DirectoryError
from reconciler.model.dn import DN

from .access import Token
from .names import Attribute, Names
from .seen import Holder, Opinion, Places, Seen

_ACCESS: Final = "nTSecurityDescriptor"
_ACCOUNT: Final = "(objectClass=user)"
"""Users, computers, managed service accounts: whatever can sign in."""
_NAMED: Final = ("objectSid", "sAMAccountName")
_OF_DOMAINS: Final = "S-1-5-21-"
_EFFECTIVE: Final = ("allowedChildClassesEffective", "allowedAttributesEffective", "sDRightsEffective")
_CONTAINERS: Final = filters.either(
    filters.equals("objectCategory", name)
    for name in (
        "organizationalUnit",
        "container",
        "builtinDomain",
        "domainDNS",
        "lostAndFound",
        "groupPolicyContainer",
    )
)
_GUARDED: Final = "(adminCount=1)"
_SAMPLE: Final = filters.both(filters.USER, "(!(adminCount=1))")
_CLASS_OR_ATTRIBUTE: Final = "(|(objectClass=attributeSchema)(objectClass=classSchema))"
_SCHEMA: Final = (
    *("lDAPDisplayName", "schemaIDGUID", "attributeSecurityGUID", "searchFlags", "isSingleValued", "rangeUpper"),
    "attributeID",
)


def seen(session: Session, naming: Naming, token: Token, names: Names, places: Places) -> Seen:
    """Return what the rights of `token` are judged by."""
    samples = tuple(_samples(session, places))
    holders = tuple(_holders(session, naming))
    top = [h.dn for h in holders if h.dn.parent == places.base]
    asked = [places.base, *top, *places.targets, *(s.dn for s in samples)] if token.signed_in else []
    root = session.read("", ["vendorName"])
    return Seen(
        token=token,
        names=names,
        places=places,
        holders=holders,
        samples=samples,
        opinions=tuple(_opinions(session, asked)),
        netbios=netbios(session, naming),
        samba=is_samba(root),
        lists_deleted=token.signed_in and deleted_seen(session, naming),
    )


def is_samba(root: Found | None) -> bool:
    """Whether a root DSE says that it is Samba's: Windows names no vendor."""
    return root is not None and "samba" in root.text("vendorName").casefold()


def own_token(session: Session, naming: Naming) -> Token:
    """Return whom the controller takes the signed-in account for: tokenGroups of the root DSE ([MS-ADTS] 3.1.1.3.2.25).

    Of the SIDs in a token one alone is a user's or a computer's: the account itself. Their order is not promised.
    """
    root = session.read("", ["tokenGroups"])
    sids = [decode.sid(raw) for raw in root.values.get("tokengroups", ())] if root else []
    own = filters.either(_of_sid(sid) for sid in sids if sid.startswith(_OF_DOMAINS))
    found = list(session.search(naming.domain, filters.both(_ACCOUNT, own), _NAMED)) if sids else []
    if len(found) != 1:
        raise DirectoryError(
            f"{session.url} does not say who this account is (tokenGroups of the root DSE: {len(sids)} SIDs).",
            "Sign in with an account of this domain, which may read its own object.",
        )
    sid = decode.sid(found[0].one("objectSid") or b"")
    return Token(found[0].text("sAMAccountName"), sid, found[0].dn, frozenset(sids), signed_in=True)


def token_of(session: Session, naming: Naming, name: str) -> Token:
    """Return the token that an account would have, by its sAMAccountName or userPrincipalName, from what may be read of it."""
    by_name = filters.either(filters.equals(a, name) for a in ("sAMAccountName", "userPrincipalName"))
    found = list(session.search(naming.domain, filters.both(_ACCOUNT, by_name), _NAMED))
    if len(found) != 1:
        raise DirectoryError(
            f"{len(found)} accounts of the domain are called {name}.", "Name one by its sAMAccountName."
        )
    raw = session.read(found[0].dn, ["tokenGroups"])  # constructed: a search of one object only
    groups = [decode.sid(value) for value in raw.values.get("tokengroups", ())] if raw else []
    if not groups:
        raise DirectoryError(
            f"The groups of {name} (tokenGroups) are not shown to this account.",
            "Add this account to Windows Authorization Access Group, or run with the other account's credentials.",
        )
    sid = decode.sid(found[0].one("objectSid") or b"")
    everybody = {"S-1-1-0", "S-1-5-2", "S-1-5-11", *_of_everybody(session, naming)}
    return Token(
        found[0].text("sAMAccountName"), sid, found[0].dn, frozenset({sid, *groups, *everybody}), signed_in=False
    )


def _of_everybody(session: Session, naming: Naming) -> Iterator[str]:
    """The groups of the domain that Everyone and Authenticated Users are in."""
    strangers = filters.equals("objectCategory", "foreignSecurityPrincipal")
    for found in session.search(naming.domain, strangers, ["objectSid", "memberOf"]):
        if decode.sid(found.one("objectSid") or b"") in ("S-1-1-0", "S-1-5-11"):
            for group in found.values.get("memberof", ()):
                entry = session.read(group.decode(), ["objectSid"])
                if entry is not None and (raw := entry.one("objectSid")):
                    yield decode.sid(raw)


def names(session: Session, naming: Naming) -> Names:
    """Return what the schema's classes and attributes and the extended rights are called."""
    attributes: dict[str, Attribute] = {}
    guids: dict[str, str] = {}
    for found in session.search(naming.schema, _CLASS_OR_ATTRIBUTE, _SCHEMA):
        name, raw = found.text("lDAPDisplayName"), found.one("schemaIDGUID")
        if raw is None or not name:
            continue
        guids[decode.guid(raw)] = name
        if "attributeid" in found.values:
            attributes[name.casefold()] = _attribute(found, name, decode.guid(raw))
    rights = DN(naming.configuration).child("CN", "Extended-Rights").text
    for found in session.search(rights, "(objectClass=controlAccessRight)", ["rightsGuid", "cn"]):
        guids.setdefault(found.text("rightsGuid").lower(), found.text("cn"))
    return Names(attributes, guids)


def _attribute(found: Found, name: str, guid: str) -> Attribute:
    group, upper = found.one("attributeSecurityGUID"), found.text("rangeUpper")
    return Attribute(
        name=name,
        guid=guid,
        property_set=decode.guid(group) if group else None,
        search_flags=int(found.text("searchFlags") or 0),
        single=found.text("isSingleValued") == "TRUE",
        upper=int(upper) if upper else None,
        dn=found.dn,
    )


def sid_names(session: Session, naming: Naming, sids: Iterable[str]) -> dict[str, str]:
    """Return what the domain calls these SIDs; those it does not know are absent."""
    return {sid: name for sid in sids if (name := _name(session, naming, sid))}


def _name(session: Session, naming: Naming, sid: str) -> str:
    found = next(iter(session.search(naming.domain, _of_sid(sid), ["sAMAccountName"])), None)
    return found.text("sAMAccountName") if found else ""


def _of_sid(sid: str) -> str:
    return filters.equals("objectSid", decode.sid_bytes(sid))


def _holders(session: Session, naming: Naming) -> Iterator[Holder]:
    """Every container of the domain and what AdminSDHolder protects, parents first; then the forest's other partitions."""
    found = {}
    for where in (_CONTAINERS, _GUARDED):
        for item in session.search(naming.domain, where, [_ACCESS]):
            found[DN(item.dn)] = item
    yield from map(_holder, sorted(found.values(), key=lambda f: len(DN(f.dn).rdns)))
    configuration = DN(naming.configuration)
    services = [configuration.child("CN", name).text for name in ("Sites", "Services", "Partitions", "Extended-Rights")]
    for dn in (naming.configuration, *services, naming.schema):
        partition = session.read(dn, [_ACCESS])
        if partition is not None:
            yield _holder(partition)


def _samples(session: Session, places: Places) -> Iterator[Holder]:
    for ou in places.targets:
        if session.read(ou.text, ()) is None:
            continue
        page = next(session.pages(ou.text, _SAMPLE, [_ACCESS], size=1), [])
        yield from map(_holder, page)


def _holder(found: Found) -> Holder:
    raw = found.one(_ACCESS)
    return Holder(DN(found.dn), parse(raw) if raw else None)


def _opinions(session: Session, asked: Sequence[DN]) -> Iterator[Opinion]:
    for dn in dict.fromkeys(asked):
        found = session.read(dn.text, _EFFECTIVE)
        if found is not None:
            classes, attributes = (
                frozenset(raw.decode().casefold() for raw in found.values.get(name.lower(), ()))
                for name in _EFFECTIVE[:2]
            )
            yield Opinion(dn, classes, attributes, int(found.text(_EFFECTIVE[2]) or 0))


def netbios(session: Session, naming: Naming) -> str:
    """Return the domain's NetBIOS name; where it cannot be read, the first label of its DNS name, which it mostly is."""
    partitions = DN(naming.configuration).child("CN", "Partitions").text
    mine = filters.equals("nCName", naming.domain)
    found = next(iter(session.search(partitions, mine, ["nETBIOSName"])), None)
    return (found.text("nETBIOSName") if found else "") or DN(naming.domain).name.upper()
