"""The import of accounts, rule by rule."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import pytest

from reconciler.directory.port import Changes, Entry
from reconciler.model.account import Account
from reconciler.model.dn import DN
from reconciler.state.importer import import_accounts

from .records import ALICE, BOB, GUESTS_OU, T1, T2, an_account, guid, sid

ELSEWHERE = DN("OU=Staff,DC=contoso,DC=test").child("CN", "1105")
DELETED = DN("CN=1105\\0ADEL:0,CN=Deleted Objects,DC=contoso,DC=test")
NOTHING = Changes((), (), containers=False)
ENABLED, DISABLED = 0x200, 0x202


def entry(rid: int = 1105, uac: int = ENABLED, **changes: Any) -> Entry:
    attributes = {"userAccountControl": uac} | changes.pop("attributes", {})
    return replace(Entry(guid(rid), sid(rid), GUESTS_OU.child("CN", str(rid)), attributes), **changes)


def anchored(guest: str, rid: int = 1105, **changes: Any) -> Entry:
    return entry(rid, attributes={"adminDescription": f"User_{guest}"}, **changes)


def joined(rid: int = 1105, uac: int = ENABLED, **changes: Any) -> Account:
    return an_account(rid, **({"guest": ALICE, "attributes": {"userAccountControl": uac}} | changes))


class Domain:
    """Answers look-ups by GUID, and remembers for what it was asked."""

    def __init__(self, *entries: Entry) -> None:
        self.entries = {e.guid: e for e in entries}
        self.asked: list[str] = []

    def __call__(self, guids: Sequence[str]) -> dict[str, Entry]:
        self.asked += guids
        return {g: self.entries[g] for g in guids if g in self.entries}


def names(shown: Entry) -> str | None:
    anchor = shown.attributes.get("adminDescription")
    return anchor.removeprefix("User_") if isinstance(anchor, str) else None


def imported(
    old: Sequence[Account],
    read: Sequence[Entry] | Changes,
    *,
    domain: Domain | None = None,
    gone: Collection[str] = (),
    blocked: Collection[str] = (),
    as_of: str = T2,
) -> dict[str, Account]:
    return import_accounts(
        {a.sid: a for a in old},
        read,
        find=domain or Domain(),
        anchor_names=names,
        gone_or_out=lambda guest: guest in gone,
        blocked=lambda guest: guest in blocked,
        ous=[GUESTS_OU],
        as_of=as_of,
    )


def one(accounts: dict[str, Account]) -> Account:
    (account,) = accounts.values()
    return account


# --- what is there


def test_a_full_read_gives_every_account_under_the_ous_by_rid() -> None:
    now = imported([], [entry(10000), entry(2000, protected=("adminCount",))])
    assert list(now) == [sid(2000), sid(10000)]
    assert now[sid(2000)] == an_account(2000, dn=GUESTS_OU.child("CN", "2000"), protected=("adminCount",))


def test_an_increment_is_laid_over_what_was_known() -> None:
    changed = entry(1105, attributes={"mail": "new@x"})
    now = imported([an_account(1105), an_account(1106)], Changes((changed, entry(1107)), (), containers=False))
    assert list(now) == [sid(1105), sid(1106), sid(1107)]
    assert now[sid(1105)].attributes == changed.attributes
    assert now[sid(1106)] == an_account(1106)


def test_an_increment_replaces_an_entry_so_that_a_cleared_attribute_disappears() -> None:
    known = an_account(attributes={"mail": "a@x", "userAccountControl": ENABLED})
    assert "mail" not in one(imported([known], Changes((entry(),), (), containers=False))).attributes


def test_a_stranger_outside_the_ous_does_not_enter() -> None:
    stranger = anchored(ALICE, dn=ELSEWHERE)
    assert imported([], Changes((stranger,), (replace(stranger, deleted=True),), containers=False)) == {}


# --- the join


@pytest.mark.parametrize("incremental", [False, True])
def test_a_join_does_not_pass_to_another_account_that_got_the_same_sid(incremental: bool) -> None:
    known = joined(missing="invisible", suspended=True, adopted=True, departed=T1)
    another = entry(uac=DISABLED, guid=guid(2222), attributes={"adminDescription": f"User_{BOB}"})
    now = one(imported([known], Changes((another,), (), containers=False) if incremental else [another]))
    assert (now.guid, now.guest, now.suspended, now.adopted, now.departed) == (guid(2222), BOB, False, False, None)
    nobodys = entry(guid=guid(2222))
    assert one(imported([known], [nobodys])).guest is None


def test_a_join_is_set_when_the_anchor_names_a_guest() -> None:
    assert one(imported([], [anchored(ALICE)])).guest == ALICE


def test_an_account_that_did_not_change_is_joined_when_its_guest_becomes_known() -> None:
    known = an_account(attributes={"adminDescription": f"User_{ALICE}"})
    assert one(imported([known], NOTHING)).guest == ALICE


@pytest.mark.parametrize(
    "now",
    [
        entry(),
        entry(attributes={"adminDescription": "something else"}),
        anchored(BOB),
        anchored(ALICE, dn=GUESTS_OU.child("CN", "renamed")),
        entry(protected=("adminCount",)),
    ],
    ids=["anchor cleared", "anchor overwritten", "anchor names another", "renamed", "protected"],
)
@pytest.mark.parametrize("full", [True, False])
def test_a_join_is_carried_over_whatever_else_changes(now: Entry, full: bool) -> None:
    account = one(imported([joined()], [now] if full else Changes((now,), (), containers=False)))
    assert (account.guest, account.dn, account.attributes) == (ALICE, now.dn, now.attributes)


def test_two_accounts_whose_anchors_name_one_guest_both_say_so() -> None:
    now = imported([joined()], [entry(), anchored(ALICE, rid=1106)])
    assert [a.guest for a in now.values()] == [ALICE, ALICE]


# --- moved out, deleted, invisible


MOVED, GONE = entry(dn=ELSEWHERE), entry(dn=DELETED, deleted=True, uac=ENABLED)
INCREMENT_SHOWING = {
    "moved": Changes((MOVED,), (), containers=False),
    "deleted": Changes((), (GONE,), containers=False),
}


@pytest.mark.parametrize("read", [[], INCREMENT_SHOWING["moved"]], ids=["full", "increment"])
def test_a_joined_account_moved_out_is_kept_where_it_is_now(read: Sequence[Entry] | Changes) -> None:
    domain = Domain(MOVED)
    account = one(imported([joined()], read, domain=domain))
    assert (account.dn, account.guest, account.missing) == (ELSEWHERE, ALICE, None)
    assert domain.asked == [guid(1105)]


@pytest.mark.parametrize("read", [[], INCREMENT_SHOWING["moved"]], ids=["full", "increment"])
def test_an_unjoined_account_moved_out_is_forgotten(read: Sequence[Entry] | Changes) -> None:
    assert imported([an_account()], read, domain=Domain(MOVED)) == {}


def test_a_joined_account_outside_the_ous_is_followed_by_increments() -> None:
    outside = joined(dn=ELSEWHERE)
    assert one(imported([outside], NOTHING)) == outside
    changed = entry(dn=ELSEWHERE, attributes={"mail": "new@x"})
    now = one(imported([outside], Changes((changed,), (), containers=False), domain=Domain(changed)))
    assert (now.guest, now.attributes["mail"]) == (ALICE, "new@x")


def test_an_account_moved_between_ous_while_they_were_read_is_not_lost() -> None:
    assert one(imported([an_account()], [], domain=Domain(entry()))) == an_account()


@pytest.mark.parametrize("read", [[], INCREMENT_SHOWING["deleted"]], ids=["full", "increment"])
def test_a_deleted_account_whose_guest_is_live_is_kept_as_it_was(read: Sequence[Entry] | Changes) -> None:
    known = joined(attributes={"userAccountControl": ENABLED, "mail": "a@x"})
    now = imported([known], read, domain=Domain(GONE))
    assert one(now) == replace(known, missing="deleted")


def test_a_deleted_account_has_the_flags_of_its_tombstone() -> None:
    """It was disabled between the last import and its deletion: by a plan, as its guest may not sign in, or by hand."""
    disabled = replace(GONE, attributes={"userAccountControl": DISABLED})
    by_us = one(imported([joined()], [], domain=Domain(disabled), blocked=[ALICE]))
    by_hand = one(imported([joined()], [], domain=Domain(disabled)))
    assert (by_us.uac, by_us.suspended, by_hand.uac, by_hand.suspended) == (DISABLED, True, DISABLED, False)


@pytest.mark.parametrize("read", [[], INCREMENT_SHOWING["deleted"]], ids=["full", "increment"])
def test_a_deleted_account_is_remembered_while_its_guest_may_return_to_it(read: Sequence[Entry] | Changes) -> None:
    assert imported([an_account()], read, domain=Domain(GONE)) == {}, "not joined"
    assert one(imported([joined()], read, domain=Domain(GONE), gone={ALICE})).missing == "deleted"


def test_a_deleted_account_that_is_not_found_any_more_has_expired() -> None:
    known = joined(missing="deleted")
    assert one(imported([known], NOTHING)).missing == "expired"
    assert one(imported([replace(known, missing="expired")], NOTHING)).missing == "expired"
    assert imported([known], NOTHING, gone={ALICE}) == {}, "the guest has left"


def test_a_recycled_account_has_expired() -> None:
    assert one(imported([joined()], [], domain=Domain(replace(GONE, recycled=True)))).missing == "expired"


def test_a_deleted_account_is_forgotten_once_another_carries_its_guest() -> None:
    remade = Changes((anchored(ALICE, rid=1106),), (), containers=False)
    now = imported([joined(missing="deleted")], remade, domain=Domain(GONE))
    assert {a.sid: a.guest for a in now.values()} == {sid(1106): ALICE}


def test_two_deleted_accounts_of_one_guest_do_not_end_each_other() -> None:
    lost = [joined(rid, missing="deleted") for rid in (1105, 1106)]
    now = imported(lost, NOTHING, domain=Domain(GONE, entry(1106, deleted=True)))
    assert {a.missing for a in now.values()} == {"deleted"}
    assert len(now) == 2


@pytest.mark.parametrize("gone", [(), (ALICE,)], ids=["guest live", "guest left"])
@pytest.mark.parametrize("read", [[], INCREMENT_SHOWING["deleted"]], ids=["full", "increment"])
def test_a_joined_account_found_nowhere_is_kept_as_invisible(
    read: Sequence[Entry] | Changes, gone: tuple[str, ...]
) -> None:
    now = one(imported([joined()], read, gone=gone))
    assert (now.missing, now.guest) == ("invisible", ALICE)


def test_an_unjoined_account_found_nowhere_is_forgotten() -> None:
    assert imported([an_account()], []) == {}


@pytest.mark.parametrize("missing", ["invisible", "deleted"])
def test_a_missing_account_that_is_found_again_is_not_missing_any_more(missing: str) -> None:
    known = joined(missing=missing)
    assert one(imported([known], NOTHING, domain=Domain(entry()))) == joined()
    assert one(imported([known], [entry()])) == joined()
    assert one(imported([known], Changes((entry(),), (), containers=False))) == joined()


def test_an_invisible_account_seen_among_the_deleted_is_deleted() -> None:
    assert one(imported([joined(missing="invisible")], NOTHING, domain=Domain(GONE))).missing == "deleted"


def test_what_an_increment_does_not_show_is_not_asked_for() -> None:
    domain = Domain()
    imported([joined(), an_account(1106)], NOTHING, domain=domain)
    assert domain.asked == []


# --- departed


def test_departed_is_the_first_import_that_saw_the_guest_gone() -> None:
    first = imported([joined()], NOTHING, gone={ALICE}, as_of=T1)
    assert one(first).departed == T1
    assert one(imported(list(first.values()), NOTHING, gone={ALICE}, as_of=T2)).departed == T1


def test_departed_is_cleared_when_the_guest_is_back() -> None:
    assert one(imported([joined(departed=T1)], NOTHING)).departed is None


def test_an_account_of_nobody_does_not_depart() -> None:
    assert one(imported([an_account()], NOTHING, gone={ALICE})).departed is None


def test_a_missing_account_departs_too() -> None:
    assert one(imported([joined(missing="invisible")], NOTHING, gone={ALICE})).departed == T2


# --- suspended


@pytest.mark.parametrize(
    ("known", "blocked"), [(joined(departed=T1), ()), (joined(), (ALICE,))], ids=["left", "blocked"]
)
@pytest.mark.parametrize("gone", [(), (ALICE,)], ids=["back", "still gone"])
def test_an_account_disabled_after_its_guest_was_seen_gone_or_blocked_is_suspended(
    known: Account, blocked: Collection[str], gone: Collection[str]
) -> None:
    assert one(imported([known], [entry(uac=DISABLED)], gone=gone, blocked=blocked)).suspended


def test_an_account_that_was_disabled_before_any_plan_could_know_of_its_guests_departure_is_not_suspended() -> None:
    now = one(imported([joined()], [entry(uac=DISABLED)], gone={ALICE}))
    assert (now.departed, now.suspended) == (T2, False)


def test_an_account_that_somebody_else_disabled_is_not_suspended() -> None:
    assert not one(imported([joined()], [entry(uac=DISABLED)])).suspended


def test_where_the_policy_leaves_those_who_left_enabled_an_account_was_disabled_by_somebody_else() -> None:
    by_hand = import_accounts(
        {a.sid: a for a in [joined(departed=T1)]},
        [entry(uac=DISABLED)],
        find=Domain(),
        anchor_names=names,
        gone_or_out=lambda _: True,
        blocked=lambda _: False,
        ous=[GUESTS_OU],
        as_of=T2,
        leavers_disabled=False,
    )
    assert not one(by_hand).suspended


def test_an_account_that_was_disabled_before_is_not_suspended() -> None:
    known = joined(uac=DISABLED)
    assert not one(imported([known], [entry(uac=DISABLED)], blocked={ALICE})).suspended


def test_an_account_first_seen_disabled_is_not_suspended() -> None:
    assert not one(imported([], [anchored(ALICE, uac=DISABLED)], blocked={ALICE})).suspended


def test_an_account_of_nobody_is_not_suspended() -> None:
    assert not one(imported([an_account()], [entry(uac=DISABLED)], blocked={ALICE})).suspended


@pytest.mark.parametrize("blocked", [(), (ALICE,)])
def test_a_suspension_lasts_until_the_account_is_seen_enabled(blocked: tuple[str, ...]) -> None:
    known = joined(uac=DISABLED, suspended=True)
    assert one(imported([known], NOTHING, blocked=blocked)).suspended
    assert one(imported([known], [entry(uac=DISABLED)], blocked=blocked)).suspended
    assert not one(imported([known], [entry(uac=ENABLED)], blocked=blocked)).suspended


def test_a_suspension_is_remembered_while_the_account_is_missing() -> None:
    known = joined(uac=DISABLED, suspended=True)
    assert one(imported([known], [])).suspended
