"""Where Windows is stricter than Samba, the in-memory domain sides with Windows."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.directory.port import Modification
from reconciler.errors import DirectoryError, NameTakenError, NotFoundError, ValueMismatchError
from reconciler.model import schema
from reconciler.model.account import HALF_MADE
from reconciler.model.dn import DN
from reconciler.model.values import Value, fold, utf16_length
from tests.directory.test_memory_contract import make_world
from tests.directory.world import World

PASSWORD = "a Long-enough pa55word"
law = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\n"), min_size=1, max_size=32)


@pytest.fixture
def world() -> World:
    return make_world()


def refused(world: World, code: int, **attributes: Value) -> DirectoryError:
    """Try to create alice; return the refusal, having made sure that she was not made."""
    with pytest.raises(DirectoryError) as caught:
        world.writer.add(world.at("alice"), {"sAMAccountName": "alice", **attributes})
    assert caught.value.code == code
    assert caught.value.remedy
    assert world.listed() == []
    return caught.value


class TestValues:
    @pytest.mark.parametrize(
        ("attribute", "limit"), [("sAMAccountName", 20), ("userPrincipalName", 1024), ("adminDescription", 1024)]
    )
    def test_a_value_longer_than_the_schema_allows_is_refused(self, world: World, attribute: str, limit: int) -> None:
        refused(world, 19, **{attribute: "x" * (limit + 1)})
        world.writer.add(world.at("alice"), {attribute: "x" * limit})

    def test_a_cn_of_more_than_64_code_units_is_refused(self, world: World) -> None:
        for cn in ("x" * 65, "\U0001f600" * 33):
            with pytest.raises(DirectoryError) as caught:
                world.add_at(world.at(cn), "alice")
            assert caught.value.code == 19
        world.add_at(world.at("\U0001f600" * 32), "alice")

    @pytest.mark.parametrize("bad", [*'"/\\[]:;|=,+*?<>@', "\t", "\x1f", "\x7f"])
    def test_a_sam_account_name_has_no_special_characters(self, world: World, bad: str) -> None:
        refused(world, 19, sAMAccountName=f"al{bad}ice")

    @pytest.mark.parametrize("bad", ["alice.", "...", "   ", " . "])
    def test_a_sam_account_name_is_not_blank_and_has_no_trailing_dot(self, world: World, bad: str) -> None:
        refused(world, 19, sAMAccountName=bad)

    @pytest.mark.parametrize("bad", ["", "nul\x00byte", "half \ud800 pair", ()])
    def test_what_no_directory_string_holds_is_refused(self, world: World, bad: Value) -> None:
        refused(world, 21, displayName=bad)
        alice = world.add("alice")
        with pytest.raises(DirectoryError) as caught:
            world.writer.modify(alice.guid, [Modification("displayName", "alice", bad)])
        assert caught.value.code == 21
        assert world.read(alice, "displayName").attributes == {"displayName": "alice"}

    def test_a_single_valued_attribute_holds_one_value(self, world: World) -> None:
        refused(world, 19, displayName=("Alice", "Alicia"))

    def test_a_multi_valued_attribute_holds_several_once(self, world: World) -> None:
        refused(world, 19, otherMailbox=("a@example.test", "A@example.test"))
        alice = world.add("alice", otherMailbox="a@example.test")
        assert world.read(alice, "otherMailbox").attributes == {"otherMailbox": ("a@example.test",)}

    def test_an_attribute_nobody_knows_holds_what_it_is_given(self, world: World) -> None:
        alice = world.add("alice", unheardOf=("b", "a"), never="x")
        assert world.read(alice, "unheardOf", "never").attributes == {"unheardOf": ("a", "b"), "never": "x"}

    @pytest.mark.parametrize("name", ["objectGUID", "objectSid", "uSNChanged", "distinguishedName", "memberOf"])
    def test_what_the_directory_maintains_is_not_written(self, world: World, name: str) -> None:
        refused(world, 53, **{name: "x"})

    def test_a_cn_is_changed_by_a_move_alone(self, world: World) -> None:
        refused(world, 67, cn="alicia")
        alice = world.add("alice", cn="alice")
        with pytest.raises(DirectoryError) as caught:
            world.writer.modify(alice.guid, [Modification("cn", "alice", "alicia")])
        assert caught.value.code == 67

    def test_attribute_names_are_the_same_in_any_case(self, world: World) -> None:
        alice = world.add("alice", MAIL="alice@example.test")
        world.writer.modify(alice.guid, [Modification("Mail", "alice@example.test", "new@example.test")])
        assert world.read(alice, "mail").attributes == {"mail": "new@example.test"}

    def test_a_flag_value_is_an_integer(self, world: World) -> None:
        for bad in ("546", True, 2**31):
            refused(world, 21, userAccountControl=bad)

    def test_a_number_is_within_its_range(self, world: World) -> None:
        refused(world, 19, countryCode=65536)
        alice = world.add("alice", countryCode=756)
        assert world.read(alice, "countryCode").attributes == {"countryCode": 756}

    @law
    @given(
        name=st.sampled_from(["displayName", "sn", "sAMAccountName", "c", "otherMailbox"]),
        texts=st.lists(st.text(max_size=70), min_size=1, max_size=3),
    )
    def test_the_directory_takes_what_the_tool_holds_to_be_valid_and_nothing_else(
        self, name: str, texts: list[str]
    ) -> None:
        known = schema.attribute(name)
        value: Value = tuple(sorted(texts)) if known.multi else texts[0]
        world = make_world()
        if schema.validate_value(known, value) is None:
            alice = world.writer.add(world.at("alice"), {name: value})
            assert world.read(alice, name).attributes == {name: value}
        else:
            with pytest.raises(DirectoryError) as caught:
                world.writer.add(world.at("alice"), {name: value})
            assert caught.value.code in (19, 21)


class TestNames:
    @pytest.mark.parametrize(
        ("one", "other"),
        [("Muller", "Müller"), ("Muller", "Mu\u0308ller"), ("Muller", "Ｍｕｌｌｅｒ"), ("かな", "カナ")],
    )
    def test_names_are_one_where_windows_folds_them(self, world: World, one: str, other: str) -> None:
        upn = "@example.test"
        owner = world.writer.add(world.at(one), {"sAMAccountName": one, "userPrincipalName": one + upn})
        for dn, attributes in (
            (world.at(other), {"sAMAccountName": "free"}),
            (world.at("free"), {"sAMAccountName": other}),
            (world.at("free"), {"sAMAccountName": "free", "userPrincipalName": other + upn}),
        ):
            with pytest.raises(NameTakenError):
                world.writer.add(dn, attributes)
        assert world.reader.owners("sAMAccountName", [other]) == {other: owner.sid}
        assert world.reader.owners("userPrincipalName", [other + upn]) == {other + upn: owner.sid}
        assert world.reader.owners("cn", [world.at(other).text]) == {world.at(other).text: owner.sid}
        assert world.reader.exists(world.at(other))

    def test_an_account_takes_another_spelling_of_its_own_names(self, world: World) -> None:
        alice = world.writer.add(world.at("Muller"), {"sAMAccountName": "Muller"})
        world.writer.modify(alice.guid, [Modification("sAMAccountName", "Muller", "Müller")])
        world.writer.move(alice.guid, world.at("Müller"))
        assert world.read(alice, "sAMAccountName", "cn").attributes == {"sAMAccountName": "Müller", "cn": "Müller"}

    def test_a_group_outside_the_ous_holds_its_name_too(self, world: World) -> None:
        with pytest.raises(NameTakenError):
            world.writer.add(world.at("alice"), {"sAMAccountName": "protected users"})

    def test_codes_and_win32_codes_are_those_of_windows(self, world: World) -> None:
        world.add("alice", userPrincipalName="alice@example.test")
        told = []
        for dn, attributes in (
            (world.at("alice"), {"sAMAccountName": "free"}),
            (world.at("free"), {"sAMAccountName": world.unique("alice")}),
            (world.at("free"), {"userPrincipalName": "alice@example.test"}),
        ):
            with pytest.raises(NameTakenError) as caught:
                world.writer.add(dn, attributes)
            told.append((caught.value.code, caught.value.diagnostic[:8]))
        assert told == [(68, "00002071"), (68, "00000524"), (19, "000021C8")]

    def test_other_attributes_have_owners_too(self, world: World) -> None:
        alice = world.add("alice", mail="alice@example.test", otherMailbox=("a@example.test", "b@example.test"))
        assert world.reader.owners("mail", ["ALICE@example.test", "x"]) == {"ALICE@example.test": alice.sid}
        assert world.reader.owners("otherMailbox", ["b@example.test"]) == {"b@example.test": alice.sid}

    def test_a_user_without_a_sam_account_name_is_given_one(self, world: World) -> None:
        alice = world.writer.add(world.at("alice"), {})
        assert str(world.read(alice, "sAMAccountName").attributes["sAMAccountName"]).startswith("$")

    def test_a_user_keeps_a_sam_account_name(self, world: World) -> None:
        alice = world.add("alice")
        with pytest.raises(DirectoryError) as caught:
            world.writer.modify(alice.guid, [Modification("sAMAccountName", world.unique("alice"), None)])
        assert caught.value.code == 53

    def test_a_line_feed_is_in_no_name(self, world: World) -> None:
        alice = world.add("alice")
        with pytest.raises(DirectoryError) as caught:
            world.writer.move(alice.guid, world.at(f"alice\nDEL:{alice.guid}"))
        assert caught.value.code == 64

    @pytest.mark.parametrize("text", ["alice", "CN=,DC=contoso,DC=test", "CN=a,,DC=contoso,DC=test"])
    def test_what_is_no_dn_is_refused_as_such(self, world: World, text: str) -> None:
        with pytest.raises(DirectoryError) as caught:
            world.reader.exists(DN(text))
        assert caught.value.code == 34

    @law
    @given(cns=st.lists(names.filter(lambda n: utf16_length(n) <= 64), max_size=8))
    def test_of_the_names_that_fold_alike_one_is_given(self, cns: list[str]) -> None:
        world = make_world()
        given_to: dict[str, str] = {}
        for n, cn in enumerate(cns):
            if fold(cn) in given_to:
                with pytest.raises(NameTakenError):
                    world.writer.add(world.at(cn), {"sAMAccountName": f"user{n}"})
            else:
                entry = world.writer.add(world.at(cn), {"sAMAccountName": f"user{n}"})
                given_to[fold(cn)] = cn
                assert (entry.dn.name, entry.dn.parent) == (cn, world.ou)
                assert DN.parse(entry.dn.text) == entry.dn == world.at(cn)
        assert world.listed() == list(given_to.values())


class TestEnabling:
    def test_an_account_without_a_password_is_not_enabled(self, world: World) -> None:
        alice = world.add("alice")
        for flags in (512, 262656):
            with pytest.raises(DirectoryError) as caught:
                world.writer.modify(
                    alice.guid,
                    [Modification("mail", None, "x"), Modification("userAccountControl", HALF_MADE, flags)],
                )
            assert (caught.value.code, caught.value.diagnostic[:8]) == (53, "0000052D")
        assert world.read(alice, "mail", "userAccountControl").attributes == {"userAccountControl": HALF_MADE}
        refused_again = world.at("bob")
        with pytest.raises(DirectoryError):
            world.writer.add(refused_again, {"userAccountControl": 512})
        assert not world.reader.exists(refused_again)

    def test_an_account_that_needs_no_password_is_enabled_without(self, world: World) -> None:
        alice = world.add("alice")
        world.writer.modify(alice.guid, [Modification("userAccountControl", HALF_MADE, 544)])
        assert world.read(alice, "userAccountControl").attributes == {"userAccountControl": 544}

    @pytest.mark.parametrize("flags", [0, 2, 4096, 512 | 8192, None])
    def test_a_user_keeps_the_flags_of_a_user(self, world: World, flags: int | None) -> None:
        alice = world.add("alice")
        world.writer.set_password(alice.guid, PASSWORD)
        with pytest.raises(DirectoryError) as caught:
            world.writer.modify(alice.guid, [Modification("userAccountControl", HALF_MADE, flags)])
        assert caught.value.code == 53

    def test_flags_as_text_are_not_the_flags(self, world: World) -> None:
        alice = world.add("alice")
        with pytest.raises(ValueMismatchError):
            world.writer.modify(alice.guid, [Modification("userAccountControl", "546", 514)])

    @pytest.mark.parametrize("name", ["unicodePwd", "userPassword"])
    def test_a_password_is_no_value(self, world: World, name: str) -> None:
        error = refused(world, 53, **{name: PASSWORD})
        assert PASSWORD not in f"{error!r} {error} {error.diagnostic}"

    @pytest.mark.parametrize("weak", ["aB3-56", "lower case only", "12345 67890", "Aa1-" + "x" * 253, "Aa1-\ud800xxx"])
    def test_a_weak_password_is_refused_with_windows_own_code(self, world: World, weak: str) -> None:
        alice = world.add("alice")
        with pytest.raises(DirectoryError) as caught:
            world.writer.set_password(alice.guid, weak)
        assert (caught.value.code, caught.value.diagnostic[:8]) == (53, "0000052D")


class TestPlaces:
    def test_nothing_is_moved_into_a_missing_ou(self, world: World) -> None:
        alice = world.add("alice")
        with pytest.raises(NotFoundError) as caught:
            world.writer.move(alice.guid, world.ou.child("OU", "Missing").child("CN", "alice"))
        assert caught.value.code == 32

    def test_an_account_lies_by_its_cn_in_a_container(self, world: World) -> None:
        world.add("alice")
        for dn in (
            world.ou.child("OU", "bob"),
            world.at("alice").child("CN", "bob"),
            world.base.child("CN", "Deleted Objects").child("CN", "bob"),
        ):
            with pytest.raises(DirectoryError) as caught:
                world.add_at(dn, "bob")
            assert caught.value.code == 64

    def test_a_moved_account_takes_its_place_as_the_directory_spells_it(self, world: World) -> None:
        alice = world.add("alice")
        world.writer.move(alice.guid, DN(f"cn=Alice,{world.departed.text.upper()}"))
        assert world.read(alice).dn.text == f"CN=Alice,{world.departed}"

    @pytest.mark.parametrize("leaf", ["alice", "CN=", "=alice"])
    def test_a_leaf_that_is_no_rdn_is_refused(self, world: World, leaf: str) -> None:
        with pytest.raises(DirectoryError):
            world.add_at(DN(f"{leaf},{world.ou}"), "alice")
        assert world.listed() == []

    def test_another_domain_is_not_there(self, world: World) -> None:
        with pytest.raises(NotFoundError):
            world.add_at(DN("CN=alice,OU=Guests,DC=fabrikam,DC=test"), "alice")
        assert not world.reader.exists(DN("DC=test"))
