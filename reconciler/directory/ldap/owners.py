"""Who has a name already: many names in one search, each answer traced back to the name that was asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.model.dn import DN
from reconciler.model.values import fold

from . import decode, filters
from .session import Session
from .wire import Found

CHUNK = 50
_IDENTITY = ("objectSid", "objectGUID")


@dataclass(frozen=True, slots=True)
class Names:
    """How one kind of name is looked up and compared."""

    attribute: str
    exact: Callable[[str], Hashable]
    """Equal for names that every domain controller holds to be the same."""
    loose: Callable[[str], Hashable]
    """Equal at least for names that any domain controller holds to be the same."""
    held: Callable[[Found], Sequence[str]]


def kind(attribute: str) -> Names:
    """Return how names of this attribute are looked up. For `cn` they are DNs."""
    if attribute.casefold() == "cn":
        return Names("distinguishedName", lambda n: DN(n).key, lambda n: fold(str(DN(n).key)), lambda f: [f.dn])
    key = attribute.lower()
    return Names(
        attribute, str.casefold, fold, lambda f: [raw.decode("utf-8", "replace") for raw in f.values.get(key, ())]
    )


def owners(session: Session, base: str, names: Names, values: Sequence[str]) -> dict[str, str]:
    """Return the owner (SID, or GUID where it has none) of each of these names that an object below `base` has."""
    owned: dict[str, str] = {}
    for chunk in chunks(values, CHUNK):
        owned |= _of_chunk(session, base, names, chunk)
    return owned


def chunks(values: Iterable[str], size: int) -> Iterator[list[str]]:
    """Yield the distinct values in lists of at most `size`."""
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), size):
        yield distinct[start : start + size]


def _of_chunk(session: Session, base: str, names: Names, asked: Sequence[str]) -> dict[str, str]:
    exactly, loosely = defaultdict[Hashable, list[str]](list), defaultdict[Hashable, list[str]](list)
    for name in asked:
        exactly[names.exact(name)].append(name)
        loosely[names.loose(name)].append(name)
    owned: dict[str, str] = {}
    doubtful: set[str] = set()
    for found in _holders(session, base, names, asked):
        held = names.held(found)
        sure = [name for value in held for name in exactly.get(names.exact(value), ())]
        maybe = [name for value in held for name in loosely.get(names.loose(value), ())]
        for name in sure:
            owned[name] = min(_owner(found), owned.get(name, "~"))
        doubtful.update(maybe if sure or maybe else asked)
    # What compares equal is the controller's own business: a name that this side is not sure about is asked for alone.
    for name in doubtful - owned.keys():
        holders = [_owner(found) for found in _holders(session, base, names, [name])]
        if holders:
            owned[name] = min(holders)
    return owned


def _holders(session: Session, base: str, names: Names, asked: Sequence[str]) -> list[Found]:
    where = filters.either(filters.equals(names.attribute, name) for name in asked)
    return list(session.search(base, where, [names.attribute, *_IDENTITY]))


def _owner(found: Found) -> str:
    sid, guid = found.one("objectSid"), found.one("objectGUID")
    return decode.sid(sid) if sid else decode.guid(guid or b"")
