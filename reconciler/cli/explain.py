"""`reconcile explain GUEST`: every value of one account, from which guest attribute, flow, policy line and commit. No network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from reconciler.errors import Exit, ReconcileError
from reconciler.git.blame import last_changed
from reconciler.git.repository import Repository
from reconciler.model.guest import Guest
from reconciler.model.plan import Rule
from reconciler.model.provenance import Spot
from reconciler.planning.called import called, holding, named
from reconciler.planning.explaining import Explanation, explain
from reconciler.render.explanation import Told
from reconciler.state.model import State
from reconciler.state.paths import account_path, guest_path

from .context import Context
from .loading import planned

_MOST = 10


def explain_guest(context: Context, asked: str) -> Exit:
    """Explain the guest whose id, UPN, mail, display name, sAMAccountName or SID is `asked`; letters' case does not matter."""
    repository = Repository.open(context.directory)
    made = planned(context, repository.files_tree())
    guest = _guest(made.state, asked.strip())
    found = explain(guest, made.state, made.policy, made.plan)
    told = Told(found, *_spots(context.directory, repository, found), digest=made.encoded.digest)
    if context.json:
        from reconciler.render.explanation_json import document

        context.print_json(document(told))
    else:
        from reconciler.render.explanation import explanation

        explanation(told, context.out)
    return Exit.OK


def _guest(state: State, asked: str) -> Guest:
    found = called(state, asked)
    if len(found) == 1:
        return found[0]
    if found:
        raise ReconcileError(f"{len(found)} guests are called {asked}:\n{_listed(found)}", "Name one by its id.")
    accounts = [a for a in state.accounts.values() if named(a, asked)]
    if accounts:
        raise ReconcileError(
            f"account {accounts[0].sid} ({accounts[0].dn}) is joined to no guest that state/ knows",
            "`reconcile adopt` says what may become of it.",
        )
    like = holding(state, asked)
    several = f"{len(like):,} guests have" if len(like) > 1 else "one guest has"
    some = f"; {several} it in a name:\n{_listed(like)}" if like else ""
    raise ReconcileError(
        f"no guest and no account is called {asked}{some}",
        "Name a guest by id, userPrincipalName, mail or display name, or by the account's sAMAccountName or SID, as of the "
        "last import.",
    )


def _listed(found: Sequence[Guest]) -> str:
    lines = [f"{guest.id} {guest.label}" for guest in found[:_MOST]]
    return "\n".join([*lines, *(["…"] if len(found) > _MOST else [])])


def _spots(
    directory: Path, repository: Repository, found: Explanation
) -> tuple[dict[str, Spot], Spot | None, dict[Rule, Spot]]:
    """Return where each guest attribute stands, where the join does, and where each rule does."""
    ids = guest_path(found.guest.id)
    lines = _lines(directory, ids, (found.guest.id,))
    guest = _traced(
        repository, ids, {keys[-1]: line for keys, line in lines.items() if keys[:2] != (found.guest.id, "removed")}
    )
    join = None
    if found.account is not None:
        path = account_path(found.account.sid)
        where = _lines(directory, path, (found.account.sid,)).get((found.account.sid, "guest"))
        join = _traced(repository, path, {"guest": where})["guest"] if where else None
    return guest, join, _rules(repository, found)


def _lines(directory: Path, path: str, below: tuple[str, ...]) -> dict[tuple[str, ...], int]:
    from reconciler.state.files import Files
    from reconciler.state.reader import Lines, read

    lines: Lines = {}
    read(Files(directory).read(path) or b"", path, lines)
    return {keys: line for keys, line in lines.items() if keys[: len(below)] == below}


def _traced(repository: Repository, path: str, lines: dict[str, int]) -> dict[str, Spot]:
    commits = last_changed(repository, path, lines.values())
    return {name: Spot(path, line, commits.get(line)) for name, line in lines.items()}


def _rules(repository: Repository, found: Explanation) -> dict[Rule, Spot]:
    every = set(_named(found))
    spots: dict[Rule, Spot] = {}
    for file in {rule.file for rule in every}:
        mine = [rule for rule in every if rule.file == file]
        commits = last_changed(repository, file, [rule.line for rule in mine])
        spots |= {rule: Spot(file, rule.line, commits.get(rule.line)) for rule in mine}
    return spots


def _named(found: Explanation) -> Iterator[Rule]:
    rules: Iterable[Rule | None] = (
        found.scope,
        found.join_rule,
        found.placement.rule,
        found.hold.rule if found.hold else None,
        *(wish.rule for wish in found.wishes),
        *(rule for change in found.changes for rule in (change.rule, *change.rules)),
        *(conflict.rule for conflict in found.conflicts),
    )
    yield from (rule for rule in rules if rule is not None)
