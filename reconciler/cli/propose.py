"""`reconcile propose`: the plan of the working tree becomes the one pull request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.errors import Exit, ForgeError, GitError, ReconcileError
from reconciler.forge.open import open_forge
from reconciler.forge.port import Forge, Instruction, Published
from reconciler.git.proposal import plan_branch, restore_state
from reconciler.git.proposal import propose as commit_and_push
from reconciler.git.repository import Repository
from reconciler.git.tree import Tree
from reconciler.model.plan import Plan

from .context import Context
from .loading import SETTINGS, Planned, planned
from .plan import WRITTEN, verdict, write

_KEEP_LINK = timedelta(days=5)
"""An import is proposed by itself when the committed one is older: delta links live seven days."""


def propose(context: Context) -> Exit:
    """Plan, commit state and plan to the fixed branch, publish, and put `state/` back as it was committed."""
    repository = Repository.open(context.directory)
    made = planned(context, repository.work_tree())
    with _put_back_on_failure(context):
        return _propose(context, repository, made)


def _propose(context: Context, repository: Repository, made: Planned) -> Exit:
    write(context, made)
    tree = repository.work_tree()
    forge = made.settings.forge
    tip = repository.at(repository.fetch(forge.remote, forge.branch))
    if (reason := _nothing_to_do(made, tip)) is not None:
        restore_state(repository)
        _say(context, made, reason, None, None)
        return verdict(made.plan, detailed=False)
    if _still_good(repository, made, tip):
        restore_state(repository)
        _say(
            context,
            made,
            f"{plan_branch(repository)} already proposes exactly these changes: left as it is.",
            None,
            None,
        )
        return verdict(made.plan, detailed=False)
    title = _title(made.plan)
    review = open_forge(made.settings, context.env)
    proposal = commit_and_push(
        repository,
        tree,
        remote=forge.remote,
        branch=forge.branch,
        message=_message(made, title),
        as_of=datetime.fromisoformat(made.plan.origin.as_of),
        check=lambda now: _check_serial(made, now),
    )
    try:
        published = _publish(review, made, proposal.branch, proposal.commit, title)
    except ForgeError:
        # A branch without its pull request would pass for a proposal the next time, and be left as it is.
        if proposal.pushed:
            with suppress(GitError):
                repository.push_ref(forge.remote, f"refs/heads/{proposal.branch}", proposal.previous, proposal.commit)
        raise
    restore_state(repository)
    _say(context, made, published.text, published.url, proposal.commit)
    return verdict(made.plan, detailed=False)


@contextmanager
def _put_back_on_failure(context: Context) -> Iterator[None]:
    """Leave the plan's files as they were when nothing could be proposed."""
    from reconciler.state.files import Files

    files = Files(context.directory)
    before = {path: files.read(path) for path in WRITTEN}
    try:
        yield
    except ReconcileError:
        for path, data in before.items():
            if data is None:
                files.remove(path)
            else:
                files.replace(path, data)
        raise


@dataclass(frozen=True, slots=True)
class _Published:
    text: str
    url: str | None


def _publish(review: Forge, made: Planned, branch: str, commit: str, title: str) -> _Published:
    from reconciler.render.plan_markdown import markdown

    body = markdown(made.plan, made.encoded.digest, made.encoded.changes_digest)
    answer = review.publish(
        Published(branch=branch, base=made.settings.forge.branch, commit=commit, title=title, body=body)
    )
    if isinstance(answer, Instruction):
        return _Published(answer.text, None)
    words = "Opened" if answer.created else "Updated"
    return _Published(f"{words} pull request {answer.number}: {answer.url}", answer.url)


def _nothing_to_do(made: Planned, tip: Tree) -> str | None:
    """Why no pull request is needed, or None."""
    if made.plan.changes or made.plan.held or _conflicts(made.plan) - _conflicts_at(tip):
        return None
    committed = _as_of(tip)
    if committed is None:
        return None
    age = datetime.fromisoformat(made.plan.origin.as_of) - committed
    if age >= _KEEP_LINK:
        return None
    return "No changes: nothing to propose. The import rides with the next plan."


def _still_good(repository: Repository, made: Planned, tip: Tree) -> bool:
    """Whether the plan branch proposes the same changes, on the same tree, with more than half of its lifetime left."""
    name = plan_branch(repository)
    commit = repository.fetch_ref(made.settings.forge.remote, f"refs/heads/{name}")
    if commit is None:
        return False
    parent = repository.parent(commit)
    if parent is None:  # the end of a shallow clone: it is part of what has been merged
        return False
    proposed, before = repository.at(commit), repository.at(parent)
    stored = _stored(proposed)
    if stored.get("changes_digest") != made.encoded.changes_digest or _conflicts_at(proposed) != _conflicts(made.plan):
        return False
    if any(before.oid(path) != tip.oid(path) for path in (SETTINGS, "policies", "state")):
        return False
    try:
        left = datetime.fromisoformat(str(stored.get("expires"))) - datetime.fromisoformat(made.plan.origin.as_of)
    except (ValueError, TypeError):
        return False  # damaged: it is replaced
    return left > made.settings.lifetime / 2


def _check_serial(made: Planned, tip: Tree) -> None:
    from reconciler.state.store import load_or_empty

    committed = load_or_empty(tip)
    if committed is not None and committed.manifest.serial >= made.state.manifest.serial:
        raise GitError(
            f"the protected branch holds import {committed.manifest.serial} already, this working tree import "
            f"{made.state.manifest.serial}",
            "Pull, run `reconcile snapshot` and propose again.",
        )


def _stored(tree: Tree) -> dict[str, object]:
    try:
        document = json.loads(tree.read("state/plan.json") or b"{}")
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _conflicts(plan: Plan) -> set[tuple[str, str]]:
    return {(c.subject, c.kind) for c in plan.conflicts}


def _conflicts_at(tree: Tree) -> set[tuple[str, str]]:
    listed = _stored(tree).get("conflicts")
    found = listed if isinstance(listed, list) else []
    return {(str(c.get("subject")), str(c.get("kind"))) for c in found if isinstance(c, dict)}


def _as_of(tip: Tree) -> datetime | None:
    from reconciler.state.store import load_or_empty

    state = load_or_empty(tip)
    return datetime.fromisoformat(state.manifest.as_of) if state else None


def _title(plan: Plan) -> str:
    from reconciler.model.plan import by_action

    counts = ", ".join(f"{len(group)} {action}" for action, group in by_action(plan.changes).items())
    refused = "REFUSED by a guard: " if plan.refused else ""
    return f"reconcile: {refused}{counts or 'import only, no changes'}"


def _message(made: Planned, title: str) -> str:
    origin = made.plan.origin
    return (
        f"{title}\n\nImport {origin.serial}, as of {origin.as_of}; expires {origin.expires}.\n\n"
        f"Plan-Digest: {made.encoded.digest}\nChanges-Digest: {made.encoded.changes_digest}\n"
    )


def _say(context: Context, made: Planned, text: str, url: str | None, commit: str | None) -> None:
    if context.json:
        context.print_json(
            {
                "proposed": commit is not None,
                "commit": commit,
                "url": url,
                "digest": made.encoded.digest,
                "changes_digest": made.encoded.changes_digest,
                "refused": bool(made.plan.refused),
                "message": text,
            }
        )
        return
    for line in text.splitlines():
        indent = " " * (len(line) - len(line.lstrip(" ")))
        context.result(indent + "{}", line.lstrip(" "))
    for guard in made.plan.refused:
        context.say("Refused by the {} guard: {}", guard.action, guard.message)
