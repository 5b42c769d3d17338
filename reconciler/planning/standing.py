"""Where a guest stands: active, blocked, or gone, and in which of the three ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reconciler.model.guest import Guest
from reconciler.policy.model import Policy

OUT_OF_SCOPE = "left: out of the policy's scope"
_REMOVED = {"changed": "left: soft-deleted in Entra", "deleted": "left: deleted in Entra for good"}


@dataclass(frozen=True, slots=True)
class Standing:
    """`kind` decides the lifecycle, `cause` says why in a few words."""

    kind: Literal["active", "blocked", "left"]
    cause: str


def standing(guest: Guest, policy: Policy) -> Standing:
    """Return where the guest stands. Raises EvaluationError when the scope cannot be decided."""
    if guest.removed:
        return Standing("left", _REMOVED[guest.removed])
    if not policy.scope.test(guest):
        return Standing("left", OUT_OF_SCOPE)
    if not guest.enabled:
        return Standing("blocked", "blocked: accountEnabled is false in Entra")
    return Standing("active", "")
