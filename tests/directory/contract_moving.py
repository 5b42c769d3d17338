"""move() and delete(): by GUID, wherever the account is now."""

from __future__ import annotations

import pytest

from reconciler.errors import DirectoryError, NameTakenError, NotFoundError
from tests.directory.contract_creating import HOSTILE_NAMES
from tests.directory.contract_reading import NOBODY
from tests.directory.world import World, guids


class MovingContract:
    """An account keeps its SID and GUID wherever it goes, until it is deleted."""

    def test_a_moved_account_keeps_its_identity_and_values(self, world: World) -> None:
        alice = world.add("alice", mail="alice@example.test")
        to = world.departed.child("CN", "alice")
        world.writer.move(alice.guid, to)
        found = world.read(alice, "mail", "cn")
        assert (found.guid, found.sid, found.dn) == (alice.guid, alice.sid, to)
        assert found.attributes == {"mail": "alice@example.test", "cn": "alice"}
        assert world.listed(world.departed) == ["alice"]
        assert not world.reader.exists(world.at("alice"))

    def test_a_renamed_account_has_its_new_cn(self, world: World) -> None:
        alice = world.add("alice")
        world.writer.move(alice.guid, world.at("alicia"))
        found = world.read(alice, "cn", "displayName", "sAMAccountName")
        assert (found.sid, found.dn, found.dn.name) == (alice.sid, world.at("alicia"), "alicia")
        assert found.attributes == {
            "cn": "alicia",
            "displayName": "alice",
            "sAMAccountName": world.unique("alice"),
        }
        assert world.listed() == ["alicia"]

    def test_an_account_is_moved_and_renamed_at_once(self, world: World) -> None:
        alice = world.add("alice")
        to = world.departed.child("CN", "alicia")
        world.writer.move(alice.guid, to)
        assert world.read(alice).dn == to
        assert world.listed() == ["alicia"]

    def test_an_account_is_renamed_in_case_alone(self, world: World) -> None:
        alice = world.add("alice")
        world.writer.move(alice.guid, world.at("Alice"))
        assert world.read(alice, "cn").attributes == {"cn": "Alice"}
        assert world.listed() == ["Alice"]

    @pytest.mark.parametrize("cn", HOSTILE_NAMES)
    def test_a_hostile_name_is_taken_on_as_it_is(self, world: World, cn: str) -> None:
        alice = world.add("alice")
        to = world.departed.child("CN", cn)
        world.writer.move(alice.guid, to)
        found = world.read(alice, "cn")
        assert (found.dn, found.dn.parent) == (to, world.departed)
        assert found.attributes == {"cn": cn}
        world.writer.move(alice.guid, world.at("alice"))
        assert world.listed(world.departed) == []

    def test_a_move_is_a_change(self, world: World) -> None:
        alice = world.add("alice")
        cursor = world.reader.domain().usn
        world.writer.move(alice.guid, world.departed.child("CN", "alice"))
        assert alice.guid in guids(world.reader.changes(["cn"], cursor).entries)

    def test_a_missing_ou_receives_nobody(self, world: World) -> None:
        alice = world.add("alice")
        with pytest.raises(DirectoryError) as caught:
            world.writer.move(alice.guid, world.ou.child("OU", "Missing").child("CN", "alice"))
        assert "Missing" in str(caught.value)
        assert caught.value.remedy
        assert world.read(alice).dn == world.at("alice")

    def test_a_dn_somebody_else_has_is_not_taken_over(self, world: World) -> None:
        alice = world.add("alice")
        world.add("bob")
        carol = world.add_at(world.departed.child("CN", "alice"), "carol")
        for mover, to in ((alice, world.at("bob")), (alice, world.at("BOB")), (carol, world.at("alice"))):
            with pytest.raises(NameTakenError) as caught:
                world.writer.move(mover.guid, to)
            assert caught.value.remedy
        assert world.read(alice).dn == world.at("alice")
        assert world.read(carol).dn == world.departed.child("CN", "alice")

    def test_a_dn_that_was_left_is_free(self, world: World) -> None:
        alice = world.add("alice")
        world.writer.move(alice.guid, world.at("alicia"))
        other = world.add_at(world.at("alice"), "other")
        assert world.read(other).dn == world.at("alice")

    def test_an_account_is_moved_wherever_it_went(self, world: World) -> None:
        alice = world.add("alice")
        world.admin.move(world.at("alice"), world.at("elsewhere"))
        world.writer.move(alice.guid, world.departed.child("CN", "alice"))
        assert world.read(alice).dn == world.departed.child("CN", "alice")

    def test_nobody_cannot_be_moved(self, world: World) -> None:
        with pytest.raises(NotFoundError) as caught:
            world.writer.move(NOBODY, world.at("alice"))
        assert NOBODY in str(caught.value)
        assert caught.value.remedy

    def test_a_deleted_account_cannot_be_moved_back(self, world: World) -> None:
        alice = world.add("alice")
        world.admin.delete(world.at("alice"))
        with pytest.raises(NotFoundError):
            world.writer.move(alice.guid, world.at("alice"))
        assert world.read(alice).deleted is True

    def test_a_deleted_account_is_gone_but_known_as_deleted(self, world: World) -> None:
        alice, bob = world.add("alice"), world.add("bob")
        cursor = world.reader.domain().usn
        world.writer.delete(alice.guid)
        assert world.listed() == ["bob"]
        assert not world.reader.exists(world.at("alice"))
        assert world.read(alice).deleted is True
        changes = world.reader.changes(["cn"], cursor)
        assert guids(changes.deleted) & {alice.guid, bob.guid} == {alice.guid}
        assert alice.guid not in guids(changes.entries)

    def test_an_account_is_deleted_wherever_it_went(self, world: World) -> None:
        alice = world.add("alice")
        world.admin.move(world.at("alice"), world.departed.child("CN", "alicia"))
        other = world.add_at(world.at("alice"), "other")
        world.writer.delete(alice.guid)
        assert world.read(alice).deleted is True
        assert world.read(other).deleted is False

    def test_nobody_cannot_be_deleted(self, world: World) -> None:
        with pytest.raises(NotFoundError) as caught:
            world.writer.delete(NOBODY)
        assert NOBODY in str(caught.value)
        assert caught.value.remedy

    def test_a_deleted_account_cannot_be_deleted_again(self, world: World) -> None:
        alice = world.add("alice")
        world.writer.delete(alice.guid)
        with pytest.raises(NotFoundError):
            world.writer.delete(alice.guid)
        assert world.read(alice).deleted is True
