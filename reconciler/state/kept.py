"""Files that are to be written, in a private file until then."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

from reconciler.git.tree import Tree
from reconciler.scratch import Place, Scratch

from .shards import Form, Renewed, everything

Record = TypeVar("Record")


def renewed(
    side: Mapping[str, Record], tree: Tree, before: Collection[str], form: Form[Record], scratch: Scratch
) -> Renewed[Record]:
    """Return a side whose records are all there as shards over those of the tree, which lie at `before`."""
    files = KeptFiles(scratch)
    counts: dict[str, int] = {}
    for path, data, count in everything(side, form):
        files.keep(path, data)
        counts[path] = count
    for path in set(before).difference(counts):
        files.keep(path, None)
    return Renewed(tree, before, files, counts, form, len(side))


class KeptFiles(Mapping[str, bytes | None]):
    """Files by path, in a private file; None for one that must go."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._places: dict[str, Place | None] = {}

    def keep(self, path: str, data: bytes | None) -> None:
        """Keep one file, or that it must go."""
        self._places[path] = None if data is None else self._scratch.put(data)

    def __getitem__(self, path: str) -> bytes | None:
        place = self._places[path]
        return None if place is None else self._scratch.get(place)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, path: object) -> bool:
        return path in self._places
