"""The tenant's users and the log of what changed about them, behind one lock."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Literal

from .answers import Clock, Json

Properties = Mapping[str, Json]
RESTORABLE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class User:
    """One user as they are now. `properties` is a copy by Graph's names, without `id`, nulls left out."""

    id: str
    properties: Properties
    deleted: datetime | None = None
    """When they were soft-deleted; None while they are live."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one user since a point of the log: what changed, cleared properties as None.

    One that is new or was restored comes with everything that is set.
    """

    id: str
    properties: Properties = field(default_factory=dict)
    removed: Literal["changed", "deleted"] | None = None


@dataclass(slots=True)
class _Entry:
    id: str
    properties: dict[str, Json]
    whole_at: int
    changed_at: dict[str, int] = field(default_factory=dict)
    deleted: datetime | None = None
    purged: bool = False


class Store:
    """Users by id. Every write appends the user's id to the log; a point is a length of that log.

    Unknown ids raise KeyError; a write that makes no sense (a second live user of one name) ValueError.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._entries: dict[str, _Entry] = {}
        self._log: list[str] = []
        self._names: dict[str, str] = {}
        self._deleted: dict[str, datetime] = {}  # in order of deletion

    def add(self, user_id: str, properties: Properties) -> None:
        """Add a live user."""
        with self._lock:
            if user_id in self._entries:
                raise ValueError(f"there already is a user {user_id}")
            self._claim(str(properties["userPrincipalName"]), user_id)
            kept: dict[str, Json] = {k: v for k, v in properties.items() if v is not None and k != "id"}
            self._log.append(user_id)
            self._entries[user_id] = _Entry(user_id, kept, whole_at=len(self._log))

    def update(self, user_id: str, properties: Properties) -> None:
        """Set properties of a live user; None clears one. What does not change anything leaves no trace."""
        with self._lock:
            entry = self._live(user_id)
            changes = {k: v for k, v in properties.items() if entry.properties.get(k) != v}
            if not changes:
                return
            if "userPrincipalName" in changes:
                self._rename(entry, changes["userPrincipalName"])
            self._log.append(user_id)
            for name, value in changes.items():
                entry.changed_at[name] = len(self._log)
                if value is None:
                    entry.properties.pop(name)
                else:
                    entry.properties[name] = value

    def soft_delete(self, user_id: str) -> None:
        """Move a live user to the deleted items."""
        with self._lock:
            entry = self._live(user_id)
            entry.deleted = self._clock()
            self._deleted[user_id] = entry.deleted
            del self._names[str(entry.properties["userPrincipalName"]).casefold()]
            self._log.append(user_id)

    def restore(self, user_id: str) -> None:
        """Bring a soft-deleted user back, id and properties unchanged."""
        with self._lock:
            entry = self._restorable(user_id)
            self._claim(str(entry.properties["userPrincipalName"]), user_id)
            entry.deleted = None
            del self._deleted[user_id]
            self._log.append(user_id)
            entry.whole_at = len(self._log)

    def purge(self, user_id: str) -> None:
        """Delete a user for good, soft-deleted before or not."""
        with self._lock:
            if user_id not in self._deleted:
                self.soft_delete(user_id)
            entry = self._restorable(user_id)
            del self._deleted[user_id]
            entry.purged = True
            self._log.append(user_id)

    def get(self, user_id: str) -> User:
        """Return a live or soft-deleted user."""
        with self._lock:
            self._age()
            entry = self._entries[user_id]
            if entry.purged:
                raise KeyError(user_id)
            return User(entry.id, dict(entry.properties), entry.deleted)

    def find(self, id_or_name: str) -> User | None:
        """Return the live user of that id or userPrincipalName."""
        with self._lock:
            entry = self._entries.get(self._names.get(id_or_name.casefold(), id_or_name.lower()))
            live = entry is not None and not entry.purged and entry.deleted is None
            return User(entry.id, dict(entry.properties)) if entry is not None and live else None

    def find_deleted(self, user_id: str) -> User | None:
        """Return the soft-deleted user of that id."""
        with self._lock:
            self._age()
            entry = self._entries.get(user_id.lower())
            if entry is None or entry.id not in self._deleted:
                return None
            return User(entry.id, dict(entry.properties), entry.deleted)

    def live(self) -> tuple[str, ...]:
        """Return the ids of all live users, in no particular order."""
        with self._lock:
            return tuple(e.id for e in self._entries.values() if e.deleted is None)

    def deleted(self) -> tuple[str, ...]:
        """Return the ids of all soft-deleted users."""
        with self._lock:
            self._age()
            return tuple(self._deleted)

    @property
    def point(self) -> int:
        """The log's length now."""
        with self._lock:
            self._age()
            return len(self._log)

    def touched(self, since: int) -> tuple[str, ...]:
        """Return the ids in the log after `since`, each once, in order of the last change."""
        with self._lock:
            return tuple(reversed(dict.fromkeys(reversed(self._log[since:]))))

    def change(self, user_id: str, since: int | None, tracked: Iterable[str] | None) -> Change | None:
        """Return what to tell of a user; None when nothing tracked changed. `since` None asks for the whole user."""
        with self._lock:
            entry = self._entries[user_id]
            if entry.deleted is not None:
                return Change(user_id, removed="deleted" if entry.purged else "changed")
            names = list(entry.properties.keys() | entry.changed_at.keys() if tracked is None else tracked)
            held = {n: entry.properties[n] for n in names if n in entry.properties}
            if since is None:
                return Change(user_id, held)
            changed = {n: entry.properties.get(n) for n in names if entry.changed_at.get(n, 0) > since}
            if entry.whole_at > since:
                return Change(user_id, {**held, **changed})
            return Change(user_id, changed) if changed else None

    def _live(self, user_id: str) -> _Entry:
        entry = self._entries[user_id]
        if entry.deleted is not None:
            raise KeyError(user_id)
        return entry

    def _restorable(self, user_id: str) -> _Entry:
        self._age()
        if user_id not in self._deleted:
            raise KeyError(user_id)
        return self._entries[user_id]

    def _claim(self, name: str, user_id: str) -> None:
        if self._names.get(name.casefold(), user_id) != user_id:
            raise ValueError(f"another user has the userPrincipalName {name}")
        self._names[name.casefold()] = user_id

    def _rename(self, entry: _Entry, name: Json) -> None:
        if not isinstance(name, str) or not name:
            raise ValueError("a user always has a userPrincipalName")
        self._claim(name, entry.id)
        before = str(entry.properties["userPrincipalName"]).casefold()
        if before != name.casefold():
            del self._names[before]

    def _age(self) -> None:
        limit = self._clock() - RESTORABLE
        for user_id in list(takewhile(lambda u: self._deleted[u] < limit, self._deleted)):
            del self._deleted[user_id]
            self._entries[user_id].purged = True
            self._log.append(user_id)
