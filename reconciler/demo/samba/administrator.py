"""What the demonstration and the tests arrange in their domain, over a connection independent of the program's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import ldap3
from ldap3.core.exceptions import LDAPException

from reconciler.directory.ldap.decode import guid, sid
from reconciler.directory.ldap.filters import either, equals
from reconciler.directory.ldap.tls import VerifiedTls, context
from reconciler.errors import DirectoryError, DirectoryUnavailableError

_TIMEOUT = 10
_ENTRY_EXISTS = 68


class Administrator:
    """An LDAPS connection: DirectoryUnavailableError when it cannot be made, DirectoryError afterwards."""

    def __init__(self, host: str, ca_file: Path, user: str, password: str) -> None:
        # ldap3's own check of names, which it falls back to from Python 3.12 on, knows no IP addresses.
        tls = VerifiedTls(context(ca_file))
        server = ldap3.Server(host, port=636, use_ssl=True, tls=tls, get_info=ldap3.NONE, connect_timeout=_TIMEOUT)
        # Any: the stubs leave half of the methods untyped.
        self._connection: Any = ldap3.Connection(
            server,
            user,
            password,
            client_strategy=ldap3.SAFE_SYNC,
            check_names=False,
            auto_referrals=False,
            receive_timeout=_TIMEOUT,
        )
        try:
            bound = self._connection.bind()
        except LDAPException as error:
            if self._connection.socket is not None:  # ldap3 leaves the socket of a refused connection open
                self._connection.socket.close()
            raise DirectoryUnavailableError(f"{host} does not answer yet: {error}") from error
        if not bound[0]:
            self._connection.socket.close()
            raise DirectoryUnavailableError(f"{host} refused {user}: {bound[1]['message']}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.unbind()

    def ou(self, dn: str) -> str:
        """Make an organizational unit unless it is there; return its DN."""
        self._run("add", self._connection.add(dn, "organizationalUnit"), dn, accept=_ENTRY_EXISTS)
        return dn

    def user(self, dn: str, attributes: Mapping[str, Any], password: str | None = None) -> str:
        """Add a user, enabled when it gets a password; return its DN."""
        self._run("add", self._connection.add(dn, "user", dict(attributes)), dn)
        if password is not None:
            self.password(dn, password)
            self.replace(dn, "userAccountControl", ["512"])
        return dn

    def password(self, dn: str, password: str) -> None:
        """Reset a password."""
        self.replace(dn, "unicodePwd", [f'"{password}"'.encode("utf-16-le")])

    def add(self, dn: str, classes: Sequence[str], attributes: Mapping[str, Any]) -> str:
        """Add any object; return its DN."""
        self._run("add", self._connection.add(dn, list(classes), dict(attributes)), dn)
        return dn

    def extend(self, dn: str, attribute: str, values: Sequence[str]) -> None:
        """Add values to an attribute."""
        self._run("modify", self._connection.modify(dn, {attribute: [(ldap3.MODIFY_ADD, list(values))]}), dn)

    def replace(self, dn: str, attribute: str, values: Sequence[str | bytes]) -> None:
        """Replace an attribute's values; none removes it."""
        self._run("modify", self._connection.modify(dn, {attribute: [(ldap3.MODIFY_REPLACE, list(values))]}), dn)

    def move(self, dn: str, rdn: str, parent: str) -> None:
        """Rename or move an object."""
        self._run("move", self._connection.modify_dn(dn, rdn, new_superior=parent), dn)

    def delete(self, dn: str) -> None:
        """Delete a leaf."""
        self._run("delete", self._connection.delete(dn), dn)

    def read(self, dn: str, *attributes: str) -> dict[str, list[bytes]]:
        """Return the raw values of an object's attributes."""
        answer = self._connection.search(dn, "(objectClass=*)", ldap3.BASE, attributes=list(attributes))
        self._run("read", answer, dn)
        return dict(answer[2][0]["raw_attributes"])

    def sid(self, dn: str) -> str:
        """Return an object's SID as text."""
        return sid(self.read(dn, "objectSid")["objectSid"][0])

    def schema_ids(self, attributes: Sequence[str]) -> dict[str, str]:
        """Return the attributes' schemaIDGUIDs, by LDAP display name."""
        root = self.read("", "schemaNamingContext")["schemaNamingContext"][0].decode()
        wanted = either(equals("lDAPDisplayName", name) for name in attributes)
        answer = self._connection.search(root, wanted, ldap3.LEVEL, attributes=["lDAPDisplayName", "schemaIDGUID"])
        self._run("search", answer, root)
        found = [entry["raw_attributes"] for entry in answer[2] if entry["type"] == "searchResEntry"]
        return {raw["lDAPDisplayName"][0].decode(): guid(raw["schemaIDGUID"][0]) for raw in found}

    @staticmethod
    def _run(what: str, answer: Any, dn: str, accept: int = 0) -> None:
        result = answer[1]
        if result["result"] not in (0, accept):
            said = result["message"].rstrip("\0")
            raise DirectoryError(
                f"The administrator's {what} of {dn} failed: {result['description']} {said}",
                code=result["result"],
                diagnostic=said,
            )
