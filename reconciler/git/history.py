"""Where on a branch's own line of commits the operations directory last changed."""

from __future__ import annotations

from reconciler.errors import GitError

from .repository import Repository
from .trees import SCOPE


def introduced(repo: Repository, commit: str) -> str:
    """Return the commit that brought policies, settings and state to a branch as they are at `commit`, its tip.

    The first parents are the branch's own line: of a merge, that is the merge itself. Raises GitError where the history
    ends before it is known.
    """
    paths = [repo.path(name) for name in SCOPE]
    found = repo.git.run("rev-list", "-1", "--first-parent", commit, "--", *paths).text
    shallow = repo.git.run("rev-parse", "--is-shallow-repository").text == "true"
    if not found or (shallow and repo.parent(found) is None):
        raise GitError(
            "this clone does not hold the commit that the plan came with: its history is cut off",
            "Fetch the rest with `git fetch --unshallow` (in a workflow: `fetch-depth: 0`), then run the same command again.",
        )
    return found


def differing(repo: Repository, one: str, other: str) -> tuple[str, ...]:
    """Return which of policies, settings and state are not the same at two commits."""
    first, second = repo.at(one), repo.at(other)
    return tuple(name for name in SCOPE if first.oid(name) != second.oid(name))
