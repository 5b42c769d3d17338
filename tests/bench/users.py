"""The users of a tenant of any size, as Graph writes them, and what each round after the full one shows of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from hashlib import blake2b

CHANGES = 100
_GIVEN = ("Anna", "José", "Łukasz", "Nguyễn", "Priya", "田中", "Olga", "Fatima", "Jürgen", "Sam")
_FAMILY = ("Müller", "García Márquez", "O'Neill", "Kowalski", "Smith", "Иванова", "Yılmaz", "Okafor", "de Vries")
_PARTNERS = ("fabrikam.com", "adatum.com", "northwind.example", "litware.example", "proseware.example")


def guest_id(number: int) -> str:
    """Return the object id of a user."""
    return str(uuid.UUID(bytes=blake2b(number.to_bytes(8, "big"), digest_size=16).digest(), version=4))


def user(number: int, display: str | None = None, *, enabled: bool = True) -> str:
    """Return a user as Graph writes one: what the default policy selects, `id` last as often in its answers."""
    given, family = _GIVEN[number % len(_GIVEN)], _FAMILY[number % len(_FAMILY)]
    partner = _PARTNERS[number % len(_PARTNERS)]
    return (
        f'{{"accountEnabled":{"true" if enabled else "false"},"displayName":"{display or f"{given} {family}"}",'
        f'"givenName":"{given}","mail":"user{number}@{partner}","surname":"{family}",'
        f'"userPrincipalName":"user{number}_{partner}#EXT#@contoso.onmicrosoft.com","userType":"Guest",'
        f'"id":"{guest_id(number)}"}}'
    )


def changes(users: int, step: int) -> Iterator[str]:
    """Yield what a round shows; other steps touch other users."""
    known = [n * 7919 % users for n in range((step - 1) * 90, step * 90)]
    for number in known[:78]:
        yield user(number, f"Renamed in round {step}")
    for number in known[78:84]:
        yield user(number, enabled=False)
    for number in known[84:]:
        yield f'{{"id":"{guest_id(number)}","@removed":{{"reason":"changed"}}}}'
    for number in range(users + (step - 1) * 10, users + step * 10):
        yield user(number)
