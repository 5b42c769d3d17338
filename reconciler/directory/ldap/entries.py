"""From search results to entries: identity, the values asked for, and why an account must never be written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reconciler.directory.port import Entry
from reconciler.errors import DirectoryError
from reconciler.model.dn import DN
from reconciler.model.schema import Attribute, attribute
from reconciler.model.values import Value

from . import decode, filters
from .refusals import visible
from .root import Naming
from .session import Found, Session

_PROTECTED_USERS_RID = 525
_IDENTITY = ("objectGUID", "objectSid", "objectClass", "isDeleted", "isRecycled")
_PROTECTIONS = ("adminCount", "servicePrincipalName", "memberOf", "primaryGroupID")
_SOURCE_OF_AUTHORITY = "msDS-ObjectSoa"
_SID = ("objectSid",)
_GROUP = filters.equals("objectCategory", "group")


@dataclass(frozen=True, slots=True)
class Groups:
    """Protected Users and every group in it, by name and by relative identifier (for who has one as primary group)."""

    names: frozenset[DN] = frozenset()
    rids: frozenset[int] = frozenset()


class Entries:
    """Makes entries of one read, by the groups as they were at its start. `kinds` knows the attributes' kinds."""

    def __init__(
        self,
        session: Session,
        attributes: Sequence[str],
        groups: Groups,
        kinds: Callable[[str], Attribute] = attribute,
        *,
        source_of_authority: bool,
        recycle_bin: bool = False,
    ) -> None:
        self._recycle_bin = recycle_bin
        self._session = session
        self._kinds = kinds
        self._asked = tuple(attributes)
        self._groups = groups
        also = (*_IDENTITY, *_PROTECTIONS, *([_SOURCE_OF_AUTHORITY] if source_of_authority else []))
        # Once each: a server may refuse a repeated name.
        self.requested = tuple({name.casefold(): name for name in (*self._asked, *also)}.values())

    def entry(self, found: Found) -> Entry:
        """Return the entry; raise DirectoryError for an object that is no user, or whose values cannot be read."""
        classes = {raw.lower() for raw in found.values.get("objectclass", ())}
        guid, sid = found.one("objectGUID"), found.one("objectSid")
        if b"user" not in classes or b"computer" in classes or guid is None or sid is None:
            raise DirectoryError(
                f"{visible(found.dn)} is not a user that this account can read.",
                "Remove or rename it, or choose another name in the policy.",
            )
        values: dict[str, Value] = {}
        for name in self._asked:
            raw = found.values.get(name.lower())
            if raw:
                values[name] = decode.value(self._kinds(name), raw, found.dn)
            elif _cut(found, name):
                raise DirectoryError(
                    f"{visible(found.dn)} has more values of {visible(name)} than a controller returns at once.",
                    "Leave this attribute out of the policy.",
                )
        return Entry(
            guid=decode.guid(guid),
            sid=decode.sid(sid),
            dn=DN(found.dn),
            attributes=values,
            protected=tuple(self._protections(found)),
            deleted=found.text("isDeleted") == "TRUE",
            # Without the recycle bin Samba marks every tombstone so, and brings it back all the same.
            recycled=self._recycle_bin and found.text("isRecycled") == "TRUE",
        )

    def _protections(self, found: Found) -> list[str]:
        reasons = []
        if int(found.text("adminCount") or 0):
            reasons.append("adminCount")
        if "serviceprincipalname" in found.values or _cut(found, "servicePrincipalName"):
            reasons.append("servicePrincipalName")
        if self._in_protected_users(found):
            reasons.append("Protected Users")
        if found.text(_SOURCE_OF_AUTHORITY).casefold() == "cloud":
            reasons.append(_SOURCE_OF_AUTHORITY)
        return reasons

    def _in_protected_users(self, found: Found) -> bool:
        if int(found.text("primaryGroupID") or 0) in self._groups.rids:
            return True
        if _cut(found, "memberOf"):
            of_one = filters.either(filters.equals("memberOf", group.text) for group in self._groups.names)
            return bool(self._groups.names) and self._session.read(found.dn, (), of_one) is not None
        return any(DN(raw.decode()) in self._groups.names for raw in found.values.get("memberof", ()))


def protected_users(session: Session, names: Naming, domain: bytes) -> Groups:
    """Return the domain's Protected Users group (known by its SID, whatever it is called), with the groups in it."""
    found = list(
        session.search(names.domain, filters.equals("objectSid", decode.relative(domain, _PROTECTED_USERS_RID)), _SID)
    )
    groups: dict[DN, int] = {}
    while found:
        fresh = {DN(group.dn): decode.rid(group.one("objectSid") or b"") for group in found}
        fresh = {dn: rid for dn, rid in fresh.items() if dn not in groups}
        groups |= fresh
        if not fresh:
            break
        inside = filters.either(filters.equals("memberOf", dn.text) for dn in fresh)
        found = list(session.search(names.domain, filters.both(_GROUP, inside), _SID))
    return Groups(frozenset(groups), frozenset(groups.values()))


def _cut(found: Found, name: str) -> bool:
    """Whether there are more values than a controller returns at once: the name then comes back with a range."""
    return any(held.startswith(f"{name.lower()};range=") for held in found.values)
