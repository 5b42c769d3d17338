"""Guests, accounts and states to specify with, and strategies that make any of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from reconciler.model.account import Account
from reconciler.model.dn import DN
from reconciler.model.guest import Guest, Removal
from reconciler.model.values import Value
from reconciler.state.model import Claim, DirectoryCursor, GraphCursor, Manifest, State

LAW = settings(deadline=None)
"""A law is about what is computed; how long that takes says how busy the machine is."""
DISK_LAW = settings(deadline=None, max_examples=30)

T1, T2 = "2026-05-01T12:00:00Z", "2026-05-02T12:00:00Z"
ALICE = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
BOB = "11111111-7425-40de-944b-e07fc1f90ae7"
CAROL = "22222222-7425-40de-944b-e07fc1f90ae7"
GUESTS_OU = DN("OU=Guests,DC=contoso,DC=test")
DOMAIN = "S-1-5-21-1004336348-1177238915-682003330"


def sid(rid: int) -> str:
    return f"{DOMAIN}-{rid}"


def guid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def a_guest(id_: str = ALICE, **attributes: Value) -> Guest:
    usual: dict[str, Value] = {"userPrincipalName": f"{id_}@x", "userType": "Guest", "accountEnabled": True}
    return Guest(id_, usual | attributes)


def an_account(rid: int = 1105, guest: str | None = None, **changes: Any) -> Account:
    account = Account(sid(rid), guid(rid), GUESTS_OU.child("CN", str(rid)), {"userAccountControl": 0x200}, guest=guest)
    return replace(account, **changes)


def a_manifest(state: State) -> Manifest:
    """The manifest that goes with these guests and accounts."""
    removed = sum(g.removed is not None for g in state.guests.values())
    graph = GraphCursor(
        "contoso.test", T1, ("userType",), "https://graph/delta?$t=1", len(state.guests) - removed, removed
    )
    directory = DirectoryCursor(
        as_of=T1, controller="ldaps://dc1", domain="DC=contoso,DC=test", domain_sid=DOMAIN, service_name="CN=NTDS,CN=DC1",
        invocation_id=guid(1), usn=12345, ous=(GUESTS_OU.text,), attributes=("mail", "sn"), accounts=len(state.accounts),
    )  # fmt: skip
    return Manifest(7, T1, graph, directory)


def a_state(guests: list[Guest], accounts: list[Account], claims: tuple[Claim, ...] = (), serial: int = 7) -> State:
    bare = State(Manifest(0, T1, None, None), {g.id: g for g in guests}, {a.sid: a for a in accounts}, claims)
    return replace(bare, manifest=replace(a_manifest(bare), serial=serial))


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
VALUES: st.SearchStrategy[Value] = (
    TEXT
    | st.booleans()
    | st.integers(-(2**31), 2**31)
    | st.lists(TEXT, min_size=1, max_size=3).map(lambda items: tuple(sorted(items)))
)
ATTRIBUTES = st.dictionaries(TEXT, VALUES, max_size=4)
TIMES = st.sampled_from([T1, T2])
IDS = st.uuids(version=4).map(str)


@st.composite
def guests(draw: st.DrawFn) -> Guest:
    reasons: list[Removal | None] = [None, "changed", "deleted"]
    removed = draw(st.sampled_from(reasons))
    return Guest(draw(IDS), draw(ATTRIBUTES), removed, draw(TIMES) if removed else None)


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    return Account(
        sid=sid(draw(st.integers(500, 2**32 - 1))),
        guid=draw(IDS),
        dn=GUESTS_OU.child("CN", draw(TEXT)),
        attributes=draw(ATTRIBUTES),
        protected=tuple(sorted(draw(st.sets(st.sampled_from(["adminCount", "Protected Users"]))))),
        guest=draw(st.none() | IDS),
        departed=draw(st.none() | TIMES),
        suspended=draw(st.booleans()),
        adopted=draw(st.booleans()),
        missing=draw(st.sampled_from([None, "deleted", "invisible"])),
    )


CLAIMS = st.builds(Claim, TEXT, TEXT, IDS | st.integers(500, 5000).map(sid))


@st.composite
def states(draw: st.DrawFn) -> State:
    claims = tuple(sorted(draw(st.sets(CLAIMS, max_size=3)), key=lambda c: (c.owner, c.attribute, c.value)))
    return a_state(draw(st.lists(guests(), max_size=4)), draw(st.lists(accounts(), max_size=4)), claims)
