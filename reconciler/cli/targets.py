"""`reconcile targets`: the operations directories of one repository, for a CI matrix."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from reconciler.errors import Exit, GitError, ReconcileError
from reconciler.git import notes
from reconciler.git.proposal import plan_branch
from reconciler.git.repository import Repository
from reconciler.git.tree import Tree

from .context import Context
from .loading import SETTINGS, load_settings

_BESIDE = ("policies", "state")
"""What makes a folder with a reconcile.yaml an operations directory, and not an example or a template."""


@dataclass(frozen=True, slots=True)
class Target:
    """One operations directory. Every name but `directory` holds letters, digits, hyphens and slashes alone."""

    directory: str
    """From the repository's top; "." is the top itself."""
    name: str
    """Tells it apart in names of jobs, artifacts and concurrency groups; of the top, `root`."""
    branch: str
    """The plan branch."""
    plan: str
    """The environment of the jobs that read."""
    apply: str
    """The environment of the job that writes."""


def targets(context: Context, *, pending: bool) -> Exit:
    """Print them. With `pending`, only those whose committed plan has changes and no receipt on the remote."""
    repository = Repository.open(context.directory)
    found = find(repository)
    if pending:
        found = [(where, target) for where, target in found if _pending(context, where)]
    if context.json:
        context.print_json({"targets": [asdict(target) for _, target in found]})
    for _, target in found:
        context.result("{}  {}", target.directory, target.branch)
    if not found and not context.json:
        context.say("No operations directory {}.", "has a plan that waits to be applied" if pending else "is committed")
    return Exit.OK


def find(repository: Repository) -> list[tuple[Repository, Target]]:
    """Return every operations directory that HEAD holds, by path, each with the repository seen from it. Raises GitError."""
    if repository.head() is None:
        return []
    listed = repository.git.run("ls-tree", "-r", "-t", "-z", "--full-tree", "--name-only", "HEAD").out.split(b"\0")
    paths = set(listed)
    prefixes = [path.removesuffix(SETTINGS.encode()) for path in listed if path.split(b"/")[-1] == SETTINGS.encode()]
    inside = [prefix for prefix in prefixes if any(prefix + name.encode() in paths for name in _BESIDE)]
    found = [_target(replace(repository, prefix=_text(prefix).rstrip("/"))) for prefix in sorted(inside)]
    _apart([target for _, target in found])
    return found


def _apart(found: list[Target]) -> None:
    """Raise where two would share environments, lock and branch: a name can be chosen so, for another's credentials."""
    first: dict[str, str] = {}
    for target in found:
        other = first.setdefault(target.name.casefold(), target.directory)
        if other != target.directory:
            raise GitError(
                f"the operations directories {other!r} and {target.directory!r} would both be called {target.name}",
                "Rename the one that is new. Names do not fall together by chance: ask whoever chose it.",
            )


def _text(path: bytes) -> str:
    shown = os.fsdecode(path)
    if not shown.isprintable():
        raise GitError(
            f"an operations directory has a name with unprintable characters: {path!r}",
            "Rename it: its name becomes part of names of branches and jobs.",
        )
    return shown


def _target(repository: Repository) -> tuple[Repository, Target]:
    suffix = f"-{repository.slug}" if repository.prefix else ""
    return repository, Target(
        directory=repository.prefix or ".",
        name=repository.slug or "root",
        branch=plan_branch(repository),
        plan=f"plan{suffix}",
        apply=f"ad-apply{suffix}",
    )


def _pending(context: Context, repository: Repository) -> bool:
    """Whether there is something to apply; also where that cannot be told, since the job then says why."""
    tree = repository.at("HEAD")
    try:
        stored: object = json.loads(tree.read("state/plan.json") or b"{}")
        if not isinstance(stored, Mapping) or not stored.get("changes"):
            return not isinstance(stored, Mapping)
        digest = stored.get("digest")
        return not isinstance(digest, str) or digest not in _applied(context, repository, tree)
    except (ValueError, RecursionError, ReconcileError):
        return True


def _applied(context: Context, repository: Repository, tree: Tree) -> set[str]:
    here = replace(context, directory=repository.root / repository.prefix, env={})
    remote = load_settings(here, tree).forge.remote
    return {digest for _, digest, _ in notes.all_receipts(repository, remote)}
