"""Attribute values as they flow from a guest to an account."""

from __future__ import annotations

import unicodedata

Value = str | int | bool | tuple[str, ...]
"""One attribute's value. Absent (null, empty) is None, never an empty string or tuple. Tuples are sorted."""


def fold(value: str) -> str:
    """Return the key under which a domain controller holds two names to be the same.

    Windows compares names ignoring case, width, kana and combining marks (KB 938447): `Müller` equals `Muller`. Samba holds
    runs of spaces in a DN to be one (RFC 4518, 2.6.1). This is at least that wide: what folds differently here is different there.
    """
    if value.isascii():
        return " ".join(value.casefold().split())
    decomposed = unicodedata.normalize("NFKD", value).casefold()
    bare = "".join(c for c in unicodedata.normalize("NFKD", decomposed) if not unicodedata.combining(c))
    return " ".join("".join(_hiragana(c) for c in bare).split())


def _hiragana(c: str) -> str:
    return chr(ord(c) - 0x60) if "ァ" <= c <= "ヶ" else c


def utf16_length(value: str) -> int:
    """Return the length as Active Directory's rangeUpper counts it: UTF-16 code units."""
    if value.isascii():
        return len(value)
    return len(value) + sum(ord(c) > 0xFFFF for c in value)  # noqa: PLR2004  the end of the basic plane


def clean(value: Value | None) -> Value | None:
    """Return the value, or None where it is what a directory cannot hold: an empty string or an empty list."""
    return None if value is None or value in ("", ()) else value
