"""Which entries need a look: those whose hash has no equal on the other side."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from .hashes import numbers
from .summary import Special, Summary

Picks = dict[int, set[int]]
"""Entries by the number of their shard."""


@dataclass(frozen=True, slots=True)
class Clean:
    """What must be equal on the other side, of some entries of a shard: of all of them, or of those with these places."""

    hashes: array[int]
    special: Mapping[int, Special]

    @staticmethod
    def of(summary: Summary, places: Iterable[int] | None = None) -> Clean:
        """Return what a summary has of it."""
        hashes, special = numbers(summary.clean), summary.specials() if summary.special else {}
        if places is None:
            return Clean(hashes, special)
        places = list(places)
        return Clean(
            array("Q", (hashes[p] for p in places)), {i: special[p] for i, p in enumerate(places) if p in special}
        )


def suspects(guests: Mapping[int, Clean], accounts: Mapping[int, Clean], now: int) -> tuple[Picks, Picks]:
    """Return the guests and the accounts that are not plainly in order together. `now` is the as-of time, in seconds.

    Whether an entry is among them depends on nobody but its guest and the accounts that are joined to that guest: the guest's id
    is in every hash.
    """
    open_: set[int] = set()
    for shard in guests.values():
        open_.update(shard.hashes)
    open_.discard(0)
    expected = len(open_)
    picks: Picks = {}
    special: list[int] = []
    matched = 0
    for number, shard in accounts.items():
        unmatched, mine = _unmatched(shard, open_, now)
        if unmatched:
            picks[number] = unmatched
        special += mine
        matched += len(shard.hashes) - len(unmatched)
    for shard in accounts.values():
        open_.difference_update(shard.hashes)
    open_.difference_update(special)
    if matched != expected - len(open_):  # a guest's hash was met twice: two accounts are joined to that guest
        open_ |= _met_twice(accounts.values(), special)
        for number, shard in accounts.items():
            met = {i for i, h in enumerate(shard.hashes) if h in open_}
            met |= {i for i, s in shard.special.items() if not open_.isdisjoint(s.options(now))}
            if met:
                picks.setdefault(number, set()).update(met)
    return _picked(guests, open_), picks


def _unmatched(shard: Clean, wanted: set[int], now: int) -> tuple[set[int], list[int]]:
    """Return the accounts that no guest's hash equals, and the hashes met by those that have several."""
    hashes = shard.hashes
    missing = set(hashes).difference(wanted)
    unmatched = {i for i, h in enumerate(hashes) if h in missing} if missing else set()
    met = []
    for index, entry in shard.special.items():
        found = [h for h in entry.options(now) if h in wanted]
        if found:
            met.append(found[0])
            unmatched.discard(index)
    return unmatched, met


def _met_twice(accounts: Iterable[Clean], special: list[int]) -> set[int]:
    seen = Counter(special)
    for shard in accounts:
        seen.update(shard.hashes)
    return {h for h, times in seen.items() if h and times > 1}


def _picked(guests: Mapping[int, Clean], unmatched: set[int]) -> Picks:
    picks: Picks = {}
    unmatched = unmatched | {0}
    for number, shard in guests.items():
        if not unmatched.isdisjoint(shard.hashes):
            picks[number] = {i for i, h in enumerate(shard.hashes) if h in unmatched}
    return picks


def places(column: bytes, wanted: Set[int], width: int = 1) -> list[int]:
    """Return the entries that have one of these numbers in a column with so many for each entry."""
    hashes = numbers(column)
    if wanted.isdisjoint(hashes):
        return []
    return sorted({place // width for place, h in enumerate(hashes) if h in wanted})


def repeated(columns: Iterable[bytes], width: int) -> set[int]:
    """Return the hashes that stand more than once among the first of each entry."""
    seen: Counter[int] = Counter()
    for column in columns:
        seen.update(numbers(column)[::width])
    return {h for h, times in seen.items() if h and times > 1}
