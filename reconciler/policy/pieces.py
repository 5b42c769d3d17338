"""Expressions that only cut and join a guest's id: literals and slices, one after another.

An id is 36 characters of ASCII, whoever the guest is, so nothing can fail, and the value has the same length for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

SAMPLE: Final = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
_LENGTH: Final = len(SAMPLE)
_INT64, _STRING = 0x18, 0x32
"""Tags of int64_value and string_value in a serialized cel.expr.Constant (google/cel-spec, syntax.proto)."""
_CONCATENATION, _SUBSTRING = ("_+_",), ("substring",)


@dataclass(frozen=True, slots=True)
class Piece:
    """A literal, or, where that is empty, a slice of the id."""

    literal: str
    start: int = 0
    end: int = 0

    def of(self, guest_id: str) -> str:
        """Return this piece of a guest's value."""
        return self.literal or guest_id[self.start : self.end]


def pieces(shape: tuple[Any, ...]) -> tuple[Piece, ...] | None:
    """Return what the expression with this shape joins; None where it does anything else."""
    match shape:
        case ("read", "id", False):
            return (Piece("", 0, _LENGTH),)
        case ("const_expr", bytes() as constant):
            text = _string(constant)
            return None if text is None else (Piece(text),)
        case ("call_expr", function, left, right) if function == _CONCATENATION:
            first, second = pieces(left), pieces(right)
            return None if first is None or second is None else (*first, *second)
        case ("call_expr", function, ("read", "id", False), ("const_expr", bytes() as start), *rest) if (
            function == _SUBSTRING and len(rest) <= 1
        ):
            return _slice(start, rest)
    return None


def joined(found: tuple[Piece, ...], guest_id: str) -> str | None:
    """Return what the engine would for this guest; None where the id is none of Entra's, and the engine must be asked."""
    if len(guest_id) != _LENGTH or not guest_id.isascii():
        return None
    return "".join(piece.of(guest_id) for piece in found)


def tells_guests_apart(found: tuple[Piece, ...] | None) -> bool:
    """Whether no two guests can have the same value, whatever its case: the whole id is in it."""
    return found is not None and any(p.end - p.start == _LENGTH for p in found)


def _slice(start: bytes, rest: list[tuple[Any, ...]]) -> tuple[Piece, ...] | None:
    first = _integer(start)
    last = _LENGTH if not rest else _integer(rest[0][1]) if rest[0][0] == "const_expr" else None
    if first is None or last is None or not 0 <= first <= last <= _LENGTH:
        return None
    if rest and last == _LENGTH:  # the engine (cel-expr-python 0.1.3) refuses an end that is that of the text
        return None
    return (Piece("", first, last),)


def _string(constant: bytes) -> str | None:
    """Return a text constant of less than 128 bytes without surrogates; longer ones are for the engine."""
    if len(constant) < 2 or constant[0] != _STRING or constant[1] != len(constant) - 2:  # noqa: PLR2004  tag and length
        return None
    return constant[2:].decode("utf-8", "replace") if b"\xef\xbf\xbd" not in constant else None


def _integer(constant: bytes) -> int | None:
    """Return a whole number from 0 to 127; others are for the engine."""
    return constant[1] if len(constant) == 2 and constant[0] == _INT64 and constant[1] < 0x80 else None  # noqa: PLR2004
