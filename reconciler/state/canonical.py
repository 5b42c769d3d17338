"""The one canonical YAML form of `state/`: equal content is equal bytes, and every YAML reader sees the same values.

Block style, two-space indent, `\\n`, UTF-8, no comments, no document markers, one line per scalar. A string is one
complete double-quoted JSON string; what a terminal or a diff would hide, reorder or break a line at is escaped as
`\\uXXXX`. Integers and `true`/`false` are plain. Absent values (None, empty lists) are not written at all.

The one departure from JSON: an invisible or noncharacter code point beyond U+FFFF is written `\\UXXXXXXXX`. JSON's way,
a surrogate pair, is no character to YAML (libyaml refuses it, PyYAML and ruamel.yaml read two lone surrogates), while
`\\U` means the same to YAML 1.1 and 1.2. Every other scalar of a canonical file is valid JSON as it stands.

The set of escaped code points is fixed here, not taken from `unicodedata`: bytes must not depend on Python's version.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from reconciler.errors import StateError

Node = str | int | bool | Sequence[str] | Mapping[str, "Node | None"] | None
"""What a key may hold. None and an empty list stand for an absent key."""

Loaded = str | int | bool | list[str] | dict[str, "Loaded"]
"""What a key was found to hold."""

INTEGER_BITS = 64
"""Integers are LDAP's large integers at most ([MS-ADTS] 3.1.1.2.2.2.4): signed, 64 bits."""

_MAX_KEY = 1000
"""YAML ends an implicit key at 1024 characters (YAML 1.2.2, 7.4.2)."""

_ESCAPED = re.compile(
    "["
    "\x7f-\x9f\xad"  # delete, C1 controls, soft hyphen
    "\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u3164\uffa0"  # joiners, fillers and marks that show nothing
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero-width, bidirectional, line and paragraph separators
    "\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff"  # byte order mark, annotations, noncharacters
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # shorthand and musical format controls
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"  # tags: text nobody sees
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
    + "]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN_KEY = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)$)[A-Za-z][A-Za-z0-9_]{0,127}", re.IGNORECASE)
_json = json.JSONEncoder(ensure_ascii=False).encode


def dump(document: Mapping[str, Node]) -> bytes:
    """Return the canonical bytes; keys stay in the order given, which is for the caller to fix.

    Raises StateError for what no YAML reader could give back: a lone surrogate, a key of more than 1,000 characters,
    an integer of more than 64 bits.
    """
    lines: list[str] = []
    _write(document, "", lines)
    text = "".join(lines) or "{}\n"
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise StateError(f"line {line} of a state file to be written holds half a surrogate pair") from error


def load(data: bytes, path: str) -> dict[str, Loaded]:
    """Return the document that these bytes hold; `path` is for messages.

    Canonical or written by hand, as long as it means one thing: see `reader`. Raises StateError (`file:line`) for
    everything else, and never anything but StateError, whatever the bytes. This is the boundary where a faster reader
    of the strict form would be tried first.
    """
    from .reader import read

    return read(data, path)


def quote(value: str) -> str:
    """Return one string as it stands in a canonical file."""
    return _ESCAPED.sub(_escape, _json(value))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004  the end of the basic plane


def _key(name: str) -> str:
    if _PLAIN_KEY.fullmatch(name):
        return name
    quoted = quote(name)
    if len(quoted) > _MAX_KEY:
        raise StateError(f"a key of a state file to be written is longer than {_MAX_KEY} characters: {quoted[:60]}…")
    return quoted


def _write(mapping: Mapping[str, Node], indent: str, lines: list[str]) -> None:
    for name, value in mapping.items():
        key = f"{indent}{_key(name)}:"
        if isinstance(value, str):
            lines.append(f"{key} {quote(value)}\n")
        elif isinstance(value, bool):
            lines.append(f"{key} {'true' if value else 'false'}\n")
        elif isinstance(value, int):
            lines.append(f"{key} {_integer(value, name)}\n")
        elif isinstance(value, Mapping):
            lines.append(f"{key}\n")
            start = len(lines)
            _write(value, indent + "  ", lines)
            if len(lines) == start:
                lines[-1] = f"{key} {{}}\n"
        elif value:
            lines.append(f"{key}\n")
            lines.extend(f"{indent}  - {quote(item)}\n" for item in value)


def _integer(value: int, name: str) -> int:
    if not fits(value):
        raise StateError(f"{name} of a state file to be written does not fit {INTEGER_BITS} bits: {value}")
    return value


def fits(value: int) -> bool:
    """Whether an integer is one that a directory can hold."""
    return -(1 << INTEGER_BITS - 1) <= value < 1 << INTEGER_BITS - 1


def has_surrogate(value: str) -> bool:
    """Whether the string holds half a surrogate pair, which is no character and has no UTF-8."""
    return not value.isascii() and _SURROGATE.search(value) is not None
