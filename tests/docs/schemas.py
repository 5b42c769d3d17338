"""A JSON Schema as tables for people: one for each block, a row for each field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "array": "list",
    "object": "block",
    "null": "null",
}
_LONGEST = 60
_HEAD = "| field | type | default | what it is |\n| --- | --- | --- | --- |\n"


@dataclass(frozen=True, slots=True)
class _Field:
    path: str
    schema: Schema
    required: bool
    example: object


def reference(schema: Schema, example: Mapping[str, Any]) -> str:
    """Return the reference of a whole file; `example` is one such file, for the values that it has."""
    sections = []
    for name, block in schema["properties"].items():
        required = name in schema.get("required", ())
        field = _Field(name, block, required, example.get(name))
        rows = list(_rows(field))
        if block.get("type") in ("object", "array") and len(rows) > 1:
            head = f"### `{name}`\n\n{block['title']}: {_uncapital(block['description'])} {_needed(field)}\n\n"
            sections.append(head + _HEAD + "".join(rows[1:]))
        else:
            sections.append(f"### `{name}`\n\n" + _HEAD + "".join(rows))
    return "\n".join(sections)


def _rows(field: _Field) -> Iterator[str]:
    yield _row(field)
    schema = field.schema
    items = schema.get("items")
    if items and (items.get("type") == "object"):
        first = field.example[0] if isinstance(field.example, list) and field.example else None
        yield from list(_rows(_Field(f"{field.path}[]", items, required=False, example=first)))[1:]
    inner = schema.get("properties", {})
    shared = _shared(inner)
    for name, below in inner.items():
        example = field.example.get(name) if isinstance(field.example, dict) else None
        one = _Field(f"{field.path}.{name}", below, name in schema.get("required", ()), example)
        rows = list(_rows(one))
        yield from rows[:1] if shared else rows
    if shared:
        for name, below in shared.items():
            yield from _rows(_Field(f"{field.path}.*.{name}", below, required=False, example=None))
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        known = field.example if isinstance(field.example, dict) else {}
        example = next(((k, v) for k, v in known.items() if k not in inner), (None, None))
        yield from _rows(_Field(f"{field.path}.<attribute>", more, required=False, example=example[1]))


def _shared(properties: Schema) -> Schema | None:
    """Return the fields that all of several blocks have alike, so that they are shown once."""
    blocks = [p.get("properties") for p in properties.values()]
    return blocks[0] if len(blocks) > 1 and blocks[0] and all(b == blocks[0] for b in blocks) else None


def _row(field: _Field) -> str:
    schema = field.schema
    words = f"**{schema['title']}.** {schema['description']}"
    default = _code(schema["default"]) if "default" in schema else ("required" if field.required else "")
    if field.example is not None and not isinstance(field.example, dict | list):
        shown = str(field.example) if isinstance(field.example, str) else json.dumps(field.example)
        if len(shown) <= _LONGEST and shown != schema.get("const") and schema.get("default") != field.example:
            words += f" Example: {_code_text(shown)}"
    elif isinstance(field.example, list) and all(isinstance(e, str) for e in field.example):
        shown = _flow(field.example)
        words += f" Example: {_code_text(shown)}" if schema.get("default") != field.example else ""
    return f"| `{field.path}` | {_type(schema)} | {default} | {_cell(words)} |\n"


def _type(schema: Schema) -> str:
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join("null" if e is None else f"`{e}`" for e in schema["enum"])
    kinds = schema.get("type", [])
    names = [_TYPES[k] for k in ([kinds] if isinstance(kinds, str) else kinds)]
    limits = _limits(schema)
    return " or ".join(names) + (f", {limits}" if limits else "")


def _limits(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"at least {low}" if low is not None else ""


def _needed(field: _Field) -> str:
    return "Required." if field.required else "May be left out."


def _uncapital(text: str) -> str:
    return text[0].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text


def _code(value: object) -> str:
    if isinstance(value, list):
        return _code_text(_flow(value))
    if isinstance(value, dict):
        return _code_text("{" + ", ".join(f"{k}: {json.dumps(v)}" for k, v in value.items()) + "}")
    return _code_text(value if isinstance(value, str) else json.dumps(value))


def _flow(items: list[Any]) -> str:
    return "[" + ", ".join(str(i) for i in items) + "]"


def _code_text(text: str) -> str:
    return f"`{text}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
