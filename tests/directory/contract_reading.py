"""domain(), accounts(), find(), owners(), exists(): what a reader sees."""

from __future__ import annotations

import re

import pytest

from reconciler.errors import DirectoryError, NotFoundError
from reconciler.model.account import HALF_MADE
from reconciler.model.dn import DN
from tests.directory.world import Outside, World, guids

GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
NOBODY = "00000000-0000-4000-8000-00000000dead"
FILTER_INJECTIONS = ["*", "a*", "*)(objectClass=*", "(|(cn=*))", "\\2a", "a\x00b", "a&b|c!d", "\\", "a\nb", "'; --"]


class ReadingContract(Outside):
    """Reading, and what belongs to whom."""

    def test_the_domain_says_who_it_is(self, world: World) -> None:
        domain = world.reader.domain()
        assert DN.parse(domain.dn) == world.base
        assert re.fullmatch(r"S-1-5-21(-\d+){3}", domain.sid)
        assert re.fullmatch(GUID, domain.invocation_id)
        assert domain.service_name.startswith("CN=NTDS Settings,")
        assert domain.controller
        assert domain.usn > 0

    def test_the_domain_stays_who_it_is_while_its_usn_grows(self, world: World) -> None:
        before = world.reader.domain()
        world.add("alice")
        after = world.reader.domain()
        assert after.usn > before.usn
        assert (after.sid, after.invocation_id, after.service_name) == (
            before.sid,
            before.invocation_id,
            before.service_name,
        )

    def test_an_ou_without_users_lists_nobody(self, world: World) -> None:
        assert world.listed() == []

    def test_users_of_an_ou_and_of_the_ous_below_it_are_listed(self, world: World) -> None:
        world.add("alice")
        world.add_at(world.departed.child("CN", "bob"), "bob")
        assert sorted(world.listed()) == ["alice", "bob"]
        assert world.listed(world.departed) == ["bob"]

    def test_an_entry_carries_its_identity_and_only_what_was_asked_for(self, world: World) -> None:
        added = world.add("alice", givenName="Alice")
        [entry] = world.reader.accounts([world.ou], ["sAMAccountName", "userAccountControl", "mail"])
        assert (entry.guid, entry.sid, entry.dn) == (added.guid, added.sid, world.at("alice"))
        assert entry.attributes == {"sAMAccountName": world.unique("alice"), "userAccountControl": HALF_MADE}
        assert entry.protected == ()
        assert entry.deleted is False

    def test_an_entry_under_two_of_the_ous_comes_once(self, world: World) -> None:
        world.add("alice")
        world.add_at(world.departed.child("CN", "bob"), "bob")
        assert sorted(world.listed(world.ou, world.departed)) == ["alice", "bob"]
        assert sorted(world.listed(world.departed, world.ou)) == ["alice", "bob"]
        assert sorted(world.listed(world.ou, DN(world.ou.text.upper()))) == ["alice", "bob"]

    def test_accounts_outside_the_ous_are_not_listed(self, world: World) -> None:
        world.add("alice")
        assert world.listed(world.departed) == []

    def test_an_ou_that_is_not_there_is_an_error_and_never_an_empty_population(self, world: World) -> None:
        world.add("alice")
        missing = world.ou.child("OU", "Missing")
        with pytest.raises(NotFoundError) as caught:
            world.listed(missing)
        assert "Missing" in str(caught.value)
        assert caught.value.remedy
        with pytest.raises(NotFoundError):
            world.listed(world.ou, missing)

    def test_computers_are_not_accounts(self, world: World) -> None:
        world.admin.create_computer(world.at("host"), world.unique("host") + "$")
        world.admin.create_user(world.at("alice"), world.unique("alice"))
        assert world.listed() == ["alice"]

    def test_progress_grows_to_the_number_read(self, world: World) -> None:
        for name in ("alice", "bob", "carol"):
            world.add(name)
        told: list[int] = []
        entries = list(world.reader.accounts([world.ou], ["cn"], told.append))
        assert len(entries) == 3
        assert told == sorted(told)
        assert told[-1] == 3

    @pytest.mark.parametrize(
        ("attribute", "value"), [("adminCount", 1), ("servicePrincipalName", "HTTP/contract.example.test")]
    )
    def test_an_account_with_privileges_or_services_is_protected(
        self, world: World, attribute: str, value: str | int
    ) -> None:
        alice, bob = world.add("alice"), world.add("bob")
        world.admin.edit(world.at("alice"), attribute, value)
        listed = {e.guid: e.protected for e in world.reader.accounts([world.ou], ["cn"])}
        assert listed == {alice.guid: (attribute,), bob.guid: ()}
        assert world.read(alice, "cn").protected == (attribute,)
        world.admin.edit(world.at("alice"), attribute, None)
        assert world.read(alice, "cn").protected == ()

    def test_a_member_of_protected_users_is_protected(self, world: World) -> None:
        alice, bob = world.add("alice"), world.add("bob")
        world.admin.edit(world.protected_users, "member", world.at("alice").text)
        try:
            assert world.read(alice).protected == ("Protected Users",)
            assert world.read(bob).protected == ()
            listed = {e.guid: e.protected for e in world.reader.accounts([world.ou], ["cn"])}
            assert listed == {alice.guid: ("Protected Users",), bob.guid: ()}
        finally:
            world.admin.edit(world.protected_users, "member", None)
        assert world.read(alice).protected == ()

    def test_a_live_object_is_found_by_guid(self, world: World) -> None:
        alice, bob = world.add("alice"), world.add("bob")
        found = world.reader.find([alice.guid], ["displayName"])
        assert guids([*found.values()]) == set(found) == {alice.guid}
        assert found[alice.guid].dn == world.at("alice")
        assert found[alice.guid].sid == alice.sid
        assert found[alice.guid].attributes == {"displayName": "alice"}
        assert set(world.reader.find([bob.guid, alice.guid, bob.guid], ["cn"])) == {alice.guid, bob.guid}

    def test_asking_for_no_attribute_gives_none(self, world: World) -> None:
        alice = world.add("alice")
        assert world.read(alice).attributes == {}
        assert [e.attributes for e in world.reader.accounts([world.ou], [])] == [{}]

    def test_many_objects_are_found_at_once(self, world: World) -> None:
        added = [world.add(f"user{n}") for n in range(30)]
        asked = [NOBODY, *(e.guid for e in added)]
        assert set(world.reader.find(asked, ["cn"])) == guids(added)

    def test_an_unknown_guid_is_absent_and_asking_for_none_finds_none(self, world: World) -> None:
        assert world.reader.find([NOBODY], ["cn"]) == {}
        assert world.reader.find([], ["cn"]) == {}

    def test_an_object_moved_out_of_every_ou_is_still_found(self, world: World, outside: DN) -> None:
        alice = world.add("alice")
        world.admin.move(world.at("alice"), outside)
        found = world.read(alice, "displayName")
        assert (found.dn, found.sid, found.deleted) == (outside, alice.sid, False)

    def test_a_deleted_object_is_found_as_deleted(self, world: World) -> None:
        alice = world.add("alice", mail="alice@example.test")
        world.admin.delete(world.at("alice"))
        found = world.read(alice, "sAMAccountName", "mail")
        assert found.deleted is True
        assert found.sid == alice.sid
        assert found.dn.within(world.base.child("CN", "Deleted Objects"))
        assert found.attributes == {"sAMAccountName": world.unique("alice")}

    def test_an_object_exists_by_dn_in_any_case(self, world: World) -> None:
        world.add("alice")
        assert world.reader.exists(world.at("alice"))
        assert world.reader.exists(DN(world.at("ALICE").text.upper()))
        assert world.reader.exists(world.ou)
        assert not world.reader.exists(world.at("bob"))
        assert not world.reader.exists(world.ou.child("OU", "Missing").child("CN", "alice"))

    def test_a_user_is_read_by_dn_in_any_case(self, world: World) -> None:
        alice = world.add("alice", mail="alice@example.test")
        world.admin.edit(world.at("alice"), "adminCount", 1)
        for dn in (world.at("alice"), world.at("ALICE")):
            found = world.reader.read(dn, ["mail", "sn"])
            assert found is not None
            assert (found.guid, found.sid, found.dn.text) == (alice.guid, alice.sid, alice.dn.text)
            assert (found.protected, found.deleted) == (("adminCount",), False)
            assert found.attributes == {"mail": "alice@example.test"}

    def test_nothing_is_read_where_there_is_nothing(self, world: World) -> None:
        world.add("alice")
        world.admin.delete(world.at("alice"))
        assert world.reader.read(world.at("alice"), ["cn"]) is None
        assert world.reader.read(world.ou.child("OU", "Missing").child("CN", "alice"), ["cn"]) is None

    def test_what_is_no_user_is_not_read_as_one(self, world: World) -> None:
        world.admin.create_computer(world.at("host"), world.unique("host") + "$")
        for dn in (world.departed, world.at("host")):
            with pytest.raises(DirectoryError) as caught:
                world.reader.read(dn, ["cn"])
            assert caught.value.remedy

    def test_a_deleted_object_exists_no_more(self, world: World) -> None:
        world.add("alice")
        world.admin.delete(world.at("alice"))
        assert not world.reader.exists(world.at("alice"))

    @pytest.mark.parametrize("attribute", ["sAMAccountName", "userPrincipalName"])
    def test_names_have_owners_whatever_their_case(self, world: World, attribute: str) -> None:
        name = world.unique("alice")
        alice = world.add("alice", userPrincipalName=f"{name}@example.test")
        taken = name if attribute == "sAMAccountName" else f"{name}@example.test"
        asked = [taken, taken.upper(), f"{taken}x", taken[:-1]]
        assert world.reader.owners(attribute, asked) == {taken: alice.sid, taken.upper(): alice.sid}

    def test_names_owned_outside_the_ous_have_owners_too(self, world: World, outside: DN) -> None:
        world.admin.create_user(outside, world.unique("carol"))
        [sid] = world.reader.owners("sAMAccountName", [world.unique("carol")]).values()
        assert sid.startswith(world.reader.domain().sid + "-")

    def test_administrators_are_found_wherever_they_are_with_the_names_they_have(
        self, world: World, outside: DN
    ) -> None:
        world.add("alice", displayName="Alice")
        world.admin.create_user(outside, world.unique("root"))
        world.admin.edit(outside, "displayName", "Kern, Petra")
        assert outside not in {e.dn for e in world.reader.administrators()}
        world.admin.edit(outside, "adminCount", 1)
        found = {e.dn: e for e in world.reader.administrators()}
        assert found[outside].attributes == {"displayName": "Kern, Petra", "sAMAccountName": world.unique("root")}
        assert "adminCount" in found[outside].protected
        assert world.at("alice") not in found

    def test_a_deleted_object_owns_no_name(self, world: World) -> None:
        world.add("alice")
        world.admin.delete(world.at("alice"))
        assert world.reader.owners("sAMAccountName", [world.unique("alice")]) == {}
        assert world.reader.owners("cn", [world.at("alice").text]) == {}

    def test_distinguished_names_have_owners(self, world: World) -> None:
        alice = world.add("alice")
        asked = [world.at("alice").text, world.at("ALICE").text, world.at("bob").text]
        assert world.reader.owners("cn", asked) == {asked[0]: alice.sid, asked[1]: alice.sid}

    def test_an_object_without_a_sid_owns_its_name_by_guid(self, world: World) -> None:
        [owner] = world.reader.owners("cn", [world.departed.text]).values()
        assert re.fullmatch(GUID, owner)

    @pytest.mark.parametrize("attribute", ["sAMAccountName", "userPrincipalName"])
    def test_a_hostile_name_is_a_name_and_never_a_filter(self, world: World, attribute: str) -> None:
        world.add("alice", userPrincipalName=world.unique("alice") + "@example.test")
        assert world.reader.owners(attribute, FILTER_INJECTIONS) == {}
        assert world.reader.owners(attribute, []) == {}

    def test_many_names_are_looked_up_at_once(self, world: World) -> None:
        added = {world.unique(f"u{n}"): world.add(f"u{n}").sid for n in range(30)}
        free = [world.unique(f"free{n}") for n in range(30)]
        assert world.reader.owners("sAMAccountName", [*free, *added]) == added
