"""One attribute's change in the form every sink shows: what it was, what it becomes, how the two differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.model.plan import Delta
from reconciler.model.values import Value

from .visible import Shown, pair, visible

LIMIT = 120
"""Characters of one value a person is shown; the plan itself holds it whole."""
_FEW = 5
_FLAGS: Mapping[int, str] = {
    0x2: "ACCOUNTDISABLE",
    0x20: "PASSWD_NOTREQD",
    0x40: "PASSWD_CANT_CHANGE",
    0x200: "NORMAL_ACCOUNT",
    0x10000: "DONT_EXPIRE_PASSWD",
    0x40000: "SMARTCARD_REQUIRED",
    0x80000: "TRUSTED_FOR_DELEGATION",
    0x100000: "NOT_DELEGATED",
    0x400000: "DONT_REQ_PREAUTH",
    0x800000: "PASSWORD_EXPIRED",
    0x1000000: "TRUSTED_TO_AUTH_FOR_DELEGATION",
}
"""userAccountControl, [MS-ADTS] 2.2.16: those a user object can carry."""


@dataclass(frozen=True, slots=True)
class Sides:
    """What a change shows. An empty tuple is no value; more than one element is a multi-valued attribute.

    `flags` says in names what a number means; `same` counts the values of a multi-valued attribute that stay.
    """

    before: tuple[Shown, ...]
    after: tuple[Shown, ...]
    via: tuple[Shown, ...] = ()
    flags: str = ""
    same: int = 0


def sides(delta: Delta, limit: int = LIMIT, *, ascii_only: bool = False) -> Sides:
    """Return both sides of a change, at most `limit` characters of each value."""

    def few(values: list[str]) -> tuple[Shown, ...]:
        shown = tuple(visible(v, limit, ascii_only=ascii_only) for v in values[:_FEW])
        return shown if len(values) <= _FEW else (*shown, Shown(f"…(+{len(values) - _FEW})"))

    before, after, via = delta.before, delta.after, few(_texts(delta.via))
    if isinstance(before, str) and isinstance(after, str):
        one, other = pair(before, after, limit, ascii_only=ascii_only)
        return Sides((one,), (other,), via)
    if delta.attribute.casefold() == "useraccountcontrol":
        return Sides(few(_texts(before)), few(_texts(after)), via, _flags(before, after))
    old, new = _texts(before), _texts(after)
    stay = set(old) & set(new) if isinstance(before, tuple) and isinstance(after, tuple) else set()
    gone, come = ([v for v in values if v not in stay] for values in (old, new))
    return Sides(few(gone), few(come), via, same=len(stay))


def _texts(value: Value | None) -> list[str]:
    match value:
        case None:
            return []
        case bool():
            return ["true" if value else "false"]
        case int():
            return [str(value)]
        case str():
            return [value]
        case _:
            return list(value)


def _flags(before: Value | None, after: Value | None) -> str:
    old, new = (side if isinstance(side, int) else None for side in (before, after))
    if new is None:
        return ""
    if old is None:
        return " ".join(name for bit, name in _FLAGS.items() if new & bit)
    changed = ((bit, name) for bit, name in _FLAGS.items() if (old ^ new) & bit)
    return " ".join(f"{'+' if new & bit else '-'}{name}" for bit, name in changed)
