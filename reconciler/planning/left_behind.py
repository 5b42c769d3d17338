"""What a policy no longer looks after, and what therefore stays as it is: a change of the policy does not undo that."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.policy.model import Policy


def left_behind(imported: Iterable[str], policy: Policy) -> tuple[str, ...]:
    """Return one sentence for every attribute that was imported for an earlier policy, and that this one does not use.

    `imported` are the attributes of the last import. The next one reads what this policy uses: then nothing tells any more.
    """
    used = {name.casefold() for name in policy.account_attributes}
    return tuple(
        f"{name} is in no rule of this policy any more: what accounts hold there stays. Nothing clears it or puts an "
        "earlier value back; the plans in git's history say what was there before."
        for name in sorted(set(imported))
        if name.casefold() not in used
    )
