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

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from json.encoder import encode_basestring

from reconciler.errors import StateError

from .outline import Loaded, read_outline
from .strict import BARE, ESCAPED, MAX_KEY

Node = str | int | bool | Sequence[str] | Mapping[str, "Node | None"] | None
"""What a key may hold. None and an empty list stand for an absent key."""

REMEDY = "Restore the file from git, or mend the line."
"""What to do about a damaged file."""

INTEGER_BITS = 64
"""Integers are LDAP's large integers at most ([MS-ADTS] 3.1.1.2.2.2.4): signed, 64 bits."""

_ESCAPED = re.compile(f"[{ESCAPED}]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN_KEY = re.compile(f"{BARE}:")


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
    everything else, and never anything but StateError, whatever the bytes. What is canonical is read in one pass, without
    PyYAML, which is not even imported then.
    """
    document = read_outline(data)
    if document is None:
        from .reader import read

        document = read(data, path)
    return document


def quote(value: str) -> str:
    """Return one string as it stands in a canonical file."""
    quoted = encode_basestring(value)
    return quoted if value.isascii() and "\x7f" not in value else _ESCAPED.sub(_escape, quoted)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004  the end of the basic plane


@lru_cache(maxsize=1024)
def key(name: str) -> str:
    """Return one key as it stands in a canonical file: plain where no reader would retype it."""
    if _PLAIN_KEY.fullmatch(f"{name}:"):
        return name
    quoted = quote(name)
    if len(quoted) > MAX_KEY:
        raise StateError(f"a key of a state file to be written is longer than {MAX_KEY} characters: {quoted[:60]}…")
    return quoted


def _write(mapping: Mapping[str, Node], indent: str, lines: list[str]) -> None:
    for name, value in mapping.items():
        start = f"{indent}{key(name)}:"
        if isinstance(value, str):
            lines.append(f"{start} {quote(value)}\n")
        elif isinstance(value, bool):
            lines.append(f"{start} {'true' if value else 'false'}\n")
        elif isinstance(value, int):
            lines.append(f"{start} {_integer(value, name)}\n")
        elif isinstance(value, dict) or isinstance(value, Mapping):  # noqa: SIM101  a dict is told at once, any other mapping is not
            lines.append(f"{start}\n")
            before = len(lines)
            _write(value, indent + "  ", lines)
            if len(lines) == before:
                lines[-1] = f"{start} {{}}\n"
        elif value:
            lines.append(f"{start}\n")
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
