"""The import of accounts: what a controller said, over the accounts and joins known so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.directory.port import Changes, Entry
from reconciler.model.account import HALF_MADE, Account, Missing
from reconciler.model.dn import DN
from reconciler.model.values import Value

from .paths import sid_key
from .told import Seek

_FLAGS = "userAccountControl"
Find = Callable[[Sequence[str]], dict[str, Entry]]
"""Returns the objects with these GUIDs wherever in the domain they are, deleted ones too; unseen ones are absent."""


def import_accounts(
    old: Mapping[str, Account],
    read: Sequence[Entry] | Changes,
    *,
    find: Find,
    anchor_names: Callable[[Entry], str | None],
    gone_or_out: Callable[[str], bool],
    blocked: Callable[[str], bool],
    ous: Sequence[DN],
    as_of: str,
    first: bool = False,
    leavers_disabled: bool = True,
    seek: Seek | None = None,
) -> dict[str, Account]:
    """Return the accounts as they are after this read, by SID, sorted by SID as numbers.

    `read` is either everything under the OUs or the changes since the last read; after `Changes.containers` the caller
    must read in full. `anchor_names` returns the id of the guest that an entry's anchor attribute names, or None where
    that is nobody. `gone_or_out` says of a guest's id that they have left or are out of the policy's scope, `blocked`
    that by the last import this program disables their account. `as_of` becomes `departed` where that begins now.
    `first` says that these OUs are read for the first time: this program made nothing that is found there.
    `leavers_disabled` says whether the policy has the accounts of those who left disabled: else somebody else did it.
    `seek` knows what was written since `old` was imported: such an account is looked for where it is not seen, and one that
    was enabled then and is disabled now was disabled by somebody else.

    A join is set once, by the anchor, and carried over by objectSid. An account without one is kept while it is under
    the OUs; a joined one wherever it is, and as `missing` where it is not seen. A deleted account keeps
    its join while it can be brought back, since its guest may return; the join ends when its tombstone has expired and the
    guest has left, when another account that is there carries the same guest, or when another object has its SID.
    """
    enabled = seek.told.enabled if seek else frozenset[str]()
    importer = _Importer(old, anchor_names, gone_or_out, blocked, as_of, first, leavers_disabled, enabled)
    present, doubtful = _full(old, read) if not isinstance(read, Changes) else _incremental(old, read, ous)
    found = find([account.guid for account in doubtful]) if doubtful else {}
    lost: list[Account] = []
    for account in doubtful:
        entry = found.get(account.guid)
        if entry is None or entry.deleted:
            lost.append(replace(account, missing=_missing(account, entry), attributes=_kept_flags(account, entry)))
        elif account.guest is not None or _under(entry.dn, ous):
            present[account.sid] = entry
    moved, deleted = seek(old, present) if seek else ({}, [])
    present |= moved
    lost += [replace(account, missing=_missing(account, entry)) for account, entry in deleted]
    accounts = {sid: importer.seen(entry) for sid, entry in present.items()}
    carried = {account.guest for account in accounts.values()}
    for account in lost:
        if account.guest is not None and not importer.ended(account, carried):
            accounts[account.sid] = importer.unseen(account)
    return {sid: accounts[sid] for sid in sorted(accounts, key=sid_key)}


def _full(old: Mapping[str, Account], read: Iterable[Entry]) -> tuple[dict[str, Entry], list[Account]]:
    """Return what is there by SID, and the known accounts of which that does not say where they are."""
    present = {entry.sid: entry for entry in read}
    return present, [account for account in old.values() if account.sid not in present]


def _incremental(
    old: Mapping[str, Account], changes: Changes, ous: Sequence[DN]
) -> tuple[dict[str, Entry], list[Account]]:
    """Like `_full`, for changes over what was known.

    What goes out of sight without a trace (deleted, where deleted objects may not be listed) is in no increment: that
    takes a full read. A missing account is asked for each time, since nothing about it changes when it becomes visible.
    """
    shown = {entry.sid: entry for entry in changes.entries if _under(entry.dn, ous)}
    elsewhere = {entry.sid for entry in (*changes.entries, *changes.deleted)} - shown.keys()
    present: dict[str, Entry] = {}
    doubtful: list[Account] = []
    for account in old.values():
        if account.sid in elsewhere or (account.missing and account.sid not in shown):
            doubtful.append(account)
        else:
            present[account.sid] = _entry(account)
    return present | shown, doubtful


def _missing(account: Account, entry: Entry | None) -> Missing:
    """Return how an account is missing. Once it was seen deleted, not seeing it any more means its tombstone expired."""
    if entry is None:
        return "invisible" if account.missing in (None, "invisible") else "expired"
    return "expired" if entry.recycled else "deleted"


def _kept_flags(account: Account, entry: Entry | None) -> Mapping[str, Value]:
    """Return what an account had, with the flags its tombstone keeps: it may have been disabled just before."""
    flags = entry.attributes.get(_FLAGS) if entry is not None else None
    return account.attributes if flags is None else {**account.attributes, _FLAGS: flags}


def _entry(account: Account) -> Entry:
    """Return an account that did not change as a reader would show it."""
    return Entry(account.guid, account.sid, account.dn, account.attributes, account.protected)


def _under(dn: DN, ous: Sequence[DN]) -> bool:
    return any(dn.within(ou) for ou in ous)


@dataclass(frozen=True, slots=True)
class _Importer:
    """The rules for one account."""

    old: Mapping[str, Account]
    anchor_names: Callable[[Entry], str | None]
    gone_or_out: Callable[[str], bool]
    blocked: Callable[[str], bool]
    as_of: str
    first: bool
    leavers_disabled: bool
    enabled: frozenset[str]
    """SIDs of accounts that were enabled since `old` was imported."""

    def seen(self, entry: Entry) -> Account:
        """Return an account that is there, as it is now, with what is remembered about it."""
        known = self.old.get(entry.sid)
        if known is not None and known.guid != entry.guid:
            # A controller restored from an image gives SIDs a second time: this is somebody else's account.
            known = None
        guest = known.guest if known and known.guest else self.anchor_names(entry)
        now = Account(
            sid=entry.sid,
            guid=entry.guid,
            dn=entry.dn,
            attributes=entry.attributes,
            protected=entry.protected,
            guest=guest,
            departed=self._departed(guest, known),
            adopted=self._adopted(guest, known),
        )
        return replace(now, suspended=self._suspended(now, known))

    def unseen(self, account: Account) -> Account:
        """Return a joined account that is missing, as it was last seen."""
        known = self.old.get(account.sid, account)
        now = replace(account, departed=self._departed(account.guest, known))
        return replace(now, suspended=self._still(known) or self._suspended(now, known))

    def ended(self, account: Account, carried: set[str | None]) -> bool:
        """Whether a missing account's join is over: another account has the guest, or nothing can bring it back.

        One that was deleted is remembered as long as its guest may return to it.
        """
        if account.missing == "invisible" or account.guest is None:
            return False
        return account.guest in carried or (account.missing == "expired" and self.gone_or_out(account.guest))

    def _still(self, known: Account) -> bool:
        """Whether what this program had disabled was not enabled again since."""
        return known.suspended and known.sid not in self.enabled

    def _departed(self, guest: str | None, known: Account | None) -> str | None:
        if guest is None or not self.gone_or_out(guest):
            return None
        return (known.departed if known else None) or self.as_of

    def _adopted(self, guest: str | None, known: Account | None) -> bool:
        """Whether it was there before its join. One that comes back from the deleted objects begins anew.

        But not one that others had disabled when it was deleted: `planning/changes.py` brings that back disabled, and
        if this is cut short it must not be taken for a new account that is half-made, and be enabled.
        """
        if guest is None:
            return False
        if known is None:
            return self.first
        if known.missing in ("deleted", "expired"):
            half_made = known.uac == HALF_MADE and not known.adopted
            return known.disabled and not known.suspended and not half_made
        return known.adopted or known.guest is None

    def _suspended(self, now: Account, known: Account | None) -> bool:
        """Whether this program disabled it: the last import saw it enabled, and its guest blocked or gone; now it is disabled.

        Only what the last import saw can have become a plan. The guest may be back by now, and one who is blocked or gone
        only now tells nothing: then somebody else disabled it, and goes on deciding that.
        """
        if known is None or now.guest is None or not now.disabled:
            return False
        left = self.leavers_disabled and known.departed is not None
        return self._still(known) or (not known.disabled and (left or self.blocked(now.guest)))
