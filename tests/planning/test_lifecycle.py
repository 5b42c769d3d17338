"""Given where a guest stands in Entra, when planned, then the account follows the policy's lifecycle."""

from __future__ import annotations

import pytest

from reconciler.model.account import HALF_MADE
from reconciler.model.guest import Removal
from reconciler.model.plan import Action

from .builder import DEFAULT, DEPARTED, DISABLED, OU, account, gid, guest, only, plan, policy


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


@pytest.mark.parametrize("removed", ["changed", "deleted"])
def test_a_leavers_account_out_of_sight_that_was_enabled_is_a_conflict(removed: Removal) -> None:
    made = plan([guest(1, removed)], [account(guest(1), 1105, missing="invisible")])
    assert not made.changes
    [conflict] = made.conflicts
    assert (conflict.kind, conflict.subject) == ("invisible", gid(1))
    assert "the guest has left, and it was enabled" in conflict.what
    assert conflict.remedy.endswith(
        "If it is gone: delete its entry S-1-5-21-1-2-3-1105 from state/accounts and run `reconcile snapshot --full`."
    )
    for by, uac in (
        (policy(), DISABLED),
        (policy(**{"left: {disable: true, ": "left: {disable: false, "}), 262656),
    ):
        made = plan([guest(1, removed)], [account(guest(1), 1105, missing="invisible", uac=uac)], by)
        assert not made.changes
        assert not made.conflicts  # nothing is left to do that matters


def test_what_is_held_stays_as_it_is_until_the_day() -> None:
    by = policy(**{"\nguards:": f"\nhold:\n  - {{guest: {gid(1)}, reason: audit, until: '2026-03-01'}}\nguards:"})
    made = plan([guest(1, "deleted")], [account(guest(1), 1105)], by)
    assert not made.changes
    assert [h.subject for h in made.held] == [gid(1)]
    later = plan([guest(1, "deleted")], [account(guest(1), 1105)], by, as_of="2026-03-02T00:00:00Z")
    assert later.changes


def test_a_returning_guest_whose_account_was_deleted_gets_it_back_with_its_sid() -> None:
    lost = account(guest(1), 1105, missing="deleted", dn=f"CN={gid(1)},{DEPARTED}", uac=DISABLED, suspended=True)
    change = only(plan([guest(1)], [lost]), Action.RESTORE)
    assert (change.sid, change.guid) == (lost.sid, lost.guid)
    assert change.to is not None
    assert change.to.text == f"CN={gid(1)},{OU}"
    values = {d.attribute: d.after for d in change.deltas if not d.secret}
    assert values["userAccountControl"] == 262656
    assert values["adminDescription"] == f"User_{gid(1)}"


@pytest.mark.parametrize(
    ("had", "suspended", "gets"),
    [
        (262658, False, 262658),  # an administrator disabled it
        (262658 | 0x100000, True, 262656 | 0x100000),  # NOT_DELEGATED was set by hand
        (514, True, 512),  # SMARTCARD_REQUIRED was cleared by hand
        (262656 | 0x400000 | 0x1000000, False, 262656),  # nothing that a policy may not set comes back
        (HALF_MADE, False, 262656),
    ],
)
def test_a_deleted_account_comes_back_with_the_flags_it_had(had: int, suspended: bool, gets: int) -> None:
    lost = account(guest(1), 1105, missing="deleted", uac=had, suspended=suspended)
    change = only(plan([guest(1)], [lost]), Action.RESTORE)
    assert {d.attribute: d.after for d in change.deltas}["userAccountControl"] == gets


@pytest.mark.parametrize(
    ("changes", "kind"),
    [({"protected": ("adminCount",)}, "protected"), ({"dn": "CN=x,OU=Staff,DC=contoso,DC=test"}, "outside-ous")],
)
def test_a_deleted_account_that_was_not_to_be_written_is_not_brought_back(
    changes: dict[str, object], kind: str
) -> None:
    made = plan([guest(1)], [account(guest(1), 1105, missing="deleted", **changes)])  # type: ignore[arg-type]
    assert not made.changes
    assert [c.kind for c in made.conflicts] == [kind]


UNMARKED = {"attributes": {"adminDescription": None}}
WHO = {"left": guest(1, "changed"), "blocked": guest(1, accountEnabled=False)}


@pytest.mark.parametrize("initial", [False, True])
@pytest.mark.parametrize("who", WHO)
def test_an_account_that_lost_its_anchor_gets_it_back_before_anything_else(who: str, initial: bool) -> None:
    """Apply writes to no account that does not name its guest: without the anchor a leaver would stay enabled."""
    made = plan([WHO[who]], [account(guest(1), 1105, **UNMARKED)], anchor_under_initial() if initial else None)  # type: ignore[arg-type]
    assert {c.action for c in made.changes} >= {Action.JOIN, Action.DISABLE}
    assert all(c.after == (f"join:{gid(1)}",) for c in made.changes if c.action is not Action.JOIN)


@pytest.mark.parametrize("who", [*WHO, "active"])
def test_an_account_that_lost_its_anchor_and_that_no_rule_finds_is_a_conflict(who: str) -> None:
    lost = account(guest(1), 1105, attributes={"adminDescription": "x", "userPrincipalName": "by@hand"})
    made = plan([WHO.get(who, guest(1))], [lost])
    assert not made.changes
    assert [(c.kind, c.accounts) for c in made.conflicts] == [("anchor-lost", (lost.sid,))]


def anchor_under_initial() -> object:
    line = next(line for line in DEFAULT.splitlines(keepends=True) if line.startswith("  adminDescription:"))
    return policy(DEFAULT.replace(line, "").replace("\ninitial:\n", "\ninitial:\n" + line))


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


def test_a_flow_that_is_gone_leaves_its_values_and_the_plan_names_them() -> None:
    """The inverse of a policy change is in the plan after it, apart from this."""
    wider = policy(**{"\nflows:\n": "\nflows:\n  department: guest.companyName\n"})
    person = guest(1, companyName="Adatum")
    (update,) = plan([person], [account(person, 1105)], wider).changes
    assert {d.attribute: d.after for d in update.deltas} == {"department": "Adatum"}
    after = account(person, 1105, attributes={"department": "Adatum"})
    undone = plan([person], [after])
    assert not undone.changes
    assert ["department" in note and "what accounts hold there stays" in note for note in undone.notes] == [True]
    assert not plan([person], [account(person, 1105)], wider).notes


@pytest.mark.parametrize("gone", [guest(1), guest(1, "deleted")])
def test_an_account_whose_anchor_names_a_guest_whom_nobody_knows_is_not_taken_back(gone: object) -> None:
    marked = account(guest(1), 1105, attributes={"adminDescription": f"User_{gid(9)}"})
    made = plan([gone], [marked])  # type: ignore[list-item]
    assert not made.changes
    assert [(c.kind, gid(9) in c.what) for c in made.conflicts] == [("anchor-names-another", True)]
