"""`reconcile explain GUEST`: every value of one account, from which guest attribute, flow, policy line and commit. No network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from reconciler.errors import Exit, ReconcileError
from reconciler.git.blame import last_changed
from reconciler.git.repository import Repository
from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.model.plan import Rule
from reconciler.model.provenance import Spot
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
    made = planned(context, repository.work_tree())
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
    """Return the one who is called so. A display name counts where nothing else is called so: guests choose theirs."""
    wanted = asked.casefold()
    for named in (_called(state, wanted), _displayed(state, lambda name: name == wanted)):
        found = {guest.id: guest for guest in named}
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            raise ReconcileError(f"{len(found)} guests are called {asked}:\n{_listed(found)}", "Name one by its id.")
    accounts = [a for a in state.accounts.values() if wanted in _names(a)]
    if accounts:
        raise ReconcileError(
            f"account {accounts[0].sid} ({accounts[0].dn}) is joined to no guest that state/ knows",
            "`reconcile adopt` says what may become of it.",
        )
    like = {guest.id: guest for guest in _displayed(state, lambda name: wanted in name)} if wanted else {}
    several = f"{len(like):,} guests have" if len(like) > 1 else "one guest has"
    some = f"; {several} it in a name:\n{_listed(like)}" if like else ""
    raise ReconcileError(
        f"no guest and no account is called {asked}{some}",
        "Name a guest by id, userPrincipalName, mail or display name, or by the account's sAMAccountName or SID, as of the "
        "last import.",
    )


def _listed(found: Mapping[str, Guest]) -> str:
    lines = [f"{guest.id} {guest.label}" for guest in list(found.values())[:_MOST]]
    return "\n".join([*lines, *(["…"] if len(found) > _MOST else [])])


def _called(state: State, asked: str) -> Iterator[Guest]:
    for guest in state.guests.values():
        if asked == guest.id or asked in _texts(guest, "userPrincipalName", "mail"):
            yield guest
    for account in state.accounts.values():
        joined = state.guests.get(account.guest or "")
        if joined is not None and asked in _names(account):
            yield joined


def _displayed(state: State, fits: Callable[[str], bool]) -> Iterator[Guest]:
    for guest in state.guests.values():
        if any(fits(name) for name in _texts(guest, "displayName", "userPrincipalName", "mail")):
            yield guest


def _texts(guest: Guest, *attributes: str) -> list[str]:
    return [value.casefold() for name in attributes if isinstance(value := guest.attributes.get(name), str)]


def _names(account: Account) -> tuple[str, ...]:
    values = (account.attributes.get(name) for name in ("sAMAccountName", "userPrincipalName"))
    return (account.sid.casefold(), *(str(value).casefold() for value in values if value))


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
