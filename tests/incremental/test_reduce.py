"""The planner makes of the reduced state the plan that it makes of the whole one, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from reconciler.planning.encode import encode
from reconciler.planning.plan import make_plan
from reconciler.state.model import State
from reconciler.state.paths import ACCOUNTS
from tests.planning.builder import account, guest, settings
from tests.planning.builder import state as state_of

from .worlds import HASHER, POLICIES, Shards, in_order, reduced, worlds

LAW = profile(deadline=None, max_examples=150)


def same_plan(made: State, name: str, batch: int = 5000, few: int = 2000) -> None:
    by, asked = POLICIES[name], settings(batch=batch)
    whole = make_plan(made, by, asked, ())
    small = reduced(made, by, batch, few)
    state = small.state
    found = make_plan(state, by, asked, (), small)
    assert found == whole
    assert encode(found) == encode(whole)


@pytest.mark.parametrize("name", POLICIES)
def test_the_reduced_state_gives_the_same_plan(name: str) -> None:
    @LAW
    @given(worlds(POLICIES[name]))
    def law(made: State) -> None:
        same_plan(made, name)

    law()


@pytest.mark.parametrize("name", POLICIES)
def test_newcomers_beyond_the_first_are_left_out_and_counted(name: str) -> None:
    @LAW
    @given(worlds(POLICIES[name]), st.integers(0, 3))
    def law(made: State, batch: int) -> None:
        same_plan(made, name, batch, few=-batch)

    law()


@LAW
@given(worlds(POLICIES["default"]), st.integers(0, 3))
def test_a_file_edited_by_hand_makes_nobody_a_newcomer(made: State, batch: int) -> None:
    source = Shards(made, POLICIES["default"], HASHER)
    source.files |= {p: b"# by hand\n" + data for p, data in source.files.items() if p.startswith(ACCOUNTS)}
    small = reduced(made, POLICIES["default"], batch, few=-batch, source=source)
    asked = settings(batch=batch)
    assert make_plan(small.state, POLICIES["default"], asked, (), small) == make_plan(
        made, POLICIES["default"], asked, ()
    )


def test_of_many_newcomers_only_those_of_the_first_plan_are_kept() -> None:
    people = [guest(n) for n in range(60)]
    people[50] = guest(50, userPrincipalName=people[40].attributes["userPrincipalName"])
    made = in_order(state_of(people, []))
    small = reduced(made, POLICIES["default"], batch=10, few=0)
    assert len(small.state.guests) == 12
    assert small.deferred == 48
    same_plan(made, "default", 10, 0)


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
