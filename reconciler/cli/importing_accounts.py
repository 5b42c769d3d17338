"""The Active Directory end of an import: what is read, and what is asked about it."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.directory.port import Changes, DirectoryReader, Domain, Entry
from reconciler.errors import DirectoryError, StateError
from reconciler.incremental.index import AMISS
from reconciler.model.account import Account
from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.settings import Settings
from reconciler.policy.model import Policy
from reconciler.progress import Progress
from reconciler.state.model import DirectoryCursor
from reconciler.state.shards import Changed, prefetch
from reconciler.state.told import Told

from .concerning import concerned
from .context import Context
from .joins import Anchors, Leavers
from .receipts import seek, told

if TYPE_CHECKING:
    from reconciler.incremental.concerned import Concerned

    from .importing import Base
    from .planning import Laid


class Accounts:
    """The accounts of one domain, imported over those of `old`."""

    def __init__(
        self,
        context: Context,
        settings: Settings,
        policy: Policy,
        base: Base,
        now: str,
        reader: DirectoryReader,
        *,
        full: bool,
    ) -> None:
        self._context = context
        self._settings = settings
        self._policy = policy
        self._base = base
        self._old = base.old
        self._now = now
        self._reader = reader
        self._full = full
        self._progress: Progress = context.progress()
        self.concerned: Concerned | None = None
        """Who knows whom this import had to look at; None where it looked at everybody."""
        self.laid: Laid | None = None
        """What that was told by."""

    def imported(
        self, guests: Mapping[str, Guest], old: Mapping[str, Account], cursor: DirectoryCursor | None
    ) -> tuple[Changed[Account], DirectoryCursor]:
        """Return the accounts and how far they were read. `guests` are those to join them to, as they are now."""
        from reconciler.state.importer import import_accounts

        reader = self._reader
        domain = reader.domain()
        _same_domain(domain, cursor, self._settings)
        attributes, ous = self._policy.account_attributes, self._settings.directory.ous
        read = self._read(domain, cursor)
        before = self._old.guests if self._old else {}
        applied = told(self._context, self._settings, self._old.manifest, cursor) if self._old and cursor else Told()
        made = {one.guest for one in applied.made}
        known = self._looked_at(guests, old, read, applied, made) if isinstance(read, Changes) else old
        joined = {account.guest for account in known.values() if account.guest is not None}
        shown = Anchors(self._policy, {}).shown(read.entries if isinstance(read, Changes) else read)
        guests = self._at_hand(guests, joined | shown | made)
        anchors = Anchors(self._policy, guests)
        found = import_accounts(
            known,
            read,
            find=lambda guids: reader.find(guids, attributes),
            anchor_names=anchors.names,
            gone_or_out=Leavers(self._policy, guests).gone,
            blocked=lambda i: i in before and self._disabled_for(before[i], Leavers(self._policy, before)),
            ous=ous,
            as_of=self._now,
            first=cursor is None or {DN(ou) for ou in cursor.ous} != set(ous),
            leavers_disabled=self._policy.lifecycle.left_disable,
            seek=seek(self._context, reader, self._policy, guests, anchors, applied, cursor, domain),
        )
        changes = {sid: found.get(sid) for sid in known.keys() | found.keys() if known.get(sid) != found.get(sid)}
        prefetch(old, changes)
        accounts = Changed(old, changes)
        new = DirectoryCursor(
            as_of=self._now,
            controller=domain.controller,
            domain=domain.dn,
            domain_sid=domain.sid,
            service_name=domain.service_name,
            invocation_id=domain.invocation_id,
            usn=domain.usn,
            ous=tuple(o.text for o in ous),
            attributes=attributes,
            accounts=len(accounts),
        )
        return accounts, new

    def _read(self, domain: Domain, cursor: DirectoryCursor | None) -> Changes | list[Entry]:
        """Return what changed since the cursor; all accounts where there is none, or changes alone would not tell."""
        reader, attributes = self._reader, self._policy.account_attributes
        if cursor is not None and not self._full and self._may_increment(domain, cursor):
            with self._progress.task("Reading changes from Active Directory") as task:
                changes = reader.changes(attributes, cursor.usn)
                task.done(len(changes.entries) + len(changes.deleted))
            if changes.containers:
                self._context.say("An organizational unit was changed: reading every account, for their new names.")
            elif changes.protection:
                self._context.say("Protected Users was changed: reading every account, to see who is in it.")
            elif not changes.sees_deleted:
                self._context.say(
                    "This account may not list deleted objects: reading every account, to see who is missing."
                )
            else:
                return changes
        words, known = "Reading all accounts from Active Directory", cursor.accounts if cursor else None
        with self._progress.task(words, known) as task:
            return list(reader.accounts(self._settings.directory.ous, attributes, task.done))

    def _at_hand(self, guests: Mapping[str, Guest], ids: set[str]) -> Mapping[str, Guest]:
        """Return the guests, with these at hand: each of them looked at alone would cost its whole file."""
        if self.concerned is not None:
            with suppress(*AMISS):
                return ChainMap(self.concerned.guests(ids), guests)  # type: ignore[arg-type]  # only read
        prefetch(guests, ids)
        return guests

    def _looked_at(
        self,
        guests: Mapping[str, Guest],
        old: Mapping[str, Account],
        read: Changes,
        applied: Told,
        made: set[str],
    ) -> Mapping[str, Account]:
        """Return those of the known accounts that the import has to look at: what it makes of all others is what they are."""
        said = {entry.sid for entry in (*read.entries, *read.deleted)}
        sids = said.union(applied.enabled, (one.sid for one in applied.made))
        told_by = concerned(self._context, self._settings, self._policy, self._base, guests, old, self._now)
        if told_by is None:
            return old
        teller, laid = told_by
        try:
            known = teller.accounts(sids, lambda a: a.missing is not None or a.sid in said, made)
        except AMISS:
            return old  # and whoever reads all of them says what is amiss
        self.concerned, self.laid = teller, laid
        return known

    def _disabled_for(self, guest: Guest, leavers: Leavers) -> bool:
        """Whether the policy has this guest's account disabled, since they may not sign in or have left."""
        lifecycle = self._policy.lifecycle
        if leavers.gone(guest.id):
            return lifecycle.left_disable
        return lifecycle.blocked_disable and not guest.enabled

    def _may_increment(self, domain: Domain, cursor: DirectoryCursor) -> bool:
        if (domain.service_name, domain.invocation_id) != (cursor.service_name, cursor.invocation_id):
            self._context.say("Another controller, or a restored one: reading every account.")
            return False
        if domain.usn < cursor.usn:
            raise DirectoryError(
                f"{domain.controller} is at USN {domain.usn}, but state/ was read from it at USN {cursor.usn}: its database went back "
                "in time without a new invocationId (restored from an image?)",
                "Nothing was written. Check the controller (repadmin /showutdvec, event 2095); when you trust it, run "
                "`reconcile snapshot --full`.",
            )
        ous = tuple(o.text for o in self._settings.directory.ous)
        return cursor.attributes == self._policy.account_attributes and cursor.ous == ous


def _same_domain(domain: Domain, cursor: DirectoryCursor | None, settings: Settings) -> None:
    if cursor is not None and domain.sid != cursor.domain_sid:
        raise StateError(
            f"{domain.controller} serves domain {domain.dn} ({domain.sid}), but state/ was imported from {cursor.domain} "
            f"({cursor.domain_sid})",
            "Check directory.controllers in reconcile.yaml; use an operations directory of its own for each domain.",
        )
    if not settings.directory.base.within(DN(domain.dn)):
        raise StateError(
            f"directory.base {settings.directory.base} is not in the domain {domain.dn} that {domain.controller} serves",
            "Correct directory.base or directory.controllers in reconcile.yaml.",
        )
