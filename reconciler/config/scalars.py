"""Scalars of a YAML file: what a plain one means, and where in the file a character of its value stands."""

from __future__ import annotations

import math
import re

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
"""A YAML value as JSON knows it."""

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEAN = {w: w.lower() == "true" for w in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_RADIX = re.compile(r"0o[0-7]{1,18}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?((\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)")
_ESCAPED_DIGITS = {"x": 2, "u": 4, "U": 8}


def resolve(text: str) -> Plain:
    """Return what an unquoted scalar means in YAML 1.2's core schema (10.3.2): null, true, false, a number, or itself.

    So `no`, `12:30:00` and `2026-01-31` are text, and so are numbers nobody needs here (infinities, twenty digits).
    """
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _RADIX.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


def source_index(text: str, start: int, end: int, value: str, offset: int) -> int:
    """Return the index in `text` of the character that became `value[offset]`.

    `text[start:end]` is the scalar as written. Folding, chomping and indentation only ever change white space, so the
    nth visible character of the value is the nth visible one of the source; white space is placed at what follows it.
    """
    nth = sum(not c.isspace() for c in value[:offset])
    visible = _visible(text, start, end)
    if nth < len(visible):
        return visible[nth]
    return visible[-1] + 1 if visible else start


def _visible(text: str, start: int, end: int) -> list[int]:
    """Indexes of the source characters that stand for one visible character each, in order."""
    style = text[start : start + 1]
    if style in ("|", ">"):
        body = text.find("\n", start, end)
        return [i for i in range(body, end) if not text[i].isspace()] if body >= 0 else []
    if style == '"':
        return _double_quoted(text, start + 1, end - 1)
    if style == "'":
        return _single_quoted(text, start + 1, end - 1)
    return [i for i in range(start, end) if not text[i].isspace()]


def _single_quoted(text: str, i: int, end: int) -> list[int]:
    out = []
    while i < end:
        if not text[i].isspace():
            out.append(i)
        i += 2 if text[i] == "'" else 1
    return out


def _double_quoted(text: str, i: int, end: int) -> list[int]:
    out = []
    while i < end:
        c, at = text[i], i
        i += 1
        if c == "\\":
            kind = text[i]
            digits = _ESCAPED_DIGITS.get(kind, 0)
            c = (
                chr(int(text[i + 1 : i + 1 + digits], 16))
                if digits
                else {"/": "/", '"': '"', "\\": "\\", "0": "\0"}.get(kind, " ")
            )
            i += 1 + digits
        if not c.isspace():
            out.append(at)
    return out
