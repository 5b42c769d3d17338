"""What `state/` holds, as records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.model.account import Account
from reconciler.model.guest import Guest


@dataclass(frozen=True, slots=True)
class GraphCursor:
    """Where the import of guests stands. `guests` counts live ones, `tombstones` the removed ones still kept."""

    tenant: str
    as_of: str
    attributes: tuple[str, ...]
    delta_link: str
    guests: int
    tombstones: int


@dataclass(frozen=True, slots=True)
class DirectoryCursor:
    """Where the import of accounts stands. The USN means something only for this invocationId on this controller."""

    as_of: str
    controller: str
    domain: str
    domain_sid: str
    service_name: str
    invocation_id: str
    usn: int
    ous: tuple[str, ...]
    attributes: tuple[str, ...]
    accounts: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The last import. `serial` grows by one with each; `as_of` (RFC 3339, UTC, seconds) is the older of both sides' times."""

    serial: int
    as_of: str
    graph: GraphCursor | None
    directory: DirectoryCursor | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A name this tree would claim that an object outside the OUs already has. `owner` is its SID (GUID where it has none)."""

    attribute: str
    value: str
    owner: str


@dataclass(frozen=True, slots=True)
class State:
    """Both sides. Guests by id, accounts by SID; tombstones and accounts that have left the OUs among them."""

    manifest: Manifest
    guests: Mapping[str, Guest] = field(default_factory=dict)
    accounts: Mapping[str, Account] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
