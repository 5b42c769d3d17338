"""A full round of guests over those known before, shard by shard: no more than a part of either is in memory at a time.

What becomes of a guest depends on that guest alone, so the guests of one shard are imported as if there were no others
(`import_guests`). Nothing is written here: the new shards wait in a private file until all is known to be complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from reconciler.errors import StateError
from reconciler.git.tree import Tree
from reconciler.graph.port import Properties, Round
from reconciler.graph.spool import PARTS, by_part
from reconciler.model.guest import Guest
from reconciler.progress import Task
from reconciler.scratch import Scratch

from .forms import GUEST_FORM
from .guest_text import guests_text
from .import_guests import Lookup, check_whole, import_guests, unseen_guests
from .kept import KeptFiles
from .paths import GUESTS, RESTORE, guest_path
from .shards import Renewed, Shards

_NOBODY: Mapping[str, Guest] = {}


class Renewal:
    """One full round over `old`, whose shards lie at `before` in `tree`. `scratch` must stay open while the result is used."""

    def __init__(
        self,
        old: Mapping[str, Guest],
        tree: Tree,
        before: Sequence[str],
        found: Round,
        scratch: Scratch,
        *,
        attributes: Sequence[str],
        wanted: Callable[[Guest], bool],
        lookup: Lookup,
        as_of: str,
    ) -> None:
        self._old, self._tree, self._before, self._round = old, tree, before, found
        self._scratch = scratch
        self._attributes, self._wanted, self._lookup, self._as_of = attributes, wanted, lookup, as_of
        self._files = KeptFiles(scratch)
        self._counts: dict[str, int] = {}
        self.live = self.tombstones = 0
        """How many guests there are after `run`, and how many of those who are removed are kept."""

    def run(self, task: Task) -> Renewed[Guest]:
        """Return the guests as they are after the round; `task` is told how many were looked at.

        Raises GraphError when the round turns out to be incomplete, StateError where what was known is damaged, or not as
        many as the manifest says.
        """
        later: dict[str, list[str]] = {}
        for path, old, data, users in self._shards(PARTS):
            round_ = self._said(users)
            unsure = unseen_guests(old, round_, joined=old.keys())
            if unsure:
                later[path] = unsure
            else:
                self._settle(path, old, data, round_, lambda _ids: {})
            task.done(self.live)
        if later:
            answers = self._lookup(sorted(i for some in later.values() for i in some))
            folders = sorted({_part(path) for path in later})
            for path, old, data, users in self._shards(folders):
                if path in later:
                    self._settle(path, old, data, self._said(users), lambda _ids: answers)
            task.done(self.live)
        return Renewed(
            self._tree, self._before, self._files, self._counts, GUEST_FORM, count=self.live + self.tombstones
        )

    def _shards(
        self, parts: Sequence[str]
    ) -> Iterator[tuple[str, Mapping[str, Guest], bytes | None, Mapping[str, Properties]]]:
        """Yield every shard of these parts that has, had or may get guests: path, guests before, bytes before, users now."""
        known, users_of = self._known(), by_part(self._round.users)
        count = 0
        for part in parts:
            users: dict[str, dict[str, Properties]] = {}
            for user_id, said in users_of(part).items():
                users.setdefault(guest_path(user_id), {})[user_id] = said
            old = known(part)
            for path in sorted(users.keys() | old.keys()):
                guests, data = old.get(path, (_NOBODY, None))
                count += len(guests)
                yield path, guests, data, users.get(path, {})
        if isinstance(self._old, Shards) and len(parts) == len(PARTS) and count != len(self._old):
            raise StateError(
                f"{GUESTS}: the manifest says {len(self._old)} guests, removed ones included, and there are {count}",
                RESTORE,
            )

    def _known(self) -> Callable[[str], Mapping[str, tuple[Mapping[str, Guest], bytes | None]]]:
        old = self._old
        paths: dict[str, list[str]] = {}
        for path in self._before:
            paths.setdefault(_part(path), []).append(path)
        if isinstance(old, Shards):
            return lambda part: {path: (held, data) for path, data, held in old.opened(paths.get(part, []))}
        records: dict[str, dict[str, dict[str, Guest]]] = {}
        for guest in old.values():
            records.setdefault(guest.id[:2], {}).setdefault(guest_path(guest.id), {})[guest.id] = guest
        stored = self._tree

        def loaded(part: str) -> dict[str, tuple[Mapping[str, Guest], bytes | None]]:
            present = dict(stored.read_all(paths.get(part, [])))
            held = records.get(part, {})
            return {path: (held.get(path, _NOBODY), present.get(path)) for path in held.keys() | present.keys()}

        return loaded

    def _said(self, users: Mapping[str, Properties]) -> Round:
        return Round(True, self._round.delta_link, users, self._round.removed)

    def _settle(self, path: str, old: Mapping[str, Guest], before: bytes | None, found: Round, lookup: Lookup) -> None:
        guests = import_guests(
            old,
            found,
            attributes=self._attributes,
            wanted=self._wanted,
            lookup=lookup,
            joined=old.keys(),
            as_of=self._as_of,
        )
        check_whole(guests.values(), self._attributes)
        removed = sum(guest.removed is not None for guest in guests.values())
        self.live += len(guests) - removed
        self.tombstones += removed
        data = guests_text(guests.values()) if guests else None
        if data != before:
            self._files.keep(path, data)
            if data is not None:
                self._counts[path] = len(guests)


def _part(path: str) -> str:
    """`state/guests/7c/7c9.yaml` is in part 7c."""
    return path.split("/")[2]
