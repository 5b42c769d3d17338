"""What both halves must spell alike: join keys, names, the anchor that is written."""

from __future__ import annotations

from typing import Final

from reconciler.model.values import Value
from reconciler.planning.names import Name
from reconciler.policy.model import Flow, Policy
from reconciler.state.fast_records import value
from reconciler.state.paths import SHARD_DIGITS

from .hashes import NONE, SIZE

_REST: Final = 8 * SIZE - 4 * SHARD_DIGITS
_NOBODY: Final = b"\1".ljust(SIZE, b"\0")
"""The mark of ids whose first half is zero."""


def join_key(attribute: str, text: str) -> str:
    """Return what a join rule compares, from a value's canonical text; "" where there is nothing to compare."""
    return join_key_of(attribute, value(text)) if text else ""


def join_key_of(attribute: str, held: Value | None) -> str:
    """Return the same from a value."""
    if held is None:
        return ""
    text = held.casefold() if isinstance(held, str) else str(held)
    return f"join\0{attribute}\0{text}" if text else ""


def guest_mark(guest_id: str) -> bytes:
    """Return what stands for a guest on both sides: the first half of the id, and never NONE. Its highest bits tell the shard.

    Guests with one mark are looked at together, as if what is joined to one were joined to all.
    """
    return bytes.fromhex(guest_id[:18].replace("-", ""))[::-1].replace(NONE, _NOBODY)


def guest_number(guest_id: str) -> int:
    """Return the mark as it stands in `numbers`."""
    return int.from_bytes(guest_mark(guest_id), "little")


def shard_of(guest: int) -> int:
    """Return the number of the shard in which the guest with this number is, if anywhere."""
    return guest >> _REST


def name_key(name: Name) -> str:
    """Return what a name is looked up by."""
    return f"name\0{name[0]}\0{name[1]}"


def written_anchor(policy: Policy) -> Flow:
    """Return the flow, continuous or initial, that writes the anchor."""
    flows = (*policy.flows, *policy.initial.flows)
    return next(f for f in flows if f.attribute == policy.anchor.attribute)
