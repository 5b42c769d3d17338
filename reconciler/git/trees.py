"""Reads one git tree: a listing on first use, contents in batches."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from reconciler.errors import GitError

from .run import Git, readable

SCOPE = ("policies", "reconcile.yaml", "state")
"""All of an operations directory that this program reads from git."""

POINTER = b"version https://git-lfs.github.com/spec/"
"""How what Git LFS commits in place of a file begins (its specification, "The Pointer")."""
_REGULAR = frozenset({"100644", "100755"})
_FOLDER = "040000"


@dataclass(frozen=True)
class GitTree:
    """The part of a git tree that lies below `prefix`, cut down to SCOPE.

    `top` is a commit or tree id. Every method raises GitError for a damaged repository, and for a symbolic link or
    submodule where a file should be: neither belongs into an operations directory. A prefix the tree has not is empty.
    """

    git: Git
    top: str
    prefix: str

    def oid(self, path: str) -> str | None:
        """Return the git object id of a file or folder, or None where there is none."""
        found = self._entries.get(path)
        return found[1] if found else None

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None where there is none (a folder is none)."""
        found = self._entries.get(path)
        if not found or found[0] == _FOLDER:
            return None
        return next(self.read_all([path]))[1]

    def files(self, folder: str) -> list[tuple[str, str]]:
        """Return (path, object id) of every file below a folder, sorted by path."""
        start = f"{folder}/" if folder else ""
        return sorted((p, oid) for p, (mode, oid) in self._entries.items() if mode != _FOLDER and p.startswith(start))

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield (path, bytes) for each path, in order, in one batch. A path that is not there is a GitError."""
        wanted = list(paths)
        yield from _named(wanted, blobs(self.git, [self._file(path) for path in wanted]))

    def narrowed(self, paths: Iterable[str]) -> GitFiles:
        """Return what reads these files alone, and can be sent to another process."""
        return GitFiles(self.git, {path: self._file(path) for path in paths})

    def _file(self, path: str) -> str:
        mode, oid = self._entries.get(path, (_FOLDER, ""))
        if mode == _FOLDER:
            raise GitError(f"{readable(path)} is no file in {self.top}", "Run `reconcile validate`.")
        return oid

    @cached_property
    def _entries(self) -> dict[str, tuple[str, str]]:
        """(mode, object id) by path."""
        start = f"{self.prefix}/" if self.prefix else ""
        listed = self.git.run(
            "ls-tree", "-r", "-t", "-z", "--full-tree", self.top, "--", *(start + name for name in SCOPE)
        )
        found: dict[str, tuple[str, str]] = {}
        for line in listed.out.split(b"\0")[:-1]:
            description, _, name = line.partition(b"\t")
            path = os.fsdecode(name)
            if not path.startswith(start):
                continue  # -t also lists the folders on the way down to the prefix
            mode, _, oid = description.decode("ascii").split(" ")
            if mode not in _REGULAR and mode != _FOLDER:
                kind = "a submodule" if mode == "160000" else "a symbolic link"
                raise GitError(f"{readable(path)} is {kind}", "Replace it by the file itself.")
            found[path.removeprefix(start)] = (mode, oid)
        return found


@dataclass(frozen=True, slots=True)
class GitFiles:
    """A few files of a tree, by their object ids."""

    git: Git
    oids: Mapping[str, str]

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield (path, bytes) for each path, in order, in one batch."""
        wanted = list(paths)
        yield from _named(wanted, blobs(self.git, [self.oids[path] for path in wanted]))


def _named(paths: Sequence[str], contents: Iterator[bytes]) -> Iterator[tuple[str, bytes]]:
    for path, content in zip(paths, contents, strict=True):
        if content.startswith(POINTER):
            raise GitError(
                f"{readable(path)} is kept by Git LFS: what git holds of it is a pointer, and a plan is made of what git holds",
                "Take policies, settings and state out of LFS: lines like `state/** -filter` at the end of .gitattributes, then "
                "`git add --renormalize .`, and commit.",
            )
        yield path, content


def blobs(git: Git, oids: Sequence[str]) -> Iterator[bytes]:
    """Yield the contents of blobs, in order, from one `git cat-file`. Raises GitError."""
    if not oids:
        return
    with git.stream(
        "cat-file", "--batch", "--buffer", stdin="".join(f"{oid}\n" for oid in oids).encode("ascii")
    ) as answers:
        for oid in oids:
            header = answers.readline().split()
            if not header:
                raise EOFError
            if header[1] != b"blob":
                what = f"git object {oid} is {header[1].decode('ascii', 'backslashreplace')}, not a file"
                raise GitError(what, "The repository is damaged or incomplete: `git fsck`, or clone it again.")
            content = answers.read(int(header[2]) + 1)
            if len(content) <= int(header[2]):
                raise EOFError
            yield content[:-1]
