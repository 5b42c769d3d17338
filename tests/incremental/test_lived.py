"""Lives of a tenant and a domain: warm plans are cold ones, killed or not, and nothing happens that must never happen."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.model.dn import DN
from reconciler.model.plan import Action
from tests.planning.builder import DEPARTED, OU
from tests.support.operations import git

from .lived import EVENTS, VARIANTS, Life


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_the_warm_plan_is_the_cold_one_and_nobody_is_enabled_who_must_not_be(
    seed: int, tmp_path: Path
) -> None:
    git(tmp_path, "init", "-q")
    life = Life(seed, tmp_path)
    for _ in range(12):
        life.day()


def test_a_name_in_another_letter_case_is_recorded_and_put_right_where_a_flow_says_how_it_is_written(
    tmp_path: Path,
) -> None:
    git(tmp_path, "init", "-q")
    life = Life(0, tmp_path)
    [life.text] = [text for text in VARIANTS if "cn: guest.userPrincipalName" in text]
    life.merged, life.files = life.imported(), life.written
    life.applied(life.planned(life.merged), life.merged)
    life.merged, life.files = life.imported(), life.written
    account = next(iter(life.merged.accounts.values()))
    life.directory.move(account.dn, account.dn.parent.child("CN", account.dn.name.upper()))
    state = life.imported()  # which looks at every name
    assert state.accounts[account.sid].dn.text == account.dn.text.replace(account.dn.name, account.dn.name.upper())
    [change] = life.planned(state).changes
    assert (change.action, change.to) == (Action.RENAME, account.dn)
    assert change.to is not None
    assert change.to.text == account.dn.text


def test_a_unit_renamed_in_letter_case_alone_gives_every_account_its_new_name_and_nothing_to_do(
    tmp_path: Path,
) -> None:
    git(tmp_path, "init", "-q")
    life = Life(0, tmp_path)
    life.merged, life.files = life.imported(), life.written
    life.applied(life.planned(life.merged), life.merged)
    life.merged, life.files = life.imported(), life.written
    life.directory.rename_ou(DN(OU), DN(OU.replace("Guests", "GUESTS")))
    state = life.imported()
    assert {a.dn.parent.text for a in state.accounts.values()} <= {
        t.replace("Guests", "GUESTS") for t in (OU, DEPARTED)
    }
    assert not life.planned(state).changes


def test_every_variant_of_the_policy_is_another_policy() -> None:
    assert len({*VARIANTS}) == len(VARIANTS) - VARIANTS.count(VARIANTS[0]) + 1


def test_everything_of_the_scripted_year_happens_here_too() -> None:
    from tests.year.events import EVENTS as YEAR

    # What is undone by hand before an import sees it is several of the events here, one after the other.
    elsewhere = {"everybody_leaves", "back_in_scope", "unprotect", "undo_by_hand"}
    assert {event.__name__ for event, _ in YEAR} - elsewhere <= {event.__name__ for event in EVENTS}
