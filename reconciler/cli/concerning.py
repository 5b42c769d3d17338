"""Whom an import of changed accounts must look at, told by what is remembered; or that it must look at everybody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.git.overlay import Overlay
from reconciler.incremental.index import AMISS
from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.model.settings import Settings
from reconciler.policy.model import Policy
from reconciler.state.paths import ACCOUNTS, GUESTS
from reconciler.state.shards import Shards, files_of

from .context import Context
from .inputs import Inputs
from .loading import policy_files

if TYPE_CHECKING:
    from reconciler.incremental.concerned import Concerned

    from .importing import Base
    from .planning import Laid


def concerned(
    context: Context,
    settings: Settings,
    policy: Policy,
    base: Base,
    guests: Mapping[str, Guest],
    accounts: Mapping[str, Account],
    now: str,
) -> tuple[Concerned, Laid] | None:
    """Return who tells whom to look at, and what that is told by; None where everybody must be looked at, which says what is amiss.

    `guests` are those that this import has found, `accounts` those of before.
    """
    from reconciler.incremental.concerned import Concerned

    from .planning import lay

    files = files_of(guests)
    if not base.cache.usable or files is None or not isinstance(accounts, Shards):
        return None
    tree = Overlay(base.tree, files)
    inputs = Inputs(tree, settings, tuple(policy_files(base.tree)), ())
    seconds, most = int(datetime.fromisoformat(now).timestamp()), max(len(guests), len(accounts))
    try:
        laid = lay(context, inputs, policy, base.cache, seconds, most, passing=True)
    except AMISS:
        return None
    alignment = laid.aligned.alignment
    if [alignment.sides[side].count for side in (GUESTS, ACCOUNTS)] != [len(guests), len(accounts)]:
        return None
    return Concerned(alignment, laid.summaries, tree.read_all, laid.paths, laid.known), laid
