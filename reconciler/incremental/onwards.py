"""An alignment taken on to the next tree: only entries that changed are compared, and those that have to do with the same guests.

Whether an entry is in order depends on nobody else, so that this gives what comparing everything would.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from reconciler.state.paths import ACCOUNTS, GUESTS

from .alignment import LOOKUPS, Alignment, Line, Source
from .hashes import numbers
from .index import JOINED, LostError, bits_for
from .joined import shard_of
from .summary import Summary
from .suspects import Clean, Picks, places, suspects

_SLICE: Final = 64
"""How many shards are looked at at a time."""
_SHARE: Final = 16
"""Where more than this part of all entries changed, comparing everything costs less."""
_FEW: Final = 2000
"""So many may change in any case."""
_OFF: Final = 2
"""Bits by which the number of buckets may differ from the right one."""


def onwards(before: Alignment, source: Source, now: int, entries: int) -> Alignment:
    """Return the alignment of the source's tree; `before`, that of another one, is used up. `entries` as for `afresh`.

    Raises LostError where comparing everything is the way, StateError for a damaged shard.
    """
    if abs(bits_for(entries) - before.index.bits) > _OFF:
        raise LostError
    moving = _Moving(before, source, max(_FEW, entries // _SHARE))
    for name in (GUESTS, ACCOUNTS):
        moving.take(name)
    moving.pass_time(now)
    moving.settle()
    return before


class _Moving:
    """Takes in what changed, and collects the guests that it has to do with."""

    def __init__(self, alignment: Alignment, source: Source, most: int) -> None:
        self._alignment = alignment
        self._source = source
        self._left = most
        self._guests: set[int] = set()

    def take(self, name: str) -> None:
        """Take in one side."""
        lines, oids = self._alignment.sides[name].lines, self._source.oids(name)
        changed = sorted(n for n in lines.keys() | oids.keys() if n not in lines or lines[n].oid != oids.get(n))
        for start in range(0, len(changed), _SLICE):
            some = changed[start : start + _SLICE]
            olds = self._source.before(name, {n: lines[n].oid for n in some if n in lines})
            news = self._source.again(name, {n: olds.get(n) for n in some if n in oids})
            for number in some:
                self._entries(name, number, olds.get(number), news.get(number))
                if number in oids:
                    lines[number] = Line.of(oids[number], news[number])
                else:
                    del lines[number]

    def pass_time(self, now: int) -> None:
        """Take in that accounts are due by now, or not yet."""
        early, late = sorted((self._alignment.now, now))
        for line in self._alignment.sides[ACCOUNTS].lines.values():
            self._guests.update(guest for due, guest in line.due if early < due <= late)
        self._alignment.now = now

    def settle(self) -> None:
        """Compare all entries of these guests anew."""
        self._guests.discard(0)
        of_guests: dict[int, set[int]] = {}
        for guest in self._guests:
            of_guests.setdefault(shard_of(guest), set()).add(guest)
        where = {GUESTS: of_guests, ACCOUNTS: self._alignment.index.find(JOINED, self._guests)}
        at: dict[str, dict[int, list[int]]] = {GUESTS: {}, ACCOUNTS: {}}
        clean: dict[str, dict[int, Clean]] = {GUESTS: {}, ACCOUNTS: {}}
        for name, side in self._alignment.sides.items():
            there = [number for number in where[name] if number in side.lines]
            for number, summary in self._source.of(name, there):
                if found := places(summary.own, where[name][number]):
                    at[name][number], clean[name][number] = found, Clean.of(summary, found)
        picked = suspects(clean[GUESTS], clean[ACCOUNTS], self._alignment.now)
        for name, some in zip((GUESTS, ACCOUNTS), picked, strict=True):
            _replace(self._alignment.sides[name].picks, at[name], some)

    def _entries(self, name: str, number: int, old: Summary | None, new: Summary | None) -> None:
        gone, come, kept = _difference(old, new)
        self._left -= len(gone) + len(come)
        if self._left < 0:
            raise LostError
        old, new = old or _NOTHING, new or _NOTHING
        left, joined = _column(old.own, gone), _column(new.own, come)
        self._guests.update(left, joined)
        index = self._alignment.index
        olds, news = _column(old.lookups, gone, old.width), _column(new.lookups, come, new.width)
        index.change(LOOKUPS[name], number, *_apart(olds, news))
        if name == ACCOUNTS:
            index.change(JOINED, number, *_apart(left, joined))
        picks = self._alignment.sides[name].picks
        picked = {kept[place] for place in picks.pop(number, ()) if place in kept}
        # What is no guest's is compared with nothing, and looked at.
        picked |= {place for place, guest in zip(come, joined, strict=True) if not guest}
        if picked:
            picks[number] = picked


_NOTHING: Final = Summary.unread(0, b"")


def _difference(old: Summary | None, new: Summary | None) -> tuple[list[int], list[int], Mapping[int, int]]:
    """Return the places of entries that are gone, of those that have come, and where the others were and are."""
    if not old or not new or not old.canonical or not new.canonical:
        return list(range(old.count if old else 0)), list(range(new.count if new else 0)), {}
    before, after = numbers(old.blocks), numbers(new.blocks)
    now = dict(zip(after, range(len(after)), strict=True))
    kept = {place: now[block] for place, block in enumerate(before) if block in now}
    there = set(kept.values())
    gone = [place for place in range(len(before)) if place not in kept]
    return gone, [place for place in range(len(after)) if place not in there], kept


def _column(column: bytes, entries: Iterable[int], width: int = 1) -> list[int]:
    """Return the numbers that these entries have in a column, which may be empty."""
    found = numbers(column)
    return [number for place in entries for number in found[place * width : (place + 1) * width]]


def _apart(olds: Iterable[int], news: Iterable[int]) -> tuple[list[int], list[int]]:
    """Return both without what is in both, as often as it is."""
    before, after = Counter(olds), Counter(news)
    return [*(before - after).elements()], [*(after - before).elements()]


def _replace(picks: Picks, looked_at: Mapping[int, list[int]], picked: Picks) -> None:
    """Put what was found of the entries that were looked at in place of what was known of them."""
    for number, entries in looked_at.items():
        found = picks.get(number, set()).difference(entries)
        found.update(entries[place] for place in picked.get(number, ()))
        if found:
            picks[number] = found
        else:
            picks.pop(number, None)
