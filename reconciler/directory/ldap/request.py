"""Searches and modifies as they travel (RFC 4511, 4.5.1 and 4.6): `apply` looks at an account before every write of it.

ldap3 takes a filter apart as text, builds a tree of types from it and encodes that: a millisecond for each look, which is
as long as a controller takes to answer. Here a filter, which `filters` wrote, becomes bytes directly; so do changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

BASE, SUBTREE = 0, 2
ADD, DELETE, REPLACE = 0, 1, 2
Change = tuple[int, Sequence[bytes]]
"""What to do with these values of an attribute: one of the three above, and the values."""
Control = tuple[str, bool, bytes | None]
"""Name, whether it is critical, value."""
_NEVER_DEREFERENCE, _NO_LIMIT, _VALUES_TOO = b"\x0a\x01\x00", b"\x02\x01\x00", b"\x01\x01\x00"
_SHORT = 0x80
_COMBINED = {b"&": 0xA0, b"|": 0xA1, b"!": 0xA2}
_COMPARED = {b"=": 0xA3, b">=": 0xA5}
_PRESENT = 0x87
_PART = re.compile(rb"\((?:([&|!])|([A-Za-z][A-Za-z0-9-]*)(>?=)(?:(\*)|((?:[^()\\*\x00]|\\[0-9a-f]{2})*+))\))|(\))")
_ESCAPED = re.compile(rb"\\([0-9a-f]{2})")


def search(
    base: bytes, scope: int, where: str | bytes, attributes: Sequence[str], controls: Iterable[Control]
) -> tuple[bytes, bytes]:
    """Return a search request and its controls (empty for none); aliases are never followed, nothing is limited.

    `where` may be encoded already. Raises ValueError for a filter that holds more than `filters` writes: and, or, not, equal,
    at least, present.
    """
    fixed = _octets(base) + element(0x0A, bytes([scope])) + _NEVER_DEREFERENCE + _NO_LIMIT * 2 + _VALUES_TOO
    condition = where if isinstance(where, bytes) else encode_filter(where)
    return element(0x63, fixed + condition + _attributes(tuple(attributes))), _controls(tuple(controls))


def modify(dn: bytes, changes: Mapping[str, Sequence[Change]], controls: Iterable[Control]) -> tuple[bytes, bytes]:
    """Return a modify request and its controls (empty for none). Raises ValueError where there is nothing to modify."""
    parts = [
        element(
            0x30,
            element(0x0A, bytes([how]))
            + element(0x30, _octets(name.encode()) + element(0x31, b"".join(map(_octets, values)))),
        )
        for name, some in changes.items()
        for how, values in some
    ]
    if not parts:
        raise ValueError("there is nothing to modify")
    return element(0x66, _octets(dn) + element(0x30, b"".join(parts))), _controls(tuple(controls))


def paging(size: int, cookie: bytes) -> bytes:
    """Return the value of the control for paged results (RFC 2696)."""
    return element(0x30, integer(size) + _octets(cookie))


def encode_filter(where: str) -> bytes:
    """Return a filter as bytes; see `search`."""
    text = where.encode()
    open_: list[tuple[int, list[bytes]]] = [(0, [])]
    at = 0
    while part := _PART.match(text, at):
        combined, name, comparison, present, value, _ = part.groups()
        if combined:
            open_.append((_COMBINED[combined], []))
        elif name and present and comparison == b"=":
            open_[-1][1].append(element(_PRESENT, name))
        elif name and value is not None:
            raw = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), value)
            open_[-1][1].append(element(_COMPARED[comparison], _octets(name) + _octets(raw)))
        elif not name and len(open_) > 1:
            tag, inside = open_.pop()
            if not inside or (tag == _COMBINED[b"!"] and len(inside) > 1):
                break
            open_[-1][1].append(element(tag, b"".join(inside)))
        else:
            break
        at = part.end()
    if at != len(text) or len(open_) != 1 or len(open_[0][1]) != 1:
        raise ValueError(f"not a filter of this program: {where!r:.200}")
    return open_[0][1][0]


def either(*filters: bytes) -> bytes:
    """Return the disjunction of filters that are encoded already."""
    return element(_COMBINED[b"|"], b"".join(filters))


def element(tag: int, body: bytes) -> bytes:
    """Return one BER element."""
    size = len(body)
    if size < _SHORT:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _SHORT | len(length))) + length + body


def integer(value: int) -> bytes:
    """Return a whole number, not negative, as an element."""
    return element(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _octets(value: bytes) -> bytes:
    return element(0x04, value)


@lru_cache(64)
def _attributes(names: tuple[str, ...]) -> bytes:
    return element(0x30, b"".join(_octets(name.encode()) for name in names))


@lru_cache(64)
def _controls(controls: tuple[Control, ...]) -> bytes:
    sent = b"".join(
        element(
            0x30, _octets(kind.encode()) + (b"\x01\x01\xff" if critical else b"") + (_octets(value) if value else b"")
        )
        for kind, critical, value in controls
    )
    return element(0xA0, sent) if sent else b""
