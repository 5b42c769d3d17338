"""Who made an account: what was there before its join is never taken for half-made by this program."""

from __future__ import annotations

import pytest

from reconciler.directory.port import Changes, Entry
from reconciler.model.account import HALF_MADE, Account
from reconciler.state.importer import import_accounts

from .records import ALICE, GUESTS_OU, T2, an_account
from .test_import_accounts import Domain, anchored, entry, joined, names


def imported(old: list[Account], read: list[Entry] | Changes, *, first: bool = False) -> Account:
    (account,) = import_accounts(
        {a.sid: a for a in old},
        read,
        find=Domain(),
        anchor_names=names,
        gone_or_out=lambda _: False,
        blocked=lambda _: False,
        ous=[GUESTS_OU],
        as_of=T2,
        first=first,
    ).values()
    return account


def test_an_account_that_was_nobodys_before_it_got_the_anchor_is_adopted() -> None:
    taken = imported([an_account()], [anchored(ALICE)])
    assert (taken.guest, taken.adopted) == (ALICE, True)


@pytest.mark.parametrize("first", [True, False])
def test_an_account_first_seen_with_the_anchor_is_ours_unless_nothing_of_ours_can_be_there_yet(first: bool) -> None:
    assert imported([], [anchored(ALICE)], first=first).adopted is first


def test_an_account_of_nobody_is_not_adopted() -> None:
    assert not imported([], [entry()], first=True).adopted
    assert not imported([an_account()], [entry()]).adopted


@pytest.mark.parametrize("first", [True, False])
def test_what_was_adopted_stays_so_and_what_was_made_here_too(first: bool) -> None:
    for adopted in (True, False):
        assert imported([joined(adopted=adopted)], [anchored(ALICE)], first=first).adopted is adopted
    assert imported([joined(adopted=True)], Changes((), (), containers=False)).adopted


def test_one_that_is_brought_back_from_the_deleted_objects_may_be_half_made() -> None:
    assert not imported([joined(adopted=True, missing="deleted")], [anchored(ALICE)]).adopted


def test_a_missing_one_is_remembered_as_it_was() -> None:
    assert imported([joined(adopted=True)], []).adopted


def test_what_was_out_of_sight_for_a_while_is_as_it_was() -> None:
    for adopted in (True, False):
        assert imported([joined(adopted=adopted, missing="invisible")], [anchored(ALICE)]).adopted is adopted


@pytest.mark.parametrize(
    ("had", "changes", "half_made"),
    [
        (0x202, {}, False),  # an administrator disabled it
        (0x202, {"suspended": True}, True),  # this program did
        (HALF_MADE, {}, True),  # its creation was cut short
        (HALF_MADE, {"adopted": True}, False),  # it looked like that, and was made by others
        (0x200, {"adopted": True}, True),
    ],
)
def test_one_that_others_had_disabled_is_not_finished_when_bringing_it_back_was_cut_short(
    had: int, changes: dict[str, bool], half_made: bool
) -> None:
    known = joined(uac=had, missing="deleted", **changes)
    back = imported([known], [anchored(ALICE, uac=HALF_MADE)])
    assert back.adopted is not half_made
