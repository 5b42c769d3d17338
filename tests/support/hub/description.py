"""GitHub's own description of its API, as it publishes it on npm: what may be sent, and what is answered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

GENERATED = Path(__file__).parents[3] / ".venv/npm/node_modules/@octokit/openapi/generated"
EDITIONS = ("api.github.com", "ghes-3.17", "ghes-3.19")
"""github.com, and Enterprise Server at its oldest and newest release that is described."""
_SERVED = re.compile(
    r"/repos/\{owner\}/\{repo\}(/(pulls|commits|statuses|issues|collaborators|activity|rules|rulesets|branches)\b.*)?"
)

_ALWAYS = frozenset({401, 403, 404})
"""What any request may be answered with, described or not."""
Node = Any


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    query: Mapping[str, Node]
    body: Draft202012Validator | None
    required_body: bool
    answers: Mapping[str, Draft202012Validator]


@dataclass(frozen=True)
class Description:
    """The operations on a repository that have to do with pull requests, by method and path."""

    edition: str
    operations: Mapping[tuple[str, str], Operation]

    def problems(self, method: str, path: str, query: Mapping[str, str], body: Node) -> Iterator[str]:
        """Say what GitHub would not understand of a request."""
        operation = self._find(method, path)
        if operation is None:
            yield f"{self.edition} has no {method} {path}"
            return
        for name, value in query.items():
            if name not in operation.query:
                yield f"{self.edition}: {method} {path} knows no parameter {name}"
            elif not _allows(operation.query[name], value):
                yield f"{self.edition}: {method} {path} takes no {name}={value}"
        if operation.body is not None and (body or operation.required_body):
            yield from (
                f"{self.edition}: {method} {path}: {e.json_path} {e.message}" for e in operation.body.iter_errors(body)
            )
        elif body:
            yield f"{self.edition}: {method} {path} takes no body"

    def wrong_answer(self, method: str, path: str, status: int, body: Node) -> Iterator[str]:
        """Say what of an answer GitHub would not give: a status, a field that is not there or of another type.

        Fields may be missing: the stand-in gives those that the program could read.
        """
        operation = self._find(method, path)
        validator = operation.answers.get(str(status)) if operation else None
        if status in _ALWAYS:
            return
        if validator is None:
            yield f"{self.edition} never answers {method} {path} with {status}"
            return
        yield from (
            f"{self.edition}: answer to {method} {path}: {e.json_path} {e.message[:300]}"
            for e in validator.iter_errors(body)
        )

    def _find(self, method: str, path: str) -> Operation | None:
        fitting = [o for (m, template), o in self.operations.items() if m == method and _fits(template, path)]
        return fitting[0] if fitting else None


@cache
def described() -> tuple[Description, ...]:
    """Return every edition's description."""
    return tuple(_read(edition) for edition in EDITIONS)


def _read(edition: str) -> Description:
    document = json.loads((GENERATED / f"{edition}.json").read_bytes())
    operations = {}
    for path, methods in document["paths"].items():
        if not _SERVED.fullmatch(path):
            continue
        for method, described in methods.items():
            parameters = [_resolved(document, p) for p in described.get("parameters", ())]
            sent = _resolved(document, described.get("requestBody", {}))
            operations[method.upper(), path] = Operation(
                query={p["name"]: p["schema"] for p in parameters if p["in"] == "query"},
                body=_validator(document, sent, strict=True),
                required_body=bool(sent.get("required")),
                answers={
                    status: validator
                    for status, answer in described["responses"].items()
                    if (validator := _validator(document, _resolved(document, answer), strict=False))
                },
            )
    return Description(edition, operations)


def _validator(document: Node, content: Node, *, strict: bool) -> Draft202012Validator | None:
    media = content.get("content", {}).get("application/json", {})
    return Draft202012Validator(_closed(document, media["schema"], strict=strict)) if "schema" in media else None


def _closed(document: Node, schema: Node, *, strict: bool) -> Node:
    """Return a schema with everything that it refers to, in today's JSON Schema; not `strict`: nothing is required."""
    definitions: dict[str, Node] = {}
    pending: list[tuple[str, bool]] = []

    def translated(node: Node, *, part: bool = False) -> Node:
        """`part`: of an allOf, where another part may have the fields that this one has not."""
        if isinstance(node, list):
            return [translated(item, part=part) for item in node]
        if not isinstance(node, dict):
            return node
        if isinstance(ref := node.get("$ref"), str):
            name = ref.rpartition("/")[2]
            pending.append((name, part))
            return {"$ref": f"#/$defs/{_named(name, part=part)}"}
        skipped = {"nullable", "example", "examples", "format", *(() if strict else ("required",))}
        made = {k: translated(v, part=k == "allOf") for k, v in node.items() if k not in skipped}
        if isinstance(node.get("properties"), dict):
            made["properties"] = {k: translated(v) for k, v in node["properties"].items()}
            if not part and "additionalProperties" not in node and not {"allOf", "anyOf", "oneOf"} & node.keys():
                made["additionalProperties"] = False
        return {"anyOf": [{"type": "null"}, made]} if node.get("nullable") else made

    top = translated(schema)
    while pending:
        name, part = pending.pop()
        if _named(name, part=part) not in definitions:
            definitions[_named(name, part=part)] = True
            definitions[_named(name, part=part)] = translated(document["components"]["schemas"][name], part=part)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [top], "$defs": definitions}


def _named(name: str, *, part: bool) -> str:
    return f"{name}-part" if part else name


def _resolved(document: Node, node: Node) -> Node:
    if not isinstance(ref := node.get("$ref"), str):
        return node
    found = document
    for step in ref.removeprefix("#/").split("/"):
        found = found[step]
    return found


def _fits(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), path) is not None


def _allows(schema: Node, value: str) -> bool:
    if "enum" in schema:
        return value in schema["enum"]
    return value.isdecimal() if schema.get("type") == "integer" else True
