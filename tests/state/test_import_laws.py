"""What holds for every import: it is idempotent, and increments end where a full read does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reconciler.directory.port import Changes, Entry
from reconciler.graph.port import Properties, Round
from reconciler.model.account import Account
from reconciler.model.dn import DN
from reconciler.model.guest import Guest, Removal
from reconciler.model.values import Value
from reconciler.state.importer import import_accounts, import_guests

from .records import ALICE, BOB, CAROL, GUESTS_OU, LAW, T1, T2, guid, sid

IDS = (ALICE, BOB, CAROL)
ATTRIBUTES = ("accountEnabled", "mail", "userType")
Tenant = Mapping[str, dict[str, Value] | Removal]
"""Every user: attributes of a live one, or how they were removed."""

LIVE = st.fixed_dictionaries(
    {"userType": st.sampled_from(["Guest", "Member"])},
    optional={"mail": st.sampled_from(["a@x", "b@x"]), "accountEnabled": st.booleans()},
)
REMOVED: st.SearchStrategy[Removal] = st.sampled_from(["changed", "deleted"])
TENANTS = st.dictionaries(st.sampled_from(IDS), LIVE | REMOVED)


def guests(old: Mapping[str, Guest], round_: Round, tenant: Tenant, joined: set[str], as_of: str) -> dict[str, Guest]:
    def now(id_: str) -> Guest:
        user = tenant.get(id_, "deleted")
        return Guest(id_, user) if isinstance(user, dict) else Guest(id_, {}, user)

    return import_guests(
        old, round_, attributes=ATTRIBUTES, wanted=lambda _g: False, lookup=lambda ids: {i: now(i) for i in ids}, joined=joined,
        as_of=as_of,
    )  # fmt: skip


def full_round(tenant: Tenant) -> Round:
    return Round(True, "link", {i: u for i, u in tenant.items() if isinstance(u, dict)})


def increment(before: Tenant, after: Tenant) -> Round:
    """What delta says between the two: changed properties (nulls for cleared ones), everything of who is new, removals."""
    users: dict[str, Properties] = {}
    removed: dict[str, Removal] = {}
    for id_ in before.keys() | after.keys():
        was, now = before.get(id_), after.get(id_, "deleted")
        if not isinstance(now, dict):
            if was not in (None, now):
                removed[id_] = now
        elif not isinstance(was, dict):
            users[id_] = dict(now)
        elif changed := {n: now.get(n) for n in was.keys() | now.keys() if was.get(n) != now.get(n)}:
            users[id_] = changed
    return Round(False, "link", users, removed)


@LAW
@given(TENANTS, TENANTS, st.sets(st.sampled_from(IDS)))
def test_importing_the_same_guests_again_changes_nothing(before: Tenant, after: Tenant, joined: set[str]) -> None:
    old = guests({}, full_round(before), before, joined, T1)
    for round_ in (full_round(after), increment(before, after)):
        once = guests(old, round_, after, joined, T1)
        assert guests(once, round_, after, joined, T2) == once


@LAW
@given(st.lists(TENANTS, min_size=1, max_size=4), st.sets(st.sampled_from(IDS)))
def test_increments_of_guests_end_where_a_full_round_does(history: list[Tenant], joined: set[str]) -> None:
    by_steps = guests({}, full_round(history[0]), history[0], joined, T1)
    for before, after in pairwise(history):
        whole = guests(by_steps, full_round(after), after, joined, T1)
        by_steps = guests(by_steps, increment(before, after), after, joined, T1)
        assert by_steps == whole


@LAW
@given(TENANTS, TENANTS)
def test_nobody_unknown_enters_but_guests(before: Tenant, after: Tenant) -> None:
    old = guests({}, full_round(before), before, set(), T1)
    assert all(g.attributes["userType"] == "Guest" for g in old.values())
    now = guests(old, increment(before, after), after, set(), T1)
    assert all(g.id in old or g.attributes["userType"] == "Guest" for g in now.values())


# --- accounts


@dataclass(frozen=True, slots=True)
class Where:
    """One account of a domain: under the OUs, outside them, deleted, or out of sight; enabled or not; anchored or not."""

    place: str
    uac: int
    anchor: str | None
    changed: int


RIDS = (1105, 1106, 1107)
WHERE = st.builds(
    Where,
    st.sampled_from(["in", "in", "out", "deleted", "hidden"]),
    st.sampled_from([0x200, 0x202]),
    st.none() | st.sampled_from(IDS),
    st.integers(0, 2),
)
DOMAINS = st.fixed_dictionaries(dict.fromkeys(RIDS, WHERE))
GONE = st.sets(st.sampled_from(IDS))
World = dict[int, Where]


def entry(rid: int, where: Where) -> Entry:
    ou = {
        "in": GUESTS_OU,
        "out": DN("OU=Staff,DC=contoso,DC=test"),
        "deleted": DN("CN=Deleted Objects,DC=contoso,DC=test"),
    }
    attributes: dict[str, Value] = {"userAccountControl": where.uac, "mail": str(where.changed)}
    if where.anchor:
        attributes["adminDescription"] = where.anchor
    dn = ou[where.place].child("CN", str(rid))
    return Entry(guid(rid), sid(rid), dn, attributes, deleted=where.place == "deleted")


def visible(world: World) -> dict[int, Entry]:
    return {rid: entry(rid, where) for rid, where in world.items() if where.place != "hidden"}


def full_read(world: World) -> list[Entry]:
    return [e for rid, e in visible(world).items() if world[rid].place == "in"]


def changes(before: World, after: World) -> Changes:
    changed = [e for rid, e in visible(after).items() if before[rid] != after[rid]]
    live, deleted = [e for e in changed if not e.deleted], [e for e in changed if e.deleted]
    return Changes(tuple(live), tuple(deleted), containers=False)


def accounts(
    old: Mapping[str, Account], read: list[Entry] | Changes, world: World, gone: set[str], as_of: str
) -> dict[str, Account]:
    def named(shown: Entry) -> str | None:
        anchor = shown.attributes.get("adminDescription")
        return anchor if isinstance(anchor, str) else None

    there = {e.guid: e for e in visible(world).values()}
    return import_accounts(
        old, read, find=lambda guids: {g: there[g] for g in guids if g in there}, anchor_names=named,
        gone_or_out=lambda guest: guest in gone, blocked=lambda guest: guest == CAROL, ous=[GUESTS_OU], as_of=as_of,
    )  # fmt: skip


@LAW
@given(DOMAINS, DOMAINS, GONE)
def test_importing_the_same_accounts_again_changes_nothing(before: World, after: World, gone: set[str]) -> None:
    old = accounts({}, full_read(before), before, set(), T1)
    for read in (full_read(after), changes(before, after)):
        once = accounts(old, read, after, gone, T1)
        assert accounts(once, read, after, gone, T2) == once


@LAW
@given(st.lists(st.tuples(DOMAINS, GONE), min_size=1, max_size=4))
def test_increments_of_accounts_end_where_a_full_read_does(history: list[tuple[World, set[str]]]) -> None:
    (before, gone), *rest = history
    by_steps = accounts({}, full_read(before), before, gone, T1)
    for then, gone_then in rest:
        after = traced(before, then)
        whole = accounts(by_steps, full_read(after), after, gone_then, T1)
        by_steps = accounts(by_steps, changes(before, after), after, gone_then, T1)
        assert by_steps == whole
        before = after


def traced(before: World, after: World) -> World:
    """The same, but nothing goes out of sight or comes into it without a trace: no increment could show that."""
    return {rid: _traced(before[rid], where) for rid, where in after.items()}


def _traced(before: Where, after: Where) -> Where:
    if before.place == "hidden":
        return replace(after, changed=after.changed + 10)
    return replace(after, place="deleted") if after.place == "hidden" else after


@LAW
@given(DOMAINS, DOMAINS, GONE)
def test_a_join_is_never_rewritten(before: World, after: World, gone: set[str]) -> None:
    old = accounts({}, full_read(before), before, set(), T1)
    for read in (full_read(after), changes(before, after)):
        now = accounts(old, read, after, gone, T2)
        assert all(now[s].guest == a.guest for s, a in old.items() if a.guest and s in now)
        kept = {a.sid for a in old.values() if a.guest and a.guest not in gone and after_place(after, a) != "deleted"}
        assert kept <= now.keys()


def after_place(world: World, account: Account) -> str:
    return world[int(account.sid.rsplit("-", 1)[1])].place
