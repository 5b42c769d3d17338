"""A first import of 100,000 guests: plans of the configured size, none of which a guard refuses, until nothing is left."""

from __future__ import annotations

import pytest

from reconciler.model.plan import Action

from .builder import account, guest, plan, settings

RID = 10_000


@pytest.mark.parametrize(("guests", "batch", "done"), [(100_000, 5_000, 0), (6_000, 300, 10), (6_000, 300, 19)])
def test_each_plan_creates_a_batch_and_says_how_many_are_left(guests: int, batch: int, done: int) -> None:
    """The first of 20 plans for 100,000; the eleventh and the last of 20 for fewer."""
    everybody = [guest(n) for n in range(guests)]
    made = [account(person, RID + n) for n, person in enumerate(everybody[: done * batch])]
    now = plan(everybody, made, settings=settings(batch=batch))
    assert [c.action for c in now.changes] == [Action.CREATE] * batch
    assert [c.guest for c in now.changes] == [p.id for p in everybody[done * batch : (done + 1) * batch]]
    assert not now.conflicts
    assert not now.refused
    assert all(not c.after for c in now.changes), (
        "a change that waits for one in another plan would never be carried out"
    )
    assert (now.deferred, now.complete) == (guests - (done + 1) * batch, (done + 1) * batch == guests)
    assert now.managed == done * batch
