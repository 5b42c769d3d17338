"""One shard, summed up: small enough that all of them are at hand, and enough to say which entries need a look.

Each part of a summary is bytes of its own, so that only those parts are fetched that are asked for. Everything is little-endian.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.state.entries import NotCanonicalError, account_entries, guest_entries
from reconciler.state.records import slow_accounts, slow_guests
from reconciler.state.strict import decode

from .account_rows import AccountRow, AccountRows
from .guest_rows import GuestRows
from .hashes import NONE, SIZE, numbers
from .parts import CLEAN, GUESTS, KEYS, NAMES, OFFSETS, Parts

_HEAD: Final = struct.Struct("<III")
_SPECIAL: Final = struct.Struct("<I8s8s8sQ")
_LACKS: Final = ("accountEnabled", "userPrincipalName")


@dataclass(frozen=True, slots=True)
class Clean:
    """The clean part of one shard. `second` counts live guests, or accounts that are joined and there; `lacks` as bits."""

    count: int
    second: int
    lacks: int
    hashes: array[int]
    special: Sequence[tuple[int, bytes, bytes, bytes, int]]
    """Accounts that may be in order in more than one way, or only for a time: index, three hashes, when they are due."""

    @staticmethod
    def of(packed: bytes) -> Clean:
        """Return what is packed. Raises ValueError or struct.error for what never was a summary."""
        count, second, lacks = _HEAD.unpack_from(packed)
        end = _HEAD.size + count * SIZE
        hashes = numbers(packed[_HEAD.size : end])
        if len(hashes) != count:
            raise ValueError("a summary that is cut short")
        return Clean(count, second, lacks, hashes, tuple(_SPECIAL.iter_unpack(packed[end:])))

    @property
    def lacking(self) -> tuple[str, ...]:
        """What some live guest of this shard lacks."""
        return tuple(name for bit, name in enumerate(_LACKS) if self.lacks >> bit & 1)


def guest_parts(data: bytes, path: str, rows: GuestRows) -> Parts:
    """Sum up a shard of guests. Raises StateError where it is damaged."""
    text = decode(data)
    entries = None if text is None else guest_entries(text, path)
    try:
        found = None if entries is None else [rows.row(entry) for entry in entries]
    except NotCanonicalError:
        found = None
    if entries is None or found is None:
        return _unread_guests(slow_guests(data, path).values())
    lacks = 0
    for bit, name in enumerate(_LACKS):
        lacks |= any(name in lacking for _, _, lacking in found) << bit
    head = _HEAD.pack(len(found), sum(not e.removed for e in entries), lacks)
    return {
        CLEAN: head + b"".join(clean for clean, _, _ in found),
        OFFSETS: _offsets(len(e.entry) for e in entries),
        KEYS: b"".join(map(b"".join, zip(*(joins for _, joins, _ in found), strict=True))),
    }


def account_parts(data: bytes, path: str, rows: AccountRows) -> Parts:
    """Sum up a shard of accounts. Raises StateError where it is damaged."""
    text = decode(data)
    entries = None if text is None else account_entries(text, path)
    try:
        found = None if entries is None else [rows.row(entry) for entry in entries]
    except NotCanonicalError:
        found = None
    if entries is None or found is None:
        return _unread_accounts(slow_accounts(data, path).values())
    head = _HEAD.pack(len(found), sum(bool(e.guest) and not e.missing for e in entries), 0)
    single, special = bytearray(head), bytearray()
    for index, row in enumerate(found):
        only = _only(row)
        single += only
        if only == NONE and (row.active, row.blocked, row.left) != (NONE, NONE, NONE):
            special += _SPECIAL.pack(index, row.active, row.blocked, row.left, row.due)
    return {
        CLEAN: bytes(single + special),
        OFFSETS: _offsets(len(e.entry) for e in entries),
        GUESTS: b"".join(row.guest for row in found),
        NAMES: b"".join(row.names for row in found),
    }


def offsets_of(packed: bytes) -> array[int]:
    """Return where each entry begins, and the end; empty for a shard that is not canonical."""
    found = array("I", packed)
    if sys.byteorder != "little":
        found.byteswap()
    return found


def _only(row: AccountRow) -> bytes:
    """The one hash by which the account is in order, at any time; NONE where there are several or none."""
    some = [h for h in (row.active, row.blocked, row.left) if h != NONE]
    return some[0] if len(some) == 1 and not (row.due and row.left != NONE) else NONE


def _offsets(lengths: Iterable[int]) -> bytes:
    found = array("I", [0])
    for length in lengths:
        found.append(found[-1] + length)
    if sys.byteorder != "little":
        found.byteswap()
    return found.tobytes()


def _unread_guests(guests: Iterable[Guest]) -> Parts:
    """A shard that a person has edited: everybody in it is looked at."""
    some = list(guests)
    live = [g for g in some if g.removed is None]
    lacks = sum(any(name not in g.attributes for g in live) << bit for bit, name in enumerate(_LACKS))
    return {CLEAN: _HEAD.pack(len(some), len(live), lacks) + NONE * len(some), OFFSETS: b"", KEYS: b""}


def _unread_accounts(accounts: Iterable[Account]) -> Parts:
    some = list(accounts)
    managed = sum(a.guest is not None and a.missing is None for a in some)
    return {CLEAN: _HEAD.pack(len(some), managed, 0) + NONE * len(some), OFFSETS: b"", GUESTS: b"", NAMES: b""}
