"""A git tree held in memory, for specifications that need one to read from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path


class MemoryTree:
    """The tree port over a mapping of path to bytes."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.contents = files

    @classmethod
    def of(cls, root: Path) -> MemoryTree:
        """What `git add --all` would hold of a directory."""
        return cls({p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()})

    def oid(self, path: str) -> str | None:
        data = self.contents.get(path)
        return None if data is None else hashlib.sha256(data).hexdigest()

    def read(self, path: str) -> bytes | None:
        return self.contents.get(path)

    def files(self, folder: str) -> list[tuple[str, str]]:
        return [(p, self.oid(p) or "") for p in sorted(self.contents) if p.startswith(f"{folder}/")]

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for path in paths:
            yield path, self.contents[path]

    def narrowed(self, paths: Iterable[str]) -> MemoryTree:
        return MemoryTree({path: self.contents[path] for path in paths})
