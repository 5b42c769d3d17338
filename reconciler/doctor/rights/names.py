"""What GUIDs and SIDs stand for, in the words of the domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from reconciler.directory.ldap.descriptor import FULL, Ace

from . import access

RESET_PASSWORD: Final = "00299570-246d-11d0-a768-00aa006e0529"  # noqa: S105  a rightsGuid
REANIMATE: Final = "45ec5156-db7e-47bb-b53f-dbeb2d03c40f"
DANGEROUS: Final = {
    "1131f6aa-9c07-11d1-f79f-00c04fc2dcd2": "DS-Replication-Get-Changes",
    "1131f6ad-9c07-11d1-f79f-00c04fc2dcd2": "DS-Replication-Get-Changes-All (DCSync: every password hash)",
    "89e95b76-444d-4c62-991a-0facbeda640c": "DS-Replication-Get-Changes-In-Filtered-Set",
    "1131f6ab-9c07-11d1-f79f-00c04fc2dcd2": "DS-Replication-Synchronize",
    "1131f6ac-9c07-11d1-f79f-00c04fc2dcd2": "DS-Replication-Manage-Topology",
    "9923a32a-3607-11d2-b9be-0000f87a36b2": "DS-Install-Replica",
    "ba33815a-4f93-4c76-87f3-57574bff8109": "Migrate-SID-History",
    RESET_PASSWORD: "Reset Password",
    REANIMATE: "Reanimate-Tombstones",
}
"""Control access rights that are dangerous whoever has them ([MS-ADTS] 5.1.3.2.1), by rightsGuid."""

_WELL_KNOWN: Final = {
    "S-1-1-0": "Everyone",
    "S-1-3-0": "CREATOR OWNER",
    "S-1-5-2": "NETWORK",
    "S-1-5-7": "ANONYMOUS LOGON",
    "S-1-5-9": "ENTERPRISE DOMAIN CONTROLLERS",
    "S-1-5-11": "Authenticated Users",
    "S-1-5-15": "This Organization",
    "S-1-5-32-544": "Administrators",
    "S-1-5-32-545": "Users",
    "S-1-5-32-548": "Account Operators",
    "S-1-5-32-549": "Server Operators",
    "S-1-5-32-550": "Print Operators",
    "S-1-5-32-551": "Backup Operators",
    "S-1-5-32-552": "Replicator",
    "S-1-5-32-578": "Hyper-V Administrators",
    "S-1-5-32-554": "Pre-Windows 2000 Compatible Access",
}
PRIVILEGED_ALIASES: Final = frozenset(f"S-1-5-32-{rid}" for rid in (544, 548, 549, 550, 551, 552, 578))
PRIVILEGED_NAMES: Final = frozenset({"dnsadmins"})
"""Groups without a number of their own from which a domain can be had: DnsAdmins lets its members load code on controllers."""
PRIVILEGED_RIDS: Final = {
    498: "Enterprise Read-only Domain Controllers",
    512: "Domain Admins",
    516: "Domain Controllers",
    517: "Cert Publishers",
    518: "Schema Admins",
    519: "Enterprise Admins",
    520: "Group Policy Creator Owners",
    526: "Key Admins",
    527: "Enterprise Key Admins",
}
"""Groups from which a domain can be had, by relative identifier."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of the schema. GUIDs in text form."""

    name: str
    guid: str
    property_set: str | None
    search_flags: int
    single: bool
    upper: int | None
    dn: str = ""
    """The attributeSchema object."""

    @property
    def confidential(self) -> bool:
        """Whether reading it takes a control access right besides (fCONFIDENTIAL of searchFlags, [MS-ADTS] 3.1.1.4.4)."""
        return bool(self.search_flags & 0x80)

    @property
    def types(self) -> tuple[str, ...]:
        """What an entry may be limited to and still cover this attribute of a user."""
        return (self.guid, *([self.property_set] if self.property_set else []), access.USER)


@dataclass(frozen=True, slots=True)
class Names:
    """The schema's attributes by folded name; every GUID's name; the SIDs' names."""

    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    guids: Mapping[str, str] = field(default_factory=dict)
    sids: Mapping[str, str] = field(default_factory=dict)

    def attribute(self, name: str) -> Attribute | None:
        """Return an attribute by its LDAP display name in any case."""
        return self.attributes.get(name.casefold())

    def guid(self, value: str | None) -> str:
        """Return what a GUID stands for, itself where it is not known."""
        if value is None:
            return ""
        return DANGEROUS.get(value) or self.guids.get(value, value)

    def sid(self, value: str) -> str:
        """Return whose SID it is."""
        found = self.sids.get(value) or _WELL_KNOWN.get(value) or _by_rid(value)
        return f"{found} ({value})" if found else value

    def rights(self, entry: Ace, rights: int) -> str:
        """Return these rights of an entry in words: `write displayName`, `full control (GenericAll)`."""
        if entry.rights & FULL == FULL and entry.object_type is None:
            return "full control (GenericAll)"
        what = self.guid(entry.object_type)
        return ", ".join(_word(right, what) for right in access.WRITES if rights & right)

    def where(self, on: str | None) -> str:
        """Return what is meant by the class that inherits an entry, to follow the rights."""
        if on is None:
            return ""
        return f" on every {self.guid(on)} below" if on else " on everything below"


def _by_rid(sid: str) -> str:
    head, _, rid = sid.rpartition("-")
    return PRIVILEGED_RIDS.get(int(rid), "") if head.startswith("S-1-5-21-") else ""


def _word(right: int, what: str) -> str:
    return {
        access.CREATE: f"create {what or 'children of any class'}",
        access.DELETE_CHILD: f"delete {what or 'children of any class'} below it",
        access.SELF: f"validated write {what or 'of every kind'}",
        access.WRITE: f"write {what or 'every attribute'}",
        access.DELETE_TREE: "delete it with everything below",
        access.CONTROL: f"control access right {what or 'of every kind (AllExtendedRights)'}",
        access.DELETE: "delete it",
        access.WRITE_DACL: "change its access list (WriteDacl)",
        access.WRITE_OWNER: "take it over (WriteOwner)",
    }[right]
