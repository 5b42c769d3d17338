"""What both halves must spell alike: join keys, names, the anchor that is written."""

from __future__ import annotations

from typing import Final

from reconciler.model.values import Value
from reconciler.planning.names import Name
from reconciler.policy.model import Flow, Policy
from reconciler.state.fast_records import value
from reconciler.state.paths import SHARD_DIGITS

from .hashes import Hasher

_REST: Final = 64 - 4 * SHARD_DIGITS


def join_key(attribute: str, text: str) -> str:
    """Return what a join rule compares, from a value's canonical text; "" where there is nothing to compare."""
    return join_key_of(attribute, value(text)) if text else ""


def join_key_of(attribute: str, held: Value | None) -> str:
    """Return the same from a value."""
    if held is None:
        return ""
    text = held.casefold() if isinstance(held, str) else str(held)
    return f"join\0{attribute}\0{text}" if text else ""


def guest_number(hasher: Hasher, guest_id: str) -> int:
    """Return the number that stands for a guest on both sides. Its highest bits are those of the id: they tell the shard."""
    return int(guest_id[:SHARD_DIGITS], 16) << _REST | hasher.number(f"guest\0{guest_id}") >> 64 - _REST or 1


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
