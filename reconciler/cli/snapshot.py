"""`reconcile snapshot`: import both sides into `state/`, as far as they can be proven complete."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from reconciler.directory.port import Changes, DirectoryReader, Domain, Entry
from reconciler.errors import DeltaExpiredError, DirectoryError, Exit, StateError
from reconciler.git.repository import Repository
from reconciler.git.tree import Tree
from reconciler.graph.port import GuestSource, Round
from reconciler.model.account import Account
from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.settings import Settings
from reconciler.policy.model import Policy
from reconciler.progress import Progress
from reconciler.scratch import Scratch
from reconciler.state.model import Claim, DirectoryCursor, GraphCursor, Manifest, State
from reconciler.state.paths import GUESTS
from reconciler.state.told import Told

from .context import Context
from .joins import Anchors, Leavers, without_forgotten
from .loading import load_policy, load_settings
from .receipts import seek, told
from .remembering import remembering, working_tree


def snapshot(context: Context, only: str | None, *, full: bool) -> Exit:
    """Import one side or both. Nothing is written unless everything that was asked for was read completely."""
    from reconciler.state.store import load_or_empty, open_state, write_state

    repository = Repository.open(context.directory)
    with remembering(context) as cache, Scratch(repository.own_git_dir / "reconcile") as scratch:
        tree = working_tree(repository, cache)
        settings = load_settings(context, tree)
        policy = load_policy(tree, settings)
        old = load_or_empty(tree, full=True) if full and only is None else open_state(tree)
        now = context.ports.clock().replace(microsecond=0)
        importer = _Importer(context, settings, policy, tree, old, time(now), scratch, full=full)
        state = importer.run(only)
        changed = write_state(context.directory, old, state, context.progress())
        _report(context, old, state, changed)
    return Exit.OK


def time(at: datetime) -> str:
    """Return a time as state and plan write it: RFC 3339, UTC, seconds."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


class _Importer:
    """One import: graph first, since accounts are joined to guests; then the directory; then names outside the OUs."""

    def __init__(
        self,
        context: Context,
        settings: Settings,
        policy: Policy,
        tree: Tree,
        old: State | None,
        now: str,
        scratch: Scratch,
        *,
        full: bool,
    ) -> None:
        self._context = context
        self._settings = settings
        self._policy = policy
        self._tree = tree
        self._scratch = scratch
        self._old = old
        self._now = now
        self._full = full
        self._progress: Progress = context.progress()

    def run(self, only: str | None) -> State:
        old = self._old
        manifest = old.manifest if old else Manifest(0, self._now, None, None)
        guests: Mapping[str, Guest] = old.guests if old else {}
        accounts: Mapping[str, Account] = old.accounts if old else {}
        claims = old.claims if old else ()
        graph, directory = manifest.graph, manifest.directory
        if only != "ad":
            guests, graph = self._guests(guests, graph)
        if only != "graph":
            context = self._context
            reader = context.ports.reader(self._settings, self._policy, context.env, context.ask)
            try:
                accounts, directory = self._accounts(reader, guests, accounts, directory)
                guests, graph = without_forgotten(guests, accounts, graph)
                state = self._state(manifest, guests, accounts, claims, graph, directory)
                claims = self._claims(reader, state)
            finally:
                reader.close()
        return self._state(manifest, guests, accounts, claims, graph, directory)

    def _state(
        self,
        manifest: Manifest,
        guests: Mapping[str, Guest],
        accounts: Mapping[str, Account],
        claims: tuple[Claim, ...],
        graph: GraphCursor | None,
        directory: DirectoryCursor | None,
    ) -> State:
        times = [side.as_of for side in (graph, directory) if side is not None]
        return State(Manifest(manifest.serial + 1, min(times), graph, directory), guests, accounts, claims)

    # --- the Entra end

    def _guests(self, old: Mapping[str, Guest], cursor: GraphCursor | None) -> tuple[Mapping[str, Guest], GraphCursor]:
        from reconciler.state.importer import guest_changes
        from reconciler.state.renewal import Renewal
        from reconciler.state.shards import Changed, prefetch
        from reconciler.state.store import count_changed, shard_paths

        context, attributes = self._context, self._policy.guest_attributes
        if cursor is not None and cursor.tenant != self._settings.entra.tenant:
            raise StateError(
                f"state/ was imported from tenant {cursor.tenant}, but reconcile.yaml names {self._settings.entra.tenant}",
                "Use an operations directory of its own for each tenant.",
            )
        source = context.ports.source(self._settings, context.env, lambda words: context.say("{}", words))
        link = cursor.delta_link if cursor and not self._full and cursor.attributes == attributes else None
        found = self._round(source, attributes, link)
        wanted, now = self._policy.scope.test, self._now

        def lookup(ids: Sequence[str]) -> dict[str, Guest]:
            return source.lookup(ids, attributes)

        guests: Mapping[str, Guest]
        if cursor is None or found.full:
            # An account made since the last import is not known yet, so everybody may be joined: see without_forgotten.
            renewal = Renewal(
                old,
                self._tree,
                shard_paths(self._tree, GUESTS),
                found,
                self._scratch,
                attributes=attributes,
                wanted=wanted,
                lookup=lookup,
                as_of=now,
            )
            with self._progress.task("Sorting what was read") as task:
                guests = renewal.run(task)
            live, tombstones = renewal.live, renewal.tombstones
        else:
            prefetch(old, [*found.users, *found.removed])
            changes = guest_changes(old, found, attributes=attributes, wanted=wanted, lookup=lookup, as_of=now)
            guests = changed = Changed(old, changes)
            live, tombstones = count_changed(cursor, changed)
        tenant = self._settings.entra.tenant
        return guests, GraphCursor(tenant, now, attributes, found.delta_link, live, tombstones)

    def _round(self, source: GuestSource, attributes: Sequence[str], link: str | None) -> Round:
        words = "Reading changes from Entra" if link else "Reading all users from Entra"
        try:
            with self._progress.task(words) as task:
                return source.round(attributes, link, task.done, self._scratch)
        except DeltaExpiredError:
            if link is None:
                raise
            self._context.say("Entra no longer knows the stored delta link: reading everything.")
            with self._progress.task("Reading all users from Entra") as task:
                return source.round(attributes, None, task.done, self._scratch)

    # --- the Active Directory end

    def _accounts(
        self,
        reader: DirectoryReader,
        guests: Mapping[str, Guest],
        old: Mapping[str, Account],
        cursor: DirectoryCursor | None,
    ) -> tuple[Mapping[str, Account], DirectoryCursor]:
        from reconciler.state.importer import import_accounts
        from reconciler.state.shards import Changed, prefetch

        domain = reader.domain()
        _same_domain(domain, cursor, self._settings)
        attributes, ous = self._policy.account_attributes, self._settings.directory.ous
        read: Changes | list[Entry] | None = None
        if cursor is not None and not self._full and self._may_increment(domain, cursor):
            with self._progress.task("Reading changes from Active Directory"):
                read = reader.changes(attributes, cursor.usn)
            if read.containers:
                self._context.say("An organizational unit was changed: reading every account, for their new names.")
                read = None
            elif read.protection:
                self._context.say("Protected Users was changed: reading every account, to see who is in it.")
                read = None
            elif not read.sees_deleted:
                self._context.say(
                    "This account may not list deleted objects: reading every account, to see who is missing."
                )
                read = None
        if read is None:
            with self._progress.task(
                "Reading all accounts from Active Directory", cursor.accounts if cursor else None
            ) as task:
                read = list(reader.accounts(ous, attributes, task.done))
        anchors = Anchors(self._policy, guests)
        joined = {account.guest for account in old.values() if account.guest is not None}
        prefetch(guests, joined | anchors.shown(read.entries if isinstance(read, Changes) else read))
        before = self._old.guests if self._old else {}
        applied = told(self._context, self._settings, self._old.manifest, cursor) if self._old and cursor else Told()
        prefetch(guests, {made.guest for made in applied.made})
        accounts = import_accounts(
            old,
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
        return Changed(old, {**dict.fromkeys(old), **accounts}), new

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

    # --- names that objects outside the OUs already have

    def _claims(self, reader: DirectoryReader, state: State) -> tuple[Claim, ...]:
        from reconciler.planning.impostors import look_alikes
        from reconciler.planning.plan import make_plan
        from reconciler.planning.wanted import wanted_names

        if state.manifest.graph is None:
            return ()
        unlimited = replace(self._settings, batch=sys.maxsize)
        plan = make_plan(replace(state, claims=()), self._policy, unlimited, ())
        wanted = wanted_names(plan)
        own = {a.sid for a in state.accounts.values()}
        claims = [c for c in look_alikes(plan, reader.administrators) if c.owner not in own]
        for attribute, values in wanted.items():
            owners = reader.owners("cn" if attribute == "distinguishedName" else attribute, values)
            claims += [Claim(attribute, v, o) for v, o in owners.items() if o not in own]
        return tuple(sorted(claims, key=lambda c: (c.attribute, c.value)))


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


def _report(context: Context, old: State | None, state: State, changed: Sequence[str]) -> None:
    graph, directory = state.manifest.graph, state.manifest.directory
    before = (len(old.guests), len(old.accounts)) if old else (0, 0)
    if context.json:
        context.print_json(
            {
                "serial": state.manifest.serial,
                "as_of": state.manifest.as_of,
                "guests": graph.guests if graph else None,
                "tombstones": graph.tombstones if graph else None,
                "accounts": directory.accounts if directory else None,
                "claims": len(state.claims),
                "changed": list(changed),
            }
        )
        return
    if graph:
        removed = f", {graph.tombstones} removed but joined" if graph.tombstones else ""
        context.result(f"Guests:   {graph.guests} live{removed} (before: {before[0]})")
    if directory:
        context.result("Accounts: {} (before: {}), from {}", directory.accounts, before[1], directory.controller)
    shards = sum(p.startswith(("state/guests/", "state/accounts/")) for p in changed)
    context.result(
        "State:    serial {}, as of {}, {} files changed", state.manifest.serial, state.manifest.as_of, shards
    )
