"""One import: Graph first, since accounts are joined to guests; then the directory; then names outside the OUs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from reconciler.errors import DeltaExpiredError, StateError
from reconciler.git.tree import Tree
from reconciler.graph.port import GuestSource, Round
from reconciler.incremental.cache import Cache
from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.model.settings import Settings
from reconciler.policy.model import Policy
from reconciler.progress import Progress
from reconciler.scratch import Scratch
from reconciler.state.forms import ACCOUNT_FORM, GUEST_FORM
from reconciler.state.kept import renewed
from reconciler.state.model import Claim, DirectoryCursor, GraphCursor, Manifest, State
from reconciler.state.paths import ACCOUNTS, GUESTS
from reconciler.state.shards import Changed, Form, Shards, prefetch
from reconciler.state.store import count_changed, shard_paths

from .claiming import claims_of
from .context import Context
from .importing_accounts import Accounts
from .joins import without_forgotten

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Base:
    """What an import begins from: a tree and the state in it, what is remembered of it, and room for what is not written yet."""

    tree: Tree
    old: State | None
    cache: Cache
    scratch: Scratch
    counted: int = 0
    """The serial of the last import that is committed: an older state, or none, goes on from there."""


class Importer:
    """One import by this policy, at this time (RFC 3339). `full` reads everything, whatever the cursors say."""

    def __init__(
        self, context: Context, settings: Settings, policy: Policy, base: Base, now: str, *, full: bool
    ) -> None:
        self._context = context
        self._settings = settings
        self._policy = policy
        self._base = base
        self._old = base.old
        self._now = now
        self._full = full
        self._progress: Progress = context.progress()

    def run(self, only: str | None) -> State:
        """Import one side (`graph` or `ad`), or both (None), and return the new state. Nothing is written."""
        old = self._old
        manifest = old.manifest if old else Manifest(0, self._now, None, None)
        guests: Mapping[str, Guest] = old.guests if old else {}
        accounts: Mapping[str, Account] = old.accounts if old else {}
        claims = old.claims if old else ()
        graph, directory = manifest.graph, manifest.directory
        if only != "ad":
            guests, graph = self._guests(guests, graph)
        if only != "graph":
            context, settings, policy = self._context, self._settings, self._policy
            reader = context.ports.reader(settings, policy, context.env, context.ask)
            try:
                side = Accounts(context, settings, policy, self._base, self._now, reader, full=self._full)
                found, directory = side.imported(guests, accounts, directory)
                guests, graph = without_forgotten(guests, found, graph, side.concerned)
                guests, accounts = self._laid(guests, GUEST_FORM, GUESTS), self._laid(found, ACCOUNT_FORM, ACCOUNTS)
                state = self._state(manifest, guests, accounts, claims, graph, directory)
                claims = claims_of(context, settings, policy, self._base, reader, state, side.laid)
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
        serial = max(manifest.serial, self._base.counted) + 1
        return State(Manifest(serial, min(times), graph, directory), guests, accounts, claims)

    def _laid(self, side: Mapping[str, Record], form: Form[Record], folder: str) -> Mapping[str, Record]:
        """Return a side as shards, so that a plan can be made of it."""
        if isinstance(side, Shards) or (isinstance(side, Changed) and isinstance(side.base, Shards)):
            return side
        tree = self._base.tree
        return renewed(side, tree, shard_paths(tree, folder), form, self._base.scratch)

    # --- the Entra end

    def _guests(self, old: Mapping[str, Guest], cursor: GraphCursor | None) -> tuple[Mapping[str, Guest], GraphCursor]:
        from reconciler.state.importer import check_whole, guest_changes
        from reconciler.state.renewal import Renewal

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
                self._base.tree,
                shard_paths(self._base.tree, GUESTS),
                found,
                self._base.scratch,
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
            check_whole(changes.values(), attributes)
            guests = changed = Changed(old, changes)
            live, tombstones = count_changed(cursor, changed)
        tenant = self._settings.entra.tenant
        return guests, GraphCursor(tenant, now, attributes, found.delta_link, live, tombstones)

    def _round(self, source: GuestSource, attributes: Sequence[str], link: str | None) -> Round:
        words = "Reading changes from Entra" if link else "Reading all users from Entra"
        try:
            with self._progress.task(words) as task:
                return source.round(attributes, link, task.done, self._base.scratch)
        except DeltaExpiredError:
            if link is None:
                raise
            self._context.say("Entra no longer knows the stored delta link: reading everything.")
            with self._progress.task("Reading all users from Entra") as task:
                return source.round(attributes, None, task.done, self._base.scratch)
