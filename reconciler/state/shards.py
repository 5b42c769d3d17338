"""One side of the state, read as far as it is looked at: a shard when something in it is asked for.

An import of a hundred changes then costs what a hundred changes cost, whatever the number of guests. Who goes through all
of a side gets all of it or an error: what is there must then be as many as the manifest says.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Generic, TypeVar

from reconciler.errors import StateError
from reconciler.git.overlay import Overlay
from reconciler.git.tree import Tree

Record = TypeVar("Record")
Text = tuple[str, ...]
"""One entry of a canonical shard: all of its text, then its fields (`entries`)."""


@dataclass(frozen=True, slots=True)
class Form(Generic[Record]):
    """How one side stands in its files. `path_of` says in which a key stands; it and `read` raise StateError.

    `entries` takes a canonical shard apart and `record` reads one entry, both None where that is for `read` to judge.
    `dump` writes a shard; `order` is how the keys in it are sorted.
    """

    path_of: Callable[[str], str]
    read: Callable[[bytes, str], dict[str, Record]]
    entries: Callable[[bytes, str], Mapping[str, Text] | None]
    record: Callable[[Text], Record | None]
    dump: Callable[[Iterable[Record]], bytes]
    order: Callable[[str], object]


class Shards(Mapping[str, Record]):
    """A side as a tree holds it. `count` is what the manifest says.

    `check` is given everything when everything was read, and raises StateError where that is not what the manifest says.
    """

    def __init__(
        self,
        tree: Tree,
        paths: Collection[str],
        form: Form[Record],
        *,
        count: int,
        check: Callable[[Mapping[str, Record]], None],
    ) -> None:
        self._tree, self.form, self._check = tree, form, check
        self._paths = tuple(paths)
        self._unread = set(paths)
        self._texts: dict[str, Mapping[str, Text]] = {}
        self._shards: dict[str, dict[str, Record]] = {}
        self._count = count
        self._all: dict[str, Record] | None = None

    def prefetch(self, keys: Iterable[str]) -> None:
        """Read the shards of these keys at once: a look at each alone costs a process."""
        if self._all is not None:
            return
        self._fetch(sorted({path for key in keys if (path := self._place(key)) in self._unread}))

    @property
    def paths(self) -> tuple[str, ...]:
        """The shards, sorted by path."""
        return self._paths

    def opened(self, paths: Collection[str]) -> Iterator[tuple[str, bytes, Mapping[str, Record]]]:
        """Yield these shards, whole: path, bytes, and the records in them. Nothing is remembered of them."""
        for path, data in self._tree.read_all(paths) if paths else ():
            entries = self.form.entries(data, path)
            yield (
                path,
                data,
                self.form.read(data, path) if entries is None else _Opened(self.form, path, data, entries),
            )

    def rewritten(self, path: str, changes: Mapping[str, Record | None]) -> bytes | None:
        """Return a shard as these changes leave it, None where nobody is left in it. Who is not changed is not even read."""
        self._fetch([path] if path in self._unread else [])
        dump = self.form.dump
        if path not in self._texts:
            records = {**self._shards.get(path, {}), **changes}
            kept = [record for record in records.values() if record is not None]
            return dump(kept) if kept else None
        texts = {key: text[0] for key, text in self._texts[path].items() if key not in changes}
        texts |= {key: dump([new]).decode() for key, new in changes.items() if new is not None}
        return "".join(texts[key] for key in sorted(texts, key=self.form.order)).encode() if texts else None  # type: ignore[arg-type]

    def __getitem__(self, key: str) -> Record:
        if self._all is not None:
            return self._all[key]
        path = self._place(key)
        self._fetch([path] if path in self._unread else [])
        known = self._shards.setdefault(path, {})
        if key not in known and path in self._texts:
            record = self.form.record(self._texts[path][key])
            if record is None:  # for the slower reader to judge, with the rest of the file
                del self._texts[path]
                self._shards[path] = known = self.form.read(next(iter(self._tree.read_all([path])))[1], path)
            else:
                known[key] = record
        return known[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._everything())

    def __len__(self) -> int:
        return self._count if self._all is None else len(self._all)

    def _place(self, key: str) -> str:
        try:
            return self.form.path_of(key)
        except StateError:
            return ""  # no key of this side: it stands nowhere

    def _fetch(self, paths: Collection[str]) -> None:
        for path, data in self._tree.read_all(paths) if paths else ():
            entries = self.form.entries(data, path)
            if entries is None:
                self._shards[path] = self.form.read(data, path)
            else:
                self._texts[path] = entries
            self._unread.remove(path)

    def _everything(self) -> Mapping[str, Record]:
        if self._all is None:
            found: dict[str, Record] = {}
            for path, data in self._tree.read_all(self._paths):
                found |= self.form.read(data, path)
            self._check(found)
            self._all = found
        return self._all


class _Opened(Mapping[str, Record]):
    """One canonical shard, entry by entry, each read when it is looked at."""

    def __init__(self, form: Form[Record], path: str, data: bytes, entries: Mapping[str, Text]) -> None:
        self._form, self._path, self._data, self._entries = form, path, data, entries

    def __getitem__(self, key: str) -> Record:
        record = self._form.record(self._entries[key])
        return self._form.read(self._data, self._path)[key] if record is None else record

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: object) -> bool:
        return key in self._entries


class Renewed(Shards[Record]):
    """A side as an import wrote all of it anew, not yet in its files.

    `files` holds the shards that differ from those of the tree before, None for one in which nobody is left; `counts` how many
    records are in each of them.
    """

    def __init__(
        self,
        tree: Tree,
        before: Collection[str],
        files: Mapping[str, bytes | None],
        counts: Mapping[str, int],
        form: Form[Record],
        count: int,
    ) -> None:
        gone = {path for path in files if path not in counts}
        paths = sorted({*before, *counts} - gone)
        super().__init__(Overlay(tree, files), paths, form, count=count, check=lambda _found: None)
        self.files = files
        self.counts = counts


class Changed(Mapping[str, Record]):
    """A side after an import that touched some of it. `changes` holds the new records; None for one that is gone."""

    def __init__(self, base: Mapping[str, Record], changes: Mapping[str, Record | None]) -> None:
        self.base = base
        self.changes = {key: new for key, new in changes.items() if base.get(key) != new}
        self._files: dict[str, bytes | None] | None = None

    def files(self, base: Shards[Record]) -> Mapping[str, bytes | None]:
        """Return the shards of `base`, which it is over, as the changes leave them; None for one in which nobody is left."""
        if self._files is None:
            base.prefetch(self.changes)
            changed: dict[str, dict[str, Record | None]] = {}
            for key, new in self.changes.items():
                changed.setdefault(base.form.path_of(key), {})[key] = new
            self._files = {path: base.rewritten(path, changed[path]) for path in sorted(changed)}
        return self._files

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


def everything(side: Mapping[str, Record], form: Form[Record]) -> Iterator[tuple[str, bytes, int]]:
    """Yield all shards of a side: path, bytes, and how many records are in it."""
    by_path = [(form.path_of(key), record) for key, record in side.items()]
    by_path.sort(key=itemgetter(0))
    for path, some in groupby(by_path, itemgetter(0)):
        records = [record for _, record in some]
        yield path, form.dump(records), len(records)


def files_of(side: Mapping[str, Record]) -> Mapping[str, bytes | None] | None:
    """Return the shards of a side that differ from those of the tree it was read from, None for one that is gone.

    None where that is not known: a side that is not read by shards, or changed over such a one.
    """
    if isinstance(side, Renewed):
        return side.files
    if isinstance(side, Shards):
        return {}
    if isinstance(side, Changed) and isinstance(side.base, Shards):
        below = side.base.files if isinstance(side.base, Renewed) else {}
        above = side.files(side.base)
        return ChainMap(above, below) if below else above  # type: ignore[arg-type]  # only read
    return None


def prefetch(side: Mapping[str, Record], keys: Iterable[str]) -> None:
    """Read at once what will be looked at one by one: each shard read alone can cost a process."""
    base = side.base if isinstance(side, Changed) else side
    if isinstance(base, Shards):
        base.prefetch(keys)
