"""Distinguished names: built from hostile values, compared as a directory compares them (RFC 4514)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

_SPECIAL = re.compile(r'[,+"\\<>;=\x00-\x1f\x7f]')
_HEX_PAIR = 2


@dataclass(frozen=True)
class DN:
    """A distinguished name as its text, equal when a directory would hold it equal.

    Comparison unescapes, trims around separators and folds case; it never touches the text itself.
    """

    text: str

    @staticmethod
    def parse(text: str) -> DN:
        """Return the DN; raise ValueError, naming the text, when it is not one."""
        dn = DN(text)
        if any(not key or not value for key, value in dn.rdns):
            raise ValueError(f"not a distinguished name: {text!r}")
        return dn

    def child(self, key: str, value: str) -> DN:
        """Return the DN of an entry below this one; `value` is escaped."""
        return DN(f"{key}={escape(value)},{self.text}")

    @cached_property
    def rdns(self) -> tuple[tuple[str, str], ...]:
        """(attribute type in upper case, unescaped value) from the leaf up."""
        text = self.text
        if "\\" not in text and text.isascii():  # as nearly all are; the same in one step
            parts = [part.partition("=") for part in text.split(",")] if text else []
            return tuple((key.strip().upper(), value.strip(" ")) for key, _, value in parts)
        return tuple(_rdn(part) for part in _split(text, ","))

    @cached_property
    def key(self) -> tuple[tuple[str, str], ...]:
        """What equality and hashing use."""
        return tuple((key, value.casefold()) for key, value in self.rdns)

    @property
    def parent(self) -> DN:
        """The container's DN."""
        parts = _split(self.text, ",")
        return DN(",".join(parts[1:]).strip())

    @property
    def name(self) -> str:
        """The leaf's value, unescaped."""
        return self.rdns[0][1] if self.rdns else ""

    @property
    def rdn(self) -> str:
        """The leaf as written."""
        return _split(self.text, ",")[0]

    def within(self, ancestor: DN) -> bool:
        """Whether this is `ancestor` or lies anywhere below it."""
        n = len(ancestor.key)
        return n > 0 and len(self.key) >= n and self.key[-n:] == ancestor.key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DN) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        return self.text


def within(dn: DN, ancestors: Iterable[DN]) -> bool:
    """Whether `dn` is or lies below any of `ancestors`."""
    return any(dn.within(ancestor) for ancestor in ancestors)


def escape(value: str) -> str:
    """Escape one attribute value for a DN (RFC 4514, 2.4): specials by backslash, controls as hex."""
    out = _SPECIAL.sub(lambda m: f"\\{m[0]}" if m[0] >= " " and m[0] != "\x7f" else f"\\{ord(m[0]):02x}", value)
    if out[:1] in ("#", " "):
        out = "\\" + out
    if out.endswith(" ") and not out.endswith("\\ "):
        out = out[:-1] + "\\ "
    return out


def _split(text: str, separator: str) -> list[str]:
    if "\\" not in text:
        return text.split(separator)
    parts, start, i = [], 0, 0
    while i < len(text):
        if text[i] == "\\":
            i += 1
        elif text[i] == separator:
            parts.append(text[start:i])
            start = i + 1
        i += 1
    parts.append(text[start:])
    return parts


def _rdn(part: str) -> tuple[str, str]:
    key, equals, value = part.partition("=")
    return key.strip().upper(), _unescape(_trim(value)) if equals else ""


def _trim(value: str) -> str:
    value = value.lstrip(" ")
    if not value.endswith(" "):
        return value
    stripped = value.rstrip(" ")
    backslashes = len(stripped) - len(stripped.rstrip("\\"))
    return stripped + " " if backslashes % 2 and len(stripped) < len(value) else stripped


def _unescape(value: str) -> str:
    if "\\" not in value and value.isascii():
        return value
    out = bytearray()
    i = 0
    while i < len(value):
        if value[i] == "\\" and i + 1 < len(value):
            pair = value[i + 1 : i + 1 + _HEX_PAIR]
            if re.fullmatch(r"[0-9A-Fa-f]{2}", pair):
                out.append(int(pair, 16))
                i += 3
                continue
            i += 1
        out += value[i].encode("utf-8", "surrogatepass")
        i += 1
    return out.decode("utf-8", "replace")
