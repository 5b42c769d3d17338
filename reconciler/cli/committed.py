"""Whether a committed plan is what its own tree yields."""

from __future__ import annotations

from reconciler import __version__
from reconciler.errors import StalePlanError
from reconciler.git.tree import Tree
from reconciler.planning.encode import stored_version

from .loading import Planned


def unedited(tree: Tree, stored: bytes, made: Planned) -> None:
    """Raise unless what people and machines read of the plan is the plan; another release may have worded it otherwise."""
    from reconciler.render.plan_markdown import markdown

    if stored_version(stored) != __version__:
        return
    shown = markdown(made.plan, made.encoded.digest, made.encoded.changes_digest).encode()
    edited = [n for n, now in (("plan.json", made.encoded.text), ("plan.md", shown)) if tree.read(f"state/{n}") != now]
    if edited:
        raise StalePlanError(
            f"state/{' and state/'.join(edited)} is not what `reconcile plan` writes for this tree: the plan that was "
            "reviewed may be another",
            "Run `reconcile snapshot` and `reconcile propose`, and merge the new plan.",
        )
