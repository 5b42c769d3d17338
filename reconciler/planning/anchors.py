"""Which guest an anchor names, known or not: read back from the id in it."""

from __future__ import annotations

import re
from uuid import UUID

from reconciler.model.guest import Guest
from reconciler.model.values import Value
from reconciler.policy.model import EvaluationError, Policy

GUEST_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def named_guest(held: Value | None, policy: Policy) -> str | None:
    """Return the id of the guest whose anchor this value would be; None where it is nobody's.

    The guest need not exist: the id is what the policy's own expression turns into just this value. An anchor that reads
    more of the guest than the id, or less than all of it, names nobody whom we do not know.
    """
    if not isinstance(held, str):
        return None
    for found in GUEST_ID.finditer(held):
        guest = Guest(str(UUID(found[0])), {})
        try:
            value = policy.anchor.expression.value(guest)
        except EvaluationError:
            return None
        if isinstance(value, str) and value.casefold() == held.casefold():
            return guest.id
    return None
