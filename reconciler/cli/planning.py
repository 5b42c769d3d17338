"""A tree's plan at the cost of what changed; by the whole state wherever anything is out of the ordinary."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from reconciler.errors import NotImportedError, StateError
from reconciler.graph.attributes import NEVER_NULL
from reconciler.incremental.aligning import align
from reconciler.incremental.alignment import Alignment
from reconciler.incremental.cache import Cache
from reconciler.incremental.hashes import Hasher
from reconciler.incremental.index import LostError
from reconciler.incremental.reduce import Reduced
from reconciler.incremental.summaries import Summaries
from reconciler.incremental.summing import summings
from reconciler.incremental.work import Recipe
from reconciler.model.plan import Plan
from reconciler.planning.plan import make_plan
from reconciler.policy.model import Policy
from reconciler.progress import Task
from reconciler.state.model import Manifest, State
from reconciler.state.paths import ACCOUNTS, GUESTS
from reconciler.state.store import load_claims, load_manifest, load_state, shard_paths

from .context import Context
from .inputs import Inputs, digest, this_program

_LONG = 512
"""From so many shards to be read on, it takes long enough to say so."""


def make(context: Context, inputs: Inputs, policy: Policy, cache: Cache) -> tuple[Plan, State]:
    """Return the plan, and the part of the state that it is about.

    Raises StateError as planning from the whole state would: where anything is amiss, that is what happens.
    """
    try:
        try:
            return _from_what_changed(context, inputs, policy, cache)
        except LostError:  # what was found to be remembered was gone when it was asked for
            return _from_what_changed(context, inputs, policy, cache, anew=True)
    except NotImportedError:
        raise
    except (StateError, struct.error, ValueError):
        # Either the state is damaged, and the whole way says how, or what was remembered of it is.
        if cache.usable:
            return make(context, inputs, policy, Cache(None))
    state = load_state(inputs.tree)
    return make_plan(state, policy, inputs.settings, inputs.trees), state


def _from_what_changed(
    context: Context, inputs: Inputs, policy: Policy, cache: Cache, *, anew: bool = False
) -> tuple[Plan, State]:
    tree, settings = inputs.tree, inputs.settings
    manifest = load_manifest(tree)
    laid = lay(context, inputs, policy, cache, *_now_and_size(manifest), anew=anew)
    reduced = Reduced(
        manifest,
        load_claims(tree),
        laid.alignment,
        laid.summaries,
        tree.read_all,
        laid.paths,
        policy,
        settings,
        laid.hasher,
    )
    _check(reduced, manifest)
    state = reduced.state
    return make_plan(state, policy, settings, inputs.trees, reduced), state


@dataclass(frozen=True, slots=True)
class Laid:
    """Both sides of a tree, laid against each other."""

    alignment: Alignment
    summaries: Summaries
    paths: Collection[str]
    hasher: Hasher


def lay(
    context: Context, inputs: Inputs, policy: Policy, cache: Cache, now: int, entries: int, *, anew: bool = False
) -> Laid:
    """Lay both sides of a tree against each other, by what is remembered of another one. `now` and so on: see `align`."""
    tree, settings = inputs.tree, inputs.settings
    guest_paths, account_paths = shard_paths(tree, GUESTS), shard_paths(tree, ACCOUNTS)
    oids = {path: oid for folder in (GUESTS, ACCOUNTS) for path, oid in tree.files(folder)}
    ous = tuple(ou.text for ou in settings.directory.ous)
    made_by = digest([this_program(), ous, [(path, data.hex()) for path, data in inputs.files]])
    shards = {path: oids[path] for path in (*guest_paths, *account_paths)}
    hasher = Hasher(cache.key)
    summaries = Summaries(
        Recipe(inputs.files, ous, cache.key),
        summings(policy, settings.directory.ous, hasher),
        tree,
        shards,
        cache,
        made_by,
        lambda count: _announced(context, count),
    )
    return Laid(align(summaries, cache, made_by, now, entries, hasher, anew=anew), summaries, shards, hasher)


def _now_and_size(manifest: Manifest) -> tuple[int, int]:
    """Return the as-of time in seconds, and about how many entries there are on the greater side."""
    graph, directory = manifest.graph, manifest.directory
    guests = graph.guests + graph.tombstones if graph else 0
    return int(datetime.fromisoformat(manifest.as_of).timestamp()), max(guests, directory.accounts if directory else 0)


def _check(reduced: Reduced, manifest: Manifest) -> None:
    graph, directory = manifest.graph, manifest.directory
    expected = (graph.guests, graph.tombstones) if graph else (0, 0)
    if (reduced.live, reduced.tombstones, reduced.accounts) != (*expected, directory.accounts if directory else 0):
        raise StateError("the manifest counts otherwise")
    if graph and reduced.lacks(NEVER_NULL.intersection(graph.attributes)):
        raise StateError("a guest lacks what every user has")


class _Quiet:
    def done(self, count: int) -> None:
        """Ignore."""


@contextmanager
def _announced(context: Context, count: int) -> Iterator[Task]:
    """Show progress where it takes long: showing it costs, too."""
    if count < _LONG:
        yield _Quiet()
        return
    with context.progress().task("Reading state", count) as task:
        yield task
