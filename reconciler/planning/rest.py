"""What a plan must know of those that its state leaves out because nothing happens to them, or nothing yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from reconciler.model.account import Account

from .names import Name


class Rest(Protocol):
    """The accounts that were left out of a state because they are as they should be, and their guests with them."""

    @property
    def managed(self) -> int:
        """How many of them are joined to a guest and there."""
        ...

    @property
    def deferred(self) -> int:
        """How many guests were left out for whom nothing but a new account would be made, after all those in the state."""
        ...

    def find(self, names: Collection[Name], sids: Collection[str]) -> Mapping[str, Account]:
        """Return, by SID, those that hold one of these names, or have one of these SIDs."""
        ...
