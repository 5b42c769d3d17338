"""Guests, accounts, claims and the manifest as they stand in their files."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import StateError
from reconciler.model.account import Account
from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.state.canonical import dump
from reconciler.state.claims import claims_document, read_claims
from reconciler.state.manifest import Written, dump_manifest, read_manifest
from reconciler.state.model import Claim, Manifest
from reconciler.state.paths import account_path, guest_path
from reconciler.state.records import accounts_document, guests_document, read_accounts, read_guests

from .records import ALICE, CLAIMS, LAW, T1, a_guest, a_state, accounts, an_account, guests, sid

GUEST_FILE = guest_path(ALICE)
ACCOUNT_FILE = account_path(sid(1105))
GUEST = f"""\
"{ALICE}":
  removed: "changed"
  removedAt: "2026-05-01T12:00:00Z"
  attributes:
    userPrincipalName: "a@x"
    userType: "Guest"
    accountEnabled: true
    displayName: "Alice"
"""
ACCOUNT = f"""\
"{sid(1105)}":
  objectGUID: "{ALICE}"
  distinguishedName: "CN=a,DC=x"
  guest: "{ALICE}"
  departed: "2026-05-01T12:00:00Z"
  suspended: true
  missing: "invisible"
  protected:
    - "adminCount"
  attributes:
    mail: "a@x"
    userAccountControl: 514
"""


def test_a_guest_as_it_is_written() -> None:
    guest = Guest(
        ALICE,
        {"displayName": "Alice", "userType": "Guest", "accountEnabled": True, "userPrincipalName": "a@x"},
        "changed",
        T1,
    )
    assert dump(guests_document([guest])).decode() == GUEST
    assert read_guests(GUEST.encode(), GUEST_FILE) == {ALICE: guest}


def test_an_account_as_it_is_written() -> None:
    (account,) = read_accounts(ACCOUNT.encode(), ACCOUNT_FILE).values()
    assert (account.guest, account.departed, account.suspended, account.missing) == (ALICE, T1, True, "invisible")
    assert (account.uac, account.protected) == (514, ("adminCount",))
    assert dump(accounts_document([account])).decode() == ACCOUNT


def test_an_attribute_named_like_a_field_is_still_an_attribute() -> None:
    guest = a_guest(removed="deleted", removedAt="x", attributes="y")
    data = dump(guests_document([guest]))
    assert read_guests(data, GUEST_FILE) == {ALICE: guest}


def test_accounts_are_sorted_by_rid_as_a_number() -> None:
    shard = [an_account(rid) for rid in (0x451 + 0x1000 * n for n in (10, 2, 1))]
    assert list(accounts_document(shard)) == [sid(0x1451), sid(0x2451), sid(0xA451)]


@LAW
@given(guests())
def test_a_guest_survives_being_written(guest: Guest) -> None:
    assert read_guests(dump(guests_document([guest])), guest_path(guest.id)) == {guest.id: guest}


@LAW
@given(accounts())
def test_an_account_survives_being_written(account: Account) -> None:
    read = read_accounts(dump(accounts_document([account])), account_path(account.sid))
    assert read == {account.sid: account}
    assert read[account.sid].dn.text == account.dn.text


@LAW
@given(st.sets(CLAIMS, max_size=5))
def test_claims_survive_being_written_whatever_their_order(claims: set[Claim]) -> None:
    data = dump(claims_document(claims))
    assert set(read_claims(data, "state/claims.yaml")) == claims
    assert dump(claims_document(reversed(read_claims(data, "state/claims.yaml")))) == data


def test_a_claim_as_it_is_written() -> None:
    claims = [
        Claim("userPrincipalName", "b@x", sid(1)),
        Claim("sAMAccountName", "a", sid(1)),
        Claim("cn", "CN=a", ALICE),
    ]
    assert dump(claims_document(claims)).decode() == (
        f'"{ALICE}":\n  cn:\n    - "CN=a"\n'
        f'"{sid(1)}":\n  sAMAccountName:\n    - "a"\n  userPrincipalName:\n    - "b@x"\n'
    )


BOTH_SIDES = a_state([a_guest()], [an_account()]).manifest


@pytest.mark.parametrize(
    "manifest",
    [BOTH_SIDES, replace(BOTH_SIDES, graph=None), replace(BOTH_SIDES, directory=None)],
    ids=["both", "ad", "graph"],
)
def test_a_manifest_survives_being_written(manifest: Manifest) -> None:
    assert read_manifest(dump_manifest(manifest)) == Written(manifest)
    assert read_manifest(dump_manifest(manifest, incomplete=True)) == Written(manifest, incomplete=True)


def test_a_manifest_of_another_version_is_refused() -> None:
    data = dump_manifest(Manifest(1, T1, None, None)).replace(b"version: 1", b"version: 2")
    with pytest.raises(StateError, match="version 2"):
        read_manifest(data)


@pytest.mark.parametrize(
    ("was", "is_", "line", "problem"),
    [
        (f'"{ALICE}"', '"7c8e6679-7425-40de-944b-e07fc1f90ae7"', 1, "belongs in this file"),
        (f'"{ALICE}"', f'"{ALICE.upper()}"', 1, "belongs in this file"),
        (f'"{ALICE}"', '"7c9"', 1, "belongs in this file"),
        ('"changed"', '"gone"', 2, "neither changed nor deleted"),
        ('  removed: "changed"\n', "", 1, "go together"),
        ('  removedAt: "2026-05-01T12:00:00Z"\n', "", 2, "go together"),
        ('"2026-05-01T12:00:00Z"', '"2026-05-01"', 3, "not a time"),
        ('"2026-05-01T12:00:00Z"', '"2026-13-01T12:00:00Z"', 3, "not a time"),
        ("  removed:", "  remove:", 2, "removed"),
        ('"changed"', "true", 2, "not a string"),
        ("  attributes:\n", "  attribute:\n", 4, "no such field"),
        ('"a@x"', "{x: z}", 5, "a value or a list of strings"),
        ('"a@x"', '""', 5, "empty value"),
        ('"a@x"', '[z, ""]', 5, "empty value"),
        ("    displayName:", '    "":', 8, "without a name"),
    ],
)
def test_a_wrong_guest_is_refused_with_its_line(was: str, is_: str, line: int, problem: str) -> None:
    assert was in GUEST
    with pytest.raises(StateError) as raised:
        read_guests(GUEST.replace(was, is_).encode(), GUEST_FILE)
    assert problem in raised.value.what
    if problem != "removed":
        assert raised.value.what.startswith(f"{GUEST_FILE}:{line}: ")


@pytest.mark.parametrize(
    ("was", "is_", "line", "problem"),
    [
        (f'"{sid(1105)}"', f'"{sid(1106)}"', 1, "belongs in this file"),
        (f'"{sid(1105)}"', '"S-1-5-x"', 1, "belongs in this file"),
        (f'objectGUID: "{ALICE}"', 'objectGUID: "x"', 2, "not a GUID"),
        (f'  objectGUID: "{ALICE}"\n', "", 1, "objectGUID is missing"),
        ('"CN=a,DC=x"', '"nowhere"', 3, "not a distinguished name"),
        (f'guest: "{ALICE}"', 'guest: "x"', 4, "not a guest's id"),
        ('"2026-05-01T12:00:00Z"', '"yesterday"', 5, "not a time"),
        ("suspended: true", 'suspended: "true"', 6, "neither true nor false"),
        ('"invisible"', '"lost"', 7, "neither deleted nor expired nor invisible"),
        ('protected:\n    - "adminCount"', 'protected: "adminCount"', 8, "not a list"),
        ("  missing:", "  mising:", 7, "no such field"),
        ('attributes:\n    mail: "a@x"\n    userAccountControl: 514\n', 'attributes: "x"\n', 10, "not a mapping"),
    ],
)
def test_a_wrong_account_is_refused_with_its_line(was: str, is_: str, line: int, problem: str) -> None:
    assert was in ACCOUNT
    with pytest.raises(StateError) as raised:
        read_accounts(ACCOUNT.replace(was, is_).encode(), ACCOUNT_FILE)
    assert raised.value.what.startswith(f"{ACCOUNT_FILE}:{line}: ")
    assert problem in raised.value.what


def test_a_list_edited_out_of_order_reads_in_order() -> None:
    data = GUEST.replace('"Alice"', "[z, b]").encode()
    assert read_guests(data, GUEST_FILE)[ALICE].attributes["displayName"] == ("b", "z")


@pytest.mark.parametrize("text", ['"x":\n  cn:\n    - "a"\n', f'"{sid(1)}":\n  cn: "a"\n', f'"{sid(1)}": "a"\n'])
def test_a_wrong_claim_is_refused(text: str) -> None:
    with pytest.raises(StateError, match=r"^state/claims.yaml:\d: "):
        read_claims(text.encode(), "state/claims.yaml")


def test_accounts_are_equal_when_they_are_the_same_record_letter_by_letter() -> None:
    one = Account("S-1-5-21-1", ALICE, DN("CN=a,DC=x"), {"mail": "a@x"})
    assert one == Account("S-1-5-21-1", ALICE, DN("CN=a,DC=x"), {"mail": "a@x"})
    assert one != replace(one, dn=DN("CN=A,DC=x"))
    others: dict[str, Any] = dict.fromkeys(("sid", "guid", "guest", "departed", "missing"), "another")
    others |= {
        "dn": DN("CN=b,DC=x"),
        "attributes": {},
        "protected": ("adminCount",),
        "suspended": True,
        "adopted": True,
    }
    assert {field.name for field in fields(Account)} == others.keys()
    for name, other in others.items():
        assert one != replace(one, **{name: other})
