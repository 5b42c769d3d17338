"""modify(): compare-and-swap, all or nothing."""

from __future__ import annotations

from typing import Literal

import pytest

from reconciler.directory.port import Modification
from reconciler.errors import DirectoryError, NameTakenError, NotFoundError, ValueMismatchError
from reconciler.model.account import ACCOUNTDISABLE, HALF_MADE
from tests.directory.contract_creating import PASSWORD, WELCOME_VALUES
from tests.directory.contract_reading import NOBODY
from tests.directory.world import World, guids

SMARTCARD = 262656


class ModifyingContract:
    """A value is replaced only where it is still the value that was expected."""

    def test_a_value_is_swapped_for_another(self, world: World) -> None:
        alice = world.add("alice", mail="old@example.test")
        world.writer.modify(alice.guid, [Modification("mail", "old@example.test", "new@example.test")])
        assert world.read(alice, "mail", "displayName").attributes == {
            "mail": "new@example.test",
            "displayName": "alice",
        }

    def test_a_value_is_set_where_there_was_none(self, world: World) -> None:
        alice = world.add("alice")
        world.writer.modify(alice.guid, [Modification("mail", None, "new@example.test")])
        assert world.read(alice, "mail").attributes == {"mail": "new@example.test"}

    def test_a_value_is_cleared(self, world: World) -> None:
        alice = world.add("alice", mail="old@example.test")
        world.writer.modify(alice.guid, [Modification("mail", "old@example.test", None)])
        assert world.read(alice, "mail").attributes == {}

    def test_several_attributes_change_together(self, world: World) -> None:
        alice = world.add("alice", mail="old@example.test", sn="Old")
        world.writer.modify(
            alice.guid,
            [
                Modification("mail", "old@example.test", None),
                Modification("sn", "Old", "New"),
                Modification("givenName", None, "Alice"),
            ],
        )
        assert world.read(alice, "mail", "sn", "givenName").attributes == {"sn": "New", "givenName": "Alice"}

    @pytest.mark.parametrize(
        ("before", "after"),
        [("expected", "new"), ("expected", None), ("held and more", "new"), ("hel", "new"), ("*", "new")],
    )
    def test_another_value_than_expected_changes_nothing_at_all(
        self, world: World, before: str, after: str | None
    ) -> None:
        alice = world.add("alice", sn="held")
        for order in (1, -1):
            wanted = [Modification("givenName", None, "Alice"), Modification("sn", before, after)][::order]
            with pytest.raises(ValueMismatchError) as caught:
                world.writer.modify(alice.guid, wanted)
            assert caught.value.remedy
        assert world.read(alice, "sn", "givenName").attributes == {"sn": "held"}

    @pytest.mark.parametrize("after", ["new", None])
    def test_a_missing_value_is_not_the_expected_one(self, world: World, after: str | None) -> None:
        alice = world.add("alice")
        with pytest.raises(ValueMismatchError):
            world.writer.modify(
                alice.guid, [Modification("displayName", "alice", "Alice"), Modification("sn", "expected", after)]
            )
        assert world.read(alice, "sn", "displayName").attributes == {"displayName": "alice"}

    def test_a_value_where_none_was_expected_changes_nothing_at_all(self, world: World) -> None:
        alice = world.add("alice", sn="held")
        for after in ("new", "held"):
            with pytest.raises(ValueMismatchError):
                world.writer.modify(
                    alice.guid, [Modification("displayName", "alice", "Alice"), Modification("sn", None, after)]
                )
        assert world.read(alice, "sn", "displayName").attributes == {"sn": "held", "displayName": "alice"}

    def test_several_values_are_swapped_together_whatever_their_order(self, world: World) -> None:
        alice = world.add("alice", otherMailbox=("a@example.test", "b@example.test"))
        assert world.read(alice, "otherMailbox").attributes == {"otherMailbox": ("a@example.test", "b@example.test")}
        world.writer.modify(
            alice.guid,
            [Modification("otherMailbox", ("b@example.test", "A@example.test"), ("b@example.test", "c@example.test"))],
        )
        assert world.read(alice, "otherMailbox").attributes == {"otherMailbox": ("b@example.test", "c@example.test")}
        world.writer.modify(
            alice.guid, [Modification("otherMailbox", ("b@example.test", "c@example.test"), ("d@example.test",))]
        )
        assert world.read(alice, "otherMailbox").attributes == {"otherMailbox": ("d@example.test",)}
        world.writer.modify(alice.guid, [Modification("otherMailbox", ("d@example.test",), None)])
        assert world.read(alice, "otherMailbox").attributes == {}

    @pytest.mark.parametrize(
        "before",
        [("a@example.test",), ("a@example.test", "b@example.test", "c@example.test"), ("a@example.test", "x"), None],
    )
    def test_other_values_than_expected_change_nothing_at_all(
        self, world: World, before: tuple[str, ...] | None
    ) -> None:
        held = ("a@example.test", "b@example.test")
        alice = world.add("alice", otherMailbox=held)
        with pytest.raises(ValueMismatchError):
            world.writer.modify(
                alice.guid, [Modification("sn", None, "new"), Modification("otherMailbox", before, ("d@example.test",))]
            )
        assert world.read(alice, "otherMailbox", "sn").attributes == {"otherMailbox": held}

    def test_a_mismatch_is_no_change(self, world: World) -> None:
        alice = world.add("alice", sn="held")
        cursor = world.reader.domain().usn
        with pytest.raises(ValueMismatchError):
            world.writer.modify(alice.guid, [Modification("sn", "expected", "new")])
        assert alice.guid not in guids(world.reader.changes(["cn"], cursor).entries)

    def test_the_expected_value_matches_in_any_case(self, world: World) -> None:
        alice = world.add("alice", sn="Held")
        world.writer.modify(alice.guid, [Modification("sn", "hELD", "new")])
        assert world.read(alice, "sn").attributes == {"sn": "new"}

    def test_a_value_changes_its_case_alone(self, world: World) -> None:
        alice = world.add("alice", sn="held")
        world.writer.modify(alice.guid, [Modification("sn", "held", "HELD")])
        assert world.read(alice, "sn").attributes == {"sn": "HELD"}

    @pytest.mark.parametrize("value", WELCOME_VALUES)
    def test_a_hostile_value_is_swapped_as_it_is(self, world: World, value: str) -> None:
        alice = world.add("alice", sn="old")
        world.writer.modify(alice.guid, [Modification("sn", "old", value)])
        assert world.read(alice, "sn").attributes == {"sn": value}
        world.writer.modify(alice.guid, [Modification("sn", value, "new")])
        assert world.read(alice, "sn").attributes == {"sn": "new"}

    def test_an_account_with_a_password_is_enabled_and_disabled_by_its_flags(self, world: World) -> None:
        alice = world.add("alice")
        world.writer.set_password(alice.guid, PASSWORD)
        world.writer.modify(alice.guid, [Modification("userAccountControl", HALF_MADE, SMARTCARD)])
        assert world.read(alice, "userAccountControl").attributes == {"userAccountControl": SMARTCARD}
        off = SMARTCARD | ACCOUNTDISABLE
        world.writer.modify(alice.guid, [Modification("userAccountControl", SMARTCARD, off)])
        assert world.read(alice, "userAccountControl").attributes == {"userAccountControl": off}

    def test_other_flags_than_expected_change_nothing_at_all(self, world: World) -> None:
        alice = world.add("alice")
        world.writer.set_password(alice.guid, PASSWORD)
        with pytest.raises(ValueMismatchError):
            world.writer.modify(
                alice.guid,
                [
                    Modification("displayName", "alice", "Alice"),
                    Modification("userAccountControl", SMARTCARD, SMARTCARD | ACCOUNTDISABLE),
                ],
            )
        assert world.read(alice, "userAccountControl", "displayName").attributes == {
            "userAccountControl": HALF_MADE,
            "displayName": "alice",
        }

    @pytest.mark.parametrize("attribute", ["sAMAccountName", "userPrincipalName"])
    def test_names_are_swapped_like_other_values(
        self, world: World, attribute: Literal["sAMAccountName", "userPrincipalName"]
    ) -> None:
        suffix = "" if attribute == "sAMAccountName" else "@example.test"
        old, new = world.unique("alice") + suffix, world.unique("alicia") + suffix
        alice = world.add("alice", **{attribute: old})
        world.writer.modify(alice.guid, [Modification(attribute, old, new)])
        assert world.read(alice, attribute).attributes == {attribute: new}
        assert world.reader.owners(attribute, [old, new]) == {new: alice.sid}

    @pytest.mark.parametrize("attribute", ["sAMAccountName", "userPrincipalName"])
    def test_a_name_somebody_else_has_is_refused(
        self, world: World, attribute: Literal["sAMAccountName", "userPrincipalName"]
    ) -> None:
        suffix = "" if attribute == "sAMAccountName" else "@example.test"
        mine, taken = world.unique("alice") + suffix, world.unique("bob") + suffix
        alice = world.add("alice", **{attribute: mine})
        world.add("bob", **{attribute: taken})
        for wanted in (taken, taken.upper()):
            with pytest.raises(NameTakenError) as caught:
                world.writer.modify(
                    alice.guid, [Modification("sn", None, "new"), Modification(attribute, mine, wanted)]
                )
            assert caught.value.remedy
        assert world.read(alice, attribute, "sn").attributes == {attribute: mine}

    def test_two_accounts_swap_a_name_by_way_of_a_third(self, world: World) -> None:
        a, b, via = (world.unique(n) for n in ("alice", "bob", "via"))
        alice, bob = world.add("alice"), world.add("bob")
        world.writer.modify(alice.guid, [Modification("sAMAccountName", a, via)])
        world.writer.modify(bob.guid, [Modification("sAMAccountName", b, a)])
        world.writer.modify(alice.guid, [Modification("sAMAccountName", via, b)])
        assert world.reader.owners("sAMAccountName", [a, b, via]) == {a: bob.sid, b: alice.sid}

    def test_a_longer_value_than_the_schema_allows_changes_nothing_at_all(self, world: World) -> None:
        alice = world.add("alice", sn="held")
        with pytest.raises(DirectoryError) as caught:
            world.writer.modify(
                alice.guid, [Modification("displayName", "alice", "Alice"), Modification("sn", "held", "x" * 65)]
            )
        assert caught.value.remedy
        assert world.read(alice, "sn", "displayName").attributes == {"sn": "held", "displayName": "alice"}

    def test_nobody_cannot_be_modified(self, world: World) -> None:
        with pytest.raises(NotFoundError) as caught:
            world.writer.modify(NOBODY, [Modification("sn", None, "new")])
        assert NOBODY in str(caught.value)
        assert caught.value.remedy

    def test_a_deleted_account_cannot_be_modified(self, world: World) -> None:
        alice = world.add("alice")
        world.admin.delete(world.at("alice"))
        with pytest.raises(NotFoundError):
            world.writer.modify(alice.guid, [Modification("sn", None, "new")])

    def test_an_account_is_modified_wherever_it_went(self, world: World) -> None:
        alice = world.add("alice")
        world.admin.move(world.at("alice"), world.departed.child("CN", "alicia"))
        world.writer.modify(alice.guid, [Modification("sn", None, "new")])
        assert world.read(alice, "sn").attributes == {"sn": "new"}
