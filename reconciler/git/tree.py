"""A git tree as the rest of the program reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol


class Files(Protocol):
    """Some files of a tree, in a form that another process can take."""

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield (path, bytes) for each path, in order, in one batch."""
        ...


class Tree(Files, Protocol):
    """One immutable git tree, its paths relative to the operations directory (`state/manifest.yaml`)."""

    def oid(self, path: str) -> str | None:
        """Return the git object id of a file or folder, or None where there is none."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None where there is none."""
        ...

    def files(self, folder: str) -> list[tuple[str, str]]:
        """Return (path, object id) of every file below a folder, sorted by path."""
        ...

    def narrowed(self, paths: Iterable[str]) -> Files:
        """Return what reads these files alone."""
        ...
