"""Guests, accounts and policies in a line each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from typing import Any

from reconciler.model.account import Account
from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.plan import Action, Change, Plan
from reconciler.model.settings import Directory, Entra, Forge, Settings
from reconciler.planning.plan import make_plan
from reconciler.policy.load import load_policy
from reconciler.policy.model import Policy
from reconciler.state.model import Claim, DirectoryCursor, GraphCursor, Manifest, State

OU = "OU=Guests,DC=contoso,DC=test"
DEPARTED = f"OU=Departed,{OU}"
AS_OF = "2026-03-01T06:00:00Z"
DEFAULT = (files("reconciler.policy") / "default.yaml").read_text("utf-8")
NORMAL, DISABLED = 262656, 262658


def policy(text: str = DEFAULT, **replacements: str) -> Policy:
    """The default policy, or another; `replacements` swap whole lines' text."""
    for old, new in replacements.items():
        text = text.replace(old, new)
    return load_policy([("policies/guests.yaml", text.encode())], [DN(OU)])


def settings(**changes: Any) -> Settings:
    base = Settings(
        entra=Entra("contoso.test", "client", "secret", "https://login.test", "https://graph.test", None),
        directory=Directory(("ldaps://dc1.contoso.test",), DN("DC=contoso,DC=test"), (DN(OU),), "simple", None),
        forge=Forge("git", "origin", "main", "https://forge.test", None, 1, ()),
        lifetime=timedelta(hours=24),
        batch=5000,
        sha256="0" * 64,
        root=".",
    )
    return replace(base, **changes)


def gid(n: int) -> str:
    return f"{n:08x}-7425-40de-944b-e07fc1f90ae7"


def guest(n: int, removed: Any = None, **attributes: Any) -> Guest:
    values = {
        "accountEnabled": True,
        "displayName": f"Guest {n}",
        "givenName": "Guest",
        "surname": f"Number {n}",
        "mail": f"guest{n}@adatum.com",
        "userPrincipalName": f"guest{n}_adatum.com#EXT#@contoso.onmicrosoft.com",
        "userType": "Guest",
        **attributes,
    }
    return Guest(gid(n), {k: v for k, v in values.items() if v is not None}, removed, AS_OF if removed else None)


def account(
    of: Guest, rid: int, *, joined: bool = True, dn: str | None = None, uac: int = NORMAL, **changes: Any
) -> Account:
    """The account the default policy gives a guest; `attributes=…` replaces single values (None removes)."""
    g = of.attributes
    values = {
        "adminDescription": f"User_{of.id}",
        "displayName": g.get("displayName"),
        "employeeType": g.get("userType"),
        "givenName": g.get("givenName"),
        "mail": g.get("mail"),
        "sAMAccountName": of.id[:20],
        "sn": g.get("surname"),
        "userAccountControl": uac,
        "userPrincipalName": g.get("userPrincipalName"),
        **changes.pop("attributes", {}),
    }
    return Account(
        sid=f"S-1-5-21-1-2-3-{rid}",
        guid=f"00000000-0000-0000-0000-{rid:012d}",
        dn=DN(dn or f"CN={of.id},{OU}"),
        attributes={k: v for k, v in values.items() if v is not None},
        guest=of.id if joined else None,
        **changes,
    )


def state(guests: list[Guest], accounts: list[Account], claims: tuple[Claim, ...] = (), as_of: str = AS_OF) -> State:
    wide = (
        "accountEnabled",
        "companyName",
        "displayName",
        "givenName",
        "mail",
        "surname",
        "userPrincipalName",
        "userType",
    )
    attributes = tuple(sorted(set().union(*(a.attributes for a in accounts), policy().account_attributes)))
    graph = GraphCursor("contoso.test", as_of, wide, "https://graph.test/delta", len(guests), 0)
    directory = DirectoryCursor(
        as_of=as_of,
        controller="ldaps://dc1.contoso.test",
        domain="DC=contoso,DC=test",
        domain_sid="S-1-5-21-1-2-3",
        service_name="CN=NTDS Settings",
        invocation_id="00000000-0000-0000-0000-000000000001",
        usn=1,
        ous=(OU,),
        attributes=(*attributes, "department"),
        accounts=len(accounts),
    )
    manifest = Manifest(1, as_of, graph, directory)
    return State(manifest, {g.id: g for g in guests}, {a.sid: a for a in accounts}, claims)


def plan(guests: list[Guest], accounts: list[Account], by: Policy | None = None, **more: Any) -> Plan:
    given = more.pop("settings", settings())
    return make_plan(state(guests, accounts, **more), by or policy(), given, ())


def only(made: Plan, action: Action) -> Change:
    """The plan's one change, which must be of this action."""
    assert [c.action for c in made.changes] == [action], made
    return made.changes[0]
