"""A user as Graph writes it in JSON, read into the port's vocabulary: every type checked, every value normalised."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.errors import GraphError
from reconciler.model.guest import Removal
from reconciler.model.values import Value

from .attributes import CATALOGUE, EXTENSION_PARENT, EXTENSIONS, Kind

_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_REPORT: Final = (
    "Nothing was taken from this answer. If it persists, report the property: Graph does not document it so."
)


@dataclass(frozen=True, slots=True)
class Selection:
    """The properties to import, by name, and what they must hold."""

    kinds: Mapping[str, Kind]

    @staticmethod
    def of(attributes: Iterable[str]) -> Selection:
        """Return the selection of these properties, `id` left out; raise GraphError for one the catalogue lacks."""
        names = sorted(set(attributes) - {"id"})
        unknown = [name for name in names if name not in CATALOGUE]
        if unknown:
            raise GraphError(
                f"There is no user property {unknown[0]!r} to import", "Use one that the policy's documentation lists."
            )
        return Selection({name: CATALOGUE[name] for name in names})

    @property
    def select(self) -> str:
        """The value of `$select`: sorted, `id` among them, extension attributes by the property that holds them."""
        return ",".join(sorted({"id"} | {EXTENSION_PARENT if n in EXTENSIONS else n for n in self.kinds}))

    def read(self, user_id: str, raw: Mapping[str, object]) -> dict[str, Value | None]:
        """Return what `raw` says of the selected properties; raise GraphError, naming one, for a wrong type."""
        said = {**raw, **_extensions(user_id, raw)} if EXTENSION_PARENT in raw else raw
        return {name: _value(user_id, name, kind, said[name]) for name, kind in self.kinds.items() if name in said}


def entity(item: object) -> tuple[str, Mapping[str, object]]:
    """Return a user's id, in lower case, and the JSON object; raise GraphError for one without a GUID."""
    user_id = item.get("id") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(user_id, str):
        raise GraphError("Graph's answer holds a user without an id", _REPORT)
    return checked_id(user_id), item


def checked_id(user_id: str) -> str:
    """Return an id in lower case; raise GraphError when it is no GUID: ids become the names of files."""
    lower = user_id.lower()
    if not _GUID.fullmatch(lower):
        raise GraphError(
            f"{user_id[:80]!r} is not the id of a user", "An object id is a GUID; find out where this one is from."
        )
    return lower


def removal(user_id: str, raw: Mapping[str, object]) -> Removal | None:
    """Return how a user of a delta round was removed, None for one that was not; raise GraphError for others."""
    if "@removed" not in raw:
        return None
    told = raw["@removed"]
    reason = told.get("reason") if isinstance(told, dict) else None
    if reason == "changed":
        return "changed"
    if reason == "deleted":
        return "deleted"
    raise GraphError(f"Graph says that user {user_id} was removed, but not whether for good", _REPORT)


def _extensions(user_id: str, raw: Mapping[str, object]) -> dict[str, object]:
    parent = raw[EXTENSION_PARENT]
    if parent is None:
        return dict.fromkeys(EXTENSIONS)
    if not isinstance(parent, dict):
        raise _wrong_type(user_id, EXTENSION_PARENT, "an object")
    return {name: parent[name] for name in EXTENSIONS if name in parent}


def _value(user_id: str, name: str, kind: Kind, raw: object) -> Value | None:
    if raw is None:
        return None
    if kind == "boolean":
        if isinstance(raw, bool):
            return raw
        raise _wrong_type(user_id, name, "true or false")
    if kind == "string":
        if isinstance(raw, str):
            return _text(raw)
        raise _wrong_type(user_id, name, "a string")
    if isinstance(raw, list) and all(isinstance(each, str) for each in raw):
        return tuple(sorted({text for each in raw if (text := _text(each)) is not None})) or None
    raise _wrong_type(user_id, name, "a list of strings")


def _text(raw: str) -> str | None:
    return (raw if raw.isascii() else _SURROGATES.sub("\ufffd", raw)) or None


def _wrong_type(user_id: str, name: str, expected: str) -> GraphError:
    return GraphError(f"Property {name} of user {user_id} is not {expected}", _REPORT)
