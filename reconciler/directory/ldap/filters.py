"""LDAP search filters (RFC 4515): the one place where values become filters."""

from __future__ import annotations

import re
from collections.abc import Iterable

from reconciler.errors import DirectoryError

from .decode import utf8
from .refusals import visible

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@._-")

USER = "(&(objectCategory=person)(objectClass=user))"
"""Users, and neither contacts, computers nor managed service accounts."""
USER_OR_TOMBSTONE = "(&(objectClass=user)(!(objectClass=computer)))"
"""The same, deleted or not: a tombstone has lost its objectCategory."""
TOMBSTONE = "(isDeleted=TRUE)"
GROUP = "(objectCategory=group)"
CONTAINER = "(|(objectCategory=organizationalUnit)(objectCategory=container))"


def escape(value: str | bytes) -> str:
    """Escape one assertion value: every byte but the plainest as hex.

    That is more than RFC 4515 asks for, because ldap3 also trims white space around what it parses.
    """
    raw = utf8(value) if isinstance(value, str) else value
    return "".join(chr(byte) if byte in _PLAIN else f"\\{byte:02x}" for byte in raw)


def equals(attribute: str, value: str | bytes) -> str:
    """Return `(attribute=value)`; raise DirectoryError for an attribute name that is none."""
    if not _NAME.fullmatch(attribute):
        raise DirectoryError(f"Not an attribute name: {visible(attribute)}", "Correct the policy.")
    return f"({attribute}={escape(value)})"


def either(filters: Iterable[str]) -> str:
    """Return the disjunction."""
    return f"(|{''.join(filters)})"


def both(*filters: str) -> str:
    """Return the conjunction."""
    return f"(&{''.join(filters)})"


def above(usn: int) -> str:
    """Return what changed after this USN."""
    return f"(uSNChanged>={usn + 1})"
