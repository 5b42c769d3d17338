"""Both sides laid against each other: who needs a look, shard by shard, and an index of what else is looked up.

It is kept between runs, and `onwards` takes it from one tree to the next.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from reconciler.state.paths import ACCOUNTS, GUESTS

from .hashes import Hasher, numbers
from .index import JOINED, KEYS, NAMES, Index, Load, LostError
from .summary import Summary
from .suspects import Clean, Picks, places, suspects

LOOKUPS: Final = {GUESTS: KEYS, ACCOUNTS: NAMES}
"""What kind the lookups of a side's summaries are of."""


class Source(Protocol):
    """The summaries of one tree's shards, by side (GUESTS or ACCOUNTS) and number."""

    def oids(self, side: str) -> Mapping[int, str]:
        """Return the object ids of all shards of a side."""
        ...

    def all(self) -> Iterator[tuple[str, int, Summary]]:
        """Yield all summaries, in any order. Raises StateError for a damaged shard."""
        ...

    def of(self, side: str, shards: Iterable[int]) -> Iterator[tuple[int, Summary]]:
        """Yield the summaries of these shards."""
        ...

    def before(self, side: str, oids: Mapping[int, str]) -> Mapping[int, Summary]:
        """Return summaries of what these shards were. Raises LostError where one of them is not remembered."""
        ...

    def again(self, side: str, before: Mapping[int, Summary | None]) -> Mapping[int, Summary]:
        """Return the summaries of these shards, made with the help of what was there before."""
        ...


class Line(NamedTuple):
    """What is kept of one shard. `due` has when accounts in it need a look (s) whatever else happens, each with its guest."""

    oid: str
    entries: int
    counted: int
    lacking: int
    due: Sequence[tuple[int, int]] = ()

    @staticmethod
    def of(oid: str, summary: Summary) -> Line:
        """Return that of a shard."""
        due: list[tuple[int, int]] = []
        if summary.special:
            own = numbers(summary.own)
            due = [(special.due, own[place]) for place, special in summary.specials().items() if special.due]
        return Line(oid, summary.count, summary.counted, summary.lacking, due)


@dataclass(slots=True)
class Side:
    """One side: all of its shards, and who needs a look."""

    lines: dict[int, Line] = field(default_factory=dict)
    picks: Picks = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many entries there are."""
        return sum(line.entries for line in self.lines.values())


@dataclass(slots=True)
class Alignment:
    """What came of it. `now` is the as-of time, in seconds."""

    now: int
    sides: dict[str, Side]
    index: Index

    def find(self, source: Source, kind: int, wanted: set[int]) -> Picks:
        """Return the entries that have one of these numbers in a column of some kind."""
        picks: Picks = {}
        found = self.index.find(kind, wanted)
        for number, summary in source.of(GUESTS if kind == KEYS else ACCOUNTS, found):
            column, width = (summary.own, 1) if kind == JOINED else (summary.lookups, summary.width)
            if entries := places(column, found[number], width):
                picks[number] = set(entries)
        return picks

    def pack(self) -> bytes:
        """Return it as bytes, after the index's changes were taken."""
        sides = {
            name: [
                [*side.lines.items()],
                [(number, sorted(entries)) for number, entries in side.picks.items()],
            ]
            for name, side in self.sides.items()
        }
        said = [self.now, self.index.bits, self.index.checks.hex(), sides]
        return json.dumps(said, separators=(",", ":")).encode()

    @staticmethod
    def of(packed: bytes, load: Load, hasher: Hasher) -> Alignment:
        """Return what was packed. Raises LostError for anything else."""
        try:
            now, bits, checks, kept = json.loads(packed)
            sides = {}
            for name in (GUESTS, ACCOUNTS):
                lines, picks = kept[name]
                sides[name] = Side(
                    {number: Line(*line) for number, line in lines},
                    {number: set(entries) for number, entries in picks},
                )
            return Alignment(now, sides, Index(bits, bytes.fromhex(checks), load, hasher))
        except (ValueError, TypeError, KeyError) as error:
            raise LostError from error


def afresh(source: Source, now: int, entries: int, hasher: Hasher) -> Alignment:
    """Compare everything. `entries` is about how many there are on the greater side."""
    index = Index.empty(entries, hasher)
    sides = {GUESTS: Side(), ACCOUNTS: Side()}
    clean: dict[str, dict[int, Clean]] = {GUESTS: {}, ACCOUNTS: {}}
    oids = {name: source.oids(name) for name in sides}
    for name, number, summary in source.all():
        sides[name].lines[number] = Line.of(oids[name][number], summary)
        clean[name][number] = Clean.of(summary)
        index.add(LOOKUPS[name], number, summary.lookups)
        if name == ACCOUNTS:
            index.add(JOINED, number, summary.own)
    sides[GUESTS].picks, sides[ACCOUNTS].picks = suspects(clean[GUESTS], clean[ACCOUNTS], now)
    return Alignment(now, sides, index)
