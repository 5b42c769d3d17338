"""The entries of one side that are kept: cut out of their shards' text, each shard opened once for what is asked of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from reconciler.errors import StateError
from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.state.entries import account_entries, guest_entries
from reconciler.state.fast_records import account_record, guest_record
from reconciler.state.records import read_accounts, read_guests

from .parts import OFFSETS
from .summary import offsets_of
from .suspects import Picks

Record = TypeVar("Record")
Part = Callable[[str], Sequence[bytes]]
"""Returns one part of all summaries, in the order of the shards' paths."""
Opened = Callable[[Sequence[str]], Iterable[tuple[str, bytes]]]
"""Yields (path, bytes) of these shards, in their order."""
_SLICE = 64
"""How many shards are open at a time."""


class Shards(Generic[Record]):
    """One side."""

    def __init__(
        self,
        paths: Sequence[str],
        part: Part,
        opened: Opened,
        read: Callable[[bytes, str], Mapping[str, Record]],
        cut: Callable[[str, str], Record | None],
    ) -> None:
        self.part = part
        self._paths = paths
        self._numbers = {path: number for number, path in enumerate(paths)}
        self._opened = opened
        self._read = read
        self._cut = cut
        self._kept: dict[int, dict[int, Record]] = {}

    def keep(self, picks: Picks, keys: Mapping[str, set[str]]) -> None:
        """Keep these entries: by their numbers, and by their keys, given by path; a key that is not there is passed over.

        Raises StateError for a damaged shard, and where a summary and its shard do not agree.
        """
        wanted: dict[int, tuple[set[int], set[str]]] = {}
        for number, entries in picks.items():
            if new := entries - self._kept.get(number, {}).keys():
                wanted[number] = (new, set())
        for path, some in keys.items():
            number = self._numbers.get(path, -1)
            if number >= 0:
                wanted.setdefault(number, (set(), set()))[1].update(some)
        if wanted:
            offsets = self.part(OFFSETS)
            order = sorted(wanted)
            for start in range(0, len(order), _SLICE):
                self._keep(order[start : start + _SLICE], wanted, offsets)

    def look(self, picks: Picks, take: Callable[[int, int, Record], bool]) -> Picks:
        """Show each of these entries to `take`; return those that it does not take."""
        left: Picks = {}
        offsets = self.part(OFFSETS)
        order = [number for number in sorted(picks) if offsets[number]]
        for start in range(0, len(order), _SLICE):
            some = order[start : start + _SLICE]
            for number, (path, data) in zip(some, self._opened([self._paths[n] for n in some]), strict=True):
                starts, text = offsets_of(offsets[number]), data.decode()
                for index in sorted(picks[number]):
                    if not take(number, index, self._one(text, starts, index, path)):
                        left.setdefault(number, set()).add(index)
        return left | {number: entries for number, entries in picks.items() if not offsets[number]}

    def kept(self) -> Iterator[Record]:
        """Yield what is kept, in the order of the whole state."""
        for number in sorted(self._kept):
            entries = self._kept[number]
            yield from (entries[index] for index in sorted(entries))

    def _keep(
        self, some: Sequence[int], wanted: Mapping[int, tuple[set[int], set[str]]], offsets: Sequence[bytes]
    ) -> None:
        for number, (path, data) in zip(some, self._opened([self._paths[n] for n in some]), strict=True):
            numbers, keys = wanted[number]
            kept = self._kept.setdefault(number, {})
            if not offsets[number]:  # edited by hand: small enough, and rare enough, to be kept whole
                kept.update(enumerate(self._read(data, path).values()))
                continue
            starts = offsets_of(offsets[number])
            text = data.decode()
            numbers |= {index for key in keys if (index := _index(text, key, starts)) is not None}
            for index in numbers - kept.keys():
                kept[index] = self._one(text, starts, index, path)

    def _one(self, text: str, starts: Sequence[int], index: int, path: str) -> Record:
        entry = text[starts[index] : starts[index + 1]] if index + 1 < len(starts) else ""
        record = self._cut(entry, path)
        if record is None:
            raise StateError(f"{path}: entry {index} is not where its summary says")
        return record


def _index(text: str, key: str, starts: Sequence[int]) -> int | None:
    """Return the number of the entry with this key. No value can hold a line feed, so nothing else looks like it."""
    head = f'"{key}":\n'
    place = 0 if text.startswith(head) else text.find(f"\n{head}") + 1
    return None if not place and not text.startswith(head) else bisect_right(starts, place) - 1


GuestShards = Shards[Guest]
AccountShards = Shards[Account]


def guest_shards(paths: Sequence[str], part: Part, opened: Opened) -> GuestShards:
    """Return the side of the guests."""

    def cut(entry: str, path: str) -> Guest | None:
        found = guest_entries(entry, path)
        return guest_record(found[0]) if found and len(found) == 1 else None

    return Shards(paths, part, opened, read_guests, cut)


def account_shards(paths: Sequence[str], part: Part, opened: Opened) -> AccountShards:
    """Return the side of the accounts."""

    def cut(entry: str, path: str) -> Account | None:
        found = account_entries(entry, path)
        return account_record(found[0]) if found and len(found) == 1 else None

    return Shards(paths, part, opened, read_accounts, cut)
