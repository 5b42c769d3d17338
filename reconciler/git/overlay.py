"""A tree in which some files are others: what is about to be written, read as if it were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.errors import GitError

from .disk import blob_id, folder_ids
from .run import readable
from .tree import Files, Tree

_LIKE = "reconcile.yaml"
"""A file whose object id says by which hash this repository names its objects; SHA-1 where there is none."""


class Overlay:
    """A Tree over another one. `over` holds the bytes of the files that differ, None for those that are gone."""

    def __init__(self, base: Tree, over: Mapping[str, bytes | None]) -> None:
        self._base = base
        self._over = over
        self._oids: dict[str, str] = {}

    def oid(self, path: str) -> str | None:
        """Return the git object id of a file or folder, or None where there is none."""
        if path in self._over:
            return self._own(path)
        if not path or self._base.read(path) is not None:
            return self._base.oid(path)
        inner = {name.removeprefix(f"{path}/"): oid for name, oid in self.files(path)}
        return folder_ids({f"_/{name}": oid for name, oid in inner.items()})["_"] if inner else None

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None where there is none."""
        return self._over[path] if path in self._over else self._base.read(path)

    def files(self, folder: str) -> list[tuple[str, str]]:
        """Return (path, object id) of every file below a folder, sorted by path."""
        start = f"{folder}/" if folder else ""
        over = {path: self._own(path) for path in self._over if path.startswith(start)}
        below = self._base.files(folder)
        if not over:
            return below
        found = [(path, oid) for path, oid in below if path not in over]
        return sorted(found + [(path, oid) for path, oid in over.items() if oid is not None])

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield (path, bytes) for each path, in order. A path that is not there is a GitError."""
        wanted = list(paths)
        yield from _in_turn(wanted, self._over, self._base.read_all(path for path in wanted if path not in self._over))

    def narrowed(self, paths: Iterable[str]) -> Files:
        """Return what reads these files alone, and can be sent to another process."""
        wanted = list(paths)
        own = {path: self._over[path] for path in wanted if path in self._over}
        return _Some(self._base.narrowed(path for path in wanted if path not in own), own)

    def _own(self, path: str) -> str | None:
        if path not in self._oids:
            data = self._over[path]
            if data is None:
                return None
            self._oids[path] = blob_id(data, self._base.oid(_LIKE) or "")
        return self._oids[path]


@dataclass(frozen=True, slots=True)
class _Some:
    """Some files of an Overlay."""

    base: Files
    own: Mapping[str, bytes | None]

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield (path, bytes) for each path, in order."""
        wanted = list(paths)
        yield from _in_turn(wanted, self.own, self.base.read_all(path for path in wanted if path not in self.own))


def _in_turn(
    paths: Iterable[str], own: Mapping[str, bytes | None], rest: Iterator[tuple[str, bytes]]
) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        if path not in own:
            yield next(rest)
        elif (data := own[path]) is not None:
            yield path, data
        else:
            raise GitError(f"{readable(path)} is not there any more", "Run the same command again.")
