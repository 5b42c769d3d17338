"""The domain as it really is, read by its administrator over a connection that has nothing of the program's."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import ldap3

from reconciler.demo.samba import Controller
from reconciler.directory.ldap.decode import guid, sid
from tests.acceptance.expected import FLOWS

COMPARED = (*FLOWS, "sAMAccountName", "adminDescription")
_SHOW_DELETED = [("1.2.840.113556.1.4.417", True, None)]
_SIGNING_IN = {"lastlogon", "lastlogontimestamp", "logoncount", "badpwdcount", "badpasswordtime", "whenchanged"}
"""Signing in changes these by itself."""


@dataclass(frozen=True)
class Object:
    """One object. `values` are its raw attributes, by lower-case name."""

    dn: str
    values: dict[str, tuple[bytes, ...]]

    def text(self, name: str) -> str | None:
        held = self.values.get(name.lower())
        return held[0].decode() if held else None

    @property
    def sid(self) -> str:
        return sid(self.values["objectsid"][0])

    @property
    def flags(self) -> int:
        return int(self.text("userAccountControl") or 0)

    @property
    def deleted(self) -> bool:
        return self.text("isDeleted") == "TRUE"

    @property
    def user(self) -> bool:
        return b"user" in self.values.get("objectclass", ()) and b"computer" not in self.values["objectclass"]

    @property
    def of_the_domain(self) -> bool:
        """Whether this is how the domain hands out SIDs: making an account changes it."""
        return bool({b"rIDManager", b"rIDSet"} & {*self.values.get("objectclass", ())})

    @property
    def home(self) -> str:
        """Where it is; where it was, for one that is deleted."""
        return self.text("lastKnownParent") or self.dn if self.deleted else self.dn

    @property
    def essence(self) -> dict[str, tuple[bytes, ...]]:
        """Everything but what signing in changes, and the USN."""
        return {n: v for n, v in self.values.items() if n not in _SIGNING_IN | {"usnchanged", "dscorepropagationdata"}}


@dataclass
class Domain:
    """A copy of every object of the domain, kept up to date by USN: `refresh` returns what has changed since."""

    samba: Controller
    objects: dict[str, Object] = field(default_factory=dict)
    usn: int = 0

    def __enter__(self) -> Self:
        # From Python 3.12 on ldap3 checks names by itself, and knows no addresses: the certificate's other name will do.
        tls = ldap3.Tls(
            validate=ssl.CERT_REQUIRED, ca_certs_file=str(self.samba.ca_file), valid_names=[self.samba.host_name]
        )
        server = ldap3.Server(self.samba.address, port=636, use_ssl=True, tls=tls, get_info=ldap3.NONE)
        self._connection: Any = ldap3.Connection(
            server, self.samba.admin_user, self.samba.admin_password, auto_bind=True, check_names=False
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.unbind()

    def refresh(self) -> list[tuple[Object | None, Object]]:
        """Bring the copy up to date; return what has changed, before (None where it is new) and after."""
        top = self._top()
        changes = []
        for found in self._search(f"(uSNChanged>={self.usn + 1})"):
            key = guid(found.values["objectguid"][0])
            before = self.objects.get(key)
            if before is None or before.dn != found.dn or before.values != found.values:
                changes.append((before, found))
            self.objects[key] = found
        self.usn = top
        return changes

    def whole(self) -> dict[str, Object]:
        """Read everything anew, without regard to the copy."""
        return {guid(found.values["objectguid"][0]): found for found in self._search("(objectClass=*)")}

    def users(self) -> Iterator[Object]:
        return (found for found in self.objects.values() if found.user)

    def _top(self) -> int:
        self._connection.search("", "(objectClass=*)", ldap3.BASE, attributes=["highestCommittedUSN"])
        return int(self._connection.response[0]["raw_attributes"]["highestCommittedUSN"][0])

    def _search(self, where: str) -> Iterator[Object]:
        answer = self._connection.extend.standard.paged_search(
            self.samba.base, where, attributes=["*"], paged_size=500, generator=True, controls=_SHOW_DELETED
        )
        for entry in answer:
            if entry["type"] == "searchResEntry":
                raw = entry["raw_attributes"]
                yield Object(entry["dn"], {n.lower(): tuple(v) for n, v in raw.items()})
