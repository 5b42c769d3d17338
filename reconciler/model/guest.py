"""A guest as imported from Entra ID."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .values import Value

Removal = Literal["changed", "deleted"]
"""`changed`: soft-deleted, restorable for 30 days. `deleted`: gone for good. (Graph's `@removed.reason`.)"""


@dataclass(frozen=True, slots=True)
class Guest:
    """One guest, live or a tombstone.

    `id` is the object id, a lower-case GUID. `attributes` holds what was imported, by Graph's names, without `id`;
    an attribute that is null in Graph is absent. A tombstone (`removed` set) keeps its last attributes.
    """

    id: str
    attributes: Mapping[str, Value]
    removed: Removal | None = None
    removed_at: str | None = None
    """As-of time (RFC 3339, UTC) of the import that first saw the removal."""

    @property
    def label(self) -> str:
        """Name for people: the display name, else the UPN, else the id. Hostile text: escape it at the sink."""
        name = self.attributes.get("displayName") or self.attributes.get("userPrincipalName") or self.id
        return str(name)

    @property
    def enabled(self) -> bool:
        """Whether Entra lets this guest sign in."""
        return self.removed is None and self.attributes.get("accountEnabled") is not False
