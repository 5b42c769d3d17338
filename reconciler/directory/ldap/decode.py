"""From a directory's bytes to values, and back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

from reconciler.errors import DirectoryError
from reconciler.model.schema import Attribute, Kind
from reconciler.model.values import Value

from .refusals import visible

_SID_HEAD = 8
_SUB_AUTHORITY = 4
_RID_BYTES = 4
_GUID_BYTES = 16


def sid(raw: bytes) -> str:
    """Return a SID as S-1-… ([MS-DTYP] 2.4.2.2); raise ValueError for what is none."""
    if len(raw) < _SID_HEAD or len(raw) != _SID_HEAD + _SUB_AUTHORITY * raw[1]:
        raise ValueError(f"not a SID: {raw.hex()}")
    if len(raw) == _SID_HEAD:
        return _authority(raw)
    return f"{_authority(raw[:-_RID_BYTES])}-{rid(raw)}"


@lru_cache(1024)
def _authority(raw: bytes) -> str:
    """Return all of a SID but its last part, or one that has none: the same for every account of a domain."""
    parts = [int.from_bytes(raw[at : at + _SUB_AUTHORITY], "little") for at in range(_SID_HEAD, len(raw), 4)]
    return "-".join(["S", str(raw[0]), str(int.from_bytes(raw[2:_SID_HEAD], "big")), *map(str, parts)])


def sid_bytes(text: str) -> bytes:
    """Return a SID as the directory stores it; raise ValueError for what is none."""
    letter, revision, authority, *parts = text.split("-")
    if letter != "S":
        raise ValueError(f"not a SID: {text}")
    head = bytes([int(revision), len(parts)]) + int(authority).to_bytes(_SID_HEAD - 2, "big")
    return head + b"".join(int(part).to_bytes(_SUB_AUTHORITY, "little") for part in parts)


def relative(domain: bytes, rid: int) -> bytes:
    """Return the SID of a domain's object with this relative identifier, as bytes."""
    return domain[:1] + bytes([domain[1] + 1]) + domain[2:] + rid.to_bytes(_RID_BYTES, "little")


def rid(raw: bytes) -> int:
    """Return the last part of a SID."""
    return int.from_bytes(raw[-_RID_BYTES:], "little")


def guid(raw: bytes) -> str:
    """Return a GUID in its usual text form, lower case ([MS-DTYP] 2.3.4); raise ValueError for what is none."""
    if len(raw) != _GUID_BYTES:
        raise ValueError(f"not a GUID: {raw.hex()}")
    digits = (raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]).hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def guid_bytes(text: str) -> bytes:
    """Return a GUID as the directory stores it; raise DirectoryError for what is none, before it goes anywhere."""
    return _uuid(text).bytes_le


def guid_dn(text: str) -> str:
    """Return the DN form that addresses an object by GUID wherever it is ([MS-ADTS] 3.1.1.3.1.2.4)."""
    return f"<GUID={_uuid(text)}>"


def _uuid(text: str) -> uuid.UUID:
    try:
        found = uuid.UUID(text)
    except ValueError as error:
        raise DirectoryError(f"Not an objectGUID: {visible(text)}", "Import the directory afresh.") from error
    if str(found) != text.lower():  # uuid takes braces, urn: and missing dashes too
        raise DirectoryError(f"Not an objectGUID: {visible(text)}", "Import the directory afresh.")
    return found


Decoder = Callable[[Sequence[bytes], str], Value]
"""From an attribute's raw values and its object's DN to what `value` returns."""


def decoder(known: Attribute) -> Decoder:
    """Return `value` for one attribute, for an import that reads it of every account."""
    if known.kind != "string" or known.multi:
        return partial(value, known)

    def text(raw: Sequence[bytes], dn: str) -> Value:
        if len(raw) == 1:
            try:
                return raw[0].decode()
            except ValueError:
                pass  # refused below
        return value(known, raw, dn)

    return text


def value(known: Attribute, raw: Sequence[bytes], dn: str) -> Value:
    """Return an attribute's value by its kind; a tuple, sorted, where it is multi-valued or the object has several.

    Raises DirectoryError naming object and attribute where the bytes are not of that kind: nothing is replaced.
    """
    try:
        values = [_one(known.kind, item) for item in raw]
    except ValueError as error:
        raise DirectoryError(
            f"{visible(dn)}: the value of {visible(known.name)} is not a valid {known.kind}: {raw!r:.200}",
            "Correct or clear the value in Active Directory, or leave the attribute out of the policy.",
        ) from error
    if known.multi or len(values) != 1:
        return tuple(sorted(str(item) for item in values))
    return values[0]


def _one(kind: Kind, raw: bytes) -> str | int | bool:
    if kind == "integer":
        return int(raw.decode("ascii"))
    if kind == "boolean":
        return {b"TRUE": True, b"FALSE": False}[raw] if raw in (b"TRUE", b"FALSE") else _refuse(raw)
    return raw.decode("utf-8")


def _refuse(raw: bytes) -> bool:
    raise ValueError(raw)


def encode(wanted: Value | None) -> list[bytes]:
    """Return what is sent for a value; none for None."""
    if wanted is None:
        return []
    if isinstance(wanted, bool):
        return [b"TRUE" if wanted else b"FALSE"]
    return [utf8(str(item)) for item in (wanted if isinstance(wanted, tuple) else (wanted,))]


def utf8(text: str) -> bytes:
    """Return the text as it is sent; raise DirectoryError for lone surrogates, which no encoding has."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise DirectoryError(f"Not Unicode text: {visible(text)}", "Correct the value at its source.") from error
