"""A tree's plan at the cost of what changed; by the whole state wherever anything is out of the ordinary."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from reconciler.errors import NotImportedError, StateError
from reconciler.graph.attributes import NEVER_NULL
from reconciler.incremental.aligning import Aligned, align
from reconciler.incremental.cache import Cache
from reconciler.incremental.hashes import Hasher
from reconciler.incremental.index import LostError
from reconciler.incremental.reduce import Reduced
from reconciler.incremental.shards import Known, Paths
from reconciler.incremental.summaries import Summaries
from reconciler.incremental.summing import summings
from reconciler.incremental.work import Recipe
from reconciler.model.plan import Plan
from reconciler.planning.plan import make_plan
from reconciler.policy.model import Policy
from reconciler.progress import Task
from reconciler.state.model import Manifest, State
from reconciler.state.paths import ACCOUNTS, GUESTS
from reconciler.state.store import load_claims, load_manifest, load_state, shard_oids

from .context import Context
from .inputs import Inputs, digest, this_program

_LONG = 512
"""From so many shards to be read on, it takes long enough to say so."""


def make(
    context: Context, inputs: Inputs, policy: Policy, cache: Cache, before: Laid | None = None
) -> tuple[Plan, State]:
    """Return the plan, and the part of the state that it is about. `before` as for `lay`.

    Raises StateError as planning from the whole state would: where anything is amiss, that is what happens.
    """
    try:
        try:
            return _from_what_changed(context, inputs, policy, cache, before)
        except LostError:  # what was found to be remembered was gone when it was asked for
            return _from_what_changed(context, inputs, policy, cache, None, anew=True)
    except NotImportedError:
        raise
    except (StateError, struct.error, ValueError):
        # Either the state is damaged, and the whole way says how, or what was remembered of it is.
        if cache.usable:
            return make(context, inputs, policy, Cache(None))
    state = load_state(inputs.tree)
    return make_plan(state, policy, inputs.settings, inputs.trees), state


def _from_what_changed(
    context: Context, inputs: Inputs, policy: Policy, cache: Cache, before: Laid | None, *, anew: bool = False
) -> tuple[Plan, State]:
    tree, settings = inputs.tree, inputs.settings
    manifest = load_manifest(tree)
    laid = lay(context, inputs, policy, cache, *_now_and_size(manifest), before=before, anew=anew)
    reduced = Reduced(
        manifest,
        load_claims(tree),
        laid.aligned.alignment,
        laid.summaries,
        tree.read_all,
        laid.paths,
        policy,
        settings,
        laid.hasher,
        known=laid.known,
    )
    _check(reduced, manifest)
    state = reduced.state
    return make_plan(state, policy, settings, inputs.trees, reduced), state


@dataclass(frozen=True, slots=True)
class Laid:
    """Both sides of a tree, laid against each other."""

    aligned: Aligned
    summaries: Summaries
    paths: Paths
    hasher: Hasher
    known: Known


def lay(
    context: Context,
    inputs: Inputs,
    policy: Policy,
    cache: Cache,
    now: int,
    entries: int,
    *,
    before: Laid | None = None,
    passing: bool = False,
    anew: bool = False,
) -> Laid:
    """Lay both sides of a tree against each other, by what is remembered of another one. `now` and so on: see `align`.

    `before` was laid by the same policy, OUs and cache, and is used up.
    """
    tree = inputs.tree
    shards = {**shard_oids(tree, GUESTS), **shard_oids(tree, ACCOUNTS)}
    hasher = Hasher(cache.key) if before is None else before.hasher
    if before is None:
        ous = inputs.settings.directory.ous
        names = tuple(ou.text for ou in ous)
        summaries = Summaries(
            Recipe(inputs.files, names, cache.key),
            summings(policy, ous, hasher),
            tree,
            shards,
            cache,
            digest([this_program(), names, [(path, data.hex()) for path, data in inputs.files]]),
            lambda count: _announced(context, count),
        )
    else:
        summaries = before.summaries.of_another(tree, shards)
    known = before.aligned if before else None
    aligned = align(summaries, cache, summaries.context, now, entries, hasher, before=known, passing=passing, anew=anew)
    return Laid(aligned, summaries, shards, hasher, before.known if before else Known())


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
