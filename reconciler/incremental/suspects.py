"""Which entries need a look: those whose hash has no equal on the other side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from .hashes import numbers
from .summary import Clean

Picks = dict[int, set[int]]
"""Entries by the number of their shard."""


def suspects(guests: Sequence[Clean], accounts: Sequence[Clean], now: int) -> tuple[Picks, Picks]:
    """Return the guests and the accounts that are not plainly in order together. `now` is the as-of time, in seconds."""
    open_: set[int] = set()
    for shard in guests:
        open_.update(shard.hashes)
    open_.discard(0)
    expected = len(open_)
    picks: Picks = {}
    special: list[int] = []
    matched = 0
    for number, shard in enumerate(accounts):
        unmatched, mine = _unmatched(shard, open_, now)
        if unmatched:
            picks[number] = unmatched
        special += mine
        matched += shard.count - len(unmatched)
    for shard in accounts:
        open_.difference_update(shard.hashes)
    open_.difference_update(special)
    if matched != expected - len(open_):  # a guest's hash was met twice: two accounts are joined to that guest
        open_ |= _met_twice(accounts, special)
        for number, shard in enumerate(accounts):
            met = {i for i, h in enumerate(shard.hashes) if h in open_}
            met |= {s[0] for s in shard.special if not open_.isdisjoint(_options(s, now))}
            if met:
                picks.setdefault(number, set()).update(met)
    return _picked(guests, open_), picks


def _unmatched(shard: Clean, wanted: set[int], now: int) -> tuple[set[int], list[int]]:
    """Return the accounts that no guest's hash equals, and the hashes met by those that have several."""
    hashes = shard.hashes
    missing = set(hashes).difference(wanted)
    unmatched = {i for i, h in enumerate(hashes) if h in missing} if missing else set()
    met = []
    for entry in shard.special:
        found = [h for h in _options(entry, now) if h in wanted]
        if found:
            met.append(found[0])
            unmatched.discard(entry[0])
    return unmatched, met


def _options(entry: tuple[int, bytes, bytes, bytes, int], now: int) -> list[int]:
    _, active, blocked, left, due = entry
    some = numbers(active + blocked + (left if not due or now < due else b""))
    return [h for h in some if h]


def _met_twice(accounts: Sequence[Clean], special: list[int]) -> set[int]:
    seen = Counter(special)
    for shard in accounts:
        seen.update(shard.hashes)
    return {h for h, times in seen.items() if h and times > 1}


def _picked(guests: Sequence[Clean], unmatched: set[int]) -> Picks:
    picks: Picks = {}
    unmatched = unmatched | {0}
    for number, shard in enumerate(guests):
        if not unmatched.isdisjoint(shard.hashes):
            picks[number] = {i for i, h in enumerate(shard.hashes) if h in unmatched}
    return picks


def find(parts: Sequence[bytes], needles: set[int], entry: Callable[[int, int], int]) -> Picks:
    """Return the entries that have one of these hashes; `entry` tells an entry from the place among how many hashes."""
    picks: Picks = {}
    for number, packed in enumerate(parts) if needles else ():
        hashes = numbers(packed)
        if not needles.isdisjoint(hashes):
            picks[number] = {entry(place, len(hashes)) for place, h in enumerate(hashes) if h in needles}
    return picks


def repeated(parts: Sequence[bytes], counts: Sequence[int]) -> set[int]:
    """Return the hashes that stand more than once among the first `counts` of each part."""
    seen: Counter[int] = Counter()
    for packed, count in zip(parts, counts, strict=True):
        seen.update(numbers(packed)[:count])
    return {h for h, times in seen.items() if h and times > 1}
