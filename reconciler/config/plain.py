"""Whether a document surely satisfies a schema: the quick look before the library that can say why not.

It knows the keywords that our own schemas use, and takes them as JSON Schema (Draft 2020-12) does. What it does not know, or
is not sure of, it leaves to the library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

_IGNORED: Final = frozenset(
    {"$schema", "$id", "$defs", "$comment", "title", "description", "default", "examples", "deprecated"}
    | {"markdownDescription", "patternErrorMessage", "errorMessage", "defaultSnippets"}
)
_OF_OBJECTS: Final = frozenset({"required", "properties", "additionalProperties", "propertyNames", "minProperties"})
_OF_ARRAYS: Final = frozenset({"items", "minItems", "uniqueItems"})
_OF_STRINGS: Final = frozenset({"pattern", "minLength", "maxLength"})
_OF_NUMBERS: Final = frozenset({"minimum", "maximum", "exclusiveMinimum"})
_SILENT: Final = _IGNORED | _OF_OBJECTS | _OF_ARRAYS | _OF_STRINGS | _OF_NUMBERS
"""A keyword says nothing about values of another type."""
_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "integer": lambda v: type(v) is int,
    "number": lambda v: type(v) in (int, float),
}


def surely_valid(value: Any, schema: Any, root: Mapping[str, Any] | None = None) -> bool:
    """Whether the value satisfies the schema beyond doubt. False says nothing."""
    if not isinstance(schema, dict):
        return schema is True
    root = schema if root is None else root
    return all(_holds(keyword, limit, value, schema, root) for keyword, limit in schema.items())


def _holds(keyword: str, limit: Any, value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    if isinstance(value, dict) and keyword in _OF_OBJECTS:
        return _mapping(keyword, limit, value, schema, root)
    if isinstance(value, list) and keyword in _OF_ARRAYS:
        return _list(keyword, limit, value, root)
    if isinstance(value, str) and keyword in _OF_STRINGS:
        return _text(keyword, limit, value)
    if type(value) in (int, float) and keyword in _OF_NUMBERS:
        return _number(keyword, limit, value)
    return keyword in _SILENT or _of_any(keyword, limit, value, root)


def _of_any(keyword: str, limit: Any, value: Any, root: Mapping[str, Any]) -> bool:
    match keyword:
        case "type":
            return any(_TYPES[t](value) for t in ([limit] if isinstance(limit, str) else limit))
        case "const" | "enum":
            return any(type(value) is type(one) and value == one for one in ([limit] if keyword == "const" else limit))
        case "$ref":
            return limit.startswith("#/$defs/") and surely_valid(value, root["$defs"][limit[8:]], root)
    return False


def _mapping(
    keyword: str, limit: Any, value: dict[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any]
) -> bool:
    match keyword:
        case "required":
            return all(name in value for name in limit)
        case "properties":
            return all(surely_valid(inner, limit[name], root) for name, inner in value.items() if name in limit)
        case "additionalProperties":
            known = schema.get("properties", {})
            return "patternProperties" not in schema and all(
                surely_valid(inner, limit, root) for name, inner in value.items() if name not in known
            )
        case "propertyNames":
            return all(surely_valid(name, limit, root) for name in value)
    return len(value) >= int(limit)


def _list(keyword: str, limit: Any, value: list[Any], root: Mapping[str, Any]) -> bool:
    match keyword:
        case "items":
            return all(surely_valid(inner, limit, root) for inner in value)
        case "minItems":
            return len(value) >= int(limit)
    return not limit or (all(isinstance(inner, str) for inner in value) and len(set(value)) == len(value))


def _text(keyword: str, limit: Any, value: str) -> bool:
    match keyword:
        case "pattern":
            return re.search(limit, value) is not None
        case "minLength":
            return len(value) >= int(limit)
    return len(value) <= int(limit)


def _number(keyword: str, limit: Any, value: float) -> bool:
    match keyword:
        case "minimum":
            return bool(value >= limit)
        case "maximum":
            return bool(value <= limit)
    return bool(value > limit)
