"""Any canonical document, line by line: the fast way of `canonical.load`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .strict import BARE, MAX_KEY, SCALAR, STRING, decode, scalar, unquote

Loaded = str | int | bool | list[str] | dict[str, "Loaded"]

_DEEPEST = 6
"""How far down a key may stand and still hold a mapping or a list that `reader` takes too."""
_LINE = re.compile(rf"^((?:  )*+)(?:(?:({BARE})|({STRING})):(?: ({SCALAR}|\{{\}}))?|- ({STRING}))\n", re.MULTILINE)
_Row = tuple[str, str, str, str, str]
"""Indent, plain key, quoted key, value, item."""


def read_outline(data: bytes) -> dict[str, Loaded] | None:
    """Return the document in a canonical file; None where it is not surely one, for the slower reader to judge."""
    text = decode(data)
    if text is None:
        return None
    rows: Sequence[_Row] = _LINE.findall(text)
    # A match is one whole line, from its beginning to its only line feed: none is left out if there are as many.
    if not rows or len(rows) != text.count("\n") or text[-1] != "\n":
        return None
    return _built(rows)


def _built(rows: Sequence[_Row]) -> dict[str, Loaded] | None:
    root: dict[str, Loaded] = {}
    stack = [root]
    opened = ""
    """The key whose mapping or list must follow; "" where none is open (a key that is empty goes the slow way)."""
    items: list[str] | None = None
    for indent, bare, quoted, value, item in rows:
        depth = len(indent) // 2
        if opened:
            if depth != len(stack):
                return None
            if item:
                items = []
                stack[-1][opened] = items
            else:
                inner: dict[str, Loaded] = {}
                stack[-1][opened] = inner
                stack.append(inner)
            opened = ""
        if item:
            if items is None or depth != len(stack):
                return None
            items.append(unquote(item))
            continue
        items = None
        if depth >= len(stack) or depth > _DEEPEST:
            return None
        del stack[depth + 1 :]
        key = bare or (unquote(quoted) if len(quoted) <= MAX_KEY else "")
        if not key or key in stack[depth]:
            return None
        if value:
            stack[depth][key] = {} if value == "{}" else scalar(value)
        else:
            opened = key
    return None if opened else root
