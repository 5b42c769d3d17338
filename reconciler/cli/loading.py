"""From a git tree to settings, policy, state and plan: the way every command takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.errors import SettingsError
from reconciler.git.tree import Tree
from reconciler.model.plan import Plan
from reconciler.model.settings import Settings
from reconciler.policy.model import Policy
from reconciler.state.model import Manifest, State

from .context import Context

if TYPE_CHECKING:
    from reconciler.incremental.cache import Cache
    from reconciler.planning.encode import Encoded

INPUTS = ("policies", "state/accounts", "state/claims.yaml", "state/guests")
SETTINGS = "reconcile.yaml"


@dataclass(frozen=True)
class Planned:
    """A plan with everything it was made from; what is not asked for is not loaded."""

    settings: Settings
    plan: Plan
    encoded: Encoded
    tree: Tree = field(repr=False)

    @cached_property
    def policy(self) -> Policy:
        """The tree's policy."""
        return load_policy(self.tree, self.settings)

    @cached_property
    def subjects(self) -> State:
        """All that the plan is about of the tree's state: the guests and accounts that something happens to, and a few more."""
        return self.state

    @cached_property
    def state(self) -> State:
        """All of the tree's state."""
        from reconciler.state.store import load_state

        return load_state(self.tree)

    @cached_property
    def manifest(self) -> Manifest:
        """The tree's manifest."""
        from reconciler.state.store import load_manifest

        return load_manifest(self.tree)


def load_settings(context: Context, tree: Tree) -> Settings:
    """Return the tree's settings, checked against RECONCILE_SETTINGS_SHA256 where that is set."""
    from reconciler.config.settings import load_settings as load

    data = tree.read(SETTINGS)
    if data is None:
        raise SettingsError(
            f"{context.directory.resolve()} has no reconcile.yaml",
            "Run reconcile in an operations directory, name it with -C DIR, or make one with `reconcile init DIR`.",
        )
    return load(data, SETTINGS, str(context.directory), context.env)


def policy_files(tree: Tree) -> list[tuple[str, bytes]]:
    """Return the files that the tree's policy may be in: path and bytes."""
    return list(tree.read_all([p for p, _ in tree.files("policies") if p.endswith((".yaml", ".yml"))]))


def load_policy(tree: Tree, settings: Settings) -> Policy:
    """Return the tree's policy, compiled and type-checked."""
    from reconciler.policy.load import load_policy as load

    return load(policy_files(tree), settings.directory.ous)


def planning_trees(tree: Tree) -> list[tuple[str, str]]:
    """Return path and object id of everything in the tree that a plan is computed from, but the settings."""
    return [(path, oid) for path in INPUTS if (oid := tree.oid(path)) is not None]


def planned(context: Context, tree: Tree, cache: Cache | None = None) -> Planned:
    """Compute the plan of a tree. `cache` is what may be remembered of earlier ones; without one nothing is."""
    from reconciler.incremental.cache import PLANS, Cache
    from reconciler.incremental.remembered import pack, unpack
    from reconciler.planning.encode import encode

    from .inputs import Inputs

    settings = load_settings(context, tree)
    inputs = Inputs(tree, settings, tuple(policy_files(tree)), planning_trees(tree))
    cache = cache or Cache(None)
    kept = cache.one(PLANS, inputs.digest)
    plan = unpack(kept) if kept is not None else None
    if plan is not None:
        return Planned(settings, plan, encode(plan), tree)
    from reconciler.policy.load import load_policy as load

    from .planning import make

    policy = load(inputs.files, settings.directory.ous)
    plan, subjects = make(context, inputs, policy, cache)
    if (packed := pack(plan)) is not None:
        cache.keep_one(PLANS, inputs.digest, packed)
    made = Planned(settings, plan, encode(plan), tree)
    made.__dict__.update(policy=policy, subjects=subjects)
    return made
