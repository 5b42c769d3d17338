"""What the program knows of attributes, as tables: what a guest has, and what an account may be given."""

from __future__ import annotations

import re
from collections.abc import Iterable

from reconciler.graph.attributes import CATALOGUE, NEVER_NULL, REQUIRED
from reconciler.model.schema import BY_NAME, Attribute
from reconciler.policy import targets

_KINDS = {"string": "text", "boolean": "true or false", "list": "list of texts", "integer": "whole number"}
_NUMBERED = re.compile(r"(.*?)(\d+)")


def guest_attributes() -> str:
    """Every `guest.<attribute>`, with its type and whether it may be null."""
    rows = ["| attribute | type | null? | imported |", "| --- | --- | --- | --- |"]
    for names in _series(CATALOGUE):
        kind = CATALOGUE[names[0]]
        null = "empty list" if kind == "list" else "never" if names[0] in NEVER_NULL else "may be null"
        imported = "always" if names[0] in (*REQUIRED, "id") else "when read"
        rows.append(f"| {_range(names)} | {_KINDS[kind]} | {null} | {imported} |")
    return "\n".join(rows) + "\n"


def account_attributes() -> str:
    """Every account attribute that is known, those with equal limits together."""
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for attribute in BY_NAME.values():
        groups.setdefault(_limits(attribute), []).append(attribute.name)
    rows = ["| attributes | holds | at most | further |", "| --- | --- | --- | --- |"]
    for (holds, length, further, _), names in groups.items():
        rows.append(f"| {_ranges(names)} | {holds} | {length} | {further} |")
    return "\n".join(rows) + "\n"


def forbidden_attributes() -> str:
    """Attributes that no policy may set, by the reason why."""
    rows = ["| why not | attributes |", "| --- | --- |"]
    for why, names in targets._REASONS.items():
        prefixes = [f"`{p}…`" for p, reason in targets._PREFIXES.items() if reason == why]
        rows.append(f"| {why} | {', '.join([*(f'`{n}`' for n in names.split()), *prefixes])} |")
    return "\n".join(rows) + "\n"


def flags() -> str:
    """Flags of userAccountControl: which may be set, and why not the others."""
    rows = ["| flag | value | may be set |", "| --- | --- | --- |"]
    rows += [f"| `{name}` | {bit} | yes |" for name, bit in targets.FLAGS.items()]
    rows += [f"| `{name}` | {bit} | no: {why} |" for name, (bit, why) in targets.FORBIDDEN_FLAGS.items()]
    return "\n".join(rows) + "\n"


def _limits(attribute: Attribute) -> tuple[str, str, str, str]:
    holds = _KINDS[attribute.kind] if not attribute.multi else f"list of {_KINDS[attribute.kind]}s"
    unit = "" if attribute.kind == "integer" else " characters"
    length = "" if attribute.max is None else f"{attribute.max:,}{unit}"
    further = []
    if attribute.required:
        further.append("required")
    if attribute.unique:
        where = {"domain": "in the domain", "forest": "in the forest", "container": "in its organizational unit"}
        further.append(f"unique {where[attribute.unique]}")
    if attribute.illegal:
        further.append("none of " + " ".join(f"`{c}`" if c != "|" else "`\\|`" for c in attribute.illegal))
    own = attribute.name if further or attribute.kind != "string" else ""
    return holds, length, "; ".join(further), own


def _ranges(names: Iterable[str]) -> str:
    return ", ".join(_range(found) for found in _series(names))


def _series(names: Iterable[str]) -> list[list[str]]:
    """Return names in their order, those that differ in a number alone together."""
    series: dict[str, list[str]] = {}
    for name in names:
        match = _NUMBERED.fullmatch(name)
        series.setdefault(match[1] + "#" if match else name, []).append(name)
    return list(series.values())


def _range(names: list[str]) -> str:
    return f"`{names[0]}`" if len(names) == 1 else f"`{names[0]}` to `{names[-1]}`"
