"""`reconcile drift`: what the working tree's import shows that the committed plan does not account for. Writes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from reconciler.errors import Exit, StateError
from reconciler.git.repository import Repository
from reconciler.model.plan import Change, Conflict
from reconciler.planning.encode import stored_digest

from .context import Context
from .loading import Planned, planned

Kind = Literal["drifted", "unapplied", "conflict"]
_WORDS: Mapping[Kind, str] = {
    "drifted": "differs from what was last planned",
    "unapplied": "was merged and is not carried out",
    "conflict": "is a new conflict",
}


def drift(context: Context, *, detailed: bool) -> Exit:
    """Compare the plan of the working tree with the one HEAD holds; with `detailed` Exit.CHANGES where there is anything to say.

    After `reconcile snapshot --only ad` on a clean checkout the guests are as committed, so every change is one that
    somebody made in Active Directory, or one that was merged and not carried out. Raises StateError where state/ holds no
    newer import than the committed plan was made from.
    """
    repository = Repository.open(context.directory)
    stored = _stored(repository)
    if stored is None:
        if context.json:
            context.print_json({"drift": []})
        context.result("No plan was merged yet: there is nothing to compare with.")
        return Exit.OK
    made = planned(context, repository.files_tree())
    _newer(stored, made)
    merged = {_wish(change) for change in stored.get("changes", ())}
    known = {(c.get("subject"), c.get("kind")) for c in stored.get("conflicts", ())}
    now = json.loads(made.encoded.text)["changes"]
    found: list[tuple[Kind, Change | Conflict]] = [
        ("unapplied" if _wish(written) in merged else "drifted", change)
        for change, written in zip(made.plan.changes, now, strict=True)
    ]
    found += [("conflict", c) for c in made.plan.conflicts if (c.subject, c.kind) not in known]
    _report(context, found)
    return Exit.CHANGES if found and detailed else Exit.OK


def _stored(repository: Repository) -> Mapping[str, Any] | None:
    data = repository.at("HEAD").read("state/plan.json") if repository.head() else None
    if data is None:
        return None
    stored_digest(data)  # raises for what is damaged or of another major version
    document: Mapping[str, Any] = json.loads(data)
    return document


def _newer(stored: Mapping[str, Any], made: Planned) -> None:
    """Raise StateError where the import is the one that the committed plan was made from: it knows of nothing since."""
    planned_from = stored.get("serial")
    if isinstance(planned_from, int) and made.plan.origin.serial <= planned_from:
        raise StateError(
            f"the committed plan was made from import {planned_from}, and state/ holds import {made.plan.origin.serial}: "
            "that cannot show what became of the accounts since",
            "Run `reconcile snapshot --only ad --full` for an import of now, and `reconcile drift` again.",
        )


def _wish(change: Mapping[str, Any]) -> str:
    """What a change wants, whatever was there before."""
    wanted = {name: delta.get("after") for name, delta in change["attributes"].items()}
    return json.dumps([change["action"], change["guest"], change["to"], wanted], sort_keys=True)


def _report(context: Context, found: list[tuple[Kind, Change | Conflict]]) -> None:
    if context.json:
        context.print_json({"drift": [_row(kind, what) for kind, what in found]})
        return
    from reconciler.render import log

    for kind, what in found:
        row = _row(kind, what)
        context.result(
            "  {} {} ({}): {}. {}",
            *(log.value(str(row[name])) for name in ("what", "label", "guest")),
            _WORDS[kind],
            log.value(str(row["cause"])),
        )
    context.result("{}", f"Drift: {len(found)}." if found else "No drift: everything is as the committed plan left it.")


def _row(kind: Kind, what: Change | Conflict) -> dict[str, str]:
    if isinstance(what, Conflict):
        return {"kind": kind, "what": what.kind, "guest": what.subject, "label": what.label, "cause": what.what}
    return {"kind": kind, "what": what.action.value, "guest": what.guest, "label": what.label, "cause": what.cause}
