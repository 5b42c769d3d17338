"""What bringing back through LDAP does beyond the contract: rights, the recycle bin, controllers that differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

import pytest

from reconciler.demo.samba import Controller, Login
from reconciler.demo.samba.administrator import Administrator
from reconciler.demo.samba.rights import DEFAULT_POLICY, write_rights, writer_rights, written
from reconciler.demo.samba.undelete import SET_BY_SAMBA, domain_rights
from reconciler.directory.connect import open_writer
from reconciler.directory.ldap.refusals import Result
from reconciler.directory.ldap.session import Change
from reconciler.directory.ldap.writer import LdapWriter
from reconciler.directory.port import DirectoryWriter, Entry, Modification
from reconciler.errors import AccessDeniedError, DirectoryError, DirectoryUnavailableError
from reconciler.model.account import HALF_MADE
from reconciler.model.dn import DN
from tests.directory.contract_reanimating import HALVED, MARK, PASSWORD, SMARTCARD
from tests.support.samba import Accounts, fresh_ou, samba_env, samba_settings

pytestmark = pytest.mark.samba

RECYCLE_BIN = "766ddcd8-acd0-445e-f3b9-a7f9b6744f2a"
"""The feature's GUID ([MS-ADTS] 3.1.1.9.1)."""


@pytest.fixture(scope="module")
def admin(samba: Controller) -> Iterator[Administrator]:
    with samba.administrator() as administrator:
        yield administrator


@pytest.fixture
def writer(samba: Controller, samba_accounts: Accounts) -> Iterator[LdapWriter]:
    with connected(samba, samba_accounts.administrator) as writer:
        yield writer


@contextmanager
def connected(samba: Controller, login: Login) -> Iterator[LdapWriter]:
    writer = open_writer(samba_settings(samba), samba_env(login), None)
    assert isinstance(writer, LdapWriter)
    with closing(writer):
        yield writer


def gone(writer: DirectoryWriter, ou: DN, name: str = "gone", *, enabled: bool = False) -> Entry:
    made = writer.add(ou.child("CN", name), {"sAMAccountName": f"{name}{ou.name[-12:]}"})
    if enabled:
        writer.set_password(made.guid, PASSWORD)
        writer.modify(made.guid, [Modification("userAccountControl", HALF_MADE, SMARTCARD)])
    writer.delete(made.guid)
    return made


def deleted(writer: DirectoryWriter, entry: Entry) -> bool:
    return writer.find([entry.guid], ())[entry.guid].deleted


@pytest.fixture(scope="module")
def managed(samba: Controller) -> DN:
    """The OU that the delegates may write under."""
    return fresh_ou(samba)


@pytest.fixture(scope="module")
def delegate_login(samba: Controller, managed: DN) -> Login:
    return samba.writer("no-restorer", managed.text)


@pytest.fixture(scope="module")
def restorer_login(samba: Controller, managed: DN) -> Login:
    login = samba.writer("restorer", managed.text)
    samba.allow_reanimation(login, managed.text)
    return login


@pytest.fixture
def delegate(samba: Controller, delegate_login: Login) -> Iterator[LdapWriter]:
    with connected(samba, delegate_login) as delegate:
        yield delegate


@pytest.fixture
def restorer(samba: Controller, restorer_login: Login) -> Iterator[LdapWriter]:
    with connected(samba, restorer_login) as restorer:
        yield restorer


class TestWithoutTheRight:
    def test_neither_a_plain_account_nor_a_delegate_sees_what_was_deleted_even_from_its_own_ou(
        self, samba: Controller, samba_accounts: Accounts, delegate: LdapWriter, managed: DN
    ) -> None:
        own = gone(delegate, managed)
        with connected(samba, samba_accounts.reader) as plain:
            for account in (plain, delegate):
                assert account.find([own.guid], ["cn"]) == {}
                assert account.changes(["cn"], 1).sees_deleted is False

    def test_a_delegate_that_sees_nothing_deleted_is_told_which_rights_it_lacks(
        self, delegate: LdapWriter, writer: LdapWriter, managed: DN
    ) -> None:
        own = gone(delegate, managed)
        with pytest.raises(AccessDeniedError) as caught:
            delegate.reanimate(own.guid, own.dn, HALVED)
        assert "Reanimate-Tombstones" in caught.value.remedy
        assert "list Deleted Objects" in caught.value.remedy
        assert deleted(writer, own)

    def test_a_delegate_that_may_only_list_is_refused(self, samba: Controller, writer: LdapWriter, managed: DN) -> None:
        login = samba.writer("lister", managed.text)
        samba.allow_listing(login)
        with connected(samba, login) as lister:
            own = gone(lister, managed)
            assert lister.find([own.guid], ["lastKnownParent"])[own.guid].attributes == {
                "lastKnownParent": managed.text
            }
            assert lister.changes([], 1).sees_deleted is True
            with pytest.raises(AccessDeniedError) as caught:
                lister.reanimate(own.guid, own.dn, HALVED)
            assert caught.value.code == 50
            assert "Reanimate-Tombstones" in caught.value.remedy
            assert deleted(writer, own)


class TestWithTheRight:
    def test_a_delegate_brings_back_and_finishes_whoever_was_deleted_from_its_ou(
        self, restorer: LdapWriter, writer: LdapWriter, managed: DN
    ) -> None:
        for deleter in (restorer, writer):
            own = gone(deleter, managed, enabled=True)
            to = managed.child("OU", "Departed").child("CN", "back")
            back = restorer.reanimate(own.guid, to, HALVED)
            assert (back.sid, back.dn, back.attributes) == (own.sid, to, HALVED)
            restorer.modify(own.guid, [Modification("displayName", None, "Back")])
            restorer.set_password(own.guid, PASSWORD)
            restorer.modify(own.guid, [Modification("userAccountControl", HALF_MADE, SMARTCARD)])
            restorer.delete(own.guid)

    def test_a_delegate_brings_back_nobody_who_was_deleted_from_elsewhere(
        self, restorer: LdapWriter, writer: LdapWriter, managed: DN, samba_ou: DN
    ) -> None:
        other = gone(writer, samba_ou)
        for to in (managed.child("CN", "other"), other.dn):
            with pytest.raises(AccessDeniedError):
                restorer.reanimate(other.guid, to, HALVED)
        assert deleted(writer, other)

    def test_a_delegate_brings_back_nobody_to_elsewhere(
        self, restorer: LdapWriter, writer: LdapWriter, managed: DN, samba_ou: DN
    ) -> None:
        own = gone(restorer, managed)
        with pytest.raises(AccessDeniedError):
            restorer.reanimate(own.guid, samba_ou.child("CN", "own"), HALVED)
        assert deleted(writer, own)


class TestTheLeast:
    def test_each_right_is_needed(self, samba: Controller, admin: Administrator, writer: LdapWriter) -> None:
        login = samba.reader("least")
        sid = admin.sid(f"CN=least,CN=Users,{samba.base}")
        basic = "".join(writer_rights(sid, admin.schema_ids(written(DEFAULT_POLICY))).values())
        extra = write_rights(sid, admin.schema_ids(SET_BY_SAMBA))
        assert len(extra) == len(SET_BY_SAMBA)
        samba.allow_listing(login)

        def brought_back(ou: DN) -> bool:
            own = gone(writer, ou, "least")
            with connected(samba, login) as delegate:
                try:
                    delegate.reanimate(own.guid, own.dn, HALVED)
                except AccessDeniedError:
                    assert deleted(writer, own)
            return not deleted(writer, own)

        whole = fresh_ou(samba)
        samba.grant(whole.text, basic + "".join(extra.values()))
        assert not brought_back(whole), "without Reanimate-Tombstones"
        samba.grant(samba.base, "".join(domain_rights(sid).values()))
        for lacking in extra:
            ou = fresh_ou(samba)
            samba.grant(ou.text, basic + "".join(ace for what, ace in extra.items() if what != lacking))
            assert not brought_back(ou), lacking
        assert brought_back(whole.child("OU", "Departed"))


class TestRecycleBin:
    """With the bin on: a domain of its own, for nobody can turn it off again."""

    @pytest.fixture
    def controller(self) -> Iterator[Controller]:
        with Controller() as controller:
            yield controller

    def test_what_was_recycled_is_seen_as_such_and_nothing_is_brought_back_without_a_reason(
        self, controller: Controller
    ) -> None:
        ou = fresh_ou(controller)
        with connected(controller, Login(controller.admin_user, controller.admin_password)) as writer:
            before = gone(writer, ou, "before")
            assert writer.find([before.guid], [])[before.guid].recycled is False
        partitions = f"CN=Partitions,CN=Configuration,{controller.base}"
        controller.change(
            f"dn:\nchangetype: modify\nadd: enableOptionalFeature\nenableOptionalFeature: {partitions}:{RECYCLE_BIN}\n"
        )
        with connected(controller, Login(controller.admin_user, controller.admin_password)) as writer:
            since = gone(writer, ou, "since")
            cursor = writer.domain().usn
            found = writer.find([before.guid, since.guid], ["sAMAccountName", "lastKnownParent"])
            states = {guid: (e.deleted, e.recycled) for guid, e in found.items()}
            assert states == {before.guid: (True, True), since.guid: (True, False)}
            assert found[since.guid].attributes["lastKnownParent"] == ou.text
            assert {e.guid: e.recycled for e in writer.changes([], 1).deleted}[before.guid] is True
            with pytest.raises(DirectoryError, match="recycled") as caught:
                writer.reanimate(before.guid, before.dn, HALVED)
            assert "restore: false" in caught.value.remedy
            with pytest.raises(DirectoryError, match=r"Samba .* recycle bin") as caught:
                writer.reanimate(since.guid, since.dn, HALVED)
            assert type(caught.value) is DirectoryError
            assert "restore: false" in caught.value.remedy
            assert writer.domain().usn == cursor


class Recorder:
    """In front of a real session: takes flags with the rest where `as_windows`, and breaks before request `breaks`."""

    def __init__(self, writer: LdapWriter, *, as_windows: bool = False, breaks: int = 0) -> None:
        self.inner, self.as_windows, self.breaks = writer._session, as_windows, breaks
        self.asked: list[set[str]] = []
        writer._session = self  # type: ignore[assignment]

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def modify(self, dn: str, changes: Mapping[str, Sequence[Change]], *, deleted: bool = False) -> Result:
        self.asked.append(set(changes))
        if len(self.asked) == self.breaks:
            raise DirectoryUnavailableError("killed here")
        if not self.as_windows or not deleted:
            return self.inner.modify(dn, changes, deleted=deleted)
        flags = "userAccountControl"
        result = self.inner.modify(dn, {n: c for n, c in changes.items() if n != flags}, deleted=True)
        target = changes["distinguishedName"][0][1][0].decode()
        return result if result.code else self.inner.modify(target, {flags: changes[flags]})


class TestFlags:
    ALL = frozenset({"isDeleted", "distinguishedName", *HALVED})

    def test_a_controller_that_takes_the_flags_is_asked_once(self, writer: LdapWriter, samba_ou: DN) -> None:
        enabled = gone(writer, samba_ou, enabled=True)
        recorder = Recorder(writer, as_windows=True)
        assert writer.reanimate(enabled.guid, enabled.dn, HALVED).attributes == HALVED
        assert recorder.asked == [self.ALL]

    def test_samba_gets_them_right_after(self, writer: LdapWriter, samba_ou: DN) -> None:
        enabled = gone(writer, samba_ou, enabled=True)
        recorder = Recorder(writer)
        assert writer.reanimate(enabled.guid, enabled.dn, HALVED).attributes == HALVED
        assert recorder.asked == [self.ALL, self.ALL - {"userAccountControl"}, {"userAccountControl"}]

    @pytest.mark.parametrize("breaks", [1, 2, 3])
    def test_what_is_killed_leaves_it_deleted_or_marked(self, writer: LdapWriter, samba_ou: DN, breaks: int) -> None:
        enabled = gone(writer, samba_ou, enabled=True)
        recorder = Recorder(writer, breaks=breaks)
        with pytest.raises(DirectoryUnavailableError):
            writer.reanimate(enabled.guid, enabled.dn, HALVED)
        assert len(recorder.asked) == breaks
        found = writer.find([enabled.guid], [*HALVED, "displayName"])[enabled.guid]
        assert found.deleted is (breaks < 3)
        if not found.deleted:
            assert found.attributes == {**MARK, "userAccountControl": SMARTCARD}
