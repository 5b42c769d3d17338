"""changes(): everything above a cursor, domain-wide."""

from __future__ import annotations

from reconciler.directory.port import Modification
from reconciler.model.dn import DN
from tests.directory.world import Outside, World, guids


class ChangesContract(Outside):
    """A cursor is the domain's USN before a read; what is written after it has a higher one."""

    def test_what_was_there_before_the_cursor_is_no_change(self, world: World) -> None:
        alice = world.add("alice")
        cursor = world.reader.domain().usn
        bob = world.add("bob")
        changed = guids(world.reader.changes(["cn"], cursor).entries)
        assert bob.guid in changed
        assert alice.guid not in changed

    def test_an_older_cursor_shows_at_least_as_much(self, world: World) -> None:
        first = world.reader.domain().usn
        alice = world.add("alice")
        second = world.reader.domain().usn
        bob = world.add("bob")
        newer = guids(world.reader.changes(["cn"], second).entries)
        older = guids(world.reader.changes(["cn"], first).entries)
        assert newer < older
        assert {alice.guid, bob.guid} <= older

    def test_a_change_carries_the_values_asked_for_and_no_others(self, world: World) -> None:
        alice = world.add("alice", mail="alice@example.test")
        cursor = world.reader.domain().usn
        world.admin.edit(world.at("alice"), "displayName", "Alice")
        [entry] = [e for e in world.reader.changes(["displayName", "sn"], cursor).entries if e.guid == alice.guid]
        assert (entry.sid, entry.dn, entry.deleted) == (alice.sid, world.at("alice"), False)
        assert entry.attributes == {"displayName": "Alice"}

    def test_a_write_through_the_port_is_a_change(self, world: World) -> None:
        alice = world.add("alice")
        cursor = world.reader.domain().usn
        world.writer.modify(alice.guid, [Modification("mail", None, "alice@example.test")])
        assert alice.guid in guids(world.reader.changes(["cn"], cursor).entries)

    def test_a_write_that_changes_nothing_is_no_change(self, world: World) -> None:
        alice = world.add("alice")
        cursor = world.reader.domain().usn
        world.admin.edit(world.at("alice"), "displayName", "alice")
        assert alice.guid not in guids(world.reader.changes(["cn"], cursor).entries)

    def test_a_protection_shows_in_a_change(self, world: World) -> None:
        alice = world.add("alice")
        cursor = world.reader.domain().usn
        world.admin.edit(world.at("alice"), "adminCount", 1)
        [entry] = [e for e in world.reader.changes(["cn"], cursor).entries if e.guid == alice.guid]
        assert entry.protected == ("adminCount",)

    def test_who_comes_into_protected_users_is_no_change_but_the_group_is(self, world: World) -> None:
        """The member keeps its USN ([MS-ADTS] 3.1.1.1.6: a back link): without this, no increment would tell."""
        alice = world.add("alice")
        cursor = world.reader.domain().usn
        assert not world.reader.changes(["cn"], cursor).protection
        world.admin.edit(world.protected_users, "member", world.at("alice").text)
        try:
            changes = world.reader.changes(["cn"], cursor)
            assert changes.protection
            assert alice.guid not in guids(changes.entries)
            cursor = world.reader.domain().usn
            assert not world.reader.changes(["cn"], cursor).protection
        finally:
            world.admin.edit(world.protected_users, "member", None)
        assert world.reader.changes(["cn"], cursor).protection

    def test_an_account_moved_out_of_every_ou_still_shows(self, world: World, outside: DN) -> None:
        alice = world.add("alice")
        cursor = world.reader.domain().usn
        world.admin.move(world.at("alice"), outside)
        [entry] = [e for e in world.reader.changes(["cn"], cursor).entries if e.guid == alice.guid]
        assert entry.dn == outside
        assert world.listed() == []

    def test_an_account_nobody_manages_shows_too(self, world: World, outside: DN) -> None:
        cursor = world.reader.domain().usn
        world.admin.create_user(outside, world.unique("carol"))
        assert outside in {e.dn for e in world.reader.changes(["cn"], cursor).entries}

    def test_a_computer_is_no_change(self, world: World) -> None:
        cursor = world.reader.domain().usn
        world.admin.create_computer(world.at("host"), world.unique("host") + "$")
        changes = world.reader.changes(["cn"], cursor)
        assert world.at("host") not in {e.dn for e in changes.entries}
        assert changes.containers is False

    def test_a_deletion_shows_among_the_deleted_alone(self, world: World) -> None:
        alice = world.add("alice", mail="alice@example.test")
        cursor = world.reader.domain().usn
        world.admin.delete(world.at("alice"))
        changes = world.reader.changes(["sAMAccountName", "mail"], cursor)
        [tombstone] = [e for e in changes.deleted if e.guid == alice.guid]
        assert tombstone.deleted is True
        assert tombstone.sid == alice.sid
        assert tombstone.dn.within(world.base.child("CN", "Deleted Objects"))
        assert tombstone.attributes == {"sAMAccountName": world.unique("alice")}
        assert alice.guid not in guids(changes.entries)

    def test_an_older_deletion_is_no_change(self, world: World) -> None:
        alice = world.add("alice")
        world.admin.delete(world.at("alice"))
        cursor = world.reader.domain().usn
        assert alice.guid not in guids(world.reader.changes(["cn"], cursor).deleted)

    def test_work_on_accounts_changes_no_container(self, world: World) -> None:
        cursor = world.reader.domain().usn
        alice = world.add("alice")
        world.writer.move(alice.guid, world.departed.child("CN", "alice"))
        world.writer.delete(alice.guid)
        assert world.reader.changes(["cn"], cursor).containers is False

    def test_a_renamed_container_is_flagged_though_its_accounts_keep_their_usn(self, world: World) -> None:
        alice = world.add_at(world.departed.child("CN", "alice"), "alice")
        cursor = world.reader.domain().usn
        gone = world.ou.child("OU", "Gone")
        world.admin.rename_ou(world.departed, gone)
        changes = world.reader.changes(["cn"], cursor)
        assert changes.containers is True
        assert alice.guid not in guids(changes.entries)
        assert world.read(alice).dn == gone.child("CN", "alice")
        assert world.listed(gone) == ["alice"]

    def test_a_new_container_is_flagged(self, world: World) -> None:
        cursor = world.reader.domain().usn
        world.admin.create_ou(world.ou.child("OU", "New"))
        assert world.reader.changes(["cn"], cursor).containers is True
