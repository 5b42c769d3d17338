"""The entries of one side that are kept: cut out of their shards' text, each shard opened once for what is asked of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from reconciler.errors import StateError
from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.state.entries import account_entries, guest_entries
from reconciler.state.fast_records import account_record, guest_record
from reconciler.state.paths import ACCOUNTS, GUESTS, shard_number
from reconciler.state.records import read_accounts, read_guests

from .summary import Summary
from .suspects import Picks

Record = TypeVar("Record")
Summed = Callable[[Iterable[int]], Iterable[tuple[int, Summary]]]
"""Yields the summaries of these shards of a side with their numbers, in order."""
Opened = Callable[[Sequence[str]], Iterable[tuple[str, bytes]]]
"""Yields (path, bytes) of these shards, in their order."""
Paths = Mapping[str, Hashable]
"""The paths of shards, each with what tells its bytes from others."""
Cut = dict[tuple[str, Hashable], dict[int, Record]]
"""Entries that were cut out of shards, by their numbers."""
_SLICE = 64
"""How many shards are open at a time."""


class Known:
    """What was cut out of shards of both sides, for whoever asks for the same again, in another tree or this one."""

    def __init__(self) -> None:
        self.guests: Cut[Guest] = {}
        self.accounts: Cut[Account] = {}


class Shards(Generic[Record]):
    """One side."""

    def __init__(
        self,
        paths: Paths,
        summed: Summed,
        opened: Opened,
        known: Cut[Record],
        read: Callable[[bytes, str], Mapping[str, Record]],
        cut: Callable[[str, str], Record | None],
        key: Callable[[Record], str],
    ) -> None:
        self._paths = {shard_number(path): path for path in paths}
        self._bytes = paths
        self._known = known
        self._summed = summed
        self._opened = opened
        self._read = read
        self._cut = cut
        self._key = key
        self._kept: dict[int, dict[int, Record]] = {}

    def keep(self, picks: Picks, keys: Mapping[str, set[str]]) -> None:
        """Keep these entries: by their numbers, and by their keys, given by path; a key that is not there is passed over.

        Raises StateError for a damaged shard, and where a summary and its shard do not agree.
        """
        wanted: dict[int, tuple[set[int], set[str]]] = {}
        for number, entries in picks.items():
            self._recall(number, entries, set())
            if new := entries - self._kept.get(number, {}).keys():
                wanted[number] = (new, set())
        for path, some in keys.items():
            number = shard_number(path)
            self._recall(number, set(), some)
            new_keys = some.difference(map(self._key, self._kept.get(number, {}).values()))
            if new_keys and number in self._paths:
                wanted.setdefault(number, (set(), set()))[1].update(new_keys)
        for number, summary, path, data in self._open(wanted):
            kept = self._kept.setdefault(number, {})
            if not summary.canonical:  # edited by hand: small enough, and rare enough, to be kept whole
                kept.update(enumerate(self._read(data, path).values()))
                continue
            starts = summary.starts()
            numbers, some = wanted[number]
            numbers |= {index for key in some if (index := _index(data, key, starts)) is not None}
            cut = self._known.setdefault((path, self._bytes[path]), {})
            for index in numbers - kept.keys():
                kept[index] = cut[index] = self._one(data, starts, index, path)

    def look(self, picks: Picks, take: Callable[[int, int, Record], bool]) -> Picks:
        """Show each of these entries to `take`; return those that it does not take."""
        left: Picks = {}
        for number, summary, path, data in self._open(picks):
            if not summary.canonical:
                left[number] = picks[number]
                continue
            starts = summary.starts()
            for index in sorted(picks[number]):
                if not take(number, index, self._one(data, starts, index, path)):
                    left.setdefault(number, set()).add(index)
        return left

    def kept(self) -> Iterator[Record]:
        """Yield what is kept, in the order of the whole state."""
        for number in sorted(self._kept):
            entries = self._kept[number]
            yield from (entries[index] for index in sorted(entries))

    def _recall(self, number: int, entries: set[int], keys: set[str]) -> None:
        """Keep those of these entries that were cut out of the same bytes before."""
        path = self._paths.get(number)
        cut = None if path is None else self._known.get((path, self._bytes[path]))
        if cut:
            found = {index: one for index, one in cut.items() if index in entries or self._key(one) in keys}
            self._kept.setdefault(number, {}).update(found)

    def _open(self, shards: Iterable[int]) -> Iterator[tuple[int, Summary, str, bytes]]:
        order = sorted(shards)
        for start in range(0, len(order), _SLICE):
            some = order[start : start + _SLICE]
            files = self._opened([self._paths[number] for number in some])
            for (number, summary), (path, data) in zip(self._summed(some), files, strict=True):
                yield number, summary, path, data

    def _one(self, data: bytes, starts: Sequence[int], index: int, path: str) -> Record:
        entry = data[starts[index] : starts[index + 1]] if index + 1 < len(starts) else b""
        record = self._cut(entry.decode(), path)
        if record is None:
            raise StateError(f"{path}: entry {index} is not where its summary says")
        return record


def _index(data: bytes, key: str, starts: Sequence[int]) -> int | None:
    """Return the number of the entry with this key. No value can hold a line feed, so nothing else looks like it."""
    head = f'"{key}":\n'.encode()
    place = 0 if data.startswith(head) else data.find(b"\n" + head) + 1
    return None if not place and not data.startswith(head) else bisect_right(starts, place) - 1


GuestShards = Shards[Guest]
AccountShards = Shards[Account]


def guest_shards(paths: Paths, summed: Summed, opened: Opened, known: Known) -> GuestShards:
    """Return the side of the guests; `paths` may have those of accounts among them."""
    own = {path: told for path, told in paths.items() if path.startswith(GUESTS)}

    def cut(entry: str, path: str) -> Guest | None:
        found = guest_entries(entry, path)
        return guest_record(found[0]) if found and len(found) == 1 else None

    return Shards(own, summed, opened, known.guests, read_guests, cut, lambda guest: guest.id)


def account_shards(paths: Paths, summed: Summed, opened: Opened, known: Known) -> AccountShards:
    """Return the side of the accounts, likewise."""
    own = {path: told for path, told in paths.items() if path.startswith(ACCOUNTS)}

    def cut(entry: str, path: str) -> Account | None:
        found = account_entries(entry, path)
        return account_record(found[0]) if found and len(found) == 1 else None

    return Shards(own, summed, opened, known.accounts, read_accounts, cut, lambda account: account.sid)
