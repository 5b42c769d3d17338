"""add() and set_password(): from nothing to an account that could be enabled."""

from __future__ import annotations

import re

import pytest

from reconciler.errors import DirectoryError, NameTakenError, NotFoundError
from reconciler.model.account import HALF_MADE
from reconciler.model.dn import DN
from reconciler.model.values import Value
from tests.directory.contract_reading import GUID, NOBODY
from tests.directory.world import World, guids

PASSWORD = "a Long-enough pa55word, with ünïcode"
HOSTILE_NAMES = [
    'a,b+c"d\\<>;=#',
    "#leading hash",
    " leading space",
    "trailing space ",
    "trailing backslash\\",
    "CN=alice,OU=Other",
    "*)(objectClass=*",
    "\\2a\\29",
    "slash/and|pipe&amp",
    "Zoë 中文 \U0001f600\U00020000",
    "\u202eright to left",
    "quote ' and \" quote",
    "tab\tinside",
]
WELCOME_VALUES = [
    "Zoë 中文 العربية",
    "\U0001f600\U00020000",
    "e\u0301 and \xe9",
    "\u202eright to left\u202c \u200b",
    " spaces around ",
    "two  spaces",
    "*)(objectClass=*",
    "\\,\\2c\\",
    "line\r\nbreak",
    "[31m\x1b[31m",
    ": < :: base64?",
    "-",
]
LIMITS: list[tuple[str, int]] = [
    ("displayName", 256),
    ("givenName", 64),
    ("sn", 64),
    ("mail", 256),
    ("employeeType", 256),
    ("adminDescription", 1024),
]
"""What both enforce: Samba takes a longer sAMAccountName and cn."""


class CreatingContract:
    """A user is created disabled, with the identity the directory gives it, or not at all."""

    def test_a_new_account_has_an_identity_of_its_own(self, world: World) -> None:
        alice, bob = world.add("alice"), world.add("bob")
        domain = world.reader.domain().sid
        for entry in (alice, bob):
            assert re.fullmatch(GUID, entry.guid)
            assert re.fullmatch(re.escape(domain) + r"-\d+", entry.sid)
            assert entry.deleted is False
        assert alice.dn == world.at("alice")
        assert alice.guid != bob.guid
        assert alice.sid != bob.sid

    def test_what_add_returns_is_what_a_reader_finds(self, world: World) -> None:
        alice = world.add("alice", mail="alice@example.test")
        found = world.read(alice, "mail", "cn", "displayName")
        assert (found.guid, found.sid, found.dn) == (alice.guid, alice.sid, alice.dn)
        assert found.attributes == {"cn": "alice", "displayName": "alice", "mail": "alice@example.test"}

    def test_a_new_account_is_disabled_without_being_told(self, world: World) -> None:
        alice = world.add("alice")
        assert world.read(alice, "userAccountControl").attributes == {"userAccountControl": HALF_MADE}

    def test_a_dn_is_given_once_whatever_its_case(self, world: World) -> None:
        world.add("alice")
        for dn in (world.at("alice"), world.at("ALICE")):
            with pytest.raises(NameTakenError) as caught:
                world.add_at(dn, "other")
            assert caught.value.remedy
            assert "alice" in str(caught.value).lower()
        assert world.listed() == ["alice"]

    def test_the_same_cn_may_be_given_in_another_ou(self, world: World) -> None:
        world.add("alice")
        world.add_at(world.departed.child("CN", "alice"), "alice2")
        assert world.listed() == ["alice", "alice"]

    def test_a_sam_account_name_is_given_once_in_the_domain(self, world: World) -> None:
        world.add("alice")
        for taken in (world.unique("alice"), world.unique("alice").upper()):
            with pytest.raises(NameTakenError) as caught:
                world.writer.add(world.departed.child("CN", "other"), {"sAMAccountName": taken})
            assert caught.value.remedy
        assert world.listed() == ["alice"]

    def test_a_user_principal_name_is_given_once(self, world: World) -> None:
        name = world.unique("alice") + "@example.test"
        world.add("alice", userPrincipalName=name)
        for taken in (name, name.upper()):
            with pytest.raises(NameTakenError) as caught:
                world.add("other", userPrincipalName=taken)
            assert caught.value.remedy
        assert world.listed() == ["alice"]

    def test_a_missing_parent_is_not_made_up(self, world: World) -> None:
        missing = world.ou.child("OU", "Missing")
        with pytest.raises(NotFoundError) as caught:
            world.add_at(missing.child("CN", "alice"), "alice")
        assert "Missing" in str(caught.value)
        assert caught.value.remedy
        assert not world.reader.exists(missing)
        assert world.reader.owners("sAMAccountName", [world.unique("alice")]) == {}

    @pytest.mark.parametrize("cn", HOSTILE_NAMES)
    def test_a_hostile_name_names_its_account_and_nothing_else(self, world: World, cn: str) -> None:
        dn = world.at(cn)
        added = world.add_at(dn, "alice")
        found = world.read(added, "cn")
        assert (found.dn, found.dn.name, found.dn.parent) == (dn, cn, world.ou)
        assert found.attributes == {"cn": cn}
        assert world.reader.exists(dn)
        assert world.reader.read(dn, ["cn"]) == found
        assert world.reader.owners("cn", [dn.text]) == {dn.text: added.sid}
        assert world.listed() == [cn]
        world.writer.delete(added.guid)
        assert world.listed() == []

    @pytest.mark.parametrize("value", WELCOME_VALUES)
    def test_a_value_comes_back_as_it_was_given(self, world: World, value: str) -> None:
        alice = world.add("alice", sn=value)
        assert world.read(alice, "sn").attributes == {"sn": value}
        assert [e.attributes for e in world.reader.accounts([world.ou], ["sn"])] == [{"sn": value}]

    def test_a_guests_user_principal_name_comes_back_as_it_was_given(self, world: World) -> None:
        name = world.unique("alice") + "_fabrikam.com#EXT#@contoso.onmicrosoft.com"
        alice = world.add("alice", userPrincipalName=name)
        assert world.read(alice, "userPrincipalName").attributes == {"userPrincipalName": name}
        assert world.reader.owners("userPrincipalName", [name]) == {name: alice.sid}

    def test_values_may_be_as_long_as_the_schema_says(self, world: World) -> None:
        values: dict[str, Value] = {name: "x" * limit for name, limit in LIMITS}
        alice = world.writer.add(world.at("y" * 64), {"sAMAccountName": world.unique("twentychar"), **values})
        found = world.read(alice, "cn", "sAMAccountName", *values)
        assert found.attributes == {"cn": "y" * 64, "sAMAccountName": world.unique("twentychar"), **values}

    def test_characters_outside_the_basic_plane_count_as_two(self, world: World) -> None:
        alice = world.add("alice", sn="\U0001f600" * 32)
        assert world.read(alice, "sn").attributes == {"sn": "\U0001f600" * 32}
        with pytest.raises(DirectoryError):
            world.add("bob", sn="\U0001f600" * 33)
        assert world.listed() == ["alice"]

    @pytest.mark.parametrize(("attribute", "limit"), LIMITS)
    def test_a_longer_value_is_refused_and_nothing_made(self, world: World, attribute: str, limit: int) -> None:
        with pytest.raises(DirectoryError) as caught:
            world.add("alice", **{attribute: "x" * (limit + 1)})
        assert caught.value.remedy
        assert not world.reader.exists(world.at("alice"))

    def test_a_name_is_free_again_after_a_deletion_but_never_the_sid(self, world: World) -> None:
        first = world.add("alice", userPrincipalName=world.unique("alice") + "@example.test")
        world.writer.delete(first.guid)
        second = world.add("alice", userPrincipalName=world.unique("alice") + "@example.test")
        assert second.sid != first.sid
        assert second.guid != first.guid

    def test_a_password_is_set_and_never_read(self, world: World) -> None:
        alice = world.add("alice")
        cursor = world.reader.domain().usn
        world.writer.set_password(alice.guid, PASSWORD)
        assert alice.guid in guids(world.reader.changes(["cn"], cursor).entries)
        assert world.read(alice, "unicodePwd", "userPassword", "supplementalCredentials").attributes == {}

    def test_a_password_may_be_set_again(self, world: World) -> None:
        alice = world.add("alice")
        world.writer.set_password(alice.guid, PASSWORD)
        world.writer.set_password(alice.guid, PASSWORD + " again")

    @pytest.mark.parametrize("weak", ["x-Y1", "alllowercaseletters", ""])
    def test_a_weak_password_is_refused_without_being_repeated(self, world: World, weak: str) -> None:
        alice = world.add("alice")
        with pytest.raises(DirectoryError) as caught:
            world.writer.set_password(alice.guid, weak)
        assert caught.value.remedy
        assert not weak or weak not in f"{caught.value!r} {caught.value} {caught.value.diagnostic}"

    def test_nobody_has_no_password(self, world: World) -> None:
        with pytest.raises(NotFoundError) as caught:
            world.writer.set_password(NOBODY, PASSWORD)
        assert PASSWORD not in f"{caught.value!r} {caught.value} {caught.value.diagnostic}"

    def test_what_the_writer_made_the_writer_reads(self, world: World) -> None:
        alice = world.add("alice")
        assert set(world.writer.find([alice.guid], ["cn"])) == {alice.guid}
        assert world.writer.exists(DN(alice.dn.text))
        assert world.writer.domain().sid == world.reader.domain().sid
