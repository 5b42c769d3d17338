"""One bound connection, its operations and how each ended. Nothing of ldap3 is seen beyond this module and `dial`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.core.results import RESULT_CODES
from pyasn1.error import PyAsn1Error

from reconciler.errors import DirectoryError, DirectoryUnavailableError

from . import request
from .decode import utf8
from .refusals import REFERRAL, Result, refusal, visible
from .request import ADD, DELETE, REPLACE, Change, Control
from .wire import MODIFIED, PAGED, Ended, Found

PAGE = 1000
_DOMAIN_SCOPE = "1.2.840.113556.1.4.1339"
_SHOW_DELETED = "1.2.840.113556.1.4.417"
_SHOW_RECYCLED = "1.2.840.113556.1.4.2064"
"""With the recycle bin on, Show Deleted leaves out what was recycled (LDAP_SERVER_SHOW_RECYCLED_OID)."""
_DESCRIPTOR = "1.2.840.113556.1.4.801"
_ALL_BUT_AUDIT = b"\x30\x03\x02\x01\x07"
"""The control's value in BER: owner, group and access list ([MS-ADTS] 3.1.1.3.4.1.11). Whoever asks for the audit list as well,
and may not have it, gets nothing."""
_ANYTHING = "(objectClass=*)"
_NO_ATTRIBUTES = ("1.1",)

__all__ = ["ADD", "DELETE", "REPLACE", "Change", "Session"]


class Session:
    """Searches raise DirectoryError; writes return their result for the caller to judge.

    A lost connection is a DirectoryUnavailableError, after which the session stays closed.
    """

    def __init__(self, connection: ldap3.Connection, url: str) -> None:
        self._connection: Any = connection  # the stubs leave add, modify and delete untyped
        self.url = url

    def close(self) -> None:
        """Say good-bye and close; that nobody hears it is no failure."""
        if not self._connection.closed:
            with suppress(DirectoryUnavailableError), self._talking("closing"):
                self._connection.unbind()

    def read(
        self, dn: str, attributes: Sequence[str], within: str = _ANYTHING, *, deleted: bool = False
    ) -> Found | None:
        """Return one object by DN (`<GUID=…>` is one), or None where there is none that is visible and matches."""
        found, result, _ = self._search(dn, within, request.BASE, attributes, None, deleted=deleted)
        if result.code == 32:  # noqa: PLR2004  noSuchObject
            return None
        self._check(f"Reading {dn or 'the root DSE'}", result)
        return found[0] if found else None

    def pages(
        self, base: str, where: str | bytes, attributes: Sequence[str], *, deleted: bool = False, size: int = PAGE
    ) -> Iterator[list[Found]]:
        """Yield what matches below `base`, page by page (RFC 2696); an incomplete answer is an error.

        `where` is a filter that `filters` wrote, or `request` encoded.
        """
        cookie: bytes | None = b""
        what = f"Searching {base or 'the forest'}"
        while cookie is not None:
            page = (size, cookie)
            found, result, following = self._search(base, where, request.SUBTREE, attributes, page, deleted=deleted)
            self._check(what, result)
            if following is None:
                raise DirectoryError(
                    f"{what}: the controller answered without saying whether that was all.",
                    "Name a controller that supports paged results (RFC 2696).",
                )
            cookie = following or None
            yield found

    def search(
        self, base: str, where: str | bytes, attributes: Sequence[str] = (), *, deleted: bool = False
    ) -> Iterator[Found]:
        """Yield what matches below `base`."""
        for page in self.pages(base, where, attributes, deleted=deleted):
            yield from page

    def add(self, dn: str, classes: Sequence[str], attributes: Mapping[str, Sequence[bytes]]) -> Result:
        """Add an object."""
        with self._talking(f"adding {dn}"):
            self._connection.add(utf8(dn), list(classes), {name: list(values) for name, values in attributes.items()})
            return self._result()

    def modify(self, dn: str, changes: Mapping[str, Sequence[Change]], *, deleted: bool = False) -> Result:
        """Modify an object, all changes or none; a deleted one, too, where `deleted` says so."""
        controls = ((_SHOW_DELETED, True, None),) if deleted else ()
        with self._talking(f"modifying {dn}"):
            _, ended = self._connection.strategy.ask(*request.modify(utf8(dn), changes, controls), MODIFIED)
            return _ended(ended)

    def rename(self, dn: str, rdn: str, parent: str) -> Result:
        """Rename and move an object."""
        with self._talking(f"moving {dn}"):
            self._connection.modify_dn(utf8(dn), utf8(rdn), delete_old_dn=True, new_superior=utf8(parent))
            return self._result()

    def delete(self, dn: str) -> Result:
        """Delete an object."""
        with self._talking(f"deleting {dn}"):
            self._connection.delete(utf8(dn))
            return self._result()

    def _search(
        self,
        base: str,
        where: str | bytes,
        scope: int,
        attributes: Sequence[str],
        page: tuple[int, bytes] | None,
        *,
        deleted: bool,
    ) -> tuple[list[Found], Result, bytes | None]:
        controls: list[Control] = []
        if deleted:
            controls += [(_SHOW_DELETED, True, None), (_SHOW_RECYCLED, False, None)]
        if any(name.casefold() == "ntsecuritydescriptor" for name in attributes):
            controls.append((_DESCRIPTOR, True, _ALL_BUT_AUDIT))
        if scope == request.SUBTREE:
            # Otherwise a search of a whole domain answers with references to the other partitions.
            controls.append((_DOMAIN_SCOPE, True, None))
        if page:
            controls.append((PAGED, True, request.paging(*page)))
        asked = request.search(utf8(base), scope, where, attributes or _NO_ATTRIBUTES, controls)
        with self._talking(f"searching {base or 'its root'}"):
            answer, ended = self._connection.strategy.ask(*asked)
            found = [item for item in answer if isinstance(item, Found)]
            others = set() if len(found) == len(answer) else _types(answer) - {"intermediateResponse"}
            result = _ended(ended)
        if "searchResRef" in others:
            referred = Result(REFERRAL, "referral", "part of the answer is on another server")
            raise refusal(f"Searching {base}", referred)
        if others:
            raise DirectoryError(
                f"Searching {visible(base)}: the controller answered with {', '.join(sorted(others))}."
            )
        return found, result, ended.cookie

    def _result(self) -> Result:
        result = self._connection.result
        return Result(result["result"], result["description"], result["message"] or "")

    @staticmethod
    def _check(what: str, result: Result) -> None:
        if result.code:
            raise refusal(what, result)

    @contextmanager
    def _talking(self, what: str) -> Iterator[None]:
        """Turn a lost connection, and an answer that is not LDAP, into the one error that says so."""
        try:
            yield
        except (LDAPException, OSError, PyAsn1Error, LookupError, ValueError, TypeError) as error:
            self._drop()
            raise DirectoryUnavailableError(
                f"The connection to {visible(self.url)} was lost while {visible(what)}: {visible(str(error))}",
                "Check the network and the domain controller, then run again: what was done stays done.",
            ) from error

    def _drop(self) -> None:
        if self._connection.socket is not None:
            self._connection.socket.close()
        self._connection.closed = True


def _ended(ended: Ended) -> Result:
    return Result(ended.code, RESULT_CODES[ended.code], ended.diagnostic)


def _types(answer: Sequence[Any]) -> set[str]:
    return {item["type"] for item in answer if not isinstance(item, Found)}
