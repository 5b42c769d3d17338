"""Whether a committed plan is what its own tree yields."""

from __future__ import annotations

from reconciler import __version__
from reconciler.errors import StalePlanError
from reconciler.git.tree import Tree
from reconciler.planning.encode import consistent, stored_version

from .loading import Planned


def unedited(tree: Tree, stored: bytes, made: Planned) -> None:
    """Raise unless what people and machines read of the plan is the plan."""
    if names := edited(tree, stored, made):
        raise StalePlanError(
            f"state/{' and state/'.join(names)} is not what `reconcile plan` writes for this tree: the plan that was "
            "reviewed may be another",
            "Run `reconcile snapshot` and `reconcile propose`, and merge the new plan.",
        )


def edited(tree: Tree, stored: bytes, made: Planned) -> list[str]:
    """Return which of plan.json (`stored`) and plan.md in the tree are not its plan `made` as written.

    Another release may have worded the same plan otherwise; then only what its digests cover is compared.
    """
    from reconciler.render.plan_markdown import markdown

    if not consistent(stored):
        return ["plan.json"]
    if stored_version(stored) != __version__:
        return []
    shown = markdown(made.plan, made.encoded.digest, made.encoded.changes_digest).encode()
    return [n for n, now in (("plan.json", made.encoded.text), ("plan.md", shown)) if tree.read(f"state/{n}") != now]
