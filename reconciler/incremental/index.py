"""Which shards have a hash in one of their columns: by a few of its bits, so that there is little to keep and to change.

A hash's highest bits say in which bucket it is noted, 16 others are noted there beside the number of the shard. What is found
are therefore shards that may have the hash, and all that do.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Final

from reconciler.errors import StateError

from .hashes import SIZE, Hasher, numbers, packed

JOINED, KEYS, NAMES = range(3)
"""Accounts by their guest; guests by their join keys; accounts by their names."""
_KINDS: Final = 3
_BITS: Final = 64
_MOST: Final = 12
_EACH: Final = 256
"""About how many entries there are to a bucket."""
_HANDFUL: Final = 8
"""Hashes fewer than these are noted one by one."""
_NOTED: Final = 0xFFFF

Load = Callable[[list[int]], Mapping[int, bytes]]
"""Returns buckets as they were kept, by their numbers, as far as they are there."""


class LostError(Exception):
    """What was remembered is not there, or not what it was: it has to be found out anew."""


AMISS: Final = (LostError, StateError, struct.error, ValueError)
"""What goes wrong where the state is damaged, or what is remembered of it: whoever looks at all of the state then says how."""


class Index:
    """All buckets of all kinds, loaded when they are asked for. `checks` has a hash of each as it was kept."""

    def __init__(self, bits: int, checks: bytes, load: Load, hasher: Hasher) -> None:
        if not 0 <= bits <= _MOST or len(checks) != SIZE * (_KINDS << bits):
            raise LostError
        self.bits = bits
        self._checks = bytearray(checks)
        self._load = load
        self._hasher = hasher
        self._buckets: dict[int, array[int]] = {}
        self._changed: set[int] = set()
        self._adding: dict[int, list[Callable[[int], None]]] = {}

    @staticmethod
    def empty(entries: int, hasher: Hasher) -> Index:
        """Return one without anything in it, for about so many entries on each side."""
        bits = bits_for(entries)
        index = Index(bits, bytes(SIZE * (_KINDS << bits)), lambda _: {}, hasher)
        index._buckets = {number: array("I") for number in range(_KINDS << bits)}
        index._changed = set(index._buckets)
        return index

    def add(self, kind: int, shard: int, column: bytes) -> None:
        """Note a whole column of a shard."""
        if 0 in (found := numbers(column)):
            column = packed(n for n in found if n)
        many = len(column) // SIZE
        if many < _HANDFUL:
            self.change(kind, shard, (), found)
            return
        noted, high = bytearray(4 * many), bytearray(2 * many)
        noted[0::4], noted[1::4] = bytes([shard & 0xFF]) * many, bytes([shard >> 8]) * many
        noted[2::4], noted[3::4] = column[4::SIZE], column[5::SIZE]
        high[0::2], high[1::2] = column[6::SIZE], column[7::SIZE]
        appends = self._appends(kind)
        down = 16 - self.bits
        for bucket, note in zip(_array("H", high), _array("I", noted), strict=True):
            appends[bucket >> down](note)

    def change(self, kind: int, shard: int, gone: Iterable[int], come: Iterable[int]) -> None:
        """Take back what was noted of some hashes of a shard, and note others. Raises LostError."""
        for hashes, act in ((gone, array.remove), (come, array.append)):
            for number in hashes:
                if number:
                    bucket = self._bucket(kind, number)
                    self._fetch([bucket])
                    try:
                        act(self._buckets[bucket], (number >> 32 & _NOTED) << 16 | shard)
                    except ValueError as error:
                        raise LostError from error
                    self._changed.add(bucket)

    def find(self, kind: int, hashes: Set[int]) -> dict[int, set[int]]:
        """Return the shards that may have some of these hashes, and which. Raises LostError."""
        wanted: dict[int, dict[int, list[int]]] = {}
        for number in hashes:
            if number:
                bucket = wanted.setdefault(self._bucket(kind, number), {})
                bucket.setdefault(number >> 32 & _NOTED, []).append(number)
        self._fetch(wanted)
        found: dict[int, set[int]] = {}
        for place, noted in wanted.items():
            for note in self._buckets[place]:
                if note >> 16 in noted:
                    found.setdefault(note & _NOTED, set()).update(noted[note >> 16])
        return found

    def changes(self) -> dict[int, bytes]:
        """Return the buckets that are not as they were kept, by number, to be kept now; `checks` is up to date then."""
        found = {}
        for number in self._changed:
            found[number] = _array("I", self._buckets[number].tobytes()).tobytes()  # little-endian
            self._checks[number * SIZE : (number + 1) * SIZE] = self._hasher.of(found[number])
        self._changed.clear()
        return found

    @property
    def checks(self) -> bytes:
        """The hashes of all buckets."""
        return bytes(self._checks)

    def _appends(self, kind: int) -> list[Callable[[int], None]]:
        if kind not in self._adding:
            self._adding[kind] = [self._buckets[n].append for n in range(kind << self.bits, (kind + 1) << self.bits)]
        return self._adding[kind]

    def _bucket(self, kind: int, number: int) -> int:
        return kind << self.bits | number >> _BITS - self.bits

    def _fetch(self, buckets: Iterable[int]) -> None:
        unknown = [bucket for bucket in buckets if bucket not in self._buckets]
        if not unknown:
            return
        kept = self._load(unknown)
        for bucket in unknown:
            data = kept.get(bucket)
            if data is None or self._hasher.of(data) != self._checks[bucket * SIZE : (bucket + 1) * SIZE]:
                raise LostError
            self._buckets[bucket] = _array("I", data)


def bits_for(entries: int) -> int:
    """Return how many bits tell apart as many buckets as are right for so many entries."""
    return min(_MOST, (entries // _EACH).bit_length())


def _array(kind: str, data: bytes | bytearray) -> array[int]:
    found = array(kind, bytes(data))
    if sys.byteorder != "little":
        found.byteswap()
    return found
