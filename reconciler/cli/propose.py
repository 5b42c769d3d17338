"""`reconcile propose`: the plan of the working tree becomes the one pull request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from reconciler.errors import Exit, ForgeError, GitError, ReconcileError, StateError
from reconciler.forge.port import LABELS, Forge, Instruction, Published
from reconciler.git.proposal import commit_state, plan_branch, restore_state, withdraw
from reconciler.git.proposal import propose as commit_and_push
from reconciler.git.repository import Repository
from reconciler.git.tree import Tree
from reconciler.model.plan import Plan

from .committed import edited
from .context import Context
from .loading import Planned, planned
from .pending import Pending
from .plan import WRITTEN, verdict, write
from .remembering import remembering, working_tree

_REPLACED = (
    "Nothing is left to do: what this plan would have changed is as it should be. Closed by `reconcile propose`."
)


@dataclass(frozen=True, slots=True)
class _Done:
    """What came of it, in words; `commit` is what was pushed, `url` the pull request's."""

    text: str
    commit: str | None = None
    url: str | None = None


def propose(context: Context) -> Exit:
    """Plan, commit state and plan to the fixed branch, publish, and put `state/` back as it was committed."""
    repository = Repository.open(context.directory)
    with remembering(context) as cache:
        made = planned(context, working_tree(repository, cache), cache)
    with _put_back_on_failure(context):
        write(context, made)
        asked = made.settings.forge
        done = _decided(Pending(context, repository, made, repository.fetch(asked.remote, asked.branch)))
        restore_state(repository)
    _say(context, made, done)
    return verdict(made.plan, detailed=False)


def _decided(pending: Pending) -> _Done:
    """Do what there is to do; mostly nothing."""
    if not (news := pending.news()) and not pending.due():
        return _withdrawn(pending) or _Done("No changes: nothing to propose. The import rides with the next plan.")
    if going_on := _going_on(pending):
        return going_on
    if not news and (commit := _committed(pending)):
        _withdrawn(pending)
        return _Done(f"No changes, and the committed import was old: committed this one as {commit}.", commit)
    if pull := pending.rejected():
        words = "proposed just this and was closed without merging: not proposed again until it differs. Reopen it"
        return _Done(f"Pull request {pull.number} ({pull.url}) {words} to change your mind.", url=pull.url)
    if pending.unchanged() and pending.stands():
        words = f"{plan_branch(pending.repository)} already proposes exactly these changes: left as it is."
        return _Done(f"{words}{_retold(pending)}", url=pending.open.url if pending.open else None)
    return _published(pending)


def _going_on(pending: Pending) -> _Done | None:
    """Say so where the merged plan is being applied, or is about to be and does just this."""
    if who := pending.applying():
        return _Done(f"Nothing is proposed while the merged plan is being applied: locked by {who}.")
    if merged := pending.waiting():
        words = (
            "is merged, does just this and waits to be applied: nothing is proposed. `reconcile apply` carries it out"
        )
        return _Done(f"Plan {merged.encoded.digest} {words}.")
    return None


def _withdrawn(pending: Pending) -> _Done | None:
    """Take back what is proposed, if anything is: merged now, it would do nothing, or undo what happened since."""
    if not pending.commit or not pending.stands():
        return None
    pull = pending.open
    if pull:
        pending.forge.withdraw(pull.number, _REPLACED)
    withdraw(pending.repository, pending.made.settings.forge.remote, pending.commit)
    number = f" and closed pull request {pull.number}" if pull else ""
    return _Done(f"No changes: took back what was proposed{number}. The import rides with the next plan.")


def _committed(pending: Pending) -> str | None:
    """Commit the import to the protected branch, where its rules let us."""
    made, repository = pending.made, pending.repository
    asked = made.settings.forge
    return commit_state(
        repository,
        _stored(repository, made),
        remote=asked.remote,
        branch=asked.branch,
        message=_message(made, _title(made.plan)),
        as_of=datetime.fromisoformat(made.plan.origin.as_of),
        check=lambda now: _check_serial(made, now),
    )


def _stored(repository: Repository, made: Planned) -> Tree:
    """Return the working tree as git stores it. Raises GitError where that would not be the plan that was written."""
    tree = repository.work_tree()
    if names := edited(tree, tree.read("state/plan.json") or b"", made):
        files = " and ".join(f"state/{name}" for name in names)
        raise GitError(
            f"git would store something else in {files} than was written: an attribute of its path says so, or somebody wrote to it",
            "See `git check-attr --all state/plan.json state/plan.md`: no filter, ident or encoding may change what is in state/.",
        )
    return tree


def _published(pending: Pending) -> _Done:
    """Push the plan branch, and open its pull request or bring that up to date: both, or neither."""
    made, repository = pending.made, pending.repository
    asked = made.settings.forge
    title = _title(made.plan)
    proposal = commit_and_push(
        repository,
        _stored(repository, made),
        remote=asked.remote,
        branch=asked.branch,
        message=_message(made, title),
        as_of=datetime.fromisoformat(made.plan.origin.as_of),
        check=lambda now: _check_serial(made, now),
    )
    try:
        answer = pending.forge.publish(_text(made, proposal.branch, proposal.commit, title))
    except ForgeError:
        # A branch without its pull request would be merged by nobody; the next run tries both again.
        if proposal.pushed:
            with suppress(GitError):
                repository.push_ref(asked.remote, f"refs/heads/{proposal.branch}", proposal.previous, proposal.commit)
        raise
    if isinstance(answer, Instruction):
        return _Done(answer.text, proposal.commit)
    words = "Opened" if answer.created else "Updated"
    note = _labelled(pending.forge, answer.number, made.plan)
    return _Done(f"{words} pull request {answer.number}: {answer.url}{note}", proposal.commit, answer.url)


def _retold(pending: Pending) -> str:
    """Bring what the open pull request says back to what its head holds.

    Whoever may write can edit it, and a run that was cut off after its push leaves the text of the plan before.
    """
    pull, there = pending.open, pending.proposed
    if pull is None or there is None:
        return ""
    pending.forge.publish(_text(there, plan_branch(pending.repository), pull.head, _title(there.plan)))
    return _labelled(pending.forge, pull.number, there.plan)


def _labelled(forge: Forge, number: int, plan: Plan) -> str:
    """Label a pull request by its verdict. That it cannot be labelled is told, and no reason to take it back."""
    from reconciler.render.verdict import verdict as of

    try:
        forge.label(number, [f"{LABELS}{of(plan).kind}"])
    except ForgeError as error:
        return f"\nIt could not be labelled: {error.what}"
    return ""


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


def _text(made: Planned, branch: str, commit: str, title: str) -> Published:
    from reconciler.render.plan_markdown import markdown

    body = markdown(made.plan, made.encoded.digest, made.encoded.changes_digest)
    return Published(branch=branch, base=made.settings.forge.branch, commit=commit, title=title, body=body)


def _check_serial(made: Planned, tip: Tree) -> None:
    from reconciler.state.store import last_import

    committed = None
    with suppress(StateError):  # what cannot be read there is what this import is to replace
        committed = last_import(tip)
    if committed is not None and committed.serial >= made.manifest.serial:
        raise GitError(
            f"the protected branch holds import {committed.serial} already, this working tree import "
            f"{made.manifest.serial}",
            "Pull, run `reconcile snapshot` and propose again.",
        )


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


def _say(context: Context, made: Planned, done: _Done) -> None:
    if context.json:
        context.print_json(
            {
                "proposed": done.commit is not None,
                "commit": done.commit,
                "url": done.url,
                "digest": made.encoded.digest,
                "changes_digest": made.encoded.changes_digest,
                "refused": bool(made.plan.refused),
                "message": done.text,
            }
        )
        return
    for line in done.text.splitlines():
        indent = " " * (len(line) - len(line.lstrip(" ")))
        context.result(indent + "{}", line.lstrip(" "))
    for guard in made.plan.refused:
        context.say("Refused by the {} guard: {}", guard.action, guard.message)
