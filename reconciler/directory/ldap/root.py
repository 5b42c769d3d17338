"""Which domain a controller serves: its root DSE ([MS-ADTS] 3.1.1.3.2) and the objects that it names."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.directory.port import Domain
from reconciler.errors import DirectoryError
from reconciler.model.dn import DN

from . import decode, filters
from .refusals import visible
from .session import Session
from .wire import Found

_ATTRIBUTES = (
    "defaultNamingContext",
    "configurationNamingContext",
    "schemaNamingContext",
    "dsServiceName",
    "highestCommittedUSN",
    "isGlobalCatalogReady",
)
_NTDS_DOMAIN = 2
"""FLAG_CR_NTDS_DOMAIN of a crossRef's systemFlags ([MS-ADTS] 2.2.10): the partition is a domain."""
_DELETED_OBJECTS = "18e2ea80684f11d2b9aa00c04f79f805"
"""GUID_DELETED_OBJECTS_CONTAINER ([MS-ADTS] 6.1.1.4)."""


@dataclass(frozen=True, slots=True)
class Naming:
    """The names a controller gives its partitions."""

    domain: str
    configuration: str
    schema: str
    global_catalog: bool

    @property
    def deleted_objects(self) -> str:
        """The container of deleted objects, in the form that finds it under any name."""
        return f"<WKGUID={_DELETED_OBJECTS},{self.domain}>"


def naming(session: Session) -> Naming:
    """Read the partitions' names."""
    root = _root(session)
    return Naming(
        _text(session, root, "defaultNamingContext"),
        _text(session, root, "configurationNamingContext"),
        _text(session, root, "schemaNamingContext"),
        global_catalog=root.text("isGlobalCatalogReady") == "TRUE",
    )


def domain(session: Session) -> Domain:
    """Read who this controller is, and how far its database has come now."""
    root = _root(session)
    base, service = _text(session, root, "defaultNamingContext"), _text(session, root, "dsServiceName")
    usn = int(_text(session, root, "highestCommittedUSN"))
    invocation = _object(session, service, "invocationId")
    return Domain(
        controller=session.url,
        dn=base,
        sid=decode.sid(domain_sid(session, base)),
        service_name=service,
        invocation_id=decode.guid(invocation),
        usn=usn,
    )


def domain_sid(session: Session, base: str) -> bytes:
    """Return the domain's SID, as bytes."""
    return _object(session, base, "objectSid")


def in_schema(session: Session, names: Naming, attribute: str) -> bool:
    """Whether this forest's schema has an attribute: asking for one it has not is an error on some servers."""
    return any(session.search(names.schema, filters.equals("lDAPDisplayName", attribute)))


def recycle_bin(session: Session, names: Naming) -> bool:
    """Whether the forest's recycle bin is on ([MS-ADTS] 3.1.1.9.1)."""
    features = DN(names.configuration)
    for name in ("Services", "Windows NT", "Directory Service", "Optional Features", "Recycle Bin Feature"):
        features = features.child("CN", name)
    found = session.read(features.text, ["msDS-EnabledFeatureBL"])
    return found is not None and bool(found.values.get("msds-enabledfeaturebl"))


def deleted_seen(session: Session, names: Naming) -> bool:
    """Whether any tombstone is visible: only that shows that this account may list them.

    The container itself is visible to everybody. Until something was ever deleted the answer is no, which costs a full read
    and hides nothing.
    """
    graves = session.read(names.deleted_objects, (), deleted=True)
    if graves is None:
        return False
    first = next(session.pages(graves.dn, filters.TOMBSTONE, (), deleted=True, size=2), [])
    return any(found.dn != graves.dn for found in first)


def domains_in_forest(session: Session, names: Naming) -> int:
    """Return how many domains the forest has."""
    partitions = DN(names.configuration).child("CN", "Partitions").text
    found = session.search(partitions, filters.equals("objectClass", "crossRef"), ["systemFlags"])
    return sum(bool(int(ref.text("systemFlags") or 0) & _NTDS_DOMAIN) for ref in found)


def _root(session: Session) -> Found:
    root = session.read("", _ATTRIBUTES)
    if root is None:
        raise _lacking(session, "its root DSE")
    return root


def _text(session: Session, root: Found, name: str) -> str:
    found = root.text(name)
    if not found:
        raise _lacking(session, name)
    return found


def _object(session: Session, dn: str, attribute: str) -> bytes:
    found = session.read(dn, [attribute])
    raw = found.one(attribute) if found else None
    if raw is None:
        raise _lacking(session, f"{attribute} of {dn}")
    return raw


def _lacking(session: Session, what: str) -> DirectoryError:
    return DirectoryError(
        f"{visible(session.url)} does not show {visible(what)} to this account.",
        "Name an Active Directory domain controller, and an account that may read as any user of the domain may.",
    )
