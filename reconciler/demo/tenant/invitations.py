"""What Entra makes of an invitation, and the users a tenant has anyway."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from .answers import Json
from .store import Properties


def user_of(given: Properties, domain: str, now: datetime) -> dict[str, Json]:
    """Return a guest's properties: what was given, and what Entra adds. The name comes from the mail address.

    A property that is given as None stays unset; that goes for `userType`, too.
    """
    mail = given.get("mail")
    name = given.get("userPrincipalName")
    if name is None:
        if not isinstance(mail, str) or "@" not in mail:
            raise ValueError("an invitation needs a userPrincipalName, or a mail address to make one of")
        name = f"{mail.replace('@', '_')}#EXT#@{domain}"
    identity: Json = {"signInType": "federated", "issuer": "ExternalAzureAD", "issuerAssignedId": None}
    added: dict[str, Json] = {
        "displayName": str(mail or name).partition("@")[0],
        "accountEnabled": True,
        "userType": "Guest",
        "creationType": "Invitation",
        "externalUserState": "PendingAcceptance",
        "createdDateTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "mailNickname": str(name).partition("@")[0],
        "identities": [identity],
        "otherMails": [mail] if isinstance(mail, str) else [],
    }
    return {**added, **given, "userPrincipalName": name}


def staff(members: int, domain: str) -> Iterator[dict[str, Json]]:
    """Return the tenant's own people, and one user from before there were user types."""
    for n in range(1, members + 1):
        yield _own(f"employee{n}@{domain}", f"Employee {n}", "Member")
    yield _own(f"veteran@{domain}", "Veteran", None)


def _own(name: str, display: str, kind: str | None) -> dict[str, Json]:
    return {
        "userPrincipalName": name,
        "displayName": display,
        "mail": name,
        "accountEnabled": True,
        "userType": kind,
        "createdDateTime": "2013-04-08T09:00:00Z",
    }
