"""Nothing is tried before everything recorded so far is on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.apply.journal import Journal, Outcome
from reconciler.model.dn import DN
from reconciler.model.plan import Action, Change, Rule

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def change(number: int) -> Change:
    dn = DN(f"CN={number},OU=Guests,DC=contoso,DC=test")
    return Change(
        Action.DELETE,
        f"guest-{number}",
        f"Guest {number}",
        dn,
        Rule("lifecycle.left", "guests.yaml", 1),
        "left",
        sid=f"S-{number}",
    )


def ended(of: Change) -> Outcome:
    return Outcome(of.key, of.action, of.guest, "done")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes of the journal each wait for the disk made durable."""
    durable: list[int] = []
    fsync = os.fsync

    def noting(descriptor: int) -> None:
        fsync(descriptor)
        durable.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(os, "fsync", noting)
    return durable


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.jsonl", lambda: NOW)
    yield made
    made.dispose()


def test_an_intent_is_on_disk_with_all_before_it_when_it_returns(journal: Journal, disk: list[int]) -> None:
    for number in range(3):
        journal.intent(change(number), "delete")
        assert disk[-1] == journal.path.stat().st_size
        journal.outcome(ended(change(number)))
    assert len(disk) == 3


def test_the_last_outcome_is_on_disk_at_the_end(tmp_path: Path, disk: list[int]) -> None:
    journal = Journal(tmp_path / "journal.jsonl", lambda: NOW)
    journal.intent(change(1), "delete")
    journal.outcome(ended(change(1)))
    journal.dispose()
    assert disk[-1] == journal.path.stat().st_size


def test_an_outcome_that_was_lost_with_the_power_is_a_step_that_was_meant(journal: Journal) -> None:
    one = change(1)
    journal.intent(one, "delete")
    before = journal.path.read_bytes()
    journal.outcome(ended(one))
    journal.path.write_bytes(before)
    again = Journal(journal.path, lambda: NOW)
    assert again.tried(one, "delete")
    assert again.settled(one.key) is None
    again.dispose()
