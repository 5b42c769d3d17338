"""A whole plan as bytes and back, to the type: what is remembered of a tree that has not changed.

Whatever fields the records of a plan have is kept; a kind of value that is not listed here is not remembered at all.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Any, Final

from reconciler.model.dn import DN
from reconciler.model.plan import Action, Change, Conflict, Delta, Guard, Origin, Plan, Rule, Unmanaged

_RECORDS: Final[dict[str, Any]] = {
    r.__name__: r for r in (Plan, Origin, Change, Delta, Rule, Conflict, Guard, Unmanaged)
}
_FIELDS: Final = {name: tuple(f.name for f in fields(record)) for name, record in _RECORDS.items()}


def pack(plan: Plan) -> bytes | None:
    """Return a plan as bytes; None for one that holds something unheard of."""
    try:
        return json.dumps(_plain(plan), separators=(",", ":")).encode()
    except TypeError:
        return None


def unpack(packed: bytes) -> Plan | None:
    """Return the plan; None where the bytes are none of this program's."""
    try:
        found = _record(json.loads(packed))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return found if isinstance(found, Plan) else None


def _plain(value: object) -> object:
    if value is None or type(value) in (str, int, bool):
        return value
    if isinstance(value, tuple):
        return [*map(_plain, value)]
    if isinstance(value, DN):
        return {"DN": value.text}
    if isinstance(value, Action):
        return {"Action": value.value}
    name = type(value).__name__
    if is_dataclass(value) and _RECORDS.get(name) is type(value):
        return {name: [_plain(getattr(value, field)) for field in _FIELDS[name]]}
    raise TypeError(name)


def _record(value: object) -> object:
    if isinstance(value, list):
        return tuple(map(_record, value))
    if not isinstance(value, dict):
        return value
    ((name, inner),) = value.items()
    if name == "DN":
        return DN(inner)
    if name == "Action":
        return Action(inner)
    return _RECORDS[name](*map(_record, inner))
