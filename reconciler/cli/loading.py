"""From a git tree to settings, policy, state and plan: the way every command takes."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.errors import SettingsError
from reconciler.git.tree import Tree
from reconciler.model.plan import Plan
from reconciler.model.settings import Settings
from reconciler.planning.encode import Encoded
from reconciler.policy.model import Policy
from reconciler.state.model import State

from .context import Context

INPUTS = ("policies", "state/accounts", "state/claims.yaml", "state/guests")
SETTINGS = "reconcile.yaml"


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with everything it was made from."""

    settings: Settings
    policy: Policy
    state: State
    plan: Plan
    encoded: Encoded


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


def load_policy(tree: Tree, settings: Settings) -> Policy:
    """Return the tree's policy, compiled and type-checked."""
    from reconciler.policy.load import load_policy as load

    names = [p for p, _ in tree.files("policies") if p.endswith((".yaml", ".yml"))]
    return load(list(tree.read_all(names)), settings.directory.ous)


def planning_trees(tree: Tree) -> list[tuple[str, str]]:
    """Return path and object id of everything in the tree that a plan is computed from, but the settings."""
    return [(path, oid) for path in INPUTS if (oid := tree.oid(path)) is not None]


def planned(context: Context, tree: Tree) -> Planned:
    """Compute the plan of a tree."""
    from reconciler.planning.encode import encode
    from reconciler.planning.plan import make_plan
    from reconciler.state.store import load_state

    settings = load_settings(context, tree)
    policy = load_policy(tree, settings)
    state = load_state(tree)
    plan = make_plan(state, policy, settings, planning_trees(tree))
    return Planned(settings, policy, state, plan, encode(plan))
