"""`reconcile check`: that what a pull request brings is valid, and that its plan is what its tree yields. No network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.errors import Exit, GuardError, StalePlanError
from reconciler.git.repository import Repository
from reconciler.git.tree import Tree
from reconciler.planning.encode import stored_digest

from .committed import unedited
from .context import Context
from .loading import INPUTS, SETTINGS, Planned, load_policy, load_settings, planned

_TOUCHABLE = ("policies", SETTINGS, "state")
_AGAIN = "Close it, or let the next `reconcile propose` replace it: it makes a plan of the branch as it is now."


def check(context: Context, base: str | None) -> Exit:
    """Check the commit that is checked out. `base`: what it is to be merged into; without state/ changed since, no plan is asked for.

    Raises what reading settings, policy and state raises; StalePlanError saying whether the plan was edited, the tree
    beside it, or the branch left behind; GuardError where a guard refuses the plan.
    """
    from reconciler.state.store import load_or_empty

    repository = Repository.open(context.directory)
    tree = repository.at("HEAD")
    policy = load_policy(tree, load_settings(context, tree))
    imported = load_or_empty(tree) is not None
    touched = _touched(tree, repository.at(base)) if base else _TOUCHABLE
    stored = tree.read("state/plan.json")
    if "state" not in touched or (stored is None and not imported):
        return _report(context, touched, policy.file, None)
    if stored is None:
        raise StalePlanError(
            "state/ is changed, but there is no state/plan.json", "Leave state/ to `reconcile propose`."
        )
    claimed = stored_digest(stored)
    made = planned(context, tree)
    if made.encoded.digest != claimed:
        _Disagreement.of(repository, tree, stored, base).explain()
    unedited(tree, stored, made)
    if made.plan.refused:
        refused = "\n".join(f"{g.action} guard: {g.message}" for g in made.plan.refused)
        raise GuardError(refused, "Merged, this plan would be refused by `reconcile apply` as well.")
    return _report(context, touched, policy.file, made)


def _touched(tree: Tree, base: Tree) -> tuple[str, ...]:
    return tuple(name for name in _TOUCHABLE if tree.oid(name) != base.oid(name))


@dataclass(frozen=True, slots=True)
class _Disagreement:
    """The plan's inputs as it names them, as the tree has them, and as the proposing branch has them by itself."""

    named: Mapping[str, object]
    here: Mapping[str, object]
    branch: Mapping[str, object]
    base: str | None

    @staticmethod
    def of(repository: Repository, tree: Tree, stored: bytes, base: str | None) -> _Disagreement:
        document = json.loads(stored)
        trees = document.get("trees")
        named = {**(trees if isinstance(trees, dict) else {}), SETTINGS: document.get("settings")}
        second = repository.git.run("rev-parse", "--verify", "--quiet", "HEAD^2^{commit}", ok=(0, 1, 128)).text
        branch = _inputs(repository.at(second)) if second else {}
        return _Disagreement(named, _inputs(tree), branch, base)

    def explain(self) -> None:
        """Raise StalePlanError."""
        names = [name for name in (*INPUTS, SETTINGS) if self.named.get(name) != self.here.get(name)]
        if not names:
            raise StalePlanError(
                "state/plan.json was edited: everything that it was computed from is here as it says, and yields another plan",
                _AGAIN,
            )
        behind = [name for name in names if self.branch.get(name) == self.named.get(name)]
        if behind == names:
            raise StalePlanError(
                f"the pull request is behind {self.base or 'its base'}, where {_list(names)} changed since: merging it "
                "would yield another plan than the one it shows",
                _AGAIN,
            )
        edited = [name for name in names if name not in behind]
        raise StalePlanError(
            f"{_list(edited)} and state/plan.json disagree: the plan was computed from another {_list(edited)}", _AGAIN
        )


def _inputs(tree: Tree) -> dict[str, object]:
    import hashlib

    settings = tree.read(SETTINGS)
    digest = None if settings is None else hashlib.sha256(settings).hexdigest()
    return {**{name: oid for name in INPUTS if (oid := tree.oid(name)) is not None}, SETTINGS: digest}


def _list(names: list[str]) -> str:
    return " and ".join(names)


def _report(context: Context, touched: tuple[str, ...], policy: str, made: Planned | None) -> Exit:
    digest = made.encoded.digest if made else None
    if context.json:
        context.print_json({"valid": True, "touched": list(touched), "digest": digest})
        return Exit.OK
    context.result("{} and {} are valid.", SETTINGS, policy)
    if digest is not None:
        context.result("The plan of the commit that is checked out is what its tree yields: {}", digest)
    elif touched:
        context.result("state/ is as before: the next import plans with what is new here.")
    return Exit.OK
