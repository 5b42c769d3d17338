"""reanimate(): a deleted user comes back as the same object, marked in the same write, or stays deleted."""

from __future__ import annotations

import pytest

from reconciler.directory.port import Entry, Modification
from reconciler.errors import DirectoryError, NameTakenError, NotFoundError
from reconciler.model.account import HALF_MADE
from reconciler.model.dn import DN
from reconciler.model.values import Value

from .contract_creating import HOSTILE_NAMES
from .contract_reading import NOBODY
from .world import World

MARK: dict[str, Value] = {"adminDescription": "User_x"}
HALVED: dict[str, Value] = {**MARK, "userAccountControl": HALF_MADE}
PASSWORD = "Aa1-long-enough-for-any-policy"
SMARTCARD = 262656
READ = (*HALVED, "sAMAccountName", "displayName", "userPrincipalName")


def deleted(world: World, name: str = "returning", **attributes: Value) -> Entry:
    made = world.add(name, **attributes)
    world.writer.delete(made.guid)
    return made


class ReanimatingContract:
    """Nothing is between deleted and back: what is refused stays deleted, as it was."""

    def still_deleted(self, world: World, entry: Entry) -> bool:
        found = world.read(entry, *READ)
        return found.deleted and "adminDescription" not in found.attributes

    def test_it_is_the_same_object_marked_and_half_made(self, world: World) -> None:
        gone = deleted(world)
        back = world.writer.reanimate(gone.guid, gone.dn, HALVED)
        assert (back.guid, back.sid, back.dn, back.deleted) == (gone.guid, gone.sid, gone.dn, False)
        assert back.attributes == HALVED
        assert world.listed() == ["returning"]
        assert world.reader.owners("sAMAccountName", [world.unique("returning")]) == {
            world.unique("returning"): gone.sid
        }

    def test_an_enabled_one_comes_back_disabled(self, world: World) -> None:
        made = world.add("enabled")
        world.writer.set_password(made.guid, PASSWORD)
        world.writer.modify(made.guid, [Modification("userAccountControl", HALF_MADE, SMARTCARD)])
        world.writer.delete(made.guid)
        assert world.writer.reanimate(made.guid, made.dn, HALVED).attributes == HALVED

    def test_it_keeps_its_flags_where_none_are_given(self, world: World) -> None:
        made = world.add("enabled")
        world.writer.set_password(made.guid, PASSWORD)
        world.writer.modify(made.guid, [Modification("userAccountControl", HALF_MADE, SMARTCARD | 2)])
        world.writer.delete(made.guid)
        assert world.writer.reanimate(made.guid, made.dn, MARK).attributes == MARK
        assert world.read(made, "userAccountControl").attributes == {"userAccountControl": SMARTCARD | 2}

    def test_it_has_lost_what_a_tombstone_does_not_keep(self, world: World) -> None:
        gone = deleted(world, userPrincipalName="returning@lost.test")
        world.writer.reanimate(gone.guid, gone.dn, HALVED)
        assert world.read(gone, *READ).attributes == {**HALVED, "sAMAccountName": world.unique("returning")}

    def test_it_is_among_the_changes_and_no_longer_among_the_deleted(self, world: World) -> None:
        gone = deleted(world)
        cursor = world.reader.domain().usn
        world.writer.reanimate(gone.guid, gone.dn, HALVED)
        changes = world.reader.changes(["adminDescription"], cursor)
        assert [e.attributes for e in changes.entries if e.guid == gone.guid] == [MARK]
        assert gone.guid not in {e.guid for e in changes.deleted}

    def test_it_may_come_back_elsewhere_and_be_finished(self, world: World) -> None:
        gone = deleted(world)
        to = world.departed.child("CN", "another name")
        assert world.writer.reanimate(gone.guid, to, HALVED).dn == to
        world.writer.modify(gone.guid, [Modification("displayName", None, "New")])
        world.writer.set_password(gone.guid, PASSWORD)
        world.writer.modify(gone.guid, [Modification("userAccountControl", HALF_MADE, SMARTCARD)])
        found = world.read(gone, "cn", "userAccountControl")
        assert (found.sid, found.attributes) == (gone.sid, {"cn": "another name", "userAccountControl": SMARTCARD})

    def test_it_can_be_deleted_and_brought_back_again(self, world: World) -> None:
        gone = deleted(world)
        for _ in range(2):
            world.writer.reanimate(gone.guid, gone.dn, HALVED)
            world.writer.delete(gone.guid)
        assert world.writer.reanimate(gone.guid, gone.dn, HALVED).sid == gone.sid

    @pytest.mark.parametrize("cn", HOSTILE_NAMES)
    def test_a_hostile_name_comes_back_as_it_was(self, world: World, cn: str) -> None:
        made = world.add_at(world.at(cn), "hostile")
        world.writer.delete(made.guid)
        back = world.writer.reanimate(made.guid, world.at(cn), HALVED)
        assert (back.dn, back.dn.name, back.sid) == (world.at(cn), cn, made.sid)

    def test_a_deleted_one_says_where_it_was_by_the_name_that_has_now(self, world: World) -> None:
        made = world.add_at(world.departed.child("CN", "alice"), "alice")
        assert world.read(made, "lastKnownParent").attributes == {}
        world.writer.delete(made.guid)
        assert world.read(made, "lastKnownParent").attributes == {"lastKnownParent": world.departed.text}
        left = world.ou.child("OU", "Left")
        world.admin.rename_ou(world.departed, left)
        found = world.read(made, "lastKnownParent")
        assert (found.deleted, found.recycled) == (True, False)
        assert DN(str(found.attributes["lastKnownParent"])) == left

    @pytest.mark.parametrize("name", ["returning", "RETURNING"])
    def test_a_dn_that_is_taken_refuses_it(self, world: World, name: str) -> None:
        gone = deleted(world)
        world.add_at(world.at(name), "other")
        with pytest.raises(NameTakenError) as caught:
            world.writer.reanimate(gone.guid, gone.dn, HALVED)
        assert caught.value.remedy
        assert self.still_deleted(world, gone)

    def test_a_sam_account_name_that_is_taken_refuses_it(self, world: World) -> None:
        gone = deleted(world)
        other = world.add_at(world.at("other"), "returning")
        with pytest.raises(NameTakenError) as caught:
            world.writer.reanimate(gone.guid, gone.dn, HALVED)
        assert world.unique("returning") in str(caught.value)
        assert self.still_deleted(world, gone)
        back = world.writer.reanimate(gone.guid, gone.dn, {**HALVED, "sAMAccountName": world.unique("fresh")})
        assert world.reader.owners("sAMAccountName", [world.unique("returning"), world.unique("fresh")]) == {
            world.unique("returning"): other.sid,
            world.unique("fresh"): back.sid,
        }

    def test_a_given_name_that_is_taken_refuses_it(self, world: World) -> None:
        upn = f"{world.unique('upn')}@taken.test"
        world.add("other", userPrincipalName=upn)
        gone = deleted(world)
        for name, value in (("sAMAccountName", world.unique("other")), ("userPrincipalName", upn)):
            with pytest.raises(NameTakenError):
                world.writer.reanimate(gone.guid, gone.dn, {**HALVED, name: value})
        assert self.still_deleted(world, gone)

    def test_a_missing_ou_refuses_it(self, world: World) -> None:
        gone = deleted(world)
        with pytest.raises(NotFoundError) as caught:
            world.writer.reanimate(gone.guid, world.ou.child("OU", "Nowhere").child("CN", "returning"), HALVED)
        assert "Nowhere" in str(caught.value)
        assert caught.value.remedy
        assert self.still_deleted(world, gone)

    def test_a_value_that_cannot_be_held_refuses_it(self, world: World) -> None:
        gone = deleted(world)
        with pytest.raises(DirectoryError):
            world.writer.reanimate(gone.guid, gone.dn, {**HALVED, "displayName": "x" * 257})
        assert self.still_deleted(world, gone)

    def test_a_user_does_not_come_back_under_an_ous_kind_of_name(self, world: World) -> None:
        gone = deleted(world)
        with pytest.raises(DirectoryError):
            world.writer.reanimate(gone.guid, world.ou.child("OU", "returning"), HALVED)
        assert self.still_deleted(world, gone)

    def test_what_is_not_deleted_is_not_brought_back(self, world: World) -> None:
        alive = world.add("alive")
        with pytest.raises(NotFoundError):
            world.writer.reanimate(alive.guid, world.at("twice"), HALVED)
        found = world.read(alive, *READ)
        assert (found.dn, found.attributes.get("adminDescription")) == (world.at("alive"), None)

    def test_nobody_is_not_brought_back(self, world: World) -> None:
        deleted(world)
        with pytest.raises(NotFoundError) as caught:
            world.writer.reanimate(NOBODY, world.at("nobody"), HALVED)
        assert NOBODY in str(caught.value)
        assert caught.value.remedy
