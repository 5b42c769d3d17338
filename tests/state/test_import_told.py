"""What receipts tell an import: where to look, and when to be careful. Never more."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest

from reconciler.directory.port import Changes, Entry
from reconciler.model.account import Account
from reconciler.model.dn import DN
from reconciler.state.importer import import_accounts
from reconciler.state.told import Made, Seek, Told

from .records import ALICE, BOB, GUESTS_OU, T2, an_account, guid, sid
from .test_import_accounts import DISABLED, ELSEWHERE, NOTHING, Domain, anchored, entry, joined, names, one

FOR_ALICE = Made(ALICE, sid(1105), guid(1105))
GRAVE = DN(f"CN=1105\\0ADEL:{guid(1105)},CN=Deleted Objects,DC=contoso,DC=test")


def tombstone(**changes: object) -> Entry:
    """What is left of account 1105, with what is asked for of such a one alone."""
    left: dict[str, object] = {
        "attributes": {"userAccountControl": 0x200, "lastKnownParent": GUESTS_OU.text, "uSNCreated": "7"},
        "dn": GRAVE,
        "deleted": True,
    }
    return replace(entry(1105), **(left | changes))  # type: ignore[arg-type]


def imported(
    told: Told,
    *found: Entry,
    old: Sequence[Account] = (),
    read: Sequence[Entry] | Changes = NOTHING,
    proves: bool = True,
    blocked: Collection[str] = (),
) -> tuple[dict[str, Account], list[str], list[Made]]:
    """Return the accounts, the GUIDs that were looked for, and who was not found."""
    domain, unfound = Domain(*found), list[Made]()
    kept = frozenset({"userAccountControl", "adminDescription"})
    now = import_accounts(
        {a.sid: a for a in old},
        read,
        find=domain,
        anchor_names=names,
        gone_or_out=lambda _: False,
        blocked=lambda guest: guest in blocked,
        ous=[GUESTS_OU],
        as_of=T2,
        seek=Seek(told, domain, kept, names, lambda *_: proves, unfound.extend),
    )
    return now, domain.asked, unfound


def made(*of: Made) -> Told:
    return Told(made=of)


def enabled(*sids: str) -> Told:
    return Told(enabled=frozenset(sids))


# --- made since


@pytest.mark.parametrize("read", [NOTHING, [anchored(BOB, 1106)]], ids=["increment", "full"])
def test_one_that_is_deleted_is_remembered_where_it_was_and_for_whom(read: Sequence[Entry] | Changes) -> None:
    account = imported(made(FOR_ALICE), tombstone(), read=read)[0][sid(1105)]
    assert (account.guest, account.missing) == (ALICE, "deleted")
    assert account.dn == GUESTS_OU.child("CN", "1105")
    assert account.attributes == {"userAccountControl": 0x200}, "what is imported, and no more"
    assert not account.suspended


def test_one_that_cannot_be_brought_back_is_known_to_have_been_there() -> None:
    assert one(imported(made(FOR_ALICE), tombstone(recycled=True))[0]).missing == "expired"


def test_one_that_was_moved_out_is_joined_by_its_anchor() -> None:
    account = one(imported(made(FOR_ALICE), anchored(ALICE, dn=ELSEWHERE))[0])
    assert (account.guest, account.dn, account.missing) == (ALICE, ELSEWHERE, None)


def test_one_that_is_seen_is_not_looked_for() -> None:
    now, asked, _ = imported(made(FOR_ALICE), read=[anchored(ALICE)])
    assert (one(now).guest, asked) == (ALICE, [])


def test_one_that_an_import_knows_is_not_looked_for_because_of_a_receipt() -> None:
    assert imported(made(FOR_ALICE), old=[joined()])[1] == []


def test_one_that_cannot_be_found_is_told_of_and_nothing_is_made_of_it() -> None:
    assert imported(made(FOR_ALICE)) == ({}, [guid(1105)], [FOR_ALICE])


def test_the_last_of_several_made_for_a_guest_counts() -> None:
    later = Made(ALICE, sid(1106), guid(1106))
    assert imported(made(FOR_ALICE, later))[1] == [guid(1106)]


def test_one_that_was_taken_over_and_moved_out_is_joined_by_its_anchor() -> None:
    account = one(imported(made(FOR_ALICE), anchored(ALICE, dn=ELSEWHERE), old=[an_account()], read=[])[0])
    assert (account.guest, account.adopted) == (ALICE, True)


def test_one_that_was_taken_over_and_deleted_is_remembered() -> None:
    account = one(imported(made(FOR_ALICE), tombstone(), old=[an_account()], read=[])[0])
    assert (account.guest, account.missing) == (ALICE, "deleted")


@pytest.mark.parametrize(
    "found",
    [
        entry(1105, dn=ELSEWHERE),
        anchored(BOB, dn=ELSEWHERE),
        anchored(ALICE, dn=ELSEWHERE, sid=sid(1106)),
        tombstone(sid=sid(1106)),
        tombstone(attributes={"lastKnownParent": GUESTS_OU.text, "adminDescription": f"User_{BOB}"}),
        tombstone(attributes={"userAccountControl": 0x200}),
    ],
    ids=[
        "no anchor",
        "another's anchor",
        "another SID",
        "another SID, deleted",
        "deleted, another's anchor",
        "no place",
    ],
)
def test_what_contradicts_a_receipt_is_nobodys(found: Entry) -> None:
    assert imported(made(FOR_ALICE), found)[0] == {}


def test_a_deleted_one_that_nothing_proves_to_be_the_guests_is_nobodys() -> None:
    assert imported(made(FOR_ALICE), tombstone(), proves=False)[0] == {}


@pytest.mark.parametrize("found", [tombstone(), anchored(ALICE, dn=ELSEWHERE)], ids=["deleted", "outside"])
def test_a_receipt_gives_a_guest_who_has_an_account_no_second_one(found: Entry) -> None:
    (account,) = imported(made(FOR_ALICE), found, old=[joined(1107)])[0].values()
    assert account.sid == sid(1107)


# --- enabled since

SUSPENDED = joined(uac=DISABLED, suspended=True)


@pytest.mark.parametrize("read", [[entry(uac=DISABLED)], Changes((entry(uac=DISABLED),), (), containers=False)])
@pytest.mark.parametrize("blocked", [[], [ALICE]], ids=["active", "blocked"])
def test_one_that_was_enabled_and_is_disabled_was_disabled_by_somebody_else(
    read: Sequence[Entry] | Changes, blocked: Collection[str]
) -> None:
    assert not one(imported(enabled(sid(1105)), old=[SUSPENDED], read=read, blocked=blocked)[0]).suspended
    assert one(imported(enabled(sid(1106)), old=[SUSPENDED], read=read, blocked=blocked)[0]).suspended


def test_it_comes_back_disabled_when_it_was_deleted_after_that() -> None:
    lost = replace(SUSPENDED, missing="deleted")
    assert not one(imported(enabled(sid(1105)), tombstone(), old=[lost], read=[])[0]).suspended


def test_nothing_makes_an_account_suspended_that_was_not() -> None:
    by_hand = joined(uac=DISABLED)
    assert not one(
        imported(enabled(sid(1105)), old=[by_hand], read=[entry(uac=DISABLED)], blocked=[ALICE])[0]
    ).suspended
