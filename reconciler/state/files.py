"""Files below one root, replaced atomically and never through a symbolic link."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import StateError

_TEMPORARY = ".tmp"
_AHEAD = 64
"""Files written and not yet durable, each of them open: some systems let a process have 256 open in all."""
_OPEN = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class Files:
    """The working tree's files. Paths are relative to the root, with `/`; a failure is a StateError naming one."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None where there is none."""
        file = self._checked(path)
        try:
            return file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _failed(path, "cannot be read", error) from error

    def replace(self, path: str, data: bytes) -> None:
        """Put `data` at the path, making its folder. Even after a crash it is the old bytes or the new, whole."""
        self.replace_all([(path, data)], None)

    def replace_all(self, files: Iterable[tuple[str, bytes]], pool: Executor | None) -> None:
        """Replace some files: the bytes of all of them are on the disk before the first takes its place.

        `pool` waits for the disk: a journalling file system makes many files durable together, ten times as fast as one by one.
        """
        folders: set[str] = set()
        begun: list[tuple[str, Future[None] | None]] = []
        for path, data in files:
            folder = path.rpartition("/")[0]
            if len(begun) >= _AHEAD:
                _durable(*begun[-_AHEAD])
            with _told(path):
                if folder not in folders:
                    self._checked(folder).mkdir(parents=True, exist_ok=True)
                    folders.add(folder)
                descriptor = self._begun(path, data)
                if pool is None:
                    _settle(descriptor)
                begun.append((path, pool.submit(_settle, descriptor) if pool else None))
        for path, settled in begun:
            _durable(path, settled)
        for path, _ in begun:
            self.take_place(path)

    def take_place(self, path: str) -> None:
        """Put what was written for a path, and is durable, in its place."""
        with _told(path):
            os.replace(self._root / _beside(path), self._root / path)  # noqa: PTH105  thousands of times

    def remove(self, path: str) -> None:
        """Remove a file, and its folder when that is empty then."""
        file = self._checked(path)
        try:
            file.unlink(missing_ok=True)
            if not any(file.parent.iterdir()):
                file.parent.rmdir()
        except OSError as error:
            raise _failed(path, "cannot be removed", error) from error

    def below(self, folder: str) -> list[str]:
        """Return every file below a folder, sorted. Refuses a symbolic link anywhere in it."""
        found: list[str] = []
        pending = [folder] if self._checked(folder).is_dir() else []
        while pending:
            here = pending.pop()
            with os.scandir(self._root / here) as entries:
                for entry in entries:
                    path = f"{here}/{entry.name}"
                    if entry.is_symlink():
                        raise _linked(path)
                    (pending if entry.is_dir(follow_symlinks=False) else found).append(path)
        return sorted(found)

    def settle(self, folder: str) -> None:
        """Make a folder's renames survive a power cut, where the system can."""
        path = self._checked(folder)
        if os.name == "nt" or not path.is_dir():
            return
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def settle_all(self, folders: Iterable[str], pool: Executor) -> None:
        """Do that for some folders; like files, many become durable together."""
        for _ in pool.map(self.settle, sorted(folders)):
            pass

    def _begun(self, path: str, data: bytes) -> int:
        """Return a descriptor of the new file, written beside the one whose place it will take. Its folder was checked."""
        if os.path.islink(self._root / path):  # noqa: PTH114  thousands of times
            raise _linked(path)
        temporary = self._root / _beside(path)
        try:
            descriptor = os.open(temporary, _OPEN, 0o666)
        except FileExistsError:  # left by one that was interrupted
            temporary.unlink()
            descriptor = os.open(temporary, _OPEN, 0o666)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(descriptor, left) :]
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _checked(self, path: str) -> Path:
        """Return the full path, having seen that no part of it below the root is a symbolic link."""
        here = self._root
        for part in path.split("/"):
            here = here / part
            if here.is_symlink():
                raise _linked(here.relative_to(self._root).as_posix())
        return here


def write_file(root: Path, path: str, data: bytes) -> None:
    """Put one file below an operations directory, durably; see `Files.replace`."""
    files = Files(root)
    files.replace(path, data)
    files.settle(path.rsplit("/", 1)[0])


def _beside(path: str) -> str:
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}.{name}{_TEMPORARY}"


@contextmanager
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _failed(path, "cannot be written", error) from error


def _durable(path: str, settled: Future[None] | None) -> None:
    if settled is not None:
        with _told(path):
            settled.result()


def _settle(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_temporary(path: str) -> bool:
    """Whether an interrupted `replace` left this file."""
    name = path.rsplit("/", 1)[-1]
    return name.startswith(".") and name.endswith(_TEMPORARY)


def _linked(path: str) -> StateError:
    return StateError(f"{path}: a symbolic link, and state is never written through one", "Remove the link.")


def _failed(path: str, problem: str, error: OSError) -> StateError:
    return StateError(f"{path}: {problem}: {error.strerror or error}", "Check its permissions and the free space.")
