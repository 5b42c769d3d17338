"""The part of a policy that limits what happens: lifecycle, guards, holds, acknowledgements."""

from __future__ import annotations

from typing import Final

from reconciler.config.durations import parse_duration
from reconciler.model.identity import Identity
from reconciler.model.plan import Action, Rule

from .draft import Draft
from .model import Acknowledge, Hold, Lifecycle, Limit

DEFAULT_GUARDS: Final = {
    Action.CREATE: (5000, None),
    Action.UPDATE: (None, 30.0),
    Action.MOVE: (None, 10.0),
    Action.DISABLE: (50, 5.0),
    Action.DELETE: (10, 1.0),
}
"""(max, percent) where a policy does not say: leaving a guard out never lifts it."""


def read_lifecycle(draft: Draft) -> Lifecycle:
    """Read `lifecycle`; what is left out disables and restores, and neither moves nor deletes."""
    block = draft.get("lifecycle") or {}
    blocked, left, returned = (block.get(name, {}) for name in ("blocked", "left", "returned"))
    after = left.get("delete_after")
    return Lifecycle(
        blocked_disable=blocked.get("disable", True),
        left_disable=left.get("disable", True),
        left_move=draft.ou(("lifecycle", "left", "move"), left["move"]) if "move" in left else None,
        left_delete_after=None if after is None else parse_duration(after),
        returned_restore=returned.get("restore", True),
        rules={f"lifecycle.{name}": draft.rule("lifecycle", name) for name in ("blocked", "left", "returned")},
    )


def read_sign_in(draft: Draft) -> Identity | None:
    """Read `sign_in`; None where the accounts are not for single sign-on."""
    said = (draft.get("sign_in") or {}).get("identity", Identity.UPN.value)
    return None if said == "none" else Identity(said)


def read_guards(draft: Draft) -> dict[Action, Limit]:
    """Read `guards`, the defaults filled in."""
    block = draft.get("guards") or {}
    guards = {}
    for action in Action:
        rule = draft.rule("guards", action.value)
        if said := block.get(action.value):
            guards[action] = Limit(said.get("max"), _number(said.get("percent")), rule)
        elif action in DEFAULT_GUARDS:
            guards[action] = Limit(*DEFAULT_GUARDS[action], rule)
    return guards


def _number(percent: float | None) -> float | None:
    return None if percent is None else float(percent)


def read_holds(draft: Draft) -> list[Hold]:
    """Read `hold`; a guest's id is lower-cased as ids are everywhere here."""
    holds = []
    for i, said in enumerate(draft.get("hold") or []):
        subject = said["guest"].lower() if "guest" in said else said["account"]
        until = draft.day(("hold", i, "until"), said["until"])
        holds.append(Hold(subject, said["reason"], until, draft.rule("hold", i)))
    return holds


def read_acknowledgements(draft: Draft) -> list[Acknowledge]:
    """Read `acknowledge`."""
    found = []
    for i, said in enumerate(draft.get("acknowledge") or []):
        counts = {Action(name): count for name, count in said["counts"].items()}
        rule: Rule = draft.rule("acknowledge", i)
        found.append(Acknowledge(counts, said["reason"], draft.day(("acknowledge", i, "until"), said["until"]), rule))
    return found
