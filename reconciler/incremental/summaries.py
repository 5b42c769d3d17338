"""The summaries of all shards of a tree: remembered ones, and those that must be made."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final

from reconciler.git.tree import Tree
from reconciler.progress import Task
from reconciler.state.paths import ACCOUNTS, GUESTS, shard_number

from .cache import Cache
from .index import LostError
from .summary import Summary
from .summing import Summings
from .work import Recipe, Summed, sum_up, summarize

Announce = Callable[[int], AbstractContextManager[Task]]
"""Shows progress over so many shards."""
_SLICE: Final = 64
"""How many summaries are fetched at a time."""
_AT_HAND: Final = 200_000
"""Entries whose summaries stay in memory once they were fetched: some fifty bytes each."""


class Summaries:
    """Of the shards whose object ids are given by path, all of both sides. An `alignment.Source`."""

    def __init__(
        self,
        recipe: Recipe,
        here: Summings,
        tree: Tree,
        oids: Mapping[str, str],
        cache: Cache,
        context: bytes,
        announce: Announce,
    ) -> None:
        self._recipe = recipe
        self._here = here
        self._tree = tree
        self._paths = {
            side: {shard_number(path): path for path in oids if path.startswith(side)} for side in (GUESTS, ACCOUNTS)
        }
        self._oids = oids
        self._cache = cache
        self.context = context
        """Tells what they are made by."""
        self._announce = announce
        self._made: dict[str, Summary] = {}
        """What the cache does not take."""
        self._at_hand = _AtHand()

    def of_another(self, tree: Tree, oids: Mapping[str, str]) -> Summaries:
        """Return those of another tree, made in the same way."""
        other = Summaries(self._recipe, self._here, tree, oids, self._cache, self.context, self._announce)
        other._at_hand = self._at_hand
        return other

    def oids(self, side: str) -> Mapping[int, str]:
        """Return the object ids of all shards of a side, by number."""
        return {number: self._oids[path] for number, path in self._paths[side].items()}

    def all(self) -> Iterator[tuple[str, int, Summary]]:
        """Yield all summaries with their side and number. Raises StateError for a damaged shard."""
        missing: list[str] = []
        for side, paths in self._paths.items():
            for path, summary in self._remembered(list(paths.values()), missing, many=True):
                yield side, shard_number(path), summary
        if not missing:
            return
        with self._announce(len(missing)) as task:
            for done, (path, summary) in enumerate(self._summed_up(missing), 1):
                yield GUESTS if path.startswith(GUESTS) else ACCOUNTS, shard_number(path), summary
                task.done(done)
        self.tidy()

    def of(self, side: str, shards: Iterable[int]) -> Iterator[tuple[int, Summary]]:
        """Yield the summaries of these shards of a side with their numbers, in order."""
        order = sorted(shards)
        for start in range(0, len(order), _SLICE):
            paths = [self._paths[side][number] for number in order[start : start + _SLICE]]
            missing: list[str] = []
            found = dict(self._remembered(paths, missing))
            for path, summary in self._summed_up(missing) if missing else ():
                found[path] = self._made[path] = summary
            yield from ((shard_number(path), found[path]) for path in paths)

    def before(self, side: str, oids: Mapping[int, str]) -> Mapping[int, Summary]:
        """Return the summaries of what these shards of a side were. Raises LostError where one is not remembered."""
        keys = {number: _key(side, number, oid) for number, oid in oids.items()}
        found = self._cache.summaries(self.context, keys.values())
        try:
            return {number: Summary.of(found[key]) for number, key in keys.items()}
        except (KeyError, ValueError, struct.error) as error:
            raise LostError from error

    def again(self, side: str, before: Mapping[int, Summary | None]) -> Mapping[int, Summary]:
        """Return the summaries of these shards; such as must be made are made with the help of what was at their paths before."""
        paths = {self._paths[side][number]: summary for number, summary in before.items()}
        missing: list[str] = []
        found = dict(self._remembered(list(paths), missing))
        if missing:
            made = sum_up(self._here, self._tree.narrowed(missing), missing, paths)[0]
            self._keep(made)
            found |= made
        return {shard_number(path): summary for path, summary in found.items()}

    def tidy(self) -> None:
        """Forget what is no more of use."""
        self._cache.prune(self.context, len(self._oids), lambda: map(self._key, self._oids))

    def _remembered(
        self, paths: Sequence[str], missing: list[str], *, many: bool = False
    ) -> Iterator[tuple[str, Summary]]:
        """Yield what is remembered, and add to `missing` what is not. `many` are passed through, and not asked for again."""
        at_hand = self._at_hand.summaries
        for start in range(0, len(paths), _SLICE):
            some = {path: self._key(path) for path in paths[start : start + _SLICE]}
            asked = [key for path, key in some.items() if path not in self._made and key not in at_hand]
            kept = self._cache.summaries(self.context, asked)
            for path, key in some.items():
                if path in self._made:
                    yield path, self._made[path]
                elif key in at_hand:
                    yield path, at_hand[key]
                elif key in kept:
                    summary = Summary.of(kept[key])
                    if not many:
                        self._at_hand.add(key, summary)
                    yield path, summary
                else:
                    missing.append(path)

    def _summed_up(self, paths: Sequence[str]) -> Iterator[tuple[str, Summary]]:
        """Make summaries and keep them, here only where nothing else can."""
        for some in summarize(self._recipe, self._here, self._tree, paths):
            self._keep(some)
            yield from some.items()

    def _keep(self, made: Summed) -> None:
        if self._cache.usable:
            self._cache.keep(self.context, {self._key(path): summary.pack() for path, summary in made.items()})
        else:
            self._made |= made

    def _key(self, path: str) -> str:
        return _key(GUESTS if path.startswith(GUESTS) else ACCOUNTS, shard_number(path), self._oids[path])


class _AtHand:
    """Summaries that were fetched, under what they are kept, as far as there is room for them."""

    def __init__(self) -> None:
        self.summaries: dict[str, Summary] = {}
        self._room = _AT_HAND

    def add(self, key: str, summary: Summary) -> None:
        """Note one, where there is room."""
        if summary.count <= self._room:
            self._room -= summary.count
            self.summaries[key] = summary


def _key(side: str, number: int, oid: str) -> str:
    """Return what a summary is kept under, in hex. What is in a shard may be damage in another one's place."""
    return f"{oid}{number:04x}{'00' if side == GUESTS else '01'}"
