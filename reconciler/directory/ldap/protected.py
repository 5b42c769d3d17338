"""Protected Users and the groups in it: whose members are never written ([MS-ADTS] 6.1.1.6.17).

Looked up afresh for every read, since who may be written follows from it. Once they are known, one search brings them along
with what is read: the filter names them, and what comes back shows whether they are still all there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.model.dn import DN

from . import decode, filters, request
from .root import Naming
from .session import Session
from .wire import Found

_RID = 525
_SID = ("objectSid",)
_MANY = 32
"""So many groups make a filter that costs more than asking for them alone."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Protected Users and every group in it, by name and by relative identifier (for who has one as primary group)."""

    names: frozenset[DN] = frozenset()
    rids: frozenset[int] = frozenset()

    def of(self, domain: bytes) -> str | None:
        """Return a filter for these groups, and for others that are in any of them by now; None for too many."""
        if len(self.names) > _MANY:
            return None
        inside = (filters.equals("memberOf", name) for name in sorted(dn.text for dn in self.names))
        return filters.both(filters.GROUP, filters.either([_itself(domain), *inside]))

    def now(self, found: Iterable[Found], domain: bytes) -> Groups | None:
        """Return the groups as what `of` found shows them; None where there may be more, or one has another name."""
        top = decode.relative(domain, _RID)
        listed = {DN(group.dn): group for group in found}
        inside = {dn for dn, group in listed.items() if group.one("objectSid") == top}
        before = -1
        while len(inside) != before:
            before = len(inside)
            inside |= {dn for dn, group in listed.items() if any(parent in inside for parent in _parents(group))}
        if not inside <= self.names or any("memberof;" in name for group in listed.values() for name in group.values):
            return None
        return _groups({dn: listed[dn] for dn in inside})


@dataclass(slots=True)
class Along:
    """Groups as they are brought along with one search for accounts after another; their filter is encoded once."""

    groups: Groups
    condition: bytes
    _domain: bytes
    _last: tuple[list[Found], Groups | None] = field(default=([], None))

    @staticmethod
    def of(groups: Groups, domain: bytes) -> Along | None:
        """Return None for too many groups."""
        where = groups.of(domain)
        return Along(groups, request.encode_filter(where), domain) if where else None

    def now(self, listed: list[Found]) -> Groups | None:
        """Return what `Groups.now` does; what is listed as it was a moment ago is not taken apart again."""
        before, same = self._last
        if not listed or listed != before:
            same = self.groups.now(listed, self._domain)
            same = self.groups if same == self.groups else same
            self._last = listed, same
        return same


def protected_users(session: Session, names: Naming, domain: bytes) -> Groups:
    """Return the domain's Protected Users group (known by its SID, whatever it is called), with the groups in it."""
    found = list(session.search(names.domain, _itself(domain), _SID))
    groups: dict[DN, Found] = {}
    while fresh := {DN(group.dn): group for group in found if DN(group.dn) not in groups}:
        groups |= fresh
        inside = filters.either(filters.equals("memberOf", dn.text) for dn in fresh)
        found = list(session.search(names.domain, filters.both(filters.GROUP, inside), _SID))
    return _groups(groups)


def _itself(domain: bytes) -> str:
    return filters.equals("objectSid", decode.relative(domain, _RID))


def _groups(found: dict[DN, Found]) -> Groups:
    rids = (decode.rid(group.one("objectSid") or b"") for group in found.values())
    return Groups(frozenset(found), frozenset(rids))


def _parents(group: Found) -> Iterable[DN]:
    return (DN(raw.decode()) for raw in group.values.get("memberof", ()))
