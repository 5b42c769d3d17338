"""Accounts as other tools make them, written from what those tools do and not from our own recognition of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from reconciler.demo.people import Person

Attributes = Mapping[str, str]
Maker = Callable[[Person], tuple[str, Attributes]]
"""Returns an account's cn and attributes."""


def mim(person: Person, digits: int = 20) -> tuple[str, Attributes]:
    """The guide's outbound synchronisation rule."""
    return person.id, {
        "sAMAccountName": person.id[:digits],
        "userPrincipalName": person.user_principal_name,
        **_held(displayName=person.display_name, givenName=person.given_name, sn=person.surname, mail=person.mail),
        "employeeType": "Guest",
    }


def rules_extension(person: Person) -> tuple[str, Attributes]:
    """The rules extension's Substring ends one character early."""
    return mim(person, digits=19)


def b2bsync(person: Person) -> tuple[str, Attributes]:
    """`G` and a random number; the display name as cn."""
    number = random.Random(person.id).randrange(100_000, 9_000_000)
    return person.display_name, {"sAMAccountName": f"G{number}", "userPrincipalName": person.user_principal_name}


def powershell_sample(person: Person) -> tuple[str, Attributes]:
    """Version 2 of the script."""
    upn = person.user_principal_name
    return upn.split("#", maxsplit=1)[0], {
        "sAMAccountName": upn.replace(".", "-")[:20],
        "userPrincipalName": upn,
        "displayName": person.display_name,
        "description": "Shadow account of Entra ID guest account.",
    }


def older_mim(person: Person) -> tuple[str, Attributes]:
    """E-mail addresses as names; half of the accounts have been named after the guest's id since."""
    assert person.mail is not None
    cn, attributes = mim(person)
    named = cn if int(person.id[0], 16) % 2 else person.mail
    return named, {**attributes, "userPrincipalName": person.mail}


def _held(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}
