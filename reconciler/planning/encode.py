"""The plan as canonical JSON, and its digests.

`digest` is SHA-256 over everything the plan says but the tool's version; `changes_digest` over actions and values alone, so two
plans that would do the same have the same one, whenever they were made. See `json_text`: nothing in it can hide.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

from reconciler import __version__
from reconciler.errors import StalePlanError
from reconciler.model.json_text import json_text
from reconciler.model.plan import Change, Conflict, Delta, Guard, Plan, Rule
from reconciler.model.speculation import Kind, Speculation, Unknown, Unreached
from reconciler.model.values import Value

FORMAT_VERSION = "1.0"
_VERSION = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NOT_DIGESTED = frozenset({"format_version", "digest", "changes_digest", "tool"})
_ESSENCE = ("action", "guest", "sid", "guid", "dn", "to", "attributes")
Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Encoded:
    """`text` is state/plan.json, byte for byte."""

    text: bytes
    digest: str
    changes_digest: str


def encode(plan: Plan) -> Encoded:
    """Return the plan as it is stored, with its digests inside."""
    document = _document(plan)
    digest = _sha256(document)
    changes_digest = _sha256([_essence(c) for c in plan.changes])
    stored: dict[str, Json] = {
        "format_version": FORMAT_VERSION,
        "digest": digest,
        "changes_digest": changes_digest,
        "tool": {"name": "reconcile", "version": __version__},
        **document,
    }
    return Encoded(f"{json_text(stored)}\n".encode("ascii"), digest, changes_digest)


def encode_unplannable(base: str, unknown: tuple[Unknown, ...]) -> bytes:
    """Return what stands for a speculative plan of which nothing can be said."""
    stored: dict[str, Json] = {
        "format_version": FORMAT_VERSION,
        "tool": {"name": "reconcile", "version": __version__},
        "speculative": True,
        "speculation": _speculation(Speculation(base, None, unknown)),
    }
    return f"{json_text(stored)}\n".encode("ascii")


def stored_digest(text: bytes, path: str = "state/plan.json") -> str:
    """Return the digest a stored plan claims. Raises StalePlanError for a damaged file or an unknown major format."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise _damaged(path, f"not JSON{where}") from error
    if not isinstance(document, dict):
        raise _damaged(path, "no plan")
    version, digest = document.get("format_version"), document.get("digest")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise _damaged(path, "it names no format_version")
    if version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        raise StalePlanError(
            f"{path} has format {version}; this program reads {FORMAT_VERSION}",
            "Use the release of reconcile that made the plan, or make the plan anew.",
        )
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise _damaged(path, "it names no digest")
    if document.get("speculative", False) is not False:
        raise StalePlanError(
            f"{path} is speculative: it shows what a change of the policy would do, and is never applied",
            "Run `reconcile snapshot` and `reconcile propose`, and merge what it proposes.",
        )
    return digest


def _damaged(path: str, how: str) -> StalePlanError:
    return StalePlanError(f"{path} is damaged: {how}", "Run `reconcile plan` and propose it again.")


def consistent(text: bytes) -> bool:
    """Tell whether a stored plan's digests are those of what it says, whichever release wrote it."""
    document = json.loads(text)
    changes = document.get("changes")
    if not isinstance(changes, list) or not all(isinstance(c, dict) for c in changes):
        return False
    said = {key: value for key, value in document.items() if key not in _NOT_DIGESTED}
    essence: list[Json] = [{key: change.get(key) for key in _ESSENCE} for change in changes]
    try:
        found = (_sha256(said), _sha256(essence))
    except (ValueError, RecursionError):  # NaN, 1e999: read as JSON, and never written as such
        return False
    return (document.get("digest"), document.get("changes_digest")) == found


def stored_version(text: bytes) -> str:
    """Return the release that wrote a stored plan, "" where it does not say."""
    tool = json.loads(text).get("tool")
    return str(tool.get("version", "")) if isinstance(tool, dict) else ""


def _sha256(document: Json) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _document(plan: Plan) -> dict[str, Json]:
    origin = plan.origin
    return {
        "tenant": origin.tenant,
        "domain": {"sid": origin.domain_sid, "dn": origin.domain_dn},
        "controller": origin.controller,
        "trees": dict(origin.trees),
        "settings": origin.settings_sha256,
        "serial": origin.serial,
        "as_of": origin.as_of,
        "expires": origin.expires,
        "speculative": plan.speculation is not None,
        "complete": plan.complete,
        "deferred": plan.deferred,
        "managed": plan.managed,
        "guards": [_guard(g) for g in plan.guards],
        "changes": [_change(c) for c in plan.changes],
        "conflicts": [_conflict(c) for c in plan.conflicts],
        "held": [_conflict(c) for c in plan.held],
        "unmanaged": [{"sid": u.sid, "dn": u.dn.text} for u in plan.unmanaged],
        "notes": list(plan.notes),
        **({} if plan.speculation is None else {"speculation": _speculation(plan.speculation)}),
    }


def _change(change: Change) -> dict[str, Json]:
    return {
        **_essence(change),
        "label": change.label,
        "cause": change.cause,
        "rule": _rule(change.rule),
        "rules": {d.attribute: _rule(d.rule) for d in change.deltas},
        "after": list(change.after),
        "warnings": list(change.warnings),
    }


def _essence(change: Change) -> dict[str, Json]:
    return {
        "action": change.action.value,
        "guest": change.guest,
        "sid": change.sid,
        "guid": change.guid,
        "dn": change.dn.text,
        "to": change.to.text if change.to else None,
        "attributes": {d.attribute: _delta(d) for d in change.deltas},
    }


def _delta(delta: Delta) -> dict[str, Json]:
    if delta.secret:
        return {"generated": True}
    both: dict[str, Json] = {"before": _value(delta.before), "after": _value(delta.after)}
    return both if delta.via is None else {**both, "via": _value(delta.via)}


def _value(value: Value | None) -> Json:
    return list(value) if isinstance(value, tuple) else value


def _rule(rule: Rule | None) -> Json:
    return None if rule is None else {"name": rule.name, "file": rule.file, "line": rule.line}


def _guard(guard: Guard) -> dict[str, Json]:
    return {
        "action": guard.action.value,
        "count": guard.count,
        "limit": guard.limit,
        "refused": guard.refused,
        "message": guard.message,
    }


def _speculation(speculation: Speculation) -> dict[str, Json]:
    radius = speculation.radius
    return {
        "base": speculation.base,
        "unknown": [{"what": u.what, "rule": _rule(u.rule)} for u in speculation.unknown],
        "unreached": [_unreached(u) for u in speculation.unreached],
        "radius": None
        if radius is None
        else {
            "accounts": radius.accounts,
            "kinds": [_kind(k) for k in radius.kinds],
            "places": [{"ou": ou, "accounts": n} for ou, n in radius.places],
            "examples": [{"effect": e.effect.value, **_change(e.change)} for e in radius.examples],
            "changes": [*sorted(radius.changes)],
        },
    }


def _unreached(unreached: Unreached) -> dict[str, Json]:
    return {
        "attribute": unreached.attribute,
        "rule": _rule(unreached.rule),
        "accounts": unreached.accounts,
        "examples": [{"guest": s.guest, "label": s.label, **_delta(s.delta)} for s in unreached.examples],
    }


def _kind(kind: Kind) -> dict[str, Json]:
    return {
        "effect": kind.effect.value,
        "action": kind.action.value if kind.action else None,
        "conflict": kind.conflict or None,
        "attributes": list(kind.attributes),
        "rules": [_rule(r) for r in kind.rules],
        "accounts": kind.accounts,
    }


def _conflict(conflict: Conflict) -> dict[str, Json]:
    return {
        "subject": conflict.subject,
        "label": conflict.label,
        "kind": conflict.kind,
        "what": conflict.what,
        "remedy": conflict.remedy,
        "dn": conflict.dn.text if conflict.dn else None,
        "rule": _rule(conflict.rule),
    }
