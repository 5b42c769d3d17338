"""`reconcile snapshot`: import both sides into `state/`, as far as they can be proven complete."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from reconciler.errors import Exit, StateError
from reconciler.git.repository import Repository
from reconciler.scratch import Scratch
from reconciler.state.model import State

from .context import Context
from .importing import Base, Importer
from .loading import load_policy, load_settings
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
        base = Base(tree, old, cache, scratch, _counted(repository))
        state = Importer(context, settings, policy, base, time(now), full=full).run(only)
        changed = write_state(context.directory, old, state, context.progress())
        _report(context, old, state, changed)
    return Exit.OK


def _counted(repository: Repository) -> int:
    """Return the serial of the import that HEAD has; 0 where it has none that this release can read."""
    from reconciler.state.store import last_import

    if not repository.head():
        return 0
    with suppress(StateError):
        committed = last_import(repository.at("HEAD"))
        return committed.serial if committed else 0
    return 0


def time(at: datetime) -> str:
    """Return a time as state and plan write it: RFC 3339, UTC, seconds."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


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
