"""What reading through LDAP does beyond the contract: pages, protections, names in the forest, rights."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.demo.samba import Controller, Login, template
from reconciler.demo.samba.administrator import Administrator
from reconciler.directory.connect import open_reader, open_writer
from reconciler.directory.ldap.entries import Entries
from reconciler.directory.ldap.protected import Groups
from reconciler.directory.ldap.reader import LdapReader
from reconciler.directory.ldap.session import PAGE, Session
from reconciler.directory.port import DirectoryReader, DirectoryWriter
from reconciler.errors import DirectoryError, DirectoryUnavailableError
from reconciler.model.dn import DN
from tests.support.samba import Accounts, samba_env, samba_settings

pytestmark = pytest.mark.samba

TWO_DOMAINS = """
import sys
import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
load = LoadParm()
load.load(sys.argv[1])
directory = SamDB(session_info=system_session(), lp=load)
change = ldb.Message(ldb.Dn(directory, f"CN=Enterprise Schema,CN=Partitions,{directory.get_config_basedn()}"))
change["flags"] = ldb.MessageElement("3", ldb.FLAG_MOD_REPLACE, "systemFlags")
directory.modify(change)
"""


@pytest.fixture(scope="module")
def admin(samba: Controller) -> Iterator[Administrator]:
    with samba.administrator() as administrator:
        yield administrator


@pytest.fixture(scope="module")
def reader(samba: Controller, samba_accounts: Accounts) -> Iterator[DirectoryReader]:
    """A reader with no rights but any user's."""
    reader = open_reader(samba_settings(samba), samba_env(samba_accounts.reader), None)
    yield reader
    reader.close()


@pytest.fixture(scope="module")
def writer(samba: Controller, samba_accounts: Accounts) -> Iterator[DirectoryWriter]:
    writer = open_writer(samba_settings(samba), samba_env(samba_accounts.administrator), None)
    yield writer
    writer.close()


def user(admin: Administrator, ou: DN, name: str) -> DN:
    dn = ou.child("CN", name)
    admin.user(dn.text, {"sAMAccountName": f"{name[:8]}-{ou.name[-9:]}"})
    return dn


def protections(reader: DirectoryReader, ou: DN) -> dict[str, tuple[str, ...]]:
    return {e.dn.name: e.protected for e in reader.accounts([ou], [])}


class TestPages:
    def test_more_than_a_page_is_read_to_the_end(
        self, admin: Administrator, reader: DirectoryReader, samba_ou: DN
    ) -> None:
        names = {f"user{n:04}" for n in range(PAGE + 51)}
        for name in names:
            user(admin, samba_ou, name)
        told: list[int] = []
        entries = list(reader.accounts([samba_ou], ["sAMAccountName"], told.append))
        assert {e.dn.name for e in entries} == names
        assert len({e.guid for e in entries}) == len(entries)
        assert told == [PAGE, PAGE + 51]
        assert len(reader.find([e.guid for e in entries], [])) == len(entries)


class TestProtections:
    def test_members_of_a_group_in_protected_users_are_protected_too(
        self, samba: Controller, admin: Administrator, reader: DirectoryReader, samba_ou: DN
    ) -> None:
        inner, outer = (samba_ou.child("CN", name).text for name in ("inner", "outer"))
        for group in (inner, outer):
            admin.add(group, ["group"], {"sAMAccountName": f"{group[3:8]}-{samba_ou.name[-9:]}"})
        for name in ("direct", "nested", "nobody"):
            user(admin, samba_ou, name)
        protected_users = f"CN=Protected Users,CN=Users,{samba.base}"
        admin.extend(protected_users, "member", [samba_ou.child("CN", "direct").text, outer])
        admin.extend(outer, "member", [inner])
        admin.extend(inner, "member", [samba_ou.child("CN", "nested").text, outer])  # and around in a circle
        try:
            assert protections(reader, samba_ou) == {
                "direct": ("Protected Users",),
                "nested": ("Protected Users",),
                "nobody": (),
            }
        finally:
            admin.replace(protected_users, "member", [])

    def test_what_becomes_of_the_groups_between_two_looks_is_seen(
        self, samba: Controller, admin: Administrator, reader: DirectoryReader, samba_ou: DN
    ) -> None:
        inner, outer = (samba_ou.child("CN", name).text for name in ("inner", "outer"))
        for group in (inner, outer):
            admin.add(group, ["group"], {"sAMAccountName": f"{group[3:8]}-{samba_ou.name[-9:]}"})
        dn, protected_users = user(admin, samba_ou, "nested"), f"CN=Protected Users,CN=Users,{samba.base}"
        admin.extend(inner, "member", [dn.text])
        [guid] = [e.guid for e in reader.accounts([samba_ou], [])]

        def protected() -> bool:
            return reader.find([guid], [])[guid].protected == ("Protected Users",)

        assert not protected()
        for group, member in ((outer, inner), (protected_users, outer)):
            admin.extend(group, "member", [member])
        try:
            assert protected()
            admin.move(outer, "CN=renamed", samba_ou.text)
            assert protected()
            renamed = samba_ou.child("CN", "renamed").text
            admin.extend(inner, "member", [renamed])  # around in a circle
            assert protected()
            admin.replace(protected_users, "member", [])
            assert not protected()
            admin.extend(protected_users, "member", [dn.text])
            assert protected()
            admin.move(protected_users, "CN=Protected Guests", f"CN=Users,{samba.base}")
            assert protected()
        finally:
            for name in ("Protected Guests", "Protected Users"):
                if reader.exists(DN(f"CN={name},CN=Users,{samba.base}")):
                    admin.move(f"CN={name},CN=Users,{samba.base}", "CN=Protected Users", f"CN=Users,{samba.base}")
            admin.replace(protected_users, "member", [])
        assert not protected()

    def test_protected_users_may_be_a_primary_group(
        self, samba: Controller, admin: Administrator, reader: DirectoryReader, samba_ou: DN
    ) -> None:
        dn = user(admin, samba_ou, "primary")
        admin.extend(f"CN=Protected Users,CN=Users,{samba.base}", "member", [dn.text])
        admin.replace(dn.text, "primaryGroupID", ["525"])
        assert protections(reader, samba_ou) == {"primary": ("Protected Users",)}

    def test_protected_users_is_known_by_its_sid_under_any_name(
        self, samba: Controller, admin: Administrator, reader: DirectoryReader, samba_ou: DN
    ) -> None:
        dn = user(admin, samba_ou, "member")
        group, users = "CN=Protected Users", f"CN=Users,{samba.base}"
        admin.move(f"{group},{users}", "CN=Geschützte Benutzer (*)", users)
        try:
            admin.extend(f"CN=Geschützte Benutzer (*),{users}", "member", [dn.text])
            assert protections(reader, samba_ou) == {"member": ("Protected Users",)}
            admin.replace(f"CN=Geschützte Benutzer (*),{users}", "member", [])
        finally:
            admin.move(f"CN=Geschützte Benutzer (*),{users}", group, users)

    def test_an_account_whose_source_of_authority_is_the_cloud_is_protected(
        self, admin: Administrator, reader: DirectoryReader, samba_ou: DN
    ) -> None:
        for name, source in (("cloud", "Cloud"), ("lower", "cloud"), ("local", "OnPremises")):
            admin.replace(user(admin, samba_ou, name).text, "msDS-ObjectSoa", [source])
        assert protections(reader, samba_ou) == {
            "cloud": ("msDS-ObjectSoa",),
            "lower": ("msDS-ObjectSoa",),
            "local": (),
        }

    def test_where_the_schema_has_no_source_of_authority_it_is_not_asked_for(self, reader: DirectoryReader) -> None:
        assert isinstance(reader, LdapReader)
        older = Entries(reader._session, ["cn"], Groups(), source_of_authority=False)
        assert "msDS-ObjectSoa" not in older.requested

    def test_several_reasons_are_all_told(self, admin: Administrator, reader: DirectoryReader, samba_ou: DN) -> None:
        dn = user(admin, samba_ou, "both").text
        admin.replace(dn, "adminCount", ["1"])
        admin.replace(dn, "servicePrincipalName", [f"HTTP/h{n}-{samba_ou.name}" for n in range(1600)])
        assert protections(reader, samba_ou) == {"both": ("adminCount", "servicePrincipalName")}


class TestDeleted:
    def test_an_account_without_the_right_to_list_them_knows_that_it_does_not_see_deletions(
        self, reader: DirectoryReader, writer: DirectoryWriter, samba_ou: DN
    ) -> None:
        cursor = writer.domain().usn
        alice = writer.add(samba_ou.child("CN", "alice"), {"sAMAccountName": samba_ou.name[:20]})
        writer.delete(alice.guid)
        privileged, plain = writer.changes([], cursor), reader.changes([], cursor)
        assert (privileged.sees_deleted, {e.guid for e in privileged.deleted}) == (True, {alice.guid})
        assert (plain.sees_deleted, plain.deleted) == (False, ())
        assert reader.find([alice.guid], []) == {}

    def test_until_something_was_deleted_nobody_can_tell(self) -> None:
        with Controller() as controller:
            login = Login(controller.admin_user, controller.admin_password)
            writer = open_writer(samba_settings(controller), samba_env(login), None)
            assert writer.changes([], 1).sees_deleted is False
            made = writer.add(DN(f"CN=alice,CN=Users,{controller.base}"), {"sAMAccountName": "alice"})
            writer.delete(made.guid)
            assert writer.changes([], 1).sees_deleted is True
            writer.close()


class TestKinds:
    def test_values_of_several_come_sorted(self, admin: Administrator, reader: DirectoryReader, samba_ou: DN) -> None:
        dn = user(admin, samba_ou, "many")
        admin.replace(dn.text, "otherTelephone", ["+2", "+1", "+3"])
        found = reader.read(dn, ["otherTelephone", "description"])
        assert found is not None
        assert found.attributes == {"otherTelephone": ("+1", "+2", "+3")}

    def test_attributes_are_named_as_they_were_asked_for(
        self, admin: Administrator, reader: DirectoryReader, samba_ou: DN
    ) -> None:
        dn = user(admin, samba_ou, "cased")
        found = reader.read(dn, ["SAMACCOUNTNAME", "useraccountcontrol"])
        assert found is not None
        assert set(found.attributes) == {"SAMACCOUNTNAME", "useraccountcontrol"}
        assert isinstance(found.attributes["useraccountcontrol"], int)

    def test_an_object_of_another_kind_is_no_user(
        self, samba: Controller, reader: DirectoryReader, samba_ou: DN
    ) -> None:
        for dn in (
            samba_ou,
            DN(f"CN=Domain Users,CN=Users,{samba.base}"),
            DN(f"CN=DC1,OU=Domain Controllers,{samba.base}"),
        ):
            with pytest.raises(DirectoryError, match="not a user"):
                reader.read(dn, [])
        assert reader.read(samba_ou.child("CN", "nobody"), []) is None
        assert reader.read(DN(""), []) is None
        assert not reader.exists(DN(""))

    def test_a_malformed_guid_goes_nowhere(self, reader: DirectoryReader) -> None:
        for guid in (
            "",
            "*",
            "not-a-guid",
            "00000000-0000-0000-0000-000000000000>;(",
            "{00000000-0000-0000-0000-000000000000}",
        ):
            with pytest.raises(DirectoryError, match="objectGUID"):
                reader.find([guid], [])

    def test_a_malformed_attribute_name_goes_nowhere(self, reader: DirectoryReader) -> None:
        with pytest.raises(DirectoryError, match="attribute name"):
            reader.owners("cn=*)(objectClass", ["x"])


class TestForest:
    def test_names_are_looked_for_in_the_global_catalog(
        self, samba: Controller, samba_accounts: Accounts, writer: DirectoryWriter, samba_ou: DN
    ) -> None:
        name = f"{samba_ou.name}@example.test"
        alice = writer.add(
            samba_ou.child("CN", "alice"), {"sAMAccountName": samba_ou.name[:20], "userPrincipalName": name}
        )
        for scheme in ("ldaps", "ldap"):
            setup = samba_settings(samba, controllers=(f"{scheme}://{samba.address}",))
            reader = open_reader(setup, samba_env(samba_accounts.reader), None)
            assert isinstance(reader, LdapReader)
            asked: list[str] = []
            reader._open_catalog = counting(reader._open_catalog, asked)
            assert reader.owners("userPrincipalName", [name, "nobody"]) == {name: alice.sid}
            assert reader.owners("userPrincipalName", [name.upper()]) == {name.upper(): alice.sid}
            assert asked == ["opened"]
            reader.close()

    def test_a_forest_of_one_domain_needs_no_global_catalog(
        self, samba: Controller, samba_accounts: Accounts, writer: DirectoryWriter, samba_ou: DN
    ) -> None:
        name = f"{samba_ou.name}@example.test"
        alice = writer.add(
            samba_ou.child("CN", "alice"), {"sAMAccountName": samba_ou.name[:20], "userPrincipalName": name}
        )
        reader = open_reader(samba_settings(samba), samba_env(samba_accounts.reader), None)
        assert isinstance(reader, LdapReader)
        reader._open_catalog = unreachable
        assert reader.owners("userPrincipalName", [name]) == {name: alice.sid}
        reader.close()

    def test_in_a_larger_forest_a_global_catalog_that_cannot_be_reached_is_an_error(self) -> None:
        with Controller() as controller:
            login = Login(controller.admin_user, controller.admin_password)
            reader = open_reader(samba_settings(controller), samba_env(login), None)
            assert isinstance(reader, LdapReader)
            reader._open_catalog = unreachable
            assert reader.owners("userPrincipalName", ["nobody@example.test"]) == {}
            command = [template.PYTHON, "-c", TWO_DOMAINS, str(controller.conf)]
            subprocess.run(command, check=True, env=template.environment(), capture_output=True)
            with pytest.raises(DirectoryUnavailableError):
                reader.owners("userPrincipalName", ["nobody@example.test"])
            reader.close()


class TestHostileNames:
    @given(name=st.text(st.characters(exclude_categories=["Cs", "Cn", "Co"]), min_size=1, max_size=30))
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_whatever_a_name_is_it_is_one_name(
        self, reader: DirectoryReader, writer: DirectoryWriter, samba_ou: DN, name: str
    ) -> None:
        dn = samba_ou.child("CN", name)
        if name.strip("\0") != name or "\0" in name or not DN(dn.text).name:
            return
        shown = f"{samba_ou.name} {name}"  # nobody else in the domain is called that
        try:
            made = writer.add(dn, {"sAMAccountName": samba_ou.name[:20], "displayName": shown})
        except DirectoryError:
            # Refused as a whole is fine, made under another name is not.
            assert list(reader.accounts([samba_ou], [])) == []
            return
        try:
            [found] = reader.accounts([samba_ou], ["displayName"])
            assert (found.guid, found.dn) == (made.guid, dn)
            assert found.attributes == {"displayName": shown}
            assert reader.exists(dn)
            assert reader.owners("cn", [dn.text]) == {dn.text: made.sid}
            assert reader.owners("displayName", [shown]) == {shown: made.sid}
        finally:
            writer.delete(made.guid)


def counting(opens: Callable[[], Session], asked: list[str]) -> Callable[[], Session]:
    def opened() -> Session:
        asked.append("opened")
        return opens()

    return opened


def unreachable() -> Session:
    raise DirectoryUnavailableError("no global catalog here")
