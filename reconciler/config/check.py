"""A document against its JSON Schema (Draft 2020-12): each failure in a person's words, at its place.

Messages never repeat a value: it could be a secret somebody wrote where it does not belong.
Two keywords of editors serve here as well: `patternErrorMessage` and `errorMessage` say what is expected instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, cast

from .located import Document, Path
from .plain import surely_valid
from .problems import Problem, suggestion

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}
_WORD = re.compile(r"[\w-]+")
_COMMA = "; inside { } a comma ends a value, so put quotes around one that holds commas"
_LIMITS = {
    "const": "must be `{}`",
    "minItems": "must not be empty",
    "minLength": "must not be empty",
    "minProperties": "must not be empty",
    "minimum": "must be at least {}",
    "exclusiveMinimum": "must be more than {}",
    "maximum": "must be at most {}",
    "maxLength": "must not be longer than {} characters",
    "uniqueItems": "lists something twice",
}


def load_schema(package: str, name: str) -> Mapping[str, Any]:
    """Return a JSON Schema that ships as package data."""
    loaded: Mapping[str, Any] = json.loads(resources.files(package).joinpath(name).read_text(encoding="utf-8"))
    return loaded


@dataclass(frozen=True, slots=True)
class _Failure:
    """One keyword of the schema that a value does not satisfy. `limit` is what the schema gives the keyword."""

    path: Path
    keyword: str
    limit: Any
    schema: Mapping[str, Any]
    instance: Any
    known: Collection[str] = ()
    """The names that the schema knows where this one may be any other."""


def check(document: Document, schema: Mapping[str, Any]) -> list[Problem]:
    """Return everything about the document that its schema does not allow."""
    if surely_valid(document.value, schema):
        return []
    # Importing it costs a tenth of a second: only where something may be wrong.
    from jsonschema import Draft202012Validator, validators

    # To JSON Schema 5.0 is an integer; whoever counts with it afterwards expects one of Python's.
    whole = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _checker, value: type(value) is int)
    extend: Any = validators.extend  # it has no types
    validator = extend(Draft202012Validator, type_checker=whole)
    failures = [
        _Failure(
            tuple(e.absolute_path),
            str(e.validator),
            e.validator_value,
            cast("Mapping[str, Any]", e.schema),
            e.instance,
            _known(schema, tuple(e.absolute_schema_path)),
        )
        for e in validator(schema).iter_errors(document.value)
    ]
    return [p for failure in failures for p in _problems(document, failure)]


def _known(schema: Any, path: Sequence[str | int]) -> Collection[str]:
    *above, which, _ = (None, *path)
    if which != "additionalProperties":
        return ()
    for step in above[1:]:
        schema = schema[step]
    return tuple(schema.get("properties", ()))


def dotted(path: Path) -> str:
    """Return a path as a person would write it: `placement[0].when`."""
    out = ""
    for step in path:
        out += f"[{step}]" if isinstance(step, int) else f".{step}" if out else step
    return out


def _problems(document: Document, failure: _Failure) -> Iterator[Problem]:
    path = failure.path
    name = f"`{dotted(path)}`" if path else "the file"
    match failure.keyword:
        case "additionalProperties":
            known = list(failure.schema.get("properties", {}))
            for key in sorted(set(failure.instance) - set(known)):
                hint = suggestion(key, known) if _WORD.fullmatch(key) else _COMMA
                what = f"`{dotted((*path, key))}` is not known here{hint}"
                yield document.problem((*path, key), what, at_key=True)
        case "required":
            for key in failure.limit:
                if key not in failure.instance:
                    yield document.problem(path, f"{name} lacks `{key}`", at_key=True)
        case _:
            hint = suggestion(str(path[-1]), failure.known) if failure.known else ""
            yield document.problem(path, f"{name} {_expectation(failure)}{hint}")


def _expectation(failure: _Failure) -> str:
    keyword, limit, schema = failure.keyword, failure.limit, failure.schema
    if own := schema.get({"pattern": "patternErrorMessage", "oneOf": "errorMessage"}.get(keyword, "")):
        return str(own)
    if keyword == "type":
        if isinstance(failure.instance, float) and "integer" in limit and "number" not in limit:
            return f"must be {_types(limit)}, without a decimal point or exponent"
        return f"must be {_types(limit)}, not {_type_of(failure.instance)}"
    if keyword == "enum":
        near = suggestion(failure.instance, limit) if isinstance(failure.instance, str) else ""
        return f"must be one of {', '.join(limit)}{near}"
    return _LIMITS.get(keyword, f"does not satisfy `{keyword}`").format(limit)


def _types(value: str | Iterable[str]) -> str:
    return " or ".join(_TYPES[t] for t in ([value] if isinstance(value, str) else value))


def _type_of(instance: object) -> str:
    match instance:
        case None:
            return "empty"
        case bool():
            return "true or false (quote it if it is text)"
        case int() | float():
            return "a number (quote it if it is text)"
        case str():
            return "text"
        case list():
            return "a list"
    return "a mapping"
