"""The directory port's contract, kept by LDAP against a real domain controller."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ldap3.core.exceptions import LDAPConnectionIsReadOnlyError

from reconciler.demo.samba import Controller
from reconciler.demo.samba.administrator import Administrator
from reconciler.directory.connect import open_reader, open_writer
from reconciler.directory.ldap import decode, request
from reconciler.directory.ldap.reader import LdapReader
from reconciler.directory.ldap.strategy import Walking
from reconciler.directory.ldap.wire import MODIFIED
from reconciler.directory.port import DirectoryReader, DirectoryWriter, Modification
from reconciler.errors import ValueMismatchError
from reconciler.model.dn import DN
from reconciler.model.values import Value
from tests.directory.contract import DirectoryContract, World
from tests.support.samba import Accounts, samba_env, samba_settings


class SambaAdmin:
    """The domain's administrator, on a connection of their own."""

    def __init__(self, connection: Administrator) -> None:
        self._connection = connection

    def edit(self, dn: DN, attribute: str, value: Value | None) -> None:
        values = [] if value is None else value if isinstance(value, tuple) else (str(value),)
        self._connection.replace(dn.text, attribute, list(values))

    def create_user(self, dn: DN, sam: str) -> None:
        self._connection.user(dn.text, {"sAMAccountName": sam})

    def create_computer(self, dn: DN, sam: str) -> None:
        self._connection.add(dn.text, ["computer"], {"sAMAccountName": sam})

    def create_ou(self, dn: DN) -> None:
        self._connection.ou(dn.text)

    def move(self, dn: DN, to: DN) -> None:
        self._connection.move(dn.text, to.rdn, to.parent.text)

    def rename_ou(self, dn: DN, to: DN) -> None:
        self.move(dn, to)

    def delete(self, dn: DN) -> None:
        self._connection.delete(dn.text)


@pytest.fixture(scope="module")
def reader(samba: Controller, samba_accounts: Accounts) -> Iterator[DirectoryReader]:
    reader = open_reader(samba_settings(samba), samba_env(samba_accounts.administrator), None)
    yield reader
    reader.close()


@pytest.fixture(scope="module")
def writer(samba: Controller, samba_accounts: Accounts) -> Iterator[DirectoryWriter]:
    writer = open_writer(samba_settings(samba), samba_env(samba_accounts.administrator), None)
    yield writer
    writer.close()


@pytest.fixture(scope="module")
def administrator(samba: Controller) -> Iterator[Administrator]:
    with samba.administrator() as administrator:
        yield administrator


@pytest.fixture
def world(
    samba: Controller,
    samba_ou: DN,
    reader: DirectoryReader,
    writer: DirectoryWriter,
    administrator: Administrator,
) -> World:
    return World(writer, reader, DN(samba.base), samba_ou, SambaAdmin(administrator))


@pytest.mark.samba
class TestLdap(DirectoryContract):
    """Everything the contract says."""

    def test_every_entry_is_walked_and_none_is_decoded_by_ldap3(self, world: World, reader: DirectoryReader) -> None:
        assert isinstance(reader, LdapReader)
        strategy = reader._session._connection.strategy
        assert type(strategy) is Walking
        added = {world.add(name).guid for name in ("alice", "bob", "carol")}
        before = strategy.walked
        assert {e.guid for e in reader.accounts([world.ou], ["displayName"])} == added
        assert strategy.walked - before >= len(added)

    def test_looks_and_modifies_are_encoded_and_their_results_read_without_ldap3(
        self, world: World, writer: DirectoryWriter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert isinstance(writer, LdapReader)
        made = world.add("alice", sn="Smith")
        writer.find([made.guid], ["sn"])  # the first one also looks for what a domain has
        wire = writer._session._connection.strategy
        before = wire.asked, wire.walked

        def never(*_: object) -> None:
            raise AssertionError("ldap3 was asked")

        monkeypatch.setattr(Walking, "send", never)
        monkeypatch.setattr("reconciler.directory.ldap.strategy._decode", never)
        writer.modify(made.guid, [Modification("sn", "Smith", "Jones")])
        found = writer.find([made.guid], ["sn"])
        with pytest.raises(ValueMismatchError):
            writer.modify(made.guid, [Modification("sn", "Smith", "Mallory")])

        assert found[made.guid].attributes["sn"] == "Jones"
        assert (wire.asked - before[0], wire.walked - before[1]) == (4, 4)

    def test_a_readers_connection_takes_no_write(self, world: World, reader: DirectoryReader) -> None:
        assert isinstance(reader, LdapReader)
        made = world.add("alice", sn="Smith")
        session = reader._session
        strategy = session._connection.strategy
        operation, controls = request.modify(
            decode.guid_dn(made.guid).encode(), {"sn": [(request.REPLACE, [b"Mallory"])]}, ()
        )

        with pytest.raises(LDAPConnectionIsReadOnlyError):
            strategy.ask(operation, controls, MODIFIED)

        assert world.read(made, "sn").attributes["sn"] == "Smith"
