"""Whom an import must look at: those of whom it was told something, and those it would make something else of all the same.

What becomes of an account that is there, joined, and of which nothing was said depends on one thing alone: whether its guest has left.
An alignment knows that, since an account that is in order bears the mark of it exactly then (`account_rows`). All others, with those
that are missing, those without a guest and those in files that a person has edited, are among the ones that it says need a look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.state.paths import ACCOUNTS, GUESTS, account_path, guest_path, is_sid
from reconciler.state.shards import Changed

from .alignment import Alignment, Source
from .index import JOINED
from .joined import guest_number
from .shards import Known, Opened, Paths, account_shards, guest_shards
from .summary import COUNTED
from .suspects import Picks


class Concerned:
    """Told by the alignment of the guests as they are now with the accounts as they were. `opened` reads shards of both."""

    def __init__(
        self, alignment: Alignment, source: Source, opened: Opened, paths: Paths, known: Known | None = None
    ) -> None:
        self._alignment = alignment
        self._source = source
        known = known or Known()
        self._guests = guest_shards(paths, lambda numbers: source.of(GUESTS, numbers), opened, known)
        self._accounts = account_shards(paths, lambda numbers: source.of(ACCOUNTS, numbers), opened, known)

    def accounts(
        self, sids: Iterable[str], lost: Callable[[Account], bool], guests: Iterable[str]
    ) -> dict[str, Account]:
        """Return the accounts to import over, by SID, in the order of the whole state.

        They are those that need a look; those with one of these SIDs; and all that are joined to one of `guests`, or to the
        guest of one that is `lost`. Raises StateError for a damaged shard, LostError where what was remembered is gone.
        """
        by_path: dict[str, set[str]] = {}
        for sid in sids:
            if is_sid(sid):
                by_path.setdefault(account_path(sid), set()).add(sid)
        self._accounts.keep(self._alignment.sides[ACCOUNTS].picks, by_path)
        shared = {a.guest for a in self._accounts.kept() if a.guest is not None and lost(a)}
        self._accounts.keep(self._joined(shared.union(guests)), {})
        return {account.sid: account for account in self._accounts.kept()}

    def guests(self, ids: Iterable[str]) -> dict[str, Guest]:
        """Return those of these guests that there are, by id; nobody else in their files becomes a record."""
        by_path: dict[str, set[str]] = {}
        for id_ in ids:
            by_path.setdefault(guest_path(id_), set()).add(id_)
        self._guests.keep({}, by_path)
        return {guest.id: guest for guest in self._guests.kept()}

    def forgotten(self, accounts: Changed[Account]) -> list[str]:
        """Return the ids of removed guests to whom no account is joined; `accounts` are those after the import."""
        picks: Picks = {}
        sides = self._alignment.sides[GUESTS]
        some = {n: e for n, e in sides.picks.items() if sides.lines[n].counted < sides.lines[n].entries}
        for number, summary in self._source.of(GUESTS, some):
            if removed := {entry for entry in some[number] if not summary.flags[entry] & COUNTED}:
                picks[number] = removed
        unjoined: dict[str, set[str]] = {}
        for sid in accounts.changes:
            known = accounts.base.get(sid)
            if known is not None and known.guest is not None:
                unjoined.setdefault(guest_path(known.guest), set()).add(known.guest)
        self._guests.keep(picks, unjoined)
        gone = {guest.id for guest in self._guests.kept() if guest.removed is not None}
        self._accounts.keep(self._joined(gone), {})
        joined = {a.guest for a in self._accounts.kept() if a.sid not in accounts.changes}
        joined |= {new.guest for new in accounts.changes.values() if new is not None}
        return sorted(gone - joined)

    def _joined(self, guests: Iterable[str]) -> Picks:
        return self._alignment.find(self._source, JOINED, {guest_number(guest) for guest in guests})
