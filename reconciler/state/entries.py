"""Guests and accounts of a canonical shard, entry by entry, as the text of their fields.

One pattern reads one entry; a shard counts as read when its entries, one after another, are the whole of its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import starmap
from typing import Final, NamedTuple

from .paths import account_path, guest_path
from .strict import BARE, KEY, MAX_KEY, SCALAR, STRING, unquote

_GUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_PART = (
    "(?:0|[1-9][0-9]{0,8}|[1-3][0-9]{9}|4(?:[01][0-9]{8}|2(?:[0-8][0-9]{7}|9(?:[0-3][0-9]{6}|4(?:[0-8][0-9]{5}|"
    "9(?:[0-5][0-9]{4}|6(?:[0-6][0-9]{3}|7(?:[01][0-9]{2}|2(?:[0-8][0-9]|9[0-5])))))))))"
)
"""A number of 32 bits: one domain in five has a part past 3,999,999,999."""
_SID = f"S-1-5-21-(?:{_PART}-){{3}}{_PART}"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
_ATTRIBUTES = rf"(?:  attributes:\n((?:    {KEY}:(?: {SCALAR}|(?:\n      - {STRING})++)\n)++))?+"

_GUEST: Final = re.compile(
    rf'("({_GUID})":\n(?=  )(?:  removed: "(changed|deleted)"\n  removedAt: "({_TIME})"\n)?+{_ATTRIBUTES})'
)
_ACCOUNT: Final = re.compile(
    rf'("({_SID})":\n  objectGUID: "({_GUID})"\n  distinguishedName: ({STRING})\n(?:  guest: "({_GUID})"\n)?+'
    rf'(?:  departed: "({_TIME})"\n)?+(?:  suspended: (true)\n)?+(?:  adopted: (true)\n)?+'
    rf'(?:  missing: "(deleted|expired|invisible)"\n)?+(?:  protected:((?:\n    - {STRING})++)\n)?+{_ATTRIBUTES})'
)
_ATTRIBUTE: Final = re.compile(rf"    ({BARE}|{STRING}):( [^\n]*+|(?:\n      - [^\n]*+)++)\n")
_ITEM: Final = "\n      - "
_PROTECTION: Final = "\n    - "


class NotCanonicalError(Exception):
    """This entry is not surely canonical: the slower reader decides about its shard."""


class GuestText(NamedTuple):
    """One guest's entry: all of it, then its fields; "" where there is none."""

    entry: str
    id: str
    removed: str
    removed_at: str
    attributes: str


class AccountText(NamedTuple):
    """One account's entry, likewise. `dn` is a quoted string, `protected` the lines of a list."""

    entry: str
    sid: str
    guid: str
    dn: str
    guest: str
    departed: str
    suspended: str
    adopted: str
    missing: str
    protected: str
    attributes: str


def guest_entries(text: str, path: str) -> list[GuestText] | None:
    """Return a shard's guests in their order; None where the text is not surely canonical or not surely whole."""
    found = list(starmap(GuestText, _GUEST.findall(text)))
    return found if _whole(text, found) and _placed([g.id for g in found], path, guest_path, _guest_place) else None


def account_entries(text: str, path: str) -> list[AccountText] | None:
    """Return a shard's accounts, like `guest_entries`."""
    found = list(starmap(AccountText, _ACCOUNT.findall(text)))
    return (
        found if _whole(text, found) and _placed([a.sid for a in found], path, account_path, _account_place) else None
    )


def _whole(text: str, found: Sequence[tuple[str, ...]]) -> bool:
    return bool(found) and sum(len(entry[0]) for entry in found) == len(text)


def _guest_place(key: str) -> str:
    return key[:3]


def _account_place(key: str) -> int:
    return int(key.rpartition("-")[2]) & 0xFFF


def _placed(keys: list[str], path: str, path_of: Callable[[str], str], place: Callable[[str], object]) -> bool:
    """Whether every key belongs in this file, and stands in it once."""
    return path_of(keys[0]) == path and len(set(map(place, keys))) == 1 and len(set(keys)) == len(keys)


def attribute_texts(block: str) -> dict[str, str] | None:
    """Return each attribute's value as it stands: ` "text"`, ` true`, or the lines of a list.

    None where a name occurs twice, or a value is empty: neither is canonical. Equal texts are equal values.
    """
    pairs = _ATTRIBUTE.findall(block)
    found: dict[str, str] = dict(pairs)
    if '"' in block[:5] or '\n    "' in block:
        if any(len(name) > MAX_KEY for name in found):
            return None
        found = {unquote(name) if name[0] == '"' else name: value for name, value in found.items()}
    if len(found) != len(pairs) or "" in found or ' ""' in found.values() or f'{_ITEM}""' in block:
        return None
    return found


def list_items(text: str) -> Iterable[str]:
    """Return the strings of an attribute's list, in their order."""
    return map(unquote, text.split(_ITEM)[1:])


def protections(text: str) -> list[str]:
    """Return the reasons in an account's `protected`."""
    return [unquote(item) for item in text.split(_PROTECTION)[1:]]
