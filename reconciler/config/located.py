"""YAML read with positions: plain values, and where each key and each value stands.

Stricter than YAML: one document, no anchors, aliases or tags, no key twice; plain scalars as in YAML 1.2's core schema.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import yaml

from reconciler.errors import ReconcileError

from .problems import Problem, refuse
from .scalars import Plain, resolve, source_index

Path = tuple[str | int, ...]
"""Keys and indexes from the root: `("placement", 0, "when")`."""

MAX_BYTES = 1 << 20
_CONFLICT = re.compile(r"^<{7}(?: |\r?$)", re.MULTILINE)
MAX_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands, as indexes into the file's text; `key` is where its key does (the value, without one)."""

    key: int
    start: int
    end: int


@dataclass(frozen=True)
class Document:
    """One parsed file."""

    file: str
    text: str
    value: Plain
    places: Mapping[Path, Place]

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(i + 1 for i, c in enumerate(self.text) if c == "\n")]

    def at(self, path: Path) -> Plain:
        """Return the value at a path; None where there is none, or nothing stands there."""
        value = self.value
        for step in path:
            match value, step:
                case dict(), str():
                    value = value.get(step)
                case list(), int() if step < len(value):
                    value = value[step]
                case _:
                    return None
        return value

    def line(self, path: Path) -> int:
        """Return the line, from one, where the key or item at `path` begins."""
        return self._position(self._place(path).key)[0]

    def problem(self, path: Path, what: str, *, at_key: bool = False, offset: int | None = None) -> Problem:
        """Return a problem with the value at `path` (or its nearest ancestor that exists), with its key, or with the
        character at `offset` of a scalar's value.
        """
        place = self._place(path)
        index = place.key if at_key else place.start
        if offset is not None:
            value = self.at(path)
            text = value if isinstance(value, str) else ""
            index = source_index(self.text, place.start, place.end, text, offset)
        return Problem(self.file, *self._position(index), what)

    def _place(self, path: Path) -> Place:
        while path not in self.places:
            path = path[:-1]
        return self.places[path]

    def _position(self, index: int) -> tuple[int, int]:
        line = bisect.bisect_right(self._line_starts, index)
        return line, index - self._line_starts[line - 1] + 1


def parse(data: bytes, file: str, error: type[ReconcileError]) -> Document:
    """Read one file. `file` names it in messages; raises `error` with `file:line:column` of each thing that is off."""
    remedy = f"Correct {file}: plain YAML, one document, no anchors, aliases or tags, each key once."
    if len(data) > MAX_BYTES:
        raise error(f"{file}:1:1: the file has {len(data):,} bytes; at most {MAX_BYTES:,} are read", "Make it smaller.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = data.count(b"\n", 0, e.start) + 1
        column = e.start - (data.rfind(b"\n", 0, e.start) + 1) + 1
        raise error(f"{file}:{line}:{column}: not UTF-8", f"Save {file} as UTF-8.") from e
    builder = _Builder(file, text)
    for conflict in _CONFLICT.finditer(text):
        builder.problem(conflict.start(), "a merge conflict that nobody resolved")
    refuse(builder.problems, error, f"Resolve the conflict in {file}: keep what is right, without the marker lines.")
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as e:
        what = " ".join(filter(None, (e.context, e.problem)))
        builder.problem(_index(e.problem_mark), f"not YAML: {what}{_QUOTES if _UNQUOTED.search(what) else ''}")
    except yaml.reader.ReaderError as e:
        builder.problem(
            e.position,
            f"the character U+{_code_point(e.character):04X} is not allowed in YAML: escape it in a quoted text",
        )
    refuse(builder.problems, error, remedy)
    return Document(file, text, builder.root, builder.places)


_UNQUOTED = re.compile(r"mapping values are not allowed|flow mapping expected|expected <block end>")
_QUOTES = "; a value that holds quotes, `: `, commas or brackets needs quotes around the whole"


class _Mark(Protocol):
    @property
    def index(self) -> int: ...


def _index(mark: _Mark | None) -> int:
    return mark.index if mark else 0


def _code_point(character: int | str | bytes) -> int:
    return character if isinstance(character, int) else ord(character[:1])


@dataclass
class _Open:
    """A collection whose end has not come. `key` holds the last key of a mapping until its value comes."""

    path: Path
    value: list[Plain] | dict[str, Plain]
    start: int
    key: tuple[str, int] | None = None


@dataclass
class _Builder:
    """Builds values from parser events; keeps going after a mistake so that all are reported."""

    file: str
    text: str
    root: Plain = None
    places: dict[Path, Place] = field(default_factory=lambda: {(): Place(0, 0, 0)})
    problems: list[Problem] = field(default_factory=list)
    _stack: list[_Open] = field(default_factory=list)
    _documents: int = 0
    _skipping: int = 0

    def problem(self, index: int, what: str) -> None:
        line = self.text.count("\n", 0, index) + 1
        self.problems.append(Problem(self.file, line, index - (self.text.rfind("\n", 0, index) + 1) + 1, what))

    def take(self, event: yaml.Event) -> None:
        start, end = _index(event.start_mark), _index(event.end_mark)
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self.problem(start, "a second document: one file holds one")
            case _ if self._documents > 1:
                return
            case yaml.AliasEvent():
                self.problem(start, "an alias (`*`): write the value out")
                self._put(None, start, end)
            case yaml.ScalarEvent():
                self._node(event, start)
                if any("\ud800" <= c <= "\udfff" for c in event.value):
                    self.problem(start, "half a surrogate pair: write the character itself")
                self._scalar(event, start, end)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._node(event, start)
                self._open(isinstance(event, yaml.MappingStartEvent), start)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._close(end)

    def _node(self, event: yaml.NodeEvent, start: int) -> None:
        if event.anchor is not None:
            self.problem(start, "an anchor (`&`): write the value out where it is needed")
        if getattr(event, "tag", None) is not None:
            self.problem(start, "a tag (`!`): quote the text instead")

    def _scalar(self, event: yaml.ScalarEvent, start: int, end: int) -> None:
        plain = event.style is None
        top = self._stack[-1] if self._stack else None
        if top and isinstance(top.value, dict) and top.key is None and not self._skipping:
            if event.value in top.value:
                self.problem(start, f"`{event.value}` stands here twice")
            top.key = (event.value, start)
            return
        self._put(resolve(event.value) if plain else event.value, start, end)

    def _open(self, mapping: bool, start: int) -> None:
        top = self._stack[-1] if self._stack else None
        if self._skipping or len(self._stack) >= MAX_DEPTH or (top and isinstance(top.value, dict) and top.key is None):
            if not self._skipping:
                deep = len(self._stack) >= MAX_DEPTH
                self.problem(start, f"nested more than {MAX_DEPTH} deep" if deep else "a key must be a text")
            self._skipping += 1
            return
        path, _ = self._next(start)
        self._stack.append(_Open(path, {} if mapping else [], start))

    def _close(self, end: int) -> None:
        if self._skipping:
            self._skipping -= 1
            if not self._skipping and self._stack:
                top = self._stack[-1]
                if isinstance(top.value, dict) and top.key is None:
                    top.key = ("", top.start)
                else:
                    self._put(None, end, end)
            return
        done = self._stack.pop()
        self._put(done.value, done.start, end)

    def _next(self, start: int) -> tuple[Path, int]:
        """Path of the value that comes now, and where its key stands."""
        if not self._stack:
            return (), start
        top = self._stack[-1]
        if isinstance(top.value, list):
            return (*top.path, len(top.value)), start
        key, at = top.key or ("", start)
        return (*top.path, key), at

    def _put(self, value: Plain, start: int, end: int) -> None:
        if self._skipping:
            return
        path, at = self._next(start)
        self.places[path] = Place(at, start, end)
        if not self._stack:
            self.root = value
            return
        top = self._stack[-1]
        if isinstance(top.value, list):
            top.value.append(value)
        else:
            top.value[str(path[-1])] = value
            top.key = None
