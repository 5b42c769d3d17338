"""The summaries of all shards of a tree: remembered ones, and those that must be made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager

from reconciler.git.tree import Tree
from reconciler.progress import Task

from .cache import Cache
from .parts import CLEAN, Parts
from .work import Recipe, summarize

Announce = Callable[[int], AbstractContextManager[Task]]
"""Shows progress over so many shards."""


class Summaries:
    """Of the shards whose object ids are given by path, all of both sides."""

    def __init__(self, recipe: Recipe, tree: Tree, oids: Mapping[str, str], cache: Cache, context: bytes) -> None:
        self._recipe = recipe
        self._tree = tree
        self._oids = oids
        self._cache = cache
        self._context = context
        self._made: dict[str, Parts] = {}

    def make(self, announce: Announce) -> None:
        """Make those that are not remembered. Raises StateError for a damaged shard."""
        paths = list(self._oids)
        known = self._cache.parts(CLEAN, self._context, list(self._oids.values()))
        missing = [path for path, part in zip(paths, known, strict=True) if part is None]
        self._made = {path: {CLEAN: part} for path, part in zip(paths, known, strict=True) if part is not None}
        if not missing:
            return
        with announce(len(missing)) as task:
            done = 0
            for some in self._summed_up(missing):
                done += len(some)
                task.done(done)
        self._cache.prune(self._context, self._oids.values())

    def part(self, name: str, paths: Sequence[str]) -> list[bytes]:
        """Return one part of these shards' summaries."""
        unknown = [path for path in paths if name not in self._made[path]]
        if unknown:
            found = self._cache.parts(name, self._context, [self._oids[path] for path in unknown])
            fetched = {path: part for path, part in zip(unknown, found, strict=True) if part is not None}
            for _ in self._summed_up([path for path in unknown if path not in fetched], whole=True):
                pass
            return [fetched[path] if path in fetched else self._made[path][name] for path in paths]
        return [self._made[path][name] for path in paths]

    def _summed_up(self, paths: Sequence[str], *, whole: bool = False) -> Iterator[Mapping[str, Parts]]:
        """Make summaries and keep them: here only what is asked of all of them, where the cache takes the rest."""
        for some in summarize(self._recipe, self._tree, paths):
            self._cache.keep(self._context, {self._oids[path]: parts for path, parts in some.items()})
            for path, parts in some.items():
                self._made[path] = parts if whole or not self._cache.usable else {CLEAN: parts[CLEAN]}
            yield some
