"""From search results to entries: identity, the values asked for, and why an account must never be written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reconciler.directory.port import Entry
from reconciler.errors import DirectoryError
from reconciler.model.dn import DN
from reconciler.model.schema import Attribute, attribute
from reconciler.model.values import Value

from . import decode, filters
from .refusals import visible
from .root import Naming, domain_sid
from .session import Found, Session

_PROTECTED_USERS_RID = 525
_IDENTITY = ("objectGUID", "objectSid", "objectClass", "isDeleted", "adminCount", "servicePrincipalName")
_SOURCE_OF_AUTHORITY = "msDS-ObjectSoa"
_MEMBERSHIP = ("objectSid", "objectGUID", "objectClass", "member")


class Entries:
    """Makes entries of one read. `protected_users` are the GUIDs of that group's members at its start."""

    def __init__(
        self,
        attributes: Sequence[str],
        kinds: Callable[[str], Attribute] = attribute,
        *,
        source_of_authority: bool,
        protected_users: frozenset[bytes],
    ) -> None:
        self._kinds = kinds
        self._asked = tuple(attributes)
        self._protected_users = protected_users
        also = (*_IDENTITY, _SOURCE_OF_AUTHORITY) if source_of_authority else _IDENTITY
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
            elif any(held.startswith(f"{name.lower()};range=") for held in found.values):
                raise DirectoryError(
                    f"{visible(found.dn)} has more values of {visible(name)} than a controller returns at once.",
                    "Leave this attribute out of the policy.",
                )
        return Entry(
            guid=decode.guid(guid),
            sid=decode.sid(sid),
            dn=DN(found.dn),
            attributes=values,
            protected=tuple(self._protections(found, guid)),
            deleted=found.text("isDeleted") == "TRUE",
        )

    def _protections(self, found: Found, guid: bytes) -> list[str]:
        reasons = []
        if int(found.text("adminCount") or 0):
            reasons.append("adminCount")
        # Of more than 1,500 values the name comes back with a range.
        if any(name.partition(";")[0] == "serviceprincipalname" for name in found.values):
            reasons.append("servicePrincipalName")
        if guid in self._protected_users:
            reasons.append("Protected Users")
        if found.text(_SOURCE_OF_AUTHORITY).casefold() == "cloud":
            reasons.append(_SOURCE_OF_AUTHORITY)
        return reasons


def protected_users(session: Session, names: Naming) -> frozenset[bytes]:
    """Return the GUIDs of everybody in the domain's Protected Users group, also by way of groups and primary groups.

    Asked from the group's side: an account's own memberOf is cut at 1,500 values, and names no primary group.
    """
    group = decode.relative(domain_sid(session, names.domain), _PROTECTED_USERS_RID)
    waiting = list(session.search(names.domain, filters.equals("objectSid", group), _MEMBERSHIP))
    members = set[bytes]()
    while waiting:
        inside = waiting.pop()
        sid = inside.one("objectSid") or group
        for member in (*_listed(session, names, inside), *_primary(session, names, sid)):
            guid = member.one("objectGUID")
            if guid is None or guid in members:
                continue
            members.add(guid)
            if b"group" in member.values.get("objectclass", ()):
                waiting.append(member)
    return frozenset(members)


def _listed(session: Session, names: Naming, group: Found) -> list[Found]:
    """Members by name. Of more than 1,500 a controller returns a range, and they are asked for by the slow way round."""
    if any(held.startswith("member;range=") for held in group.values):
        return list(session.search(names.domain, filters.equals("memberOf", group.dn), _MEMBERSHIP))
    found = (session.read(raw.decode("utf-8"), _MEMBERSHIP) for raw in group.values.get("member", ()))
    return [member for member in found if member is not None]


def _primary(session: Session, names: Naming, sid: bytes) -> list[Found]:
    """Members whose primary group it is: those it does not list."""
    return list(session.search(names.domain, filters.equals("primaryGroupID", str(decode.rid(sid))), _MEMBERSHIP))
