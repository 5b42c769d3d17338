"""One shard, summed up: enough to say which entries need a look, and to sum it up again once a few of them have changed.

A summary has columns with one value for each entry, in the order of the file. Everything is little-endian.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, NamedTuple

from .hashes import NONE, SIZE, numbers

_HEAD: Final = struct.Struct("<IHHI")
_SPECIAL: Final = struct.Struct("<I8s8s8sQ")
_OFFSET: Final = 4
COUNTED: Final = 1
"""The flag of a live guest, or of an account that is joined and there."""
LACKS: Final = ("accountEnabled", "userPrincipalName")
"""What every user has; the flags after the first say that a live guest lacks one."""


class Special(NamedTuple):
    """An account that may be in order in more than one way, or only for a time: three hashes, and when it is due (s, 0: never)."""

    active: bytes
    blocked: bytes
    left: bytes
    due: int

    def options(self, now: int) -> list[int]:
        """Return the hashes that count at this time, in seconds."""
        some = numbers(self.active + self.blocked + (self.left if not self.due or now < self.due else b""))
        return [h for h in some if h]


class Row(NamedTuple):
    """What a summary has of one entry: flags; what must be equal on the other side; whose it is; what it is looked up by."""

    flags: int
    clean: bytes
    own: bytes
    lookups: bytes
    special: Special | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """One shard's. `width` is how many lookups each entry has: a guest's join keys, an account's names.

    `blocks` are hashes of the entries' texts, `offsets` the bytes at which they begin, and the end. Of a shard that is not
    canonical there are neither, nor lookups, and no entry has anything to compare: all of it is looked at.
    """

    width: int
    flags: bytes
    blocks: bytes
    offsets: bytes
    clean: bytes
    own: bytes
    lookups: bytes
    special: bytes

    @staticmethod
    def unread(width: int, flags: bytes) -> Summary:
        """Return that of a shard that is not canonical."""
        nothing = NONE * len(flags)
        return Summary(width, flags, b"", b"", nothing, nothing, b"", b"")

    @staticmethod
    def of(packed: bytes) -> Summary:
        """Return what is packed. Raises ValueError or struct.error for what never was a summary."""
        count, width, canonical, specials = _HEAD.unpack_from(packed)
        hashes = SIZE * count
        sizes = (
            count,
            hashes * canonical,
            _OFFSET * (count + 1) * canonical,
            hashes,
            hashes,
            hashes * width * canonical,
            _SPECIAL.size * specials,
        )
        if len(packed) != _HEAD.size + sum(sizes):
            raise ValueError("a summary that is cut short")
        columns, start = [], _HEAD.size
        for size in sizes:
            columns.append(packed[start : start + size])
            start += size
        return Summary(width, *columns)

    def pack(self) -> bytes:
        """Return it as bytes."""
        head = _HEAD.pack(len(self.flags), self.width, self.canonical, len(self.special) // _SPECIAL.size)
        columns = (self.flags, self.blocks, self.offsets, self.clean, self.own, self.lookups, self.special)
        return head + b"".join(columns)

    @property
    def count(self) -> int:
        """How many entries there are."""
        return len(self.flags)

    @property
    def counted(self) -> int:
        """How many of them are live guests, or accounts that are joined and there."""
        return sum(self.flags.count(value) for value in set(self.flags) if value & COUNTED)

    @property
    def lacking(self) -> int:
        """Which of LACKS some live guest lacks, as bits."""
        found = 0
        for value in set(self.flags):
            found |= value >> 1
        return found

    @property
    def canonical(self) -> bool:
        """Whether the shard was read as canonical text."""
        return bool(self.blocks)

    def specials(self) -> dict[int, Special]:
        """Return the special accounts by their place."""
        return {index: Special(*rest) for index, *rest in _SPECIAL.iter_unpack(self.special)}

    def starts(self) -> array[int]:
        """Return where each entry begins, in bytes, and the end."""
        found = array("I", self.offsets)
        if sys.byteorder != "little":
            found.byteswap()
        return found


def packed_specials(some: Iterable[tuple[int, Special]]) -> bytes:
    """Return the last column of a summary."""
    return b"".join(_SPECIAL.pack(place, *special) for place, special in some)


def packed_offsets(lengths: Iterable[int], around: int) -> bytes:
    """Return the column of offsets for entries of these lengths, and so much more each."""
    found = array("I", accumulate((length + around for length in lengths), initial=0))
    if sys.byteorder != "little":
        found.byteswap()
    return found.tobytes()
