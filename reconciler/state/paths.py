"""Which file under `state/` holds what, and which keys may stand in it.

Both sides fan out into 4,096 files: guests by the first three hex digits of their id, accounts by the low 12 bits of
the RID (RIDs are dealt out in sequence, so they spread evenly). One fan-out serves 500 guests and a million.
"""

from __future__ import annotations

import re

from reconciler.errors import StateError

MANIFEST = "state/manifest.yaml"
CLAIMS = "state/claims.yaml"
GUESTS = "state/guests"
ACCOUNTS = "state/accounts"

PUT_BACK = "`git restore --source HEAD -- state && git clean -fdq -- state`"
"""What a person types: the second takes away what an import has added, which git knows nothing of."""
RESTORE = f"Put state/ back as it was committed: {PUT_BACK}. Or run `reconcile snapshot --full`."

SHARD_DIGITS = 3
"""Hex digits that number the shards of a side."""

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SID = re.compile(r"S-1-(?:0|[1-9][0-9]{0,13})(?:-(?:0|[1-9][0-9]{0,9})){1,15}")
_SHARD = re.compile(r"state/(?:guests|accounts)/([0-9a-f]{2})/\1[0-9a-f]\.yaml")
_MAX_SUBAUTHORITY = 0xFFFFFFFF


def is_guid(text: str) -> bool:
    """Whether the text is a GUID in its usual form, lower case."""
    return _GUID.fullmatch(text) is not None


def is_sid(text: str) -> bool:
    """Whether the text is a SID in its one spelling ([MS-DTYP] 2.4.2.1): decimal, no leading zeros, 32-bit parts."""
    return _SID.fullmatch(text) is not None and all(part <= _MAX_SUBAUTHORITY for part in sid_key(text)[1:])


def sid_key(sid: str) -> tuple[int, ...]:
    """Return the key that sorts well-formed SIDs by number: the authority, then the parts."""
    return tuple(int(part) for part in sid.split("-")[2:])


def is_shard(path: str) -> bool:
    """Whether this is a path at which guests or accounts may stand."""
    return _SHARD.fullmatch(path) is not None


def shard_number(path: str) -> int:
    """Return the number of a shard among those of its side, 0 to 4095, from its path."""
    return int(path[-len(".yaml") - SHARD_DIGITS : -len(".yaml")], 16)


def guest_path(guest: str) -> str:
    """Return the file of a guest: `7c9e…` is in `state/guests/7c/7c9.yaml`. Raises StateError for what is no id."""
    if not is_guid(guest):
        raise StateError(f"{GUESTS}: not a guest's object id: {guest!r}", "An id is a GUID in lower case.")
    return _shard(GUESTS, guest[:SHARD_DIGITS])


def account_path(sid: str) -> str:
    """Return the file of an account: RID 1105 (0x451) is in `state/accounts/45/451.yaml`. Raises StateError."""
    if not is_sid(sid):
        raise StateError(f"{ACCOUNTS}: not a SID: {sid!r}", "A SID is S-1-5-21-… in decimal.")
    return _shard(ACCOUNTS, f"{sid_key(sid)[-1] & 0xFFF:03x}")


def _shard(folder: str, digits: str) -> str:
    return f"{folder}/{digits[:2]}/{digits}.yaml"
