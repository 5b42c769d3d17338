"""A private file for what is too much to keep in memory.

It has no name: where the system allows that it never had one, elsewhere it loses it at once (on Windows with its last handle).
So it is readable by nobody else and gone with the process, however that ends.
"""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

from .errors import ReconcileError


class Place(NamedTuple):
    """Where something lies in the file, in bytes."""

    start: int
    length: int


class Scratch:
    """One such file, in this folder (made when needed), from the first write until it is closed. Not for several threads at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def put(self, data: bytes) -> Place:
        """Keep some bytes. Raises ReconcileError where there is no room for them."""
        try:
            if self._file is None:
                self._file = _opened(self._folder)
            self._file.seek(self._end)
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise _unusable(self._folder, error) from error
        place = Place(self._end, len(data))
        self._end += len(data)
        return place

    def get(self, place: Place) -> bytes:
        """Return the bytes that were put there."""
        if self._file is None:
            raise ValueError("nothing was put here")
        try:
            self._file.seek(place.start)
            data = self._file.read(place.length)
        except OSError as error:
            raise _unusable(self._folder, error) from error
        if len(data) != place.length:
            raise _unusable(self._folder, OSError(0, "it was cut short"))
        return data


def _opened(folder: Path) -> IO[bytes]:
    """Open one in this folder; where it is not ours to write, in the system's own for temporary files, as private there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=folder)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise
        return tempfile.TemporaryFile()


def _unusable(folder: Path, error: OSError) -> ReconcileError:
    return ReconcileError(
        f"a temporary file in {folder} cannot be used: {error.strerror}",
        "Nothing was written to state/. Check the permissions there and the free space, then run the same command again.",
    )
