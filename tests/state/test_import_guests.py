"""The import of guests, rule by rule."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import pytest

from reconciler.errors import GraphError
from reconciler.graph.port import Properties, Round
from reconciler.model.guest import Guest, Removal
from reconciler.model.plan import Rule
from reconciler.model.values import Value
from reconciler.policy.model import EvaluationError
from reconciler.state.importer import check_whole, import_guests

from .records import ALICE, BOB, CAROL, T1, T2

ATTRIBUTES = ("accountEnabled", "displayName", "mail", "userType")


def guest(id_: str = ALICE, **attributes: Value) -> Guest:
    usual: dict[str, Value] = {"accountEnabled": True, "displayName": "A", "mail": "a@x", "userType": "Guest"}
    return Guest(id_, usual | attributes)


def tombstone(id_: str = ALICE, reason: Removal = "changed", at: str = T1) -> Guest:
    return replace(guest(id_), removed=reason, removed_at=at)


def gone(id_: str, reason: Removal) -> Guest:
    """What a look-up answers for a user who is not there."""
    return Guest(id_, {}, reason)


def increment(users: Mapping[str, Properties] | None = None, removed: Mapping[str, Removal] | None = None) -> Round:
    return Round(False, "link", users or {}, removed or {})


def full(*users: Guest, removed: Mapping[str, Removal] | None = None) -> Round:
    return Round(True, "link", {u.id: dict(u.attributes) for u in users}, removed or {})


class Tenant:
    """Answers look-ups, and remembers for whom it was asked."""

    def __init__(self, *users: Guest) -> None:
        self.users = {u.id: u for u in users}
        self.asked: list[str] = []

    def __call__(self, ids: Sequence[str]) -> dict[str, Guest]:
        self.asked += ids
        return {i: self.users[i] for i in ids if i in self.users}


def imported(
    old: Sequence[Guest],
    round_: Round,
    *,
    tenant: Tenant | None = None,
    joined: Collection[str] = (),
    wanted: Callable[[Guest], bool] = lambda _guest: False,
    attributes: Sequence[str] = ATTRIBUTES,
) -> dict[str, Guest]:
    return import_guests(
        {g.id: g for g in old},
        round_,
        attributes=attributes,
        wanted=wanted,
        lookup=tenant or Tenant(),
        joined=joined,
        as_of=T2,
    )


# --- merging


def test_an_increment_changes_only_what_it_says() -> None:
    assert imported([guest()], increment({ALICE: {"mail": "new@x"}})) == {ALICE: guest(mail="new@x")}


def test_null_and_empty_clear_an_attribute() -> None:
    now = imported([guest()], increment({ALICE: {"mail": None, "displayName": ""}}))
    assert now[ALICE].attributes == {"accountEnabled": True, "userType": "Guest"}


def test_a_full_round_replaces_everything_that_was_known() -> None:
    assert imported([guest()], full(Guest(ALICE, {"userType": "Guest"}))) == {
        ALICE: Guest(ALICE, {"userType": "Guest"})
    }


def test_only_the_attributes_asked_for_are_kept() -> None:
    round_ = increment({BOB: dict(guest().attributes) | {"id": BOB, "city": "Here"}})
    now = imported([guest()], round_, attributes=("userType", "mail"), tenant=Tenant(guest(BOB, city="Here")))
    assert {i: set(g.attributes) for i, g in now.items()} == {i: {"userType", "mail"} for i in (ALICE, BOB)}


def test_guests_come_sorted_and_untouched_ones_are_not_copied() -> None:
    known = guest(CAROL)
    now = imported([known, guest(BOB)], increment({ALICE: dict(guest().attributes)}))
    assert list(now) == [BOB, CAROL, ALICE]
    assert now[CAROL] is known


# --- who may enter


@pytest.mark.parametrize("user_type", ["Guest", "guest", "GUEST"])
def test_a_guest_enters_by_user_type_in_any_case(user_type: str) -> None:
    assert imported([], full(guest(userType=user_type))) == {ALICE: guest(userType=user_type)}


@pytest.mark.parametrize("attributes", [{"userType": "Member"}, {}])
def test_a_member_does_not_enter(attributes: dict[str, str]) -> None:
    assert imported([], full(Guest(ALICE, {"mail": "a@x", **attributes}))) == {}


def test_a_member_whom_the_policy_wants_enters() -> None:
    members = full(guest(userType="Member"), guest(BOB, userType="Member", mail="b@y"))
    assert list(imported([], members, wanted=lambda g: g.attributes["mail"] == "b@y")) == [BOB]


def test_a_member_for_whom_the_scope_fails_does_not_enter() -> None:
    def failing(_guest: Guest) -> bool:
        raise EvaluationError(Rule("scope.include", "policies/guests.yaml", 4), "no such attribute: mail")

    assert list(imported([], full(guest(userType="Member"), guest(BOB)), wanted=failing)) == [BOB]


def test_a_known_guest_who_becomes_a_member_stays_known() -> None:
    now = imported([guest()], increment({ALICE: {"userType": "Member"}}))
    assert now == {ALICE: guest(userType="Member")}


# --- look-ups in an increment


def test_an_unknown_user_shown_whole_needs_no_look_up() -> None:
    tenant = Tenant()
    shown = dict(guest().attributes) | {"mail": None}
    assert list(imported([], increment({ALICE: shown}), tenant=tenant)) == [ALICE]
    assert tenant.asked == []


def test_an_unknown_user_shown_in_part_is_looked_up() -> None:
    tenant = Tenant(guest(), guest(BOB, userType="Member"))
    round_ = increment({BOB: {"mail": "b@x"}, ALICE: {"userType": "Guest"}})
    assert imported([], round_, tenant=tenant) == {ALICE: guest()}
    assert tenant.asked == [BOB, ALICE]


def test_an_unknown_user_who_is_gone_by_now_does_not_enter() -> None:
    round_ = increment({ALICE: {"userType": "Guest"}, BOB: {"mail": "b@x"}})
    tenant = Tenant(gone(ALICE, "changed"), gone(BOB, "deleted"))
    assert imported([], round_, tenant=tenant, joined={ALICE, BOB}) == {}


def test_a_new_guest_whom_a_look_up_does_not_see_yet_enters_as_shown() -> None:
    """Reading one user lags seconds behind delta; without this they would be missed until they change again."""
    shown = {"userType": "Guest", "mail": "a@x"}
    assert imported([], increment({ALICE: shown}), tenant=Tenant(gone(ALICE, "deleted"))) == {
        ALICE: Guest(ALICE, shown)
    }


@pytest.mark.parametrize("lacking", ["accountEnabled", "userPrincipalName"])
def test_a_guest_without_what_every_user_has_is_told(lacking: str) -> None:
    """State without it would be refused by every command that reads it."""
    whole: dict[str, Value] = {"accountEnabled": False, "userPrincipalName": "a@x"}
    names = (*ATTRIBUTES, "id", "userPrincipalName")
    check_whole([None, Guest(ALICE, whole), Guest(BOB, {}, "deleted", T1)], names)
    with pytest.raises(GraphError, match=f"does not say {lacking} of user {CAROL}") as caught:
        check_whole([Guest(ALICE, whole), Guest(CAROL, {n: v for n, v in whole.items() if n != lacking})], names)
    assert "User.Read.All" in caught.value.remedy


@pytest.mark.parametrize("enabled", [{}, {"accountEnabled": None}])
def test_a_member_whose_account_state_is_withheld_does_not_matter(enabled: Mapping[str, Value | None]) -> None:
    member = {"displayName": "B", "mail": None, "userType": "Member", **enabled}
    round_ = Round(True, "link", {ALICE: dict(guest().attributes), BOB: member}, {})
    assert imported([], round_).keys() == {ALICE}


def test_a_look_up_without_an_answer_stops_the_import() -> None:
    with pytest.raises(GraphError, match=ALICE):
        imported([], increment({ALICE: {"mail": "a@x"}}), tenant=Tenant())


# --- removals


@pytest.mark.parametrize("reason", ["changed", "deleted"])
def test_a_removed_guest_with_an_account_becomes_a_tombstone_with_its_last_attributes(reason: Removal) -> None:
    now = imported([guest()], increment(removed={ALICE: reason}), joined={ALICE})
    assert now == {ALICE: tombstone(reason=reason, at=T2)}


def test_a_removed_guest_without_an_account_is_forgotten() -> None:
    assert imported([guest()], increment(removed={ALICE: "changed"})) == {}


def test_the_removal_of_somebody_unknown_leaves_nothing() -> None:
    assert imported([], increment(removed={ALICE: "deleted"}), joined={ALICE}) == {}


def test_a_tombstone_nobody_is_joined_to_any_more_is_forgotten() -> None:
    assert imported([tombstone(), tombstone(BOB)], increment(), joined={BOB}) == {BOB: tombstone(BOB)}


def test_a_removal_said_again_keeps_its_time() -> None:
    assert imported([tombstone()], increment(removed={ALICE: "changed"}), joined={ALICE}) == {ALICE: tombstone()}


def test_a_soft_deleted_guest_who_is_purged_is_deleted_since_the_first_removal() -> None:
    now = imported([tombstone()], increment(removed={ALICE: "deleted"}), joined={ALICE})
    assert now == {ALICE: tombstone(reason="deleted")}


def test_a_purged_guest_never_becomes_restorable_again() -> None:
    known = tombstone(reason="deleted")
    assert imported([known], increment(removed={ALICE: "changed"}), joined={ALICE}) == {ALICE: known}


# --- guests who come back


def test_a_tombstone_shown_whole_is_live_again() -> None:
    back = dict(guest(mail="new@x").attributes)
    assert imported([tombstone()], increment({ALICE: back})) == {ALICE: guest(mail="new@x")}


def test_a_tombstone_shown_in_part_is_looked_up() -> None:
    tenant = Tenant(guest(mail="new@x"))
    assert imported([tombstone()], increment({ALICE: {"accountEnabled": True}}), tenant=tenant) == {
        ALICE: guest(mail="new@x")
    }
    assert tenant.asked == [ALICE]


def test_a_tombstone_shown_but_soft_deleted_again_by_now_stays_one() -> None:
    tenant = Tenant(gone(ALICE, "changed"))
    assert imported([tombstone()], increment({ALICE: {"mail": "x"}}), tenant=tenant, joined={ALICE}) == {
        ALICE: tombstone()
    }


def test_a_tombstone_in_a_full_round_is_live_again() -> None:
    assert imported([tombstone()], full(guest())) == {ALICE: guest()}


# --- completeness of full rounds


@pytest.mark.parametrize("reason", ["changed", "deleted"])
def test_a_guest_whom_a_full_round_leaves_out_is_looked_up(reason: Removal) -> None:
    tenant = Tenant(gone(ALICE, reason), gone(BOB, reason))
    now = imported([guest(ALICE), guest(BOB), guest(CAROL)], full(guest(CAROL)), tenant=tenant, joined={ALICE, CAROL})
    assert now == {ALICE: tombstone(reason=reason, at=T2), CAROL: guest(CAROL)}
    assert tenant.asked == [BOB, ALICE]


def test_a_full_round_that_left_out_somebody_who_is_there_was_not_complete() -> None:
    with pytest.raises(GraphError, match=f"{ALICE}.*not complete") as raised:
        imported([guest()], full(), tenant=Tenant(guest()))
    assert raised.value.remedy


def test_an_empty_full_round_over_a_live_tenant_is_refused() -> None:
    guests = [guest(i) for i in (ALICE, BOB, CAROL)]
    with pytest.raises(GraphError):
        imported(guests, full(), tenant=Tenant(*guests), joined={ALICE})


def test_a_guest_whom_a_full_round_shows_as_removed_needs_no_look_up() -> None:
    now = imported([guest()], full(removed={ALICE: "deleted"}), joined={ALICE})
    assert now == {ALICE: tombstone(reason="deleted", at=T2)}


def test_a_soft_deleted_guest_whom_a_full_round_does_not_show_may_be_purged_by_now() -> None:
    purged = Tenant(gone(ALICE, "deleted"))
    assert imported([tombstone()], full(), tenant=purged, joined={ALICE}) == {ALICE: tombstone(reason="deleted")}


def test_a_guest_known_to_be_gone_for_good_is_not_asked_for() -> None:
    tenant = Tenant()
    imported([tombstone(reason="deleted"), tombstone(BOB)], full(), tenant=tenant, joined={ALICE})
    assert tenant.asked == []
