"""`state/claims.yaml`: names this tree would claim that belong to somebody outside the OUs.

Keyed by the owner, then by attribute, names sorted: a name is always a value, so its length and its text do not matter.
"""

from __future__ import annotations

from collections.abc import Iterable

from .canonical import Node, load
from .fields import Fields, Source
from .model import Claim
from .paths import is_guid, is_sid


def claims_document(claims: Iterable[Claim]) -> dict[str, Node]:
    """Return the document, whatever the order of the claims; the same claim twice is one."""
    owners: dict[str, dict[str, list[str]]] = {}
    for claim in sorted(set(claims), key=_key):
        owners.setdefault(claim.owner, {}).setdefault(claim.attribute, []).append(claim.value)
    return dict(owners)


def read_claims(data: bytes, path: str) -> tuple[Claim, ...]:
    """Return the claims, sorted by owner, attribute and name; raise StateError (`file:line`) for a damaged file."""
    source = Source(path, data)
    claims = []
    for owner, node in load(data, path).items():
        if not (is_sid(owner) or is_guid(owner)):
            raise source.error((owner,), "not the SID or GUID of an object")
        fields = Fields(source, node, owner)
        claims += [Claim(name, value, owner) for name in fields.names() for value in fields.strings(name)]
    return tuple(sorted(set(claims), key=_key))


def _key(claim: Claim) -> tuple[str, str, str]:
    return claim.owner, claim.attribute, claim.value
