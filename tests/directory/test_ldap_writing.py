"""What writing through LDAP does beyond the contract: rights, several values, what the SAM owns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest

from reconciler.demo.samba import Controller, Login
from reconciler.demo.samba.administrator import Administrator
from reconciler.directory.connect import open_reader, open_writer
from reconciler.directory.ldap.refusals import Result
from reconciler.directory.ldap.session import DELETE, Change
from reconciler.directory.ldap.writer import LdapWriter
from reconciler.directory.port import DirectoryWriter, Entry, Modification
from reconciler.errors import (
    AccessDeniedError,
    DirectoryError,
    NotFoundError,
    ValueMismatchError,
)
from reconciler.model.account import HALF_MADE
from reconciler.model.dn import DN
from tests.support.samba import Accounts, samba_env, samba_settings

pytestmark = pytest.mark.samba

PASSWORD = "a Long-enough pa55word"
SMARTCARD = 262656


@pytest.fixture(scope="module")
def admin(samba: Controller) -> Iterator[Administrator]:
    with samba.administrator() as administrator:
        yield administrator


@pytest.fixture
def writer(samba: Controller, samba_accounts: Accounts) -> Iterator[DirectoryWriter]:
    writer = open_writer(samba_settings(samba), samba_env(samba_accounts.administrator), None)
    yield writer
    writer.close()


@pytest.fixture(scope="module")
def managed(samba: Controller, admin: Administrator) -> DN:
    """The OU that the delegate may write under."""
    ou = DN(admin.ou(f"OU=Managed,{samba.base}"))
    admin.ou(f"OU=Departed,{ou.text}")
    return ou


@pytest.fixture(scope="module")
def delegate_login(samba: Controller, managed: DN) -> Login:
    return samba.writer("delegate", managed.text)


@pytest.fixture
def delegate(samba: Controller, delegate_login: Login) -> Iterator[DirectoryWriter]:
    writer = open_writer(samba_settings(samba), samba_env(delegate_login), None)
    yield writer
    writer.close()


@pytest.fixture
def alice(writer: DirectoryWriter, samba_ou: DN) -> Entry:
    return writer.add(samba_ou.child("CN", "alice"), {"sAMAccountName": samba_ou.name[:20], "displayName": "alice"})


def values(writer: DirectoryWriter, entry: Entry, *attributes: str) -> Mapping[str, object]:
    return writer.find([entry.guid], attributes)[entry.guid].attributes


class TestRights:
    def test_a_delegate_does_everything_inside_its_ou(self, delegate: DirectoryWriter, managed: DN) -> None:
        made = delegate.add(
            managed.child("CN", "inside"), {"sAMAccountName": "inside", "userPrincipalName": "in@x.test"}
        )
        delegate.set_password(made.guid, PASSWORD)
        delegate.modify(made.guid, [Modification("userAccountControl", HALF_MADE, SMARTCARD)])
        delegate.modify(made.guid, [Modification("userPrincipalName", "in@x.test", "inner@x.test")])
        delegate.modify(made.guid, [Modification("sAMAccountName", "inside", "inner")])
        delegate.move(made.guid, managed.child("OU", "Departed").child("CN", "moved"))
        delegate.delete(made.guid)
        assert not delegate.exists(managed.child("OU", "Departed").child("CN", "moved"))

    def test_a_delegate_does_nothing_outside_its_ou(
        self, delegate: DirectoryWriter, writer: DirectoryWriter, alice: Entry, samba_ou: DN, managed: DN
    ) -> None:
        attempts: dict[str, Callable[[], object]] = {
            "add": lambda: delegate.add(samba_ou.child("CN", "new"), {"sAMAccountName": "new-outside"}),
            "password": lambda: delegate.set_password(alice.guid, PASSWORD),
            "modify": lambda: delegate.modify(alice.guid, [Modification("displayName", "alice", "Mallory")]),
            "rename": lambda: delegate.move(alice.guid, samba_ou.child("CN", "mallory")),
            "take in": lambda: delegate.move(alice.guid, managed.child("CN", "alice")),
            "delete": lambda: delegate.delete(alice.guid),
        }
        for attempt in attempts.values():
            with pytest.raises(AccessDeniedError) as caught:
                attempt()
            assert caught.value.code == 50
            assert "reconcile doctor" in caught.value.remedy
        assert values(writer, alice, "displayName") == {"displayName": "alice"}
        assert writer.read(alice.dn, []) is not None

    def test_a_delegate_cannot_put_an_account_outside_its_ou(
        self, delegate: DirectoryWriter, managed: DN, samba_ou: DN
    ) -> None:
        made = delegate.add(managed.child("CN", "stays"), {"sAMAccountName": "stays"})
        with pytest.raises(AccessDeniedError):
            delegate.move(made.guid, samba_ou.child("CN", "stays"))
        assert delegate.exists(managed.child("CN", "stays"))
        delegate.delete(made.guid)

    def test_a_delegate_reads_the_whole_domain(self, samba: Controller, delegate_login: Login, alice: Entry) -> None:
        reader = open_reader(samba_settings(samba), samba_env(delegate_login), None)
        assert reader.domain().sid in alice.sid
        assert reader.find([alice.guid], ["displayName"])[alice.guid].attributes == {"displayName": "alice"}
        assert any(e.guid == alice.guid for e in reader.changes([], 1).entries)
        reader.close()

    def test_a_readers_connection_refuses_to_write_before_the_server_does(
        self, samba: Controller, samba_accounts: Accounts, alice: Entry
    ) -> None:
        reader = open_reader(samba_settings(samba), samba_env(samba_accounts.administrator), None)
        assert not hasattr(reader, "delete")
        with pytest.raises(DirectoryError, match="read-only"):
            reader._session.delete(f"<GUID={alice.guid}>")  # type: ignore[attr-defined]


class TestSeveralValues:
    def test_values_are_added_and_removed(self, writer: DirectoryWriter, alice: Entry) -> None:
        name = "otherTelephone"
        writer.modify(alice.guid, [Modification(name, None, ("+1", "+2"))])
        writer.modify(alice.guid, [Modification(name, ("+1", "+2"), ("+2", "+3"))])
        assert values(writer, alice, name) == {name: ("+2", "+3")}
        writer.modify(alice.guid, [Modification(name, ("+2", "+3"), None)])
        assert values(writer, alice, name) == {}

    @pytest.mark.parametrize("before", [("+1",), ("+1", "+2", "+3"), None, ("+9",)])
    def test_other_values_than_expected_change_nothing(
        self, writer: DirectoryWriter, alice: Entry, before: tuple[str, ...] | None
    ) -> None:
        writer.modify(alice.guid, [Modification("otherTelephone", None, ("+1", "+2"))])
        with pytest.raises(ValueMismatchError, match="otherTelephone"):
            writer.modify(
                alice.guid, [Modification("sn", None, "new"), Modification("otherTelephone", before, ("+1", "+4"))]
            )
        assert values(writer, alice, "otherTelephone", "sn") == {"otherTelephone": ("+1", "+2")}


class TestRefusals:
    def test_a_parent_is_not_deleted_with_what_is_below(
        self, writer: DirectoryWriter, admin: Administrator, alice: Entry
    ) -> None:
        admin.add(f"CN=below,{alice.dn.text}", ["classStore"], {})
        with pytest.raises(DirectoryError) as caught:
            writer.delete(alice.guid)
        assert caught.value.code == 66
        assert writer.exists(alice.dn)

    def test_the_flags_are_never_part_of_an_add(self, writer: DirectoryWriter, samba_ou: DN) -> None:
        with pytest.raises(DirectoryError, match="userAccountControl"):
            writer.add(samba_ou.child("CN", "x"), {"sAMAccountName": "x", "useraccountcontrol": SMARTCARD})
        assert not writer.exists(samba_ou.child("CN", "x"))

    def test_text_that_is_no_unicode_is_refused_and_the_connection_lives(
        self, writer: DirectoryWriter, alice: Entry, samba_ou: DN
    ) -> None:
        attempts: list[Callable[[], object]] = [
            lambda: writer.modify(alice.guid, [Modification("sn", None, "lone \ud800")]),
            lambda: writer.add(samba_ou.child("CN", "lone \ud800"), {"sAMAccountName": "lone"}),
            lambda: writer.owners("sAMAccountName", ["lone \ud800"]),
        ]
        for attempt in attempts:
            with pytest.raises(DirectoryError, match="Unicode"):
                attempt()
        assert writer.exists(alice.dn)

    @pytest.mark.parametrize("guid", ["", "x", "*", "S-1-5-21-1", "{00000000-0000-0000-0000-000000000000}"])
    def test_what_is_no_guid_addresses_nothing(self, writer: DirectoryWriter, samba_ou: DN, guid: str) -> None:
        attempts: list[Callable[[], object]] = [
            lambda: writer.delete(guid),
            lambda: writer.move(guid, samba_ou.child("CN", "x")),
            lambda: writer.set_password(guid, PASSWORD),
            lambda: writer.modify(guid, [Modification("sn", None, "x")]),
        ]
        for attempt in attempts:
            with pytest.raises(DirectoryError, match="objectGUID"):
                attempt()

    def test_a_mismatch_says_what_it_found(self, writer: DirectoryWriter, alice: Entry) -> None:
        with pytest.raises(ValueMismatchError) as caught:
            writer.modify(alice.guid, [Modification("displayName", "bob\x1b[1m", "carol")])
        assert alice.guid in str(caught.value)
        assert "'alice'" in str(caught.value)
        assert "\x1b" not in str(caught.value)


class RefusesSamDeletes:
    """In front of a real session, the controller that takes no deletion of what the SAM owns."""

    def __init__(self, writer: LdapWriter, code: int) -> None:
        self.inner, self.code = writer._session, code
        self.asked: list[Mapping[str, Sequence[Change]]] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def modify(self, dn: str, changes: Mapping[str, Sequence[Change]]) -> Result:
        self.asked.append(changes)
        sam = [changes.get(name, ()) for name in ("userAccountControl", "sAMAccountName")]
        if any(how == DELETE for items in sam for how, _ in items):
            return Result(self.code, "unwillingToPerform", "00000057: SvcErr: DSID-031A11E5, problem 5003")
        return self.inner.modify(dn, changes)


class TestWhatTheSamOwns:
    @pytest.fixture
    def stubborn(self, writer: DirectoryWriter, request: pytest.FixtureRequest) -> RefusesSamDeletes:
        assert isinstance(writer, LdapWriter)
        stubborn = RefusesSamDeletes(writer, getattr(request, "param", 53))
        writer._session = stubborn  # type: ignore[assignment]
        return stubborn

    @pytest.mark.parametrize("stubborn", [53, 19, 65], indirect=True)
    def test_it_is_compared_and_replaced_where_no_deletion_is_taken(
        self, writer: DirectoryWriter, stubborn: RefusesSamDeletes, alice: Entry
    ) -> None:
        writer.set_password(alice.guid, PASSWORD)
        writer.modify(
            alice.guid,
            [Modification("displayName", "alice", "Alice"), Modification("userAccountControl", HALF_MADE, SMARTCARD)],
        )
        assert values(writer, alice, "displayName", "userAccountControl") == {
            "displayName": "Alice",
            "userAccountControl": SMARTCARD,
        }
        assert len(stubborn.asked) == 3

    def test_other_flags_than_expected_still_change_nothing(
        self, writer: DirectoryWriter, stubborn: RefusesSamDeletes, alice: Entry
    ) -> None:
        with pytest.raises(ValueMismatchError):
            writer.modify(
                alice.guid,
                [Modification("sn", None, "new"), Modification("userAccountControl", SMARTCARD, SMARTCARD | 2)],
            )
        assert values(writer, alice, "sn", "userAccountControl") == {"userAccountControl": HALF_MADE}
        assert len(stubborn.asked) == 1

    def test_an_account_that_is_gone_is_gone(
        self, writer: DirectoryWriter, stubborn: RefusesSamDeletes, alice: Entry
    ) -> None:
        writer.delete(alice.guid)
        with pytest.raises(NotFoundError):
            writer.modify(alice.guid, [Modification("sAMAccountName", "x", "y")])
        assert len(stubborn.asked) == 1

    def test_the_direct_way_is_taken_where_it_works(self, writer: DirectoryWriter, alice: Entry) -> None:
        assert isinstance(writer, LdapWriter)
        asked: list[Mapping[str, Sequence[Change]]] = []
        modify = writer._session.modify

        def recorded(dn: str, changes: Mapping[str, Sequence[Change]], *, deleted: bool = False) -> Result:
            asked.append(changes)
            return modify(dn, changes, deleted=deleted)

        writer._session.modify = recorded  # type: ignore[method-assign]
        writer.modify(alice.guid, [Modification("userAccountControl", HALF_MADE, HALF_MADE | 0x10000)])
        [[change, _]] = [list(c["userAccountControl"]) for c in asked]
        assert change[0] == DELETE
