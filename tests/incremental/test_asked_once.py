"""What an import has read once is not read again for the plan of what it found; what became other bytes is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.incremental.alignment import afresh
from reconciler.incremental.concerned import Concerned
from reconciler.incremental.reduce import Reduced
from reconciler.incremental.shards import Known
from reconciler.state.model import State
from reconciler.state.paths import account_path
from tests.planning.builder import account, guest, settings
from tests.planning.builder import state as state_of

from .worlds import HASHER, POLICIES, Shards, in_order, now_of

NAME = "default"
PEOPLE = [guest(n << 20, displayName="New") for n in range(5)]
HELD = [account(guest(n << 20), 1100 + n) for n in range(5)]


class Opening:
    """A state's shards, and the paths of those that were opened."""

    def __init__(self, made: State) -> None:
        self.source = Shards(made, POLICIES[NAME], HASHER)
        self.alignment = afresh(self.source, now_of(made), 0, HASHER)
        self.paths: list[str] = []

    def opened(self, paths: Sequence[str]) -> Iterable[tuple[str, bytes]]:
        self.paths += paths
        return self.source.opened(paths)


def plan_state(made: State, known: Known) -> tuple[State, list[str]]:
    """The part of a state that its plan is about, and what was opened for it."""
    at = Opening(made)
    found = Reduced(
        made.manifest, made.claims, at.alignment, at.source, at.opened, at.source.files, POLICIES[NAME], settings(), HASHER,
        known=known,
    )  # fmt: skip
    return found.state, at.paths


def test_entries_that_were_looked_at_are_taken_from_there_unless_their_shard_has_changed() -> None:
    before = in_order(state_of(PEOPLE, HELD))
    at, known = Opening(before), Known()
    concerned = Concerned(at.alignment, at.source, at.opened, at.source.files, known)
    accounts = concerned.accounts((), lambda _: False, ())
    assert [*accounts.values()] == HELD  # each has another name than its guest
    assert concerned.guests(guest.id for guest in PEOPLE)
    assert len(at.paths) == 10

    assert plan_state(before, known) == (before, [])

    other = [*HELD[:4], account(guest(4 << 20), 1104, attributes={"displayName": "Other"})]
    after = in_order(state_of(PEOPLE, other))
    found, opened = plan_state(after, known)
    assert found == after
    assert opened == [account_path(other[4].sid)]
