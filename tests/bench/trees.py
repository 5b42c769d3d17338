"""Operations directories of any size, both sides present: the same guests from the same number, every time."""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from reconciler.model.account import Account
from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.values import Value
from reconciler.state.canonical import dump
from reconciler.state.manifest import dump_manifest
from reconciler.state.model import DirectoryCursor, GraphCursor, Manifest
from reconciler.state.paths import account_path, guest_path
from reconciler.state.records import accounts_document, guests_document, read_guests

TENANT = "contoso.onmicrosoft.com"
OU = "OU=Guests,DC=contoso,DC=test"
DOMAIN = "S-1-5-21-1004336348-1177238915-682003330"
AS_OF = "2026-05-01T12:00:00Z"
_FIRST_RID = 1104
_SHARDS = 4096
_GIVEN = ("Alex", "Zoë", "Mårten", "山田", "Bob", "Chantal", "Đorđe", "Emre", "Fatima", "Giulia")
_FAMILY = ("Smith", "Müller", "García", "Nguyễn", "O'Neil", "Kowalski", "Öztürk", "Silva", "Johansson", "Иванова")
_PARTNERS = ("fabrikam.com", "adatum.com", "northwind.example", "tailspin.example")


def write(root: Path, guests: int, *, accounts: bool = True) -> None:
    """Write `state/` of so many guests, each with an account in order (or none of them with any)."""
    by_shard: dict[str, list[int]] = defaultdict(list)
    for number in range(guests):
        by_shard[_id(number)[:3]].append(number)
    for numbers in by_shard.values():
        some = [guest(number) for number in numbers]
        _put(root / guest_path(some[0].id), dump(guests_document(some)))
    for some_numbers in by_rid(guests) if accounts else ():
        held = [account(number) for number in some_numbers]
        _put(root / account_path(held[0].sid), dump(accounts_document(held)))
    _put(root / "state/manifest.yaml", dump_manifest(_manifest(guests, guests if accounts else 0)))


def guest(number: int) -> Guest:
    """Return the guest of this number."""
    dice = random.Random(number)
    given, family, partner = dice.choice(_GIVEN), dice.choice(_FAMILY), dice.choice(_PARTNERS)
    values: dict[str, Value] = {
        "accountEnabled": True,
        "displayName": f"{given} {family}",
        "givenName": given,
        "surname": family,
        "mail": f"guest.{number}@{partner}",
        "userPrincipalName": f"guest.{number}_{partner}#EXT#@{TENANT}",
        "userType": "Guest",
    }
    return Guest(_id(number), values)


def account(number: int) -> Account:
    """Return the account that the default policy gives the guest of this number."""
    of = guest(number)
    values: dict[str, Value] = {
        "adminDescription": f"User_{of.id}",
        "displayName": of.attributes["displayName"],
        "employeeType": "Guest",
        "givenName": of.attributes["givenName"],
        "mail": of.attributes["mail"],
        "sAMAccountName": of.id[:20],
        "sn": of.attributes["surname"],
        "userAccountControl": 262656,
        "userPrincipalName": of.attributes["userPrincipalName"],
    }
    rid = _FIRST_RID + number
    return Account(f"{DOMAIN}-{rid}", str(uuid.UUID(int=rid)), DN(f"CN={of.id},{OU}"), values, guest=of.id)


def change(root: Path, guests: int, changes: int, turn: int) -> None:
    """Give so many guests another display name, spread over all, another one each `turn`."""
    by_path: dict[str, list[str]] = defaultdict(list)
    for number in range(0, guests, max(1, guests // changes)):
        found = _id(number)
        by_path[guest_path(found)].append(found)
    for path, ids in by_path.items():
        shard = read_guests((root / path).read_bytes(), path)
        for found in ids:
            values = {**shard[found].attributes, "displayName": f"Renamed {turn}"}
            shard[found] = Guest(found, values)
        _put(root / path, dump(guests_document(shard.values())))


def _id(number: int) -> str:
    return str(uuid.UUID(int=random.Random(f"guest {number}").getrandbits(128), version=4))


def by_rid(guests: int) -> Iterator[range]:
    """Yield the numbers of so many accounts, those of one shard at a time."""
    for low in range(_SHARDS):
        if numbers := range((low - _FIRST_RID) % _SHARDS, guests, _SHARDS):
            yield numbers


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _manifest(guests: int, accounts: int) -> Manifest:
    graph = GraphCursor(
        TENANT,
        AS_OF,
        tuple(sorted(guest(0).attributes)),
        f"https://graph.microsoft.com/v1.0/users/delta?$deltatoken={guests}",
        guests,
        0,
    )
    directory = DirectoryCursor(
        as_of=AS_OF,
        controller="ldaps://dc1.contoso.test",
        domain="DC=contoso,DC=test",
        domain_sid=DOMAIN,
        service_name="CN=NTDS Settings,CN=DC1",
        invocation_id=str(uuid.UUID(int=1)),
        usn=1,
        ous=(OU,),
        attributes=tuple(sorted(account(0).attributes)),
        accounts=accounts,
    )
    return Manifest(7, AS_OF, graph, directory)
