"""Given where a guest stands in Entra, when planned, then the account follows the policy's lifecycle."""

from __future__ import annotations

import pytest

from reconciler.model.account import HALF_MADE
from reconciler.model.plan import Action

from .builder import DEPARTED, DISABLED, OU, account, gid, guest, only, plan, policy


def test_a_blocked_guest_is_disabled_keeping_every_other_bit() -> None:
    held = account(guest(1), 1105, uac=262656 | 0x10000)
    change = only(plan([guest(1, accountEnabled=False)], [held]), Action.DISABLE)
    assert [(d.before, d.after) for d in change.deltas] == [(262656 | 0x10000, 262656 | 0x10002)]


def test_a_blocked_guest_is_disabled_even_when_the_values_cannot_be_decided() -> None:
    made = plan([guest(1, accountEnabled=False, givenName="x" * 65)], [account(guest(1), 1105)])
    assert [c.action for c in made.changes] == [Action.DISABLE]
    assert [c.kind for c in made.conflicts] == ["illegal-value"]


def test_a_new_guest_who_is_blocked_gets_no_account_yet() -> None:
    assert not plan([guest(1, accountEnabled=False)], []).changes


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        (guest(1, "changed"), "soft-deleted"),
        (guest(1, "deleted"), "for good"),
        (guest(1, userType="Member"), "out of the policy's scope"),
    ],
)
def test_leaving_disables_and_moves_and_says_which_way(gone: object, words: str) -> None:
    made = plan([gone], [account(guest(1), 1105)])  # type: ignore[list-item]
    assert [c.action for c in made.changes] == [Action.DISABLE, Action.MOVE]
    assert all(words in c.cause for c in made.changes)
    assert made.changes[1].to is not None
    assert made.changes[1].to.text == f"CN={gid(1)},{DEPARTED}"


def departed(day: str) -> object:
    return account(guest(1), 1105, dn=f"CN={gid(1)},{DEPARTED}", uac=DISABLED, suspended=True, departed=day)


def test_deletion_waits_for_the_recorded_day_of_departure() -> None:
    gone = guest(1, "deleted")
    assert not plan([gone], [departed("2026-02-01T06:00:00Z")], as_of="2026-03-03T05:59:59Z").changes  # type: ignore[list-item]
    made = plan([gone], [departed("2026-02-01T06:00:00Z")], as_of="2026-03-03T06:00:00Z")  # type: ignore[list-item]
    assert only(made, Action.DELETE).sid == "S-1-5-21-1-2-3-1105"


def test_a_recorded_departure_is_needed_before_anything_is_deleted() -> None:
    unrecorded = account(guest(1), 1105, dn=f"CN={gid(1)},{DEPARTED}", uac=DISABLED)
    assert not plan([guest(1, "deleted")], [unrecorded], as_of="2036-03-03T06:00:00Z").changes


def test_a_returning_guest_gets_the_same_account_back() -> None:
    back = account(guest(1), 1105, dn=f"CN={gid(1)},{DEPARTED}", uac=DISABLED, suspended=True)
    made = plan([guest(1)], [back])
    assert [c.action for c in made.changes] == [Action.MOVE, Action.ENABLE]
    assert {c.sid for c in made.changes} == {back.sid}
    assert made.changes[0].to is not None
    assert made.changes[0].to.parent.text == OU


def test_an_account_somebody_else_disabled_is_not_enabled() -> None:
    made = plan([guest(1, displayName="New")], [account(guest(1), 1105, uac=DISABLED)])
    assert [c.action for c in made.changes] == [Action.UPDATE]
    assert all(d.attribute != "userAccountControl" for d in made.changes[0].deltas)


def test_a_half_made_account_is_finished() -> None:
    half = account(guest(1), 1105, uac=HALF_MADE)
    change = only(plan([guest(1)], [half]), Action.CREATE)
    assert (change.sid, change.guid) == (half.sid, half.guid)
    assert [(d.before, d.after) for d in change.deltas if d.attribute == "userAccountControl"] == [(HALF_MADE, 262656)]


def test_a_guest_missing_from_state_without_a_tombstone_is_a_conflict_not_a_leaver() -> None:
    made = plan([], [account(guest(1), 1105)])
    assert not made.changes
    assert [c.kind for c in made.conflicts] == ["guest-unknown"]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"protected": ("adminCount",)}, "protected"),
        ({"dn": "CN=x,OU=Staff,DC=contoso,DC=test"}, "outside-ous"),
        ({"missing": "invisible"}, "invisible"),
    ],
)
def test_what_may_not_be_written_is_a_conflict(changes: dict[str, object], kind: str) -> None:
    made = plan([guest(1, displayName="New")], [account(guest(1), 1105, **changes)])  # type: ignore[arg-type]
    assert not made.changes
    assert [c.kind for c in made.conflicts] == [kind]


def test_what_is_held_stays_as_it_is_until_the_day() -> None:
    by = policy(**{"\nguards:": f"\nhold:\n  - {{guest: {gid(1)}, reason: audit, until: '2026-03-01'}}\nguards:"})
    made = plan([guest(1, "deleted")], [account(guest(1), 1105)], by)
    assert not made.changes
    assert [h.subject for h in made.held] == [gid(1)]
    later = plan([guest(1, "deleted")], [account(guest(1), 1105)], by, as_of="2026-03-02T00:00:00Z")
    assert later.changes


def test_a_returning_guest_whose_account_was_deleted_gets_it_back_with_its_sid() -> None:
    lost = account(guest(1), 1105, missing="deleted", dn=f"CN={gid(1)},{DEPARTED}", uac=DISABLED)
    change = only(plan([guest(1)], [lost]), Action.RESTORE)
    assert (change.sid, change.guid) == (lost.sid, lost.guid)
    assert change.to is not None
    assert change.to.text == f"CN={gid(1)},{OU}"
    values = {d.attribute: d.after for d in change.deltas if not d.secret}
    assert values["userAccountControl"] == 262656
    assert values["adminDescription"] == f"User_{gid(1)}"


@pytest.mark.parametrize("why", ["expired", "off"])
def test_where_it_cannot_be_brought_back_a_new_one_is_made_and_the_plan_says_the_sid_changes(why: str) -> None:
    lost = account(guest(1), 1105, missing="expired" if why == "expired" else "deleted")
    by = policy(**{"returned: {restore: true}": f"returned: {{restore: {'true' if why == 'expired' else 'false'}}}"})
    change = only(plan([guest(1)], [lost], by), Action.CREATE)
    assert change.sid is None
    assert "another SID" in change.cause
    assert lost.sid in change.cause


def test_a_deleted_account_of_a_guest_who_has_left_is_left_alone() -> None:
    assert not plan([guest(1, "changed")], [account(guest(1), 1105, missing="deleted")]).changes


def test_without_restoring_a_returning_guests_account_stays_disabled_and_the_plan_says_so() -> None:
    by = policy(**{"returned: {restore: true}": "returned: {restore: false}"})
    back = account(guest(1), 1105, uac=DISABLED, suspended=True)
    made = plan([guest(1)], [back], by)
    assert not made.changes
    assert [c.kind for c in made.conflicts] == ["not-restored"]
