"""Search result entries as they travel (RFC 4511, 4.5.2), walked once from end to end; and how a search or a modify ended.

A reading is almost nothing but entries, and a general decoder spends most of its time on building trees of them. Strict
where RFC 4511, 5.1 is: lengths are definite and every element ends where the one around it says. Whatever is not
raises ValueError: an entry is read whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct, error
from typing import Final

LONGEST: Final = 32 << 20
"""Bytes of one message at most. A controller's own limits are far below."""
ENTRY: Final = 0x64
DONE: Final = 0x65
MODIFIED: Final = 0x67
PAGED: Final = "1.2.840.113556.1.4.319"
"""The control for paged results (RFC 2696)."""

_SEQUENCE, _SET, _OCTETS, _INTEGER, _ENUMERATED, _BOOLEAN, _CONTROLS = 0x30, 0x31, 0x04, 0x02, 0x0A, 0x01, 0xA0
_PAGED = PAGED.encode()
_CONSTRUCTED = 0x20
_DEEPEST = 16
"""Levels of elements in elements. LDAP itself needs half as many."""
_SHORT = 0x80
"""Lengths below stand in one byte; above, the low bits count the bytes that follow."""
_LONG_HEAD = 6
_FOUR = 0x84
"""Active Directory writes every constructed length like this: four bytes."""
_four = Struct(">I").unpack_from


@dataclass(frozen=True, slots=True)
class Found:
    """One search result: DN and raw values by attribute name in lower case."""

    dn: str
    values: Mapping[str, Sequence[bytes]]

    def one(self, name: str) -> bytes | None:
        """Return the (first) value of an attribute."""
        held = self.values.get(name.lower())
        return held[0] if held else None

    def text(self, name: str) -> str:
        """Return the first value as text, empty where there is none."""
        return (self.one(name) or b"").decode()


@dataclass(frozen=True, slots=True)
class Ended:
    """How an operation ended (RFC 4511, 4.1.9). `cookie` is where the next page begins, None where nothing was said of pages."""

    code: int
    diagnostic: str
    cookie: bytes | None


@dataclass(frozen=True, slots=True)
class Message:
    """One LDAPMessage: its id, its operation's tag, and where in the data the operation's length stands."""

    number: int
    operation: int
    at: int


def head(number: int, operation: int) -> bytes:
    """Return how the content of a message with this id and operation begins."""
    size = number.bit_length() // 8 + 1
    return bytes([_INTEGER, size]) + number.to_bytes(size, "big") + bytes([operation])


def frame(data: bytes, at: int) -> tuple[int, int] | None:
    """Return where the content of the message at `at` starts and ends, the end perhaps not received yet; None for a cut head."""
    have = len(data) - at
    if have and data[at] != _SEQUENCE:
        raise ValueError("this is not LDAP")
    if have < 2:  # noqa: PLR2004  tag and length
        return None
    size = data[at + 1]
    if size < _SHORT:
        return at + 2, at + 2 + size
    if not _SHORT < size <= _FOUR:
        raise ValueError("a message whose length is indefinite or beyond all measure")
    if have < _LONG_HEAD and have < 2 + (size & 0x7F):
        return None
    size, start = _long(data, at + 2)
    if size > LONGEST:
        raise ValueError(f"a message of {size:,} bytes")
    return start, start + size


def message(data: bytes, start: int, end: int) -> Message:
    """Return what the message with this content holds, having seen that every element in it ends where it should."""
    try:
        _check(data, start, end)
        number, at = _element(data, start, end, _INTEGER)
        operation = data[at]
        controls(data, _element(data, at, end, operation)[1], end)
        return Message(int.from_bytes(data[number:at], "big", signed=True), operation, at + 1)
    except IndexError:
        raise _cut() from None


def controls(data: bytes, at: int, end: int) -> None:
    """Raise ValueError unless a message's operation is followed by nothing but its controls, if any."""
    try:
        if at > end or (at < end and _element(data, at, end, _CONTROLS)[1] != end):
            raise _cut()
    except IndexError:
        raise _cut() from None


def _check(data: bytes, at: int, end: int) -> None:
    """Raise ValueError unless the elements from `at` on, and those inside them, fill what they are in."""
    ends = [end]
    while ends:
        if at == ends[-1]:
            ends.pop()
            continue
        start, last = _element(data, at, ends[-1], data[at])
        if data[at] & _CONSTRUCTED:
            ends.append(last)
            at = start
        else:
            at = last
        if len(ends) > _DEEPEST:
            raise ValueError("an answer whose elements are nested too deeply")


def ended(data: bytes, at: int, end: int) -> Ended:
    """Return the result whose operation's length stands at `at`, of a message that ends at `end` and was looked at by `message`."""
    try:
        inside, after = _element(data, at - 1, end, data[at - 1])
        code, next_ = _element(data, inside, after, _ENUMERATED)
        matched = _element(data, next_, after, _OCTETS)[1]
        said, last = _element(data, matched, after, _OCTETS)
        if not code < next_ <= code + 4:
            raise ValueError("a result code that is none")
        number = int.from_bytes(data[code:next_], "big", signed=True)
        return Ended(number, _text(data[said:last]), _cookie(data, after, end))
    except IndexError:
        raise _cut() from None


def _cookie(data: bytes, at: int, end: int) -> bytes | None:
    """Return the cookie of the control for paged results among the controls at `at`, if there are any."""
    cookie = None
    if at == end:
        return None
    at, end = _element(data, at, end, _CONTROLS)
    while at < end:
        inside, at = _element(data, at, end, _SEQUENCE)
        name, after = _element(data, inside, at, _OCTETS)
        if data[name:after] != _PAGED:
            continue
        if after < at and data[after] == _BOOLEAN:
            after = _element(data, after, at, _BOOLEAN)[1]
        value, last = _element(data, after, at, _OCTETS)
        size, full = _element(data, value, last, _SEQUENCE)
        start, stop = _element(data, _element(data, size, full, _INTEGER)[1], full, _OCTETS)
        if not stop == full == last == at:
            raise _cut()
        cookie = data[start:stop]
    return cookie


def _text(raw: bytes) -> str:
    """Return a diagnostic: UTF-8, or, from a server that knows no better, Latin-1."""
    try:
        return raw.decode()
    except ValueError:
        return raw.decode("latin-1")


def entry(data: bytes, at: int) -> tuple[Found, int]:
    """Return the search result entry whose length stands at `at`, and where it ends."""
    try:
        return _entry(data, at)
    except (IndexError, error):
        raise _cut() from None


def _entry(data: bytes, at: int) -> tuple[Found, int]:
    size = data[at]
    at += 1
    if size >= _SHORT:
        size, at = _long(data, at)
    end = at + size
    if data[at] != _OCTETS:
        raise _other("a name")
    size = data[at + 1]
    at += 2
    if size >= _SHORT:
        size, at = _long(data, at)
    after = at + size
    dn = data[at:after].decode()
    if data[after] != _SEQUENCE:
        raise _other("attributes")
    size = data[after + 1]
    at = after + 2
    if size >= _SHORT:
        size, at = _long(data, at)
    if at + size != end or end > len(data):
        raise _cut()
    return Found(dn, _attributes(data, at, end, dn)), end


def _attributes(data: bytes, at: int, end: int, dn: str) -> dict[str, list[bytes]]:  # noqa: C901, PLR0912
    # Branch by branch in one function: a call for each element would cost more than all the rest.
    values: dict[str, list[bytes]] = {}
    count = 0
    while at < end:
        if data[at] != _SEQUENCE:
            raise _other("an attribute")
        size = data[at + 1]
        at += 2
        if size >= _SHORT:
            size, at = _long(data, at) if size != _FOUR else (_four(data, at)[0], at + 4)
        last = at + size
        if data[at] != _OCTETS:
            raise _other("an attribute's name")
        size = data[at + 1]
        at += 2
        if size >= _SHORT:
            size, at = _long(data, at)
        after = at + size
        name = _name(data[at:after])
        if data[after] != _SET:
            raise _other("an attribute's values")
        size = data[after + 1]
        at = after + 2
        if size >= _SHORT:
            size, at = _long(data, at) if size != _FOUR else (_four(data, at)[0], at + 4)
        if at + size != last:
            raise _cut()
        held: list[bytes] = []
        while at < last:
            if data[at] != _OCTETS:
                raise _other("a value")
            size = data[at + 1]
            at += 2
            if size >= _SHORT:
                size, at = _long(data, at)
            after = at + size
            held.append(data[at:after])
            at = after
        if at != last:
            raise _cut()
        values[name] = held
        count += 1
    if at != end:
        raise _cut()
    if count != len(values):
        raise ValueError(f"the entry {dn[:200]!r} lists an attribute twice")
    return values


def _long(data: bytes, at: int) -> tuple[int, int]:
    """Return a length in long form whose bytes stand at `at`, and where they end."""
    after = at + (data[at - 1] & 0x7F)
    if not at < after <= at + 4:
        raise ValueError("an element whose length is indefinite or beyond all measure")
    if after > len(data):
        raise _cut()
    return int.from_bytes(data[at:after], "big"), after


def _element(data: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """Return where the content of the element at `at` starts and ends."""
    if data[at] != tag:
        raise _other(f"an element with tag {tag:#x}")
    size, start = data[at + 1], at + 2
    if size >= _SHORT:
        size, start = _long(data, start)
    if start + size > end:
        raise _cut()
    return start, start + size


@lru_cache(4096)
def _name(raw: bytes) -> str:
    return raw.decode().lower()


def _cut() -> ValueError:
    return ValueError("an element of the answer does not end where the one around it does")


def _other(expected: str) -> ValueError:
    return ValueError(f"the answer holds something else in the place of {expected}")
