"""One object of the directory, and how a reader sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.directory.port import Entry
from reconciler.model.dn import DN
from reconciler.model.values import Value

Kind = Literal["domainDNS", "container", "organizationalUnit", "group", "user", "computer"]
CONTAINERS: tuple[Kind, ...] = ("container", "organizationalUnit")


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of one object. `attributes` by case-folded name; the name and the identity are fields of their own.

    `parent` is the GUID of the container, `last_parent` that of the one a deleted object was in. A tombstone keeps its kind.
    Of a password only `has_password` is known.
    """

    guid: str
    sid: str | None
    parent: str | None
    dn: DN
    kind: Kind
    usn: int
    attributes: Mapping[str, Value]
    has_password: bool = False
    deleted: bool = False
    recycled: bool = False
    last_parent: str | None = None

    @property
    def owner(self) -> str:
        """What a name's owner is called: the SID, or the GUID of what has none."""
        return self.sid or self.guid


def entry(stored: Stored, attributes: Iterable[str], *, shielded: bool, home: DN | None) -> Entry:
    """Return what a reader sees; `shielded`: a member of Protected Users, `home`: where the last parent is now."""
    values = {name: value for name in attributes if (value := read(stored, name, home)) is not None}
    return Entry(
        guid=stored.guid,
        sid=stored.sid or "",
        dn=stored.dn,
        attributes=values,
        protected=_protected(stored, shielded=shielded),
        deleted=stored.deleted,
        recycled=stored.recycled,
    )


def read(stored: Stored, name: str, home: DN | None = None) -> Value | None:
    """Return one attribute's value, those included that the directory itself maintains."""
    match name.casefold():
        case "cn" | "name":
            return stored.dn.name
        case "distinguishedname":
            return stored.dn.text
        case "lastknownparent":
            return home.text if home else None
        case "usnchanged":
            return str(stored.usn)
        case key:
            return stored.attributes.get(key)


def _protected(stored: Stored, *, shielded: bool) -> tuple[str, ...]:
    held = stored.attributes
    reasons = {
        "adminCount": held.get("admincount", "0") != "0",
        "servicePrincipalName": "serviceprincipalname" in held,
        "Protected Users": shielded,
        "msDS-ObjectSoa": "msds-objectsoa" in held,
    }
    return tuple(reason for reason, holds in reasons.items() if holds)
