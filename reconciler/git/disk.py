"""The operations directory as it stands on disk, as the tree that `git add` would make of it, without adding anything.

Object ids of files come from git itself (`hash-object`, so that filters and line endings count), and are remembered with what
the system says of each file. Where git would store something else than the bytes on disk, the exact way is taken instead.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from reconciler.errors import GitError

from .filters import ATTRIBUTES
from .run import Git, readable
from .tree import Tree
from .trees import POINTER, SCOPE

Known = Mapping[str, tuple[int, int, int, int, str]]
"""Size, times of the last change of content and of the entry (ns), inode and object id, by path."""

_SETTLED_NS = 2_000_000_000
"""A file that changed less than this before it was hashed may change again within one tick of the file system's clock."""
_MUCH = 32 << 20
"""Bytes from which another process that computes object ids is worth starting."""
_MOST = 8
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
_SHA256_DIGITS = 64
_FILE, _FOLDER = "100644", "40000"


class InexactError(Exception):
    """Only `git add` can tell what the tree would be: a file that may run, a repository or attributes within, a name git may change."""


@dataclass(frozen=True)
class DiskTree:
    """A Tree of the files on disk, taken at one moment. A file that changes after that is a GitError when it is read."""

    root: Path
    blobs: Mapping[str, str]
    """Object ids of files by path."""
    exact: Callable[[], Tree]
    """Returns the same tree by way of git's object database."""

    def oid(self, path: str) -> str | None:
        """Return the git object id of a file or folder, or None where there is none."""
        return self.blobs.get(path) or self._folders.get(path)

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None where there is none (a folder is none)."""
        return next(self.read_all([path]))[1] if path in self.blobs else None

    def files(self, folder: str) -> list[tuple[str, str]]:
        """Return (path, object id) of every file below a folder, sorted by path."""
        if not folder:
            return [*self._sorted]
        first, last = (bisect_left(self._sorted, (f"{folder}{end}",)) for end in "/0")  # what comes after "/" is "0"
        return self._sorted[first:last]

    @cached_property
    def _sorted(self) -> list[tuple[str, str]]:
        return sorted(self.blobs.items())

    @cached_property
    def _folders(self) -> Mapping[str, str]:
        return folder_ids(self.blobs)

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield (path, bytes) for each path, in order. A path that is not there is a GitError."""
        for path in paths:
            oid = self.blobs.get(path)
            if oid is None:
                raise GitError(f"{readable(path)} is no file in {self.root}", "Run `reconcile validate`.")
            data = read_file(self.root, path)
            exact = blob_id(data, oid) == oid and not data.startswith(POINTER)
            yield path, data if exact else self._stored(path, oid)

    def narrowed(self, paths: Iterable[str]) -> DiskTree:
        """Return what reads these files alone, and can be sent to another process."""
        return replace(self, blobs={path: self.blobs[path] for path in paths})

    def _stored(self, path: str, oid: str) -> bytes:
        """Return what git stores of a file whose bytes are others."""
        tree = self.exact()
        data = tree.read(path)
        if data is None or tree.oid(path) != oid:
            raise GitError(f"{readable(path)} changed while it was being read", "Run the same command again.")
        return data


def read_file(root: Path, path: str) -> bytes:
    """Return a file's bytes as they are on disk. Raises GitError."""
    try:
        with open(f"{root}/{path}", "rb", buffering=0) as file:  # noqa: PTH123  a Path costs more than a small file
            return file.read()
    except OSError as error:
        raise GitError(f"{readable(path)} cannot be read: {error.strerror}", "Run the same command again.") from error


def blob_id(data: bytes, like: str) -> str:
    """Return the object id that git gives these bytes, by the hash of the id `like`."""
    algorithm = hashlib.sha256 if len(like) == _SHA256_DIGITS else _sha1
    return algorithm(b"blob %d\0" % len(data) + data).hexdigest()


def _sha1(data: bytes) -> hashlib._Hash:
    return hashlib.sha1(data, usedforsecurity=False)


def disk_tree(
    git: Git, prefix: str, known: Known, exact: Callable[[], Tree], now_ns: int
) -> tuple[DiskTree, dict[str, tuple[int, int, int, int, str]]]:
    """Return the tree of SCOPE below `prefix`, and what may be remembered as `known` the next time.

    `git` runs at the top of the work tree; `prefix` ends in a slash, or is empty. `now_ns` is the file system's own time.
    Raises InexactError where only `git add` can tell, GitError for a symbolic link and for a file that git cannot read.
    """
    if prefix.startswith('"') or "\n" in prefix:
        raise InexactError  # git takes a list of paths line by line, and a quote for the start of one that is quoted
    root = git.directory / prefix
    found = dict(_files(root))
    blobs: dict[str, str] = {}
    unknown: list[str] = []
    for path, marks in found.items():
        before = known.get(path)
        if before is not None and before[:4] == marks:
            blobs[path] = before[4]
        else:
            unknown.append(path)
    size = sum(found[path][0] for path in unknown)
    blobs |= zip(unknown, _hashed(git, prefix, unknown, size), strict=True)
    fresh = {path: (*marks, blobs[path]) for path, marks in found.items() if max(marks[1:3]) < now_ns - _SETTLED_NS}
    return DiskTree(root, blobs, exact), fresh


def _hashed(git: Git, prefix: str, paths: list[str], size: int) -> list[str]:
    """Return the object ids of these files, `size` bytes in all: where that is much, by as many processes as there are cores."""
    if not paths:
        return []
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    parts = min(cores, _MOST, 1 + size // _MUCH)
    if parts == 1:
        return _hashed_by_one(git, prefix, paths)
    from concurrent.futures import ThreadPoolExecutor

    each = -(-len(paths) // parts)
    with ThreadPoolExecutor(parts) as pool:
        some = [paths[start : start + each] for start in range(0, len(paths), each)]
        return [oid for found in pool.map(lambda part: _hashed_by_one(git, prefix, part), some) for oid in found]


def _hashed_by_one(git: Git, prefix: str, paths: list[str]) -> list[str]:
    listed = os.fsencode("".join(f"{prefix}{path}\n" for path in paths))
    remedy = "Make the file named above readable, then run the same command again."
    ids = git.run("hash-object", "--stdin-paths", stdin=listed, remedy=remedy).text.split("\n")
    if len(ids) != len(paths):
        raise InexactError
    return ids


def _files(root: Path) -> Iterator[tuple[str, tuple[int, int, int, int]]]:
    """Yield every file of SCOPE with what tells whether it changed: size, both times, inode."""
    for name in SCOPE:
        try:
            top = os.lstat(root / name)
        except FileNotFoundError:
            continue
        if stat.S_ISDIR(top.st_mode):
            yield from _below(str(root / name), name)
        else:
            yield name, _marks(name, top)


def _below(folder: str, path: str) -> Iterator[tuple[str, tuple[int, int, int, int]]]:
    with os.scandir(folder) as found:
        for entry in found:
            inner = f"{path}/{entry.name}"
            if not _PLAIN.fullmatch(entry.name) or entry.name.casefold() in (".git", ATTRIBUTES):
                raise InexactError
            if entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path, inner)
            else:
                yield inner, _marks(inner, entry.stat(follow_symlinks=False))


def _marks(path: str, seen: os.stat_result) -> tuple[int, int, int, int]:
    if stat.S_ISLNK(seen.st_mode):
        raise GitError(f"{readable(path)} is a symbolic link", "Replace it by the file itself.")
    if not stat.S_ISREG(seen.st_mode) or seen.st_mode & stat.S_IXUSR:
        raise InexactError
    return seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino


def folder_ids(blobs: Mapping[str, str]) -> dict[str, str]:
    """Return the object ids of the trees that hold these files."""
    children: dict[str, list[tuple[str, str, str]]] = {}
    for path, oid in blobs.items():
        folder, _, name = path.rpartition("/")
        children.setdefault(folder, []).append((name, _FILE, oid))
        while folder and (above := folder.rpartition("/")[0]) not in children:
            children[above] = []
            folder = above
    ids: dict[str, str] = {}
    for folder in sorted(children, key=lambda name: name.count("/"), reverse=True):
        if folder:  # what is above the operations directory is not its own
            above, _, name = folder.rpartition("/")
            ids[folder] = _tree_id(children[folder])
            children[above].append((name, _FOLDER, ids[folder]))
    return ids


def _tree_id(entries: list[tuple[str, str, str]]) -> str:
    """Return the id of a tree object: its entries sorted as if folders' names ended in a slash."""
    ordered = sorted(entries, key=lambda e: (e[0] + "/" * (e[1] == _FOLDER)).encode())
    data = b"".join(f"{mode} {name}".encode() + b"\0" + bytes.fromhex(oid) for name, mode, oid in ordered)
    algorithm = hashlib.sha256 if len(entries[0][2]) == _SHA256_DIGITS else _sha1
    return algorithm(b"tree %d\0" % len(data) + data).hexdigest()
