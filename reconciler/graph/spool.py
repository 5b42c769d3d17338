"""The users of a full round, page by page, most of them out of memory until they are asked for part by part.

A user may come again on a later page, which then wins, property by property: nobody is known before the last page was read.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterator, Mapping

from reconciler.scratch import Place, Scratch

from .port import Properties

PARTS = tuple(f"{n:02x}" for n in range(256))
"""The first two digits of an id: a part of a million users is four thousand."""

_HELD = 20_000
"""Users kept in memory before they are put into the file: about 25 MB."""

Said = tuple[str, dict[str, object]]


class Spool:
    """Takes in what pages say of users, in their order."""

    def __init__(self, scratch: Scratch, held: int = _HELD) -> None:
        self._scratch = scratch
        self._most = held
        self._held: dict[str, list[Said]] = {}
        self._count = 0
        self._places: dict[str, list[Place]] = {}

    def add(self, user_id: str, properties: Mapping[str, object]) -> None:
        """Take in what a page says of one user."""
        self._held.setdefault(user_id[:2], []).append((user_id, dict(properties)))
        self._count += 1
        if self._count >= self._most:
            for part, said in self._held.items():
                self._places.setdefault(part, []).append(self._scratch.put(marshal.dumps(said)))
            self._held, self._count = {}, 0

    def part(self, part: str) -> dict[str, Properties]:
        """Return the users whose id begins so, each with everything that was said, the later word winning."""
        found: dict[str, dict[str, object]] = {}
        for place in self._places.get(part, ()):
            # Our own bytes, from a file that nobody else can open.
            _merge(found, marshal.loads(self._scratch.get(place)))  # noqa: S302
        _merge(found, self._held.get(part, []))
        return found  # type: ignore[return-value]  # marshal gives back what it was given


class Spooled(Mapping[str, Properties]):
    """What was spooled, without those who were removed. Read a part at a time; looking up one user reads a part."""

    def __init__(self, spool: Spool, removed: Mapping[str, object]) -> None:
        self._spool, self._removed = spool, removed

    def part(self, part: str) -> Mapping[str, Properties]:
        """Return the users whose id begins with this one of PARTS."""
        return {i: said for i, said in self._spool.part(part).items() if i not in self._removed}

    def __getitem__(self, user_id: str) -> Properties:
        return self.part(user_id[:2])[user_id]

    def __iter__(self) -> Iterator[str]:
        for part in PARTS:
            yield from self.part(part)

    def __len__(self) -> int:
        return sum(len(self.part(part)) for part in PARTS)


def by_part(users: Mapping[str, Properties]) -> Callable[[str], Mapping[str, Properties]]:
    """Return what gives a part of any users."""
    if isinstance(users, Spooled):
        return users.part
    parts: dict[str, dict[str, Properties]] = {}
    for user_id, said in users.items():
        parts.setdefault(user_id[:2], {})[user_id] = said
    return lambda part: parts.get(part, {})


def _merge(into: dict[str, dict[str, object]], said: list[Said]) -> None:
    for user_id, properties in said:
        known = into.get(user_id)
        if known is None:
            into[user_id] = properties
        else:
            known.update(properties)
