"""The planner makes of the reduced state the plan that it makes of the whole one, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as profile

from reconciler.planning.encode import encode
from reconciler.planning.plan import make_plan
from reconciler.state.model import State
from tests.planning.builder import account, guest, settings
from tests.planning.builder import state as state_of

from .worlds import POLICIES, in_order, reduced, worlds

LAW = profile(deadline=None, max_examples=150)


def same_plan(made: State, name: str) -> None:
    by = POLICIES[name]
    whole = make_plan(made, by, settings(), ())
    small = reduced(made, by)
    found = make_plan(small.state, by, settings(), (), small)
    assert found == whole
    assert encode(found) == encode(whole)


@pytest.mark.parametrize("name", POLICIES)
def test_the_reduced_state_gives_the_same_plan(name: str) -> None:
    @LAW
    @given(worlds(POLICIES[name]))
    def law(made: State) -> None:
        same_plan(made, name)

    law()


def test_pairs_in_order_are_left_out() -> None:
    people = [guest(n) for n in range(50)]
    held = [account(g, 1100 + i) for i, g in enumerate(people)]
    small = reduced(in_order(state_of(people, held)), POLICIES["default"])
    assert not small.state.guests
    assert not small.state.accounts
    assert small.managed == 50
    assert (small.live, small.tombstones, small.accounts) == (50, 0, 50)


def test_one_changed_guest_brings_its_account_and_nobody_else() -> None:
    people = [guest(n) for n in range(50)]
    held = [account(g, 1100 + i) for i, g in enumerate(people)]
    people[7] = guest(7, displayName="Somebody Else")
    small = reduced(in_order(state_of(people, held)), POLICIES["default"])
    assert set(small.state.guests) == {people[7].id}
    assert set(small.state.accounts) == {held[7].sid}
