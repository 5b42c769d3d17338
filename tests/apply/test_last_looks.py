"""What apply looks at last, just before it writes: one account, in a domain where somebody was quicker."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.apply.journal import Journal, Outcome
from reconciler.apply.run import Ends, run
from reconciler.directory.memory import MemoryDirectory
from reconciler.directory.port import Entry, Modification
from reconciler.graph.port import Round
from reconciler.model.account import HALF_MADE, Account
from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.plan import Action, Change, Plan
from reconciler.planning.plan import make_plan
from reconciler.progress import Silent
from tests.directory.test_memory_contract import make_world
from tests.directory.world import World
from tests.planning.builder import DEPARTED, DISABLED, NORMAL, OU, account, guest, plan, policy, settings, state

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
READ = sorted({*policy().account_attributes, "userAccountControl"})


class Tenant:
    """Answers look-ups with what is recorded."""

    def __init__(self, *guests: Guest) -> None:
        self._guests = {g.id: g for g in guests}

    def round(self, *_: object, **_named: object) -> Round:
        raise AssertionError("apply looks up whom it needs, and reads no round")

    def lookup(self, ids: Sequence[str], attributes: Sequence[str]) -> dict[str, Guest]:  # noqa: ARG002  the port's
        return {i: self._guests[i] for i in ids}


class Applied:
    """A domain with one account, and plans for it carried out."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.world = make_world(MemoryDirectory(DN("DC=contoso,DC=test"), random.Random(1)))

    def live(self, wanted: Account) -> Account:
        """Put an account into the domain; return it with the SID and GUID it got."""
        writer = self.world.writer
        values = {n: v for n, v in wanted.attributes.items() if n != "userAccountControl"}
        made = writer.add(wanted.dn, values)
        writer.set_password(made.guid, "a Long-enough pa55word")
        writer.modify(made.guid, [Modification("userAccountControl", HALF_MADE, wanted.uac)])
        return replace(wanted, sid=made.sid, guid=made.guid)

    def apply(self, made: Plan, guests: list[Guest], accounts: list[Account]) -> Outcome:
        ends = Ends(Tenant(*guests), self.world.writer, state(guests, accounts), policy())
        self.journal.open(made, "digest", "commit")
        (outcome,) = run(made, ends, [DN(OU)], self.journal, lambda: None, Silent())
        return outcome

    def now(self, held: Account) -> Entry:
        return self.world.reader.find([held.guid], READ)[held.guid]


@pytest.fixture
def applied(tmp_path: Path) -> Iterator[Applied]:
    journal = Journal(tmp_path / "journal.jsonl", lambda: NOW)
    yield Applied(journal)
    journal.dispose()


def due(applied: Applied) -> tuple[Plan, list[Guest], list[Account]]:
    gone = guest(1, "deleted")
    held = account(guest(1), 1105, dn=f"CN={gone.id},{DEPARTED}", uac=DISABLED, departed="2026-01-01T06:00:00Z")
    held = applied.live(held)
    made = plan([gone], [held])
    assert [c.action for c in made.changes] == [Action.DELETE]
    return made, [gone], [held]


def test_an_account_that_is_due_is_deleted(applied: Applied) -> None:
    made, guests, accounts = due(applied)
    assert applied.apply(made, guests, accounts).result == "done"
    assert applied.now(accounts[0]).deleted


def test_an_account_that_somebody_has_enabled_again_is_not_deleted(applied: Applied) -> None:
    made, guests, accounts = due(applied)
    applied.world.writer.modify(accounts[0].guid, [Modification("userAccountControl", DISABLED, NORMAL)])
    outcome = applied.apply(made, guests, accounts)
    assert (outcome.result, outcome.detail) == ("stale", "the account has been enabled since the import")
    assert not applied.now(accounts[0]).deleted


def test_one_that_was_brought_back_and_then_protected_is_not_written_again(applied: Applied) -> None:
    held = applied.live(account(guest(1), 1105))
    applied.world.writer.delete(held.guid)
    lost = replace(held, missing="deleted")
    made = make_plan(state([guest(1)], [lost]), policy(), settings(), ())
    (change,) = made.changes
    assert change.action is Action.RESTORE
    killed_after_the_first_write(applied, change)
    applied.world.admin.edit(change.to or change.dn, "adminCount", 1)
    before = applied.now(lost)
    outcome = applied.apply(made, [guest(1)], [lost])
    assert (outcome.result, outcome.detail) == ("stale", "the account is protected (adminCount)")
    assert applied.now(lost) == before


def killed_after_the_first_write(applied: Applied, change: Change) -> None:
    """As on Samba, where an account comes back with the flags it was deleted with."""
    assert change.guid is not None
    assert change.to is not None
    world: World = applied.world
    applied.journal.open(plan([guest(1)], []), "digest", "commit")
    applied.journal.intent(change, "reanimate")
    world.writer.reanimate(change.guid, change.to, {"adminDescription": f"User_{change.guest}"})
