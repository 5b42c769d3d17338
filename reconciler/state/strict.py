"""Canonical text in one pass: what a line, a scalar and an entry look like, to the character.

A pattern here accepts nothing that `reader` would read otherwise or refuse; it need not accept everything that is right.
Each scalar is one complete JSON string, and every character between the quotes is either one that needs no escape or an
escape as `canonical.quote` writes it: a value can never end early and let the rest of it pass for another line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final, cast

ESCAPED: Final = (
    "\x7f-\x9f\xad"  # delete, C1 controls, soft hyphen
    "\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u3164\uffa0"  # joiners, fillers and marks that show nothing
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero-width, bidirectional, line and paragraph separators
    "\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff"  # byte order mark, annotations, noncharacters
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # shorthand and musical format controls
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"  # tags: text nobody sees
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
)
"""The characters, as a pattern's set, that are escaped beyond what JSON escapes."""

_ASCII = r"[ !#-\[\]-~]*+"
_OTHER = rf"[^\x00-\x7f\ud800-\udfff{ESCAPED}]"
_ESCAPE = r'\\(?:["\\bfnrt]|u(?!d[89a-f])[0-9a-f]{4}|U(?:000[1-9a-f]|0010)[0-9a-f]{4})'
STRING: Final = f'"{_ASCII}(?:(?:{_ESCAPE}|{_OTHER}){_ASCII})*+"'
"""Runs of ASCII first: the set of all other characters takes seven times as long to look a character up in."""
INTEGER: Final = r"(?:0|-?[1-9][0-9]{0,17})"
"""At most 18 digits, which fit 64 bits whatever they are."""
_RETYPED = "[yY](?:[eE][sS])?|[nN](?:[oO]|[uU][lL][lL])?|[oO](?:[nN]|[fF][fF])|[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]"
BARE: Final = f"(?!(?:{_RETYPED}):)[A-Za-z][A-Za-z0-9_]{{0,127}}+"
"""A key that no YAML version takes for anything but text."""
KEY: Final = f"(?:{BARE}|{STRING})"
SCALAR: Final = f"(?:{STRING}|true|false|{INTEGER})"

MAX_KEY: Final = 1000
"""YAML ends an implicit key at 1024 characters (YAML 1.2.2, 7.4.2)."""

_LONG = re.compile(r"\\(?:U([0-9a-f]{8})|.)")


def decode(data: bytes) -> str | None:
    """Return the text of a file, None where it is no UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


_loads = cast("Callable[[str], str]", json.JSONDecoder().decode)


def unquote(token: str) -> str:
    """Return the value of a STRING."""
    if "\\" not in token:
        return token[1:-1]
    return _loads(_LONG.sub(_pair, token) if "\\U" in token else token)


def _pair(match: re.Match[str]) -> str:
    """Return a long escape as the pair of short ones that JSON knows."""
    if match[1] is None:
        return match[0]
    code = int(match[1], 16) - 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def scalar(token: str) -> str | int | bool:
    """Return the value of a SCALAR."""
    if token[0] == '"':
        return unquote(token)
    return token[0] == "t" if token[0] in "tf" else int(token)
