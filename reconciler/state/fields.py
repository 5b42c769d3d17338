"""Typed access to a loaded document: every wrong type, shape or unknown field is a StateError with file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from reconciler.errors import StateError
from reconciler.model.values import Value

from .canonical import REMEDY
from .outline import Loaded

Word = TypeVar("Word", bound=str)

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Source:
    """A file's path and bytes, kept so that an error can say the line."""

    path: str
    data: bytes

    def error(self, keys: tuple[str, ...], problem: str, remedy: str = REMEDY) -> StateError:
        """Return what to raise about the key that `keys` lead to."""
        from .reader import locate

        return StateError(f"{locate(self.data, self.path, keys)}: {'.'.join(keys)}: {problem}", remedy)


class Fields:
    """One mapping of a document, read field by field; `close` then refuses what nobody asked for."""

    def __init__(self, source: Source, node: Loaded, *keys: str) -> None:
        if not isinstance(node, dict):
            raise source.error(keys, "not a mapping of fields")
        self._source = source
        self._node = node
        self._keys = keys
        self._known: set[str] = set()

    def refuse(self, name: str, problem: str) -> StateError:
        """Return what to raise about one field."""
        return self._source.error((*self._keys, name), problem)

    def close(self) -> None:
        """Raise StateError for a field that no getter was called for."""
        for name in self._node:
            if name not in self._known:
                raise self.refuse(name, "no such field here")

    def names(self) -> tuple[str, ...]:
        """Return the fields' names, where those are data."""
        return tuple(self._node)

    def string(self, name: str) -> str:
        """Return a string that must be there; it may be empty."""
        value = self.optional(name)
        if value is None:
            raise self._source.error(self._keys, f"{name} is missing")
        return value

    def optional(self, name: str) -> str | None:
        """Return a string or None."""
        value = self._get(name)
        if value is not None and not isinstance(value, str):
            raise self.refuse(name, "not a string: put it in double quotes")
        return value

    def one_of(self, name: str, *words: Word) -> Word | None:
        """Return one of these words or None."""
        value = self.optional(name)
        for word in words:
            if value == word:
                return word
        if value is not None:
            raise self.refuse(name, f"neither {' nor '.join(words)}: {value[:_SHOWN]!r}")
        return None

    def time(self, name: str) -> str | None:
        """Return a time as RFC 3339 in UTC with whole seconds (`2026-05-01T12:00:00Z`), or None."""
        value = self.optional(name)
        if value is None:
            return None
        if not is_time(value):
            raise self.refuse(name, f"not a time like 2026-05-01T12:00:00Z: {value[:_SHOWN]!r}")
        return value

    def required_time(self, name: str) -> str:
        """Return a time that must be there."""
        self.string(name)
        return self.time(name) or ""

    def number(self, name: str) -> int:
        """Return a whole number, not negative, that must be there."""
        value = self._get(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.refuse(name, "not a whole number")
        return value

    def flag(self, name: str) -> bool:
        """Return a boolean; absent is false."""
        value = self._get(name)
        if value is not None and not isinstance(value, bool):
            raise self.refuse(name, "neither true nor false")
        return bool(value)

    def strings(self, name: str) -> tuple[str, ...]:
        """Return a list of strings, in its order; absent is empty."""
        value = self._get(name)
        if value is not None and not isinstance(value, list):
            raise self.refuse(name, "not a list")
        return tuple(value or ())

    def fields(self, name: str) -> Fields | None:
        """Return a nested mapping or None."""
        value = self._get(name)
        return None if value is None else Fields(self._source, value, *self._keys, name)

    def values(self, name: str) -> dict[str, Value]:
        """Return a nested mapping of attribute values, lists sorted; absent is empty."""
        inner = self.fields(name)
        return {} if inner is None else dict(inner.items())

    def items(self) -> Iterator[tuple[str, Value]]:
        """Yield every field as an attribute with its value, which is never empty."""
        for name, value in self._node.items():
            if isinstance(value, dict):
                raise self.refuse(name, "an attribute holds a value or a list of strings")
            if not name or value == "" or (isinstance(value, list) and "" in value):
                raise self.refuse(name, "an attribute without a name, or with an empty value")
            yield name, tuple(sorted(value)) if isinstance(value, list) else value

    def _get(self, name: str) -> Loaded | None:
        self._known.add(name)
        return self._node.get(name)


def is_time(text: str) -> bool:
    """Whether this is a time of the calendar like 2026-05-01T12:00:00Z."""
    try:
        return _TIME.fullmatch(text) is not None and bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def attributes(values: Mapping[str, Value], leading: tuple[str, ...] = ()) -> dict[str, Value]:
    """Return attributes as they are written: `leading` first, the rest by name; lists sorted, empties left out."""
    names = [n for n in leading if n in values] + sorted(n for n in values if n not in leading)
    out: dict[str, Value] = {}
    for name in names:
        value = values[name]
        if isinstance(value, tuple):
            value = tuple(sorted(item for item in value if item))
        if value not in ("", ()):
            out[name] = value
    return out
