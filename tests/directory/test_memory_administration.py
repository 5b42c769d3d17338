"""What only the in-memory domain offers: an administrator's hands, limited rights, backups, shared connections."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.directory.memory import MemoryDirectory
from reconciler.directory.port import DirectoryReader, DirectoryWriter, Modification
from reconciler.errors import (
    AccessDeniedError,
    DirectoryError,
    DirectoryUnavailableError,
    NotFoundError,
    ValueMismatchError,
)
from reconciler.model.account import HALF_MADE
from tests.directory.test_memory_contract import BASE, CONTROLLER, make_world
from tests.directory.world import World, guids

PASSWORD = "a Long-enough pa55word"


@pytest.fixture
def directory() -> MemoryDirectory:
    return MemoryDirectory(BASE, random.Random(7))


@pytest.fixture
def world(directory: MemoryDirectory) -> World:
    return make_world(directory)


class TestIdentity:
    def test_equal_seeds_give_equal_domains(self) -> None:
        first, second = (make_world(MemoryDirectory(BASE, random.Random(3))) for _ in range(2))
        assert [first.add(n) for n in ("alice", "bob")] == [second.add(n) for n in ("alice", "bob")]
        assert first.reader.domain() == second.reader.domain()

    def test_other_seeds_give_other_domains(self) -> None:
        first, second = (make_world(MemoryDirectory(BASE, random.Random(seed))) for seed in (3, 4))
        assert first.reader.domain().sid != second.reader.domain().sid
        assert first.add("alice").guid != second.add("alice").guid

    def test_the_controller_is_the_one_that_was_asked_for(self, directory: MemoryDirectory) -> None:
        assert directory.reader("ldaps://dc9.contoso.test").domain().controller == "ldaps://dc9.contoso.test"

    def test_a_domain_comes_with_a_protected_administrator(self, directory: MemoryDirectory) -> None:
        [administrator] = directory.reader(CONTROLLER).accounts([BASE], ["sAMAccountName"])
        assert administrator.sid == directory.reader(CONTROLLER).domain().sid + "-500"
        assert administrator.protected == ("adminCount",)


class TestAdministrator:
    def test_an_administrators_user_can_be_enabled(self, directory: MemoryDirectory, world: World) -> None:
        directory.create_user(world.at("alice"), "alice", {"mail": "a@example.test", "userAccountControl": 262656})
        [alice] = world.reader.accounts([world.ou], ["mail", "userAccountControl"])
        assert alice.attributes == {"mail": "a@example.test", "userAccountControl": 262656}

    def test_all_that_is_known_of_a_password_is_that_there_is_one(
        self, directory: MemoryDirectory, world: World
    ) -> None:
        alice = world.add("alice")
        assert not directory.has_password(world.at("alice"))
        world.writer.set_password(alice.guid, PASSWORD)
        assert directory.has_password(world.at("alice"))
        assert PASSWORD not in repr(directory.snapshot())

    @pytest.mark.parametrize(("value", "reasons"), [(1, ("adminCount",)), (0, ())])
    def test_an_admin_count_of_zero_protects_nobody(self, world: World, value: int, reasons: tuple[str, ...]) -> None:
        alice = world.add("alice")
        world.admin.edit(world.at("alice"), "adminCount", value)
        assert world.read(alice).protected == reasons

    def test_every_reason_for_protection_is_listed(self, directory: MemoryDirectory, world: World) -> None:
        alice = world.add("alice")
        for attribute, value in (
            ("adminCount", 1),
            ("servicePrincipalName", ("HTTP/a", "HTTP/b")),
            ("msDS-ObjectSoa", "Cloud"),
        ):
            directory.edit(world.at("alice"), attribute, value)
        directory.edit(directory.protected_users, "member", (world.at("alice").text,))
        assert world.read(alice).protected == (
            "adminCount",
            "servicePrincipalName",
            "Protected Users",
            "msDS-ObjectSoa",
        )

    def test_a_membership_is_written_to_the_group_and_not_to_the_member(self, world: World) -> None:
        world.add("alice")
        cursor = world.reader.domain().usn
        world.admin.edit(world.protected_users, "member", world.at("alice").text)
        assert world.reader.domain().usn > cursor
        assert world.reader.changes(["cn"], cursor).entries == ()

    def test_a_deleted_member_is_a_member_no_more(self, world: World) -> None:
        alice = world.add("alice")
        world.admin.edit(world.protected_users, "member", world.at("alice").text)
        world.writer.delete(alice.guid)
        assert world.read(alice).protected == ()

    def test_a_tombstone_keeps_who_it_was_and_loses_everything_else(
        self, directory: MemoryDirectory, world: World
    ) -> None:
        alice = world.add("alice", mail="alice@example.test", userPrincipalName="alice@example.test")
        world.writer.set_password(alice.guid, PASSWORD)
        world.writer.delete(alice.guid)
        [tombstone] = [o for o in directory.snapshot().objects if o.deleted]
        assert (tombstone.guid, tombstone.sid, tombstone.has_password) == (alice.guid, alice.sid, False)
        assert tombstone.attributes == {"samaccountname": world.unique("alice"), "useraccountcontrol": HALF_MADE}
        assert tombstone.dn.name == f"alice\nDEL:{alice.guid}"

    def test_only_what_exists_becomes_a_member_and_only_of_the_group(self, world: World) -> None:
        with pytest.raises(NotFoundError):
            world.admin.edit(world.protected_users, "member", world.at("alice").text)
        with pytest.raises(DirectoryError):
            world.admin.edit(world.ou, "member", world.protected_users.text)

    def test_a_container_with_something_in_it_is_not_deleted(self, world: World) -> None:
        alice = world.add_at(world.departed.child("CN", "alice"), "alice")
        with pytest.raises(DirectoryError) as caught:
            world.admin.delete(world.departed)
        assert caught.value.code == 66
        world.writer.delete(alice.guid)
        cursor = world.reader.domain().usn
        world.admin.delete(world.departed)
        assert not world.reader.exists(world.departed)
        assert world.reader.changes(["cn"], cursor).containers is True

    def test_what_the_domain_needs_is_neither_deleted_nor_moved(self, world: World) -> None:
        for dn in (world.base, world.users, world.protected_users, world.base.child("CN", "Deleted Objects")):
            with pytest.raises(DirectoryError) as deleting:
                world.admin.delete(dn)
            with pytest.raises(DirectoryError) as moving:
                world.admin.move(dn, world.ou.child("CN", "elsewhere"))
            assert (deleting.value.code, moving.value.code) == (53, 53)

    def test_an_ou_is_not_moved_below_itself(self, world: World) -> None:
        with pytest.raises(DirectoryError) as caught:
            world.admin.rename_ou(world.ou, world.departed.child("OU", "Guests"))
        assert caught.value.code == 53
        assert world.reader.exists(world.departed)

    def test_an_ou_moves_with_everything_below_it(self, world: World) -> None:
        alice = world.add_at(world.departed.child("CN", 'a,b+"c"'), "alice")
        world.admin.rename_ou(world.ou, world.base.child("OU", "Partners"))
        moved = world.base.child("OU", "Partners").child("OU", "Departed").child("CN", 'a,b+"c"')
        assert world.read(alice).dn == moved
        assert world.reader.exists(moved)
        assert not world.reader.exists(world.departed)
        world.writer.move(alice.guid, world.base.child("OU", "Partners").child("CN", "alice"))
        assert world.listed(world.base.child("OU", "Partners")) == ["alice"]


class TestRights:
    @pytest.fixture
    def delegated(self, directory: MemoryDirectory, world: World) -> DirectoryWriter:
        return directory.writer(CONTROLLER, writable=[world.departed])

    def test_inside_its_ous_an_account_does_everything(self, world: World, delegated: DirectoryWriter) -> None:
        alice = delegated.add(world.departed.child("CN", "alice"), {"sAMAccountName": "alice"})
        delegated.set_password(alice.guid, PASSWORD)
        delegated.modify(alice.guid, [Modification("mail", None, "alice@example.test")])
        delegated.move(alice.guid, world.departed.child("CN", "alicia"))
        delegated.delete(alice.guid)
        assert world.read(alice).deleted is True

    def test_outside_its_ous_an_account_does_nothing(self, world: World, delegated: DirectoryWriter) -> None:
        alice = world.add("alice")
        bob = world.add_at(world.departed.child("CN", "bob"), "bob")
        before = world.reader.domain().usn
        for attempt in (
            lambda: delegated.add(world.at("carol"), {"sAMAccountName": "carol"}),
            lambda: delegated.set_password(alice.guid, PASSWORD),
            lambda: delegated.modify(alice.guid, [Modification("mail", None, "x")]),
            lambda: delegated.move(alice.guid, world.departed.child("CN", "alice")),
            lambda: delegated.move(bob.guid, world.at("bob")),
            lambda: delegated.delete(alice.guid),
        ):
            with pytest.raises(AccessDeniedError) as caught:
                attempt()
            assert caught.value.code == 50
            assert caught.value.remedy
        assert world.reader.domain().usn == before

    def test_the_ou_itself_is_not_its_to_write(self, world: World, delegated: DirectoryWriter) -> None:
        [guid] = world.reader.owners("cn", [world.departed.text]).values()
        with pytest.raises(AccessDeniedError):
            delegated.delete(guid)
        assert world.reader.exists(world.departed)

    def test_it_reads_everywhere(self, world: World, delegated: DirectoryWriter) -> None:
        alice = world.add("alice")
        assert set(delegated.find([alice.guid], ["cn"])) == {alice.guid}

    def test_without_the_right_to_list_them_tombstones_are_silently_absent(
        self, directory: MemoryDirectory, world: World
    ) -> None:
        reader = directory.reader(CONTROLLER, sees_deleted=False)
        alice = world.add("alice")
        cursor = world.reader.domain().usn
        world.writer.delete(alice.guid)
        assert reader.find([alice.guid], ["cn"]) == {}
        assert reader.changes(["cn"], cursor).deleted == ()
        assert guids(world.reader.changes(["cn"], cursor).deleted) == {alice.guid}


class TestBackups:
    def test_a_restored_controller_is_another_incarnation_of_an_earlier_state(
        self, directory: MemoryDirectory, world: World
    ) -> None:
        alice = world.add("alice")
        backup, before = directory.snapshot(), world.reader.domain()
        bob = world.add("bob")
        world.writer.delete(alice.guid)
        directory.restore(backup)
        after = world.reader.domain()
        assert (after.usn, after.sid) == (before.usn, before.sid)
        assert after.invocation_id != before.invocation_id
        assert world.listed() == ["alice"]
        assert world.reader.owners("sAMAccountName", [world.unique("alice"), world.unique("bob")]) == {
            world.unique("alice"): alice.sid
        }
        again = world.add("bob")
        assert again.sid != bob.sid
        assert again.guid != bob.guid

    def test_a_reverted_virtual_machine_gives_usns_and_sids_a_second_time(
        self, directory: MemoryDirectory, world: World
    ) -> None:
        backup, before = directory.snapshot(), world.reader.domain()
        bob = world.add("bob")
        directory.restore(backup, new_invocation_id=False)
        assert world.reader.domain() == before
        carol = world.add("carol")
        assert carol.sid == bob.sid
        assert carol.guid != bob.guid

    def test_a_backup_is_not_touched_by_what_comes_later(self, directory: MemoryDirectory, world: World) -> None:
        alice = world.add("alice", sn="old")
        backup = directory.snapshot()
        for _ in range(2):
            world.writer.modify(alice.guid, [Modification("sn", "old", "new")])
            world.admin.rename_ou(world.ou, world.base.child("OU", "Partners"))
            directory.restore(backup)
            assert world.read(alice, "sn").attributes == {"sn": "old"}
            assert world.reader.exists(world.at("alice"))


class TestConnections:
    def test_a_closed_connection_does_nothing_more(self, directory: MemoryDirectory, world: World) -> None:
        writer: DirectoryWriter = directory.writer(CONTROLLER)
        reader: DirectoryReader = directory.reader(CONTROLLER)
        for connection in (writer, reader):
            connection.close()
            connection.close()
            with pytest.raises(DirectoryUnavailableError):
                connection.domain()
            with pytest.raises(DirectoryUnavailableError):
                list(connection.accounts([world.ou], ["cn"]))
        with pytest.raises(DirectoryUnavailableError):
            writer.add(world.at("alice"), {"sAMAccountName": "alice"})
        assert world.listed() == []

    def test_progress_is_told_once_a_page(self, world: World) -> None:
        for n in range(2100):
            world.admin.create_user(world.at(f"user{n}"), f"user{n}")
        told: list[int] = []
        assert len(list(world.reader.accounts([world.ou], ["cn"], told.append))) == 2100
        assert told == [1000, 2000, 2100]

    def test_threads_get_identities_of_their_own(self, directory: MemoryDirectory, world: World) -> None:
        before = world.reader.domain().usn

        def add(n: int) -> str:
            return directory.writer(CONTROLLER).add(world.at(f"user{n}"), {"sAMAccountName": f"user{n}"}).sid

        with ThreadPoolExecutor(8) as pool:
            sids = set(pool.map(add, range(200)))
        assert len(sids) == 200
        assert world.reader.domain().usn == before + 200
        assert len(world.listed()) == 200

    def test_of_many_threads_that_swap_the_same_value_one_succeeds(self, world: World) -> None:
        alice = world.add("alice", sn="held")

        def swap(n: int) -> int:
            try:
                world.writer.modify(alice.guid, [Modification("sn", "held", f"by {n}")])
            except ValueMismatchError:
                return 0
            return 1

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(swap, range(64))) == 1


class TestReanimation:
    @pytest.mark.parametrize(("may", "sees"), [(False, True), (True, False)])
    def test_without_the_rights_nobody_is_brought_back(
        self, directory: MemoryDirectory, world: World, may: bool, sees: bool
    ) -> None:
        alice = world.add("alice")
        world.writer.delete(alice.guid)
        writer = directory.writer(CONTROLLER, may_reanimate=may, sees_deleted=sees)
        with pytest.raises(AccessDeniedError) as caught:
            writer.reanimate(alice.guid, alice.dn, {})
        assert "Reanimate-Tombstones" in caught.value.remedy
        assert world.read(alice).deleted

    def test_a_tombstone_keeps_the_rights_of_the_ou_it_was_deleted_from(
        self, directory: MemoryDirectory, world: World
    ) -> None:
        delegated = directory.writer(CONTROLLER, writable=[world.departed])
        inside = delegated.add(world.departed.child("CN", "inside"), {"sAMAccountName": "inside"})
        outside = world.add("outside")
        for gone in (inside, outside):
            world.writer.delete(gone.guid)
        for guid, to in ((outside.guid, world.departed.child("CN", "x")), (inside.guid, world.at("x"))):
            with pytest.raises(AccessDeniedError):
                delegated.reanimate(guid, to, {})
        assert delegated.reanimate(inside.guid, world.departed.child("CN", "x"), {}).sid == inside.sid

    def test_what_was_recycled_is_seen_and_not_brought_back(self, directory: MemoryDirectory, world: World) -> None:
        alice = world.add("alice")
        world.writer.delete(alice.guid)
        directory.recycle(alice.guid)
        assert world.read(alice).recycled
        with pytest.raises(DirectoryError, match="recycled") as caught:
            world.writer.reanimate(alice.guid, alice.dn, {})
        assert type(caught.value) is DirectoryError
        assert caught.value.remedy

    def test_it_is_one_write(self, world: World) -> None:
        alice = world.add("alice")
        world.writer.delete(alice.guid)
        before = world.reader.domain().usn
        world.writer.reanimate(alice.guid, alice.dn, {"adminDescription": "User_x", "userAccountControl": HALF_MADE})
        assert world.reader.domain().usn == before + 1
