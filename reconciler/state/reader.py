"""Reads state YAML with PyYAML's parser: canonical files, and those a person has edited.

Works on parse events, so that nothing is ever resolved or constructed by rules that differ between YAML 1.1 and 1.2.
Refused with file and line: duplicate keys, anchors, aliases, tags, merge keys, several documents, directives, nulls,
empty lists, and plain words that one YAML version retypes as a boolean (`no`, `Yes`, `TRUE`). Any other plain scalar
that is neither a decimal integer nor `true`/`false` (a date, `0e12`, `007`, `1:30`) is the string a person sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from reconciler.errors import StateError

from .canonical import REMEDY, fits, has_surrogate
from .outline import Loaded

_RESOLVE = "Take one side whole (git checkout --ours or --theirs), then run `reconcile snapshot`: both were imports of the same."
_MAX_DEPTH = 8
_MAX_DIGITS = 19
_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_AMBIGUOUS = re.compile(r"y|n|yes|no|on|off|true|false", re.IGNORECASE)
_NULL = re.compile(r"|~|null", re.IGNORECASE)
_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7})(?: |\r?$)", re.MULTILINE)
_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|(?<!^)\ufeff")

Lines = dict[tuple[str, ...], int]
"""Line of each key, by the keys that lead to it."""


def read(data: bytes, path: str, lines: Lines | None = None, *, fast: bool = True) -> dict[str, Loaded]:
    """Return the document; fill `lines` when given. `fast` uses libyaml where PyYAML has it. Raises StateError."""
    text = _text(data, path)
    loader = yaml.CSafeLoader if fast and yaml.__with_libyaml__ else yaml.SafeLoader
    try:
        return _Builder(yaml.parse(text, Loader=loader), path, lines).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = min(mark.line + 1, text.count("\n")) if mark else 1
        raise _error(path, line, error.problem or "not YAML") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise _error(path, 1, "not YAML: an escape or a character that no string can hold") from error


def locate(data: bytes, path: str, keys: tuple[str, ...]) -> str:
    """Return `file:line` of a key in a document that `load` accepted, or of the nearest key above it."""
    lines: Lines = {}
    read(data, path, lines)
    while keys and keys not in lines:
        keys = keys[:-1]
    return f"{path}:{lines.get(keys, 1)}"


def _error(path: str, line: int, problem: str, remedy: str = REMEDY) -> StateError:
    return StateError(f"{path}:{line}: {problem}", remedy)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _plain(event: yaml.ScalarEvent) -> bool:
    """Whether a scalar stands without quotes: the only kind that another reader might retype."""
    return bool(event.implicit[0])


def _text(data: bytes, path: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _error(path, line, "not UTF-8") from error
    if not text:
        raise _error(path, 1, "the file is empty")
    if conflict := _CONFLICT.search(text):
        line = text.count("\n", 0, conflict.start()) + 1
        raise _error(path, line, "a merge conflict that nobody resolved", _RESOLVE)
    if not text.endswith("\n"):
        line = text.count("\n") + 1
        raise _error(path, line, "no end of line, so the file may be cut short", f"Add it if it is whole. {REMEDY}")
    if bad := _NOT_YAML.search(text):
        raise _error(path, text.count("\n", 0, bad.start()) + 1, f"unescaped control character U+{ord(bad[0]):04X}")
    return text


class _Builder:
    """Turns one document's parse events into plain values."""

    def __init__(self, events: Iterator[yaml.Event], path: str, lines: Lines | None) -> None:
        self._events = events
        self._path = path
        self._lines = lines

    def document(self) -> dict[str, Loaded]:
        next(self._events)  # the stream's start
        start = next(self._events)
        if not isinstance(start, yaml.DocumentStartEvent):
            raise self._refuse(start, "the file holds nothing")
        if start.version or start.tags:
            raise self._refuse(start, "YAML directives are not used here")
        root = next(self._events)
        if not isinstance(root, yaml.MappingStartEvent):
            raise self._refuse(root, "not a mapping")
        self._bare(root)
        document = self._mapping(())
        next(self._events)  # the document's end
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._refuse(after, "a second document")
        return document

    def _mapping(self, above: tuple[str, ...]) -> dict[str, Loaded]:
        result: dict[str, Loaded] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event)
            if key in result:
                raise self._refuse(event, f"the key {key!r} occurs twice")
            keys = (*above, key)
            if self._lines is not None:
                self._lines[keys] = _line(event)
            result[key] = self._value(next(self._events), keys)
        return result

    def _value(self, event: yaml.Event, keys: tuple[str, ...]) -> Loaded:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        self._bare(event)
        if len(keys) >= _MAX_DEPTH:
            raise self._refuse(event, "nested too deeply")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(keys)
        items = self._list()
        if not items:
            raise self._refuse(event, f"{keys[-1]!r} is empty", "Delete the key: what is absent is not written.")
        return items

    def _list(self) -> list[str]:
        items: list[str] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            item = self._scalar(event) if isinstance(event, yaml.ScalarEvent) else None
            if not isinstance(item, str):
                raise self._refuse(event, "a list may hold strings only", "Put the item in double quotes.")
            items.append(item)
        return items

    def _key(self, event: yaml.Event) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise self._refuse(event, "a key that is not a string")
        if _plain(event) and (event.value == "<<" or _NULL.fullmatch(event.value)):
            raise self._refuse(event, f"the key {event.value!r} must be quoted")
        return self._string(event)

    def _scalar(self, event: yaml.ScalarEvent) -> str | int | bool:
        value = self._string(event)
        if not _plain(event):
            return value
        if _INTEGER.fullmatch(value):
            if len(value.lstrip("-")) > _MAX_DIGITS or not fits(int(value)):
                raise self._refuse(event, "an integer of more than 64 bits", "Put it in double quotes if it is text.")
            return int(value)
        if value in ("true", "false"):
            return value == "true"
        if _AMBIGUOUS.fullmatch(value):
            raise self._refuse(
                event, f"{value!r} is a boolean to some", "Write true or false, or double quotes around it."
            )
        if _NULL.fullmatch(value):
            raise self._refuse(event, "no value", "Restore the file from git, or delete the key.")
        return value

    def _string(self, event: yaml.ScalarEvent) -> str:
        self._bare(event)
        value: str = event.value
        if has_surrogate(value):
            raise self._refuse(event, "an escape for half a surrogate pair", "Write the character itself.")
        return value

    def _bare(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise self._refuse(event, "anchors and aliases are not used here")
        if getattr(event, "tag", None) is not None:
            raise self._refuse(event, "tags are not used here")

    def _refuse(self, event: yaml.Event, problem: str, remedy: str = REMEDY) -> StateError:
        return _error(self._path, _line(event), problem, remedy)
