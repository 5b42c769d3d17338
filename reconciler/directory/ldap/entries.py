"""From search results to entries: identity, the values asked for, and why an account must never be written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from copy import copy
from functools import lru_cache

from reconciler.directory.port import Entry
from reconciler.errors import DirectoryError
from reconciler.model.dn import DN
from reconciler.model.schema import Attribute, attribute
from reconciler.model.values import Value

from . import decode, filters
from .protected import Groups
from .refusals import visible
from .session import Session
from .wire import Found

_IDENTITY = ("objectGUID", "objectSid", "objectClass", "isDeleted", "isRecycled")
_PROTECTIONS = ("adminCount", "servicePrincipalName", "memberOf", "primaryGroupID")
_SOURCE_OF_AUTHORITY = "msDS-ObjectSoa"
_SERVICES, _MEMBERSHIPS, _RANGE = "serviceprincipalname", "memberof", ";range="


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
        self._asked = tuple((name, name.lower(), decode.decoder(kinds(name))) for name in attributes)
        self.groups = groups
        also = (*_IDENTITY, *_PROTECTIONS, *([_SOURCE_OF_AUTHORITY] if source_of_authority else []))
        # Once each: a server may refuse a repeated name.
        self.requested = tuple({name.casefold(): name for name in (*attributes, *also)}.values())

    def among(self, groups: Groups) -> Entries:
        """Return the same by other groups."""
        made = copy(self)
        made.groups = groups
        return made

    def entry(self, found: Found) -> Entry:
        """Return the entry; raise DirectoryError for an object that is no user, or whose values cannot be read."""
        held = found.values
        guid, sid = held.get("objectguid"), held.get("objectsid")
        if not (guid and sid and _is_user(tuple(held.get("objectclass", ())))):
            raise DirectoryError(
                f"{visible(found.dn)} is not a user that this account can read.",
                "Remove or rename it, or choose another name in the policy.",
            )
        cut = _cut(held)
        values: dict[str, Value] = {}
        for name, key, value in self._asked:
            raw = held.get(key)
            if raw:
                values[name] = value(raw, found.dn)
            elif key in cut:
                raise DirectoryError(
                    f"{visible(found.dn)} has more values of {visible(name)} than a controller returns at once.",
                    "Leave this attribute out of the policy.",
                )
        return Entry(
            guid=decode.guid(guid[0]),
            sid=decode.sid(sid[0]),
            dn=DN(found.dn),
            attributes=values,
            protected=self._protections(found, cut),
            deleted=found.text("isdeleted") == "TRUE",
            # Without the recycle bin Samba marks every tombstone so, and brings it back all the same.
            recycled=self._recycle_bin and found.text("isrecycled") == "TRUE",
        )

    def _protections(self, found: Found, cut: Collection[str]) -> tuple[str, ...]:
        held = found.values
        reasons = []
        if "admincount" in held and int(found.text("admincount") or 0):
            reasons.append("adminCount")
        if _SERVICES in held or _SERVICES in cut:
            reasons.append("servicePrincipalName")
        if in_groups(self._session, found, self.groups, cut):
            reasons.append("Protected Users")
        if found.text(_SOURCE_OF_AUTHORITY).casefold() == "cloud":
            reasons.append(_SOURCE_OF_AUTHORITY)
        return tuple(reasons)


def in_groups(session: Session, found: Found, groups: Groups, cut: Collection[str] | None = None) -> bool:
    """Whether a user, computer or service account is in any of these groups. `cut`: attributes with more values than shown."""
    if int(found.text("primarygroupid") or 0) in groups.rids:
        return True
    if _MEMBERSHIPS in (_cut(found.values) if cut is None else cut):
        of_one = filters.either(filters.equals("memberOf", group.text) for group in groups.names)
        return bool(groups.names) and session.read(found.dn, (), of_one) is not None
    return any(DN(raw.decode()) in groups.names for raw in found.values.get(_MEMBERSHIPS, ()))


def _cut(held: Iterable[str]) -> Collection[str]:
    """Return of what there are more values than a controller returns at once: the name then comes back with a range."""
    return [name.partition(_RANGE)[0] for name in held if _RANGE in name]


def is_group(found: Found) -> bool:
    """Whether an object is a group."""
    return any(name.lower() == b"group" for name in found.values.get("objectclass", ()))


@lru_cache(64)
def _is_user(classes: tuple[bytes, ...]) -> bool:
    known = {name.lower() for name in classes}
    return b"user" in known and b"computer" not in known
