"""What a policy no longer looks after, and what therefore stays as it is: a change of the policy does not undo that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.model.account import Account
from reconciler.policy.model import Policy


def left_behind(accounts: Mapping[str, Account], imported: Sequence[str], policy: Policy) -> tuple[str, ...]:
    """Return one sentence for every attribute that was imported for an earlier policy and that managed accounts still have.

    `imported` are the attributes of the last import. The next one reads what this policy uses: then nothing tells any more.
    """
    used = {name.casefold() for name in policy.account_attributes}
    held = {
        name: sum(a.guest is not None and a.missing is None and name in a.attributes for a in accounts.values())
        for name in imported
        if name.casefold() not in used
    }
    return tuple(
        f"{name} is in no rule of this policy any more: what {count} managed {'account holds' if count == 1 else 'accounts hold'} "
        "there stays. Nothing clears it or puts an earlier value back; the plans in git's history say what was there before."
        for name, count in sorted(held.items())
        if count
    )
