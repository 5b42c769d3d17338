"""One side of the state, read as far as it is looked at: a shard when something in it is asked for.

An import of a hundred changes then costs what a hundred changes cost, whatever the number of guests. Who goes through all
of a side gets all of it or an error: what is there must then be as many as the manifest says.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeVar

from reconciler.errors import StateError
from reconciler.git.tree import Tree

Record = TypeVar("Record")


class Shards(Mapping[str, Record]):
    """A side as a tree holds it. `path_of` says in which file a key stands, `read` reads one, both raising StateError.

    `count` is what the manifest says; `check` is given everything when everything was read, and raises StateError where
    that is not what the manifest says.
    """

    def __init__(
        self,
        tree: Tree,
        paths: Collection[str],
        *,
        path_of: Callable[[str], str],
        read: Callable[[bytes, str], dict[str, Record]],
        count: int,
        check: Callable[[Mapping[str, Record]], None],
    ) -> None:
        self._tree = tree
        self._unread = dict.fromkeys(paths)
        self._path_of, self._read, self._check = path_of, read, check
        self._shards: dict[str, dict[str, Record]] = {}
        self._count = count
        self._all: dict[str, Record] | None = None

    def prefetch(self, keys: Iterable[str]) -> None:
        """Read the shards of these keys at once: a look at each alone costs a process."""
        wanted = {path for key in keys if (path := self._place(key)) in self._unread}
        for path, data in self._tree.read_all(sorted(wanted)):
            self._take(path, data)

    def shard(self, path: str) -> Mapping[str, Record]:
        """Return what stands in one file; nothing where there is none."""
        if path in self._unread:
            for found, data in self._tree.read_all([path]):
                self._take(found, data)
        return self._shards.get(path, {})

    def __getitem__(self, key: str) -> Record:
        if self._all is not None:
            return self._all[key]
        return self.shard(self._place(key))[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._everything())

    def __len__(self) -> int:
        return self._count if self._all is None else len(self._all)

    def _place(self, key: str) -> str:
        try:
            return self._path_of(key)
        except StateError:
            return ""  # no key of this side: it stands nowhere

    def _everything(self) -> Mapping[str, Record]:
        if self._all is None:
            for path, data in self._tree.read_all(list(self._unread)):
                self._take(path, data)
            found = {key: record for path in sorted(self._shards) for key, record in self._shards[path].items()}
            self._check(found)
            self._all = found
        return self._all

    def _take(self, path: str, data: bytes) -> None:
        self._shards[path] = self._read(data, path)
        del self._unread[path]


class Changed(Mapping[str, Record]):
    """A side after an import that touched some of it. `changes` holds the new records; None for one that is gone."""

    def __init__(self, base: Mapping[str, Record], changes: Mapping[str, Record | None]) -> None:
        self.base = base
        self.changes = {key: new for key, new in changes.items() if base.get(key) != new}

    def without(self, keys: Iterable[str]) -> Changed[Record]:
        """Return the same with these gone."""
        return Changed(self.base, {**self.changes, **dict.fromkeys(keys)})

    def __getitem__(self, key: str) -> Record:
        if key not in self.changes:
            return self.base[key]
        record = self.changes[key]
        if record is None:
            raise KeyError(key)
        return record

    def __iter__(self) -> Iterator[str]:
        for key in self.base:
            if key not in self.changes:
                yield key
        for key, new in self.changes.items():
            if new is not None:
                yield key

    def __len__(self) -> int:
        return len(self.base) + sum((new is not None) - (key in self.base) for key, new in self.changes.items())
