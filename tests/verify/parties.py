"""Everybody who takes part in one sign-in, as it should be; tests break one thing at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from reconciler.verify.facts import Party, Person, Surroundings

NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
SPN = "HTTP/app.contoso.test"
UPN = "alice_fabrikam.com#EXT#@contoso.onmicrosoft.com"
GUEST = Party("S-1-5-21-1-2-3-1001", "CN=Alice,OU=Guests,DC=contoso,DC=test", "alice", UPN, 262656)
CONNECTOR = Party(
    "S-1-5-21-1-2-3-1002",
    "CN=CONNECTOR,CN=Computers,DC=contoso,DC=test",
    "CONNECTOR$",
    None,
    0x1000 | 0x1000000,
    spns=("HOST/connector",),
    allowed_to=(SPN,),
)
SERVICE = Party("S-1-5-21-1-2-3-1003", "CN=app,CN=Users,DC=contoso,DC=test", "app", None, 512, spns=(SPN,))
OTHER = Party("S-1-5-21-1-2-3-1004", "CN=Mallory,CN=Users,DC=contoso,DC=test", "mallory", UPN, 512)


def around(**changes: Any) -> Surroundings:
    return replace(Surroundings(SPN, CONNECTOR, (SERVICE,)), **changes)


def person(**changes: Any) -> Person:
    account = replace(GUEST, **changes.pop("account", {}))
    whole = Person("guest-1", UPN, UPN, by_upn=True, party=account, joined=GUEST.sid, holders=(account,))
    return replace(whole, **changes)
