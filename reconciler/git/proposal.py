"""Puts `state/` on the plan branch of the remote, and back in the work tree as it was committed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.errors import GitError, PushRefusedError

from .repository import Repository
from .run import readable
from .tree import Tree

BRANCH = "reconcile/plan"
_REVIEWED = ("policies", "reconcile.yaml")
_FOLDER = "040000"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What stands on the plan branch now. `base` is the protected branch's tip it is built on."""

    commit: str
    base: str
    branch: str
    pushed: bool
    """False when the remote's branch was already exactly this."""
    previous: str | None
    """Where the remote's plan branch stood before."""
    changed: bool
    """Whether `state/` differs from the tip's at all."""


def plan_branch(repo: Repository) -> str:
    """Return this operations directory's fixed branch: `reconcile/plan`, or `reconcile/plan-<slug>` below the root."""
    return repo.named(BRANCH)


def propose(
    repo: Repository,
    tree: Tree,
    *,
    remote: str,
    branch: str,
    message: str,
    as_of: datetime,
    check: Callable[[Tree], None] = lambda _tip: None,
) -> Proposal:
    """Commit `tree`'s `state/` on top of the remote's protected `branch` and push that to the plan branch.

    The commit is dated `as_of` (the manifest's, with a time zone), so equal content on an equal tip is an equal commit.
    `check` is given the tip's tree and may refuse by raising. HEAD, index, branches and files stay as they are.
    Raises GitError when the tip's policies or settings are not those of `tree`: merging would yield another plan.
    """
    made = _compose(repo, tree, remote, branch, message, as_of, check)
    name = plan_branch(repo)
    ref = f"refs/heads/{name}"
    previous = repo.fetch_ref(remote, ref)
    if previous and _shape(repo, previous) == [made.top, made.base]:
        return Proposal(previous, made.base, name, pushed=False, previous=previous, changed=made.changed)
    if not repo.push_ref(remote, ref, made.commit, previous):
        raise GitError(
            f"somebody else pushed {name} at the same time",
            "Run `reconcile propose` again, once the other run is through.",
        )
    return Proposal(made.commit, made.base, name, pushed=True, previous=previous, changed=made.changed)


def commit_state(
    repo: Repository,
    tree: Tree,
    *,
    remote: str,
    branch: str,
    message: str,
    as_of: datetime,
    check: Callable[[Tree], None] = lambda _tip: None,
) -> str | None:
    """Commit `tree`'s `state/` to the remote's protected `branch` itself; None where its rules do not let us.

    Otherwise as `propose`.
    """
    made = _compose(repo, tree, remote, branch, message, as_of, check)
    try:
        pushed = repo.push_ref(remote, f"refs/heads/{branch}", made.commit, made.base)
    except PushRefusedError:
        return None
    if not pushed:
        raise GitError(f"{readable(branch)} moved at the same time", "Run `reconcile propose` again.")
    return made.commit


def withdraw(repo: Repository, remote: str, commit: str) -> bool:
    """Delete the plan branch from the remote, if it is still at `commit`."""
    return repo.push_ref(remote, f"refs/heads/{plan_branch(repo)}", None, commit)


@dataclass(frozen=True, slots=True)
class _Composed:
    commit: str
    base: str
    top: str
    changed: bool


def _compose(
    repo: Repository,
    tree: Tree,
    remote: str,
    branch: str,
    message: str,
    as_of: datetime,
    check: Callable[[Tree], None],
) -> _Composed:
    """Write the commit that puts `tree`'s `state/` on top of the remote's branch as it is now."""
    state = tree.oid("state")
    if state is None:
        raise GitError("there is no state/ to propose", "Run `reconcile snapshot` and `reconcile plan` first.")
    base = repo.fetch(remote, branch)
    tip = repo.at(base)
    differing = [name for name in _REVIEWED if tip.oid(name) != tree.oid(name)]
    if differing:
        where = readable(f"{remote}/{branch}")
        what = f"{' and '.join(differing)} here and on {where} differ: merging would yield another plan"
        raise GitError(
            what,
            f"Bring the checkout to the tip of {readable(branch)} (git pull; git push what is yours), then plan again.",
        )
    check(tip)
    top = _graft(repo, f"{base}^{{tree}}", repo.path("state").split("/"), state)
    commit = repo.commit_tree(top, (base,), message, int(as_of.timestamp()))
    return _Composed(commit, base, top, tip.oid("state") != state)


def restore_state(repo: Repository) -> None:
    """Put `state/` of the operations directory back exactly as HEAD has it; what HEAD has not is removed.

    Its entries in the index become HEAD's too. Nothing outside `state/` changes, and symbolic links are not followed:
    one in the place of `state/` is itself replaced. Raises GitError.
    """
    repo.needs_work_tree()
    path = repo.path("state")
    commit = repo.head()
    committed = bool(commit and repo.git.run("ls-tree", "-z", "--full-tree", commit, "--", path).out)
    if committed:
        repo.git.run("restore", "--source=HEAD", "--staged", "--worktree", "--ignore-skip-worktree-bits", "--", path)
    else:
        repo.git.run("rm", "-r", "-q", "-f", "--cached", "--ignore-unmatch", "--", path)
    repo.git.run("clean", "-f", "-f", "-d", "-x", "-q", "--", path)


def _graft(repo: Repository, tree: str, path: Sequence[str], content: str) -> str:
    """Return the id of `tree` with the folder at `path` replaced by the tree `content`, the rest as it is."""
    name, *rest = path
    listed = repo.git.run("ls-tree", "-z", "--full-tree", tree).out.split(b"\0")[:-1]
    entries = {name: described for described, _, name in (line.partition(b"\t") for line in listed)}
    key = os.fsencode(name)
    below = entries.get(key, b"").decode("ascii").split(" ")
    if rest and below[0] == _FOLDER:
        content = _graft(repo, below[2], rest, content)
    elif rest:
        content = _graft(repo, repo.git.run("mktree").text, rest, content)
    entries[key] = f"{_FOLDER} tree {content}".encode("ascii")
    lines = b"".join(described + b"\t" + entry + b"\0" for entry, described in entries.items())
    return repo.git.run("mktree", "-z", "--missing", stdin=lines).text


def _shape(repo: Repository, commit: str) -> list[str]:
    """Return the commit's tree and parents. Plumbing: `git show` would do as somebody's configuration says."""
    return repo.git.run("rev-parse", f"{commit}^{{tree}}", f"{commit}^@").text.split()
