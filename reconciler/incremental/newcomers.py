"""Guests who would each get a new account, where they are more than one plan makes: the first of them are enough.

The rest is counted, and their names are compared with all others' by hashes: whoever's name is met twice is looked at.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable
from heapq import nsmallest
from typing import Final

from reconciler.model.guest import Guest
from reconciler.planning.changes import create
from reconciler.planning.desired import UndecidableError
from reconciler.planning.names import Name, steps
from reconciler.planning.standing import standing
from reconciler.policy.model import EvaluationError, Policy

from .hashes import Hasher
from .joined import guest_number, name_key
from .suspects import Picks

_SLICES: Final = 16
"""Names are compared a part at a time: a set of all of them would be the largest thing there is."""


class Newcomers:
    """Takes in guests one by one; keeps of each where it stands, its id and its names' hashes."""

    def __init__(self, policy: Policy, hasher: Hasher, held: Collection[str], joined: Collection[int]) -> None:
        self._policy = policy
        self._hash = hasher
        self._held = held
        self._joined = joined
        self._shards, self._entries = array("I"), array("I")
        self._high, self._low = array("Q"), array("Q")
        self._names = array("Q")
        self._ends = array("I", [0])

    def take(self, shard: int, entry: int, guest: Guest) -> bool:
        """Take in a guest of whom the planner would say nothing but that an account is made; False for any other."""
        names = self._names_of(guest)
        if names is None:
            return False
        digits = int(guest.id.replace("-", ""), 16)
        self._shards.append(shard)
        self._entries.append(entry)
        self._high.append(digits >> 64)
        self._low.append(digits & (1 << 64) - 1)
        self._names.extend(self._hash.number(name_key(name)) for name in names)
        self._ends.append(len(self._names))
        return True

    def chosen(self, most: int, held: Callable[[set[int]], set[int]], names: Iterable[Name]) -> Picks:
        """Return whom to look at after all: the first `most` by id, and all whose name another one has or wants.

        `held` tells which of some names an account may have; `names` belong to others, or other changes would take them.
        """
        wanted = {self._hash.number(name_key(name)) for name in names}
        twice = self._met_twice(held, wanted)
        picks: Picks = {}
        free: list[int] = []
        for number in range(len(self._shards)):
            own = self._names[self._ends[number] : self._ends[number + 1]]
            if twice.isdisjoint(own):
                free.append(number)
            else:
                picks.setdefault(self._shards[number], set()).add(self._entries[number])
        for number in nsmallest(most, free, key=lambda n: (self._high[n], self._low[n])):
            picks.setdefault(self._shards[number], set()).add(self._entries[number])
        return picks

    def __len__(self) -> int:
        return len(self._shards)

    def _met_twice(self, held: Callable[[set[int]], set[int]], wanted: set[int]) -> set[int]:
        found = wanted.intersection(self._names)
        for part in range(_SLICES):
            seen: set[int] = set()
            for name in self._names:
                if name % _SLICES == part:
                    (found if name in seen else seen).add(name)
            found |= held(seen)
        return found

    def _names_of(self, guest: Guest) -> list[Name] | None:
        policy = self._policy
        if guest.id in self._held or guest_number(guest.id) in self._joined:
            return None
        try:
            if standing(guest, policy).kind != "active":
                return None
            for join in policy.joins:
                join.expression.value(guest)
            (made,) = create(guest, policy, "")
        except (EvaluationError, UndecidableError):
            return None
        return [step.takes for step in steps(made) if step.takes is not None]
