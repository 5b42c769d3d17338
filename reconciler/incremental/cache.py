"""What is remembered between runs, in SQLite: summaries of shards, what came of laying them side by side, files' object ids,
and whole plans.

Never a source of truth. Everything is kept under hashes of all that it was computed from, this very program among them, and
carries a checksum under a key of the cache's own. What does not fit, cannot be read or cannot be written is as if it were not
there: the caller computes it. Deleting the file at any time costs time alone. Several runs may use it at once.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from .hashes import KEY_SIZE

Result = TypeVar("Result")

PLANS, FILES = "plans", "files"
_SHARDS, _ALIGNED, _BUCKETS = "shards", "aligned", "buckets"
_FORMAT: Final = 2
_CHECK: Final = 16
_PATIENCE: Final = 2.0
"""Seconds to wait for another run that is writing."""
_SOME: Final = 512
"""So many rows more than are needed are no reason to tidy up."""
_DAMAGED: Final = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What a damaged file raises: SQLite names what is damaged, and the name may be no text any more."""
_KEPT: Final = {PLANS: 16, FILES: 1, _ALIGNED: 3}
"""How many of the newest values are kept."""


class Cache:
    """One cache, or none (`file` None). No method raises; `trouble` says in a few words what went wrong, once it has."""

    def __init__(self, file: Path | None, randomness: Callable[[int], bytes] = os.urandom) -> None:
        self.trouble = ""
        self.key = randomness(KEY_SIZE)
        self._db: sqlite3.Connection | None = None
        self._file = file
        if file is not None:
            self._open(file)

    @property
    def usable(self) -> bool:
        """Whether what is kept is remembered."""
        return self._db is not None

    def close(self) -> None:
        """Let go of the file."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def summaries(self, context: bytes, oids: Iterable[str]) -> dict[str, bytes]:
        """Return the summaries of these shards that were made in this context, by what they are kept under, as far as they are there."""
        keys = {_row(context, oid): oid for oid in oids}
        return {keys[key]: data for key, data in self._found(_SHARDS, keys).items()}

    def keep(self, context: bytes, summaries: Mapping[str, bytes]) -> None:
        """Keep summaries, each under some bytes in hex: those of its shard's object id, and where it lies."""
        self._insert({_SHARDS: [(_row(context, oid), data) for oid, data in summaries.items()]})

    def prune(self, context: bytes, count: int, oids: Callable[[], Iterable[str]]) -> None:
        """Forget the summaries of other shards than these, so many, once they are the greater part."""

        def prune(db: sqlite3.Connection) -> None:
            if db.execute("SELECT count(*) FROM shards").fetchone()[0] <= 2 * count + _SOME:
                return
            current = {_row(context, oid) for oid in oids()}
            stale = [row for row in db.execute("SELECT key FROM shards") if row[0] not in current]
            db.executemany("DELETE FROM shards WHERE key = ?", stale)

        self._try(prune, None)

    def aligned(self, context: bytes) -> bytes | None:
        """Return what was kept of the last alignment in this context."""
        return self._found(_ALIGNED, [context]).get(context)

    def buckets(self, context: bytes, numbers: Sequence[int]) -> dict[int, bytes]:
        """Return parts of the index, as far as they are there. The caller knows what they must be."""

        def rows(db: sqlite3.Connection) -> dict[int, bytes]:
            found: dict[int, bytes] = {}
            for number in numbers:
                row = db.execute("SELECT data FROM buckets WHERE key = ?", (_bucket(context, number),)).fetchone()
                if row is not None and isinstance(row[0], bytes):
                    found[number] = row[0]
            return found

        none: dict[int, bytes] = {}
        return self._try(rows, none)

    def keep_aligned(self, context: bytes, before: bytes | None, after: bytes, buckets: Mapping[int, bytes]) -> None:
        """Keep an alignment, and what it changed of the index since `before`; None: all of it is given.

        Where another run has kept another one in the meantime, that one stays.
        """
        row = self._check(_ALIGNED, context, after) + after
        known = None if before is None else self._check(_ALIGNED, context, before) + before

        def keep(db: sqlite3.Connection) -> None:
            db.execute("BEGIN IMMEDIATE")
            found = db.execute("SELECT data FROM aligned WHERE key = ?", (context,)).fetchone()
            if known is None or (found is not None and found[0] == known):
                db.execute("INSERT OR REPLACE INTO aligned VALUES (?, ?)", (context, row))
                rows = ((_bucket(context, number), data) for number, data in buckets.items())
                db.executemany("INSERT OR REPLACE INTO buckets VALUES (?, ?)", rows)
            if known is None:
                self._newest(db, _ALIGNED)
                db.execute("DELETE FROM buckets WHERE substr(key, 1, 16) NOT IN (SELECT key FROM aligned)")
            db.execute("COMMIT")

        self._try(keep, None)

    def one(self, table: str, key: bytes) -> bytes | None:
        """Return a value of PLANS or FILES."""
        return self._found(table, [key]).get(key)

    def keep_one(self, table: str, key: bytes, value: bytes) -> None:
        """Keep a value of PLANS (the last few) or FILES (one)."""
        self._insert({table: [(key, value)]})
        self._try(lambda db: self._newest(db, table), None)

    def _newest(self, db: sqlite3.Connection, table: str) -> None:
        newest = f"SELECT rowid FROM {table} ORDER BY rowid DESC LIMIT {_KEPT[table]}"  # noqa: S608  the table is one of ours
        db.execute(f"DELETE FROM {table} WHERE rowid NOT IN ({newest})")  # noqa: S608

    def _open(self, file: Path) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if file.exists() and hasattr(os, "getuid") and file.stat().st_uid != os.getuid():
                self.trouble = f"{file} belongs to another user"
                return
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            self.trouble = f"{file} cannot be used: {error.strerror}"
            return
        try:
            self._start(file)
        except _DAMAGED as error:
            self.close()
            if "locked" in str(error):
                return
            self._afresh(file, error)

    def _afresh(self, file: Path, error: Exception) -> None:
        """Take a file that is no cache, or a damaged one, away, and begin a new one."""
        try:
            self._remove()
            self._start(file)
        except (OSError, sqlite3.Error, UnicodeDecodeError):
            self.close()
            self.trouble = f"{file} cannot be used: {error}"

    def _remove(self) -> None:
        file = self._file
        if file is not None:
            for name in (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")):
                name.unlink(missing_ok=True)

    def _start(self, file: Path) -> None:
        db = sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None)
        self._db = db
        db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-4096;")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, _FORMAT):
            raise sqlite3.DatabaseError("of another version")
        for table in (_SHARDS, _ALIGNED, _BUCKETS, PLANS, FILES):
            db.execute(f"CREATE TABLE IF NOT EXISTS {table} (key BLOB PRIMARY KEY, data BLOB NOT NULL)")
        db.execute("CREATE TABLE IF NOT EXISTS secret (key BLOB NOT NULL)")
        if not version:
            db.execute(f"PRAGMA user_version={_FORMAT}")
        db.execute("INSERT INTO secret SELECT ? WHERE NOT EXISTS (SELECT * FROM secret)", (self.key,))
        key = db.execute("SELECT key FROM secret").fetchone()[0]
        if not isinstance(key, bytes) or len(key) != KEY_SIZE:
            raise sqlite3.DatabaseError("damaged")
        self.key = key

    def _found(self, table: str, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        query = f"SELECT data FROM {table} WHERE key = ?"  # noqa: S608  the table is one of ours

        def rows(db: sqlite3.Connection) -> dict[bytes, bytes]:
            found: dict[bytes, bytes] = {}
            if db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is None:  # noqa: S608
                return found
            for key in keys:
                row = db.execute(query, (key,)).fetchone()
                data = None if row is None else row[0]
                if isinstance(data, bytes) and self._check(table, key, data[_CHECK:]) == data[:_CHECK]:
                    found[key] = data[_CHECK:]
            return found

        none: dict[bytes, bytes] = {}
        return self._try(rows, none)

    def _insert(self, rows: Mapping[str, Sequence[tuple[bytes, bytes]]]) -> None:
        def insert(db: sqlite3.Connection) -> None:
            db.execute("BEGIN IMMEDIATE")
            for table, some in rows.items():
                checked = ((key, self._check(table, key, data) + data) for key, data in some)
                db.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", checked)  # noqa: S608
            db.execute("COMMIT")

        self._try(insert, None)

    def _check(self, table: str, key: bytes, data: bytes) -> bytes:
        state = hashlib.blake2b(table.encode() + b"\0" + key, digest_size=_CHECK, key=self.key)
        state.update(data)
        return state.digest()

    def _try(self, act: Callable[[sqlite3.Connection], Result], otherwise: Result) -> Result:
        """Do something with the file. Where that fails, there is no cache from now on; another run's turn is no failure."""
        if self._db is None:
            return otherwise
        try:
            return act(self._db)
        except (sqlite3.Error, UnicodeDecodeError, TypeError) as error:
            if self._db.in_transaction:
                self._quietly("ROLLBACK")
            if "locked" not in str(error):
                self.trouble = f"the cache cannot be used: {error}"
                self.close()
                if type(error) in _DAMAGED:  # damaged: the next run begins a new one
                    with suppress(OSError):
                        self._remove()
            return otherwise

    def _quietly(self, statement: str) -> None:
        try:
            if self._db is not None:
                self._db.execute(statement)
        except _DAMAGED:
            self.close()


def _row(context: bytes, oid: str) -> bytes:
    return hashlib.blake2b(context + bytes.fromhex(oid), digest_size=16).digest()


def _bucket(context: bytes, number: int) -> bytes:
    return context + number.to_bytes(2, "little")
