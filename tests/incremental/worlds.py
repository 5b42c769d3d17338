"""Small worlds in which everything that can go wrong between guests and accounts does, and policies to plan them by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from hypothesis import strategies as st

from reconciler.git.disk import blob_id
from reconciler.incremental.alignment import Alignment, afresh
from reconciler.incremental.hashes import Hasher
from reconciler.incremental.reduce import Reduced
from reconciler.incremental.summary import Summary
from reconciler.incremental.summing import summings
from reconciler.model.account import Account, Missing
from reconciler.model.dn import DN
from reconciler.model.guest import Guest, Removal
from reconciler.model.values import Value
from reconciler.policy.model import Policy
from reconciler.state.canonical import dump
from reconciler.state.model import Claim, State
from reconciler.state.paths import ACCOUNTS, GUESTS, account_path, guest_path, shard_number
from reconciler.state.records import accounts_document, guests_document
from tests.planning.builder import DEFAULT, DEPARTED, OU, account, guest, policy, settings
from tests.planning.builder import state as state_of

HASHER = Hasher(b"k" * 16)
OUTSIDE = "OU=Elsewhere,DC=contoso,DC=test"
HOLDS = (
    "\nhold:\n  - {guest: 00000001-7425-40de-944b-e07fc1f90ae7, reason: r, until: 2026-03-31}\n"
    "  - {account: S-1-5-21-1-2-3-1102, reason: r, until: 2026-03-31}\n"
    "  - {guest: 00000003-7425-40de-944b-e07fc1f90ae7, reason: r, until: 2026-01-31}\n"
)
POLICIES: dict[str, Policy] = {
    "default": policy(),
    "held": policy(DEFAULT + HOLDS),
    "cn flows": policy(
        DEFAULT.replace("  cn: guest.id\n", "").replace("flows:\n", "flows:\n  cn: guest.userPrincipalName\n")
    ),
    "anchor once": policy(
        DEFAULT.replace("  adminDescription: '\"User_\" + guest.id'  #", "  #").replace(
            "  cn: guest.id\n", "  cn: guest.id\n  adminDescription: '\"User_\" + guest.id'\n"
        )
    ),
    "anchor shared": policy(
        DEFAULT.replace("'\"User_\" + guest.id'", "'\"User_\" + guest.id.substring(4, 30)'").replace(
            "guest: guest.userPrincipalName", "guest: guest.mail"
        ).replace("account: userPrincipalName", "account: mail")
    ),
    "no moves": policy(
        DEFAULT.replace("blocked: {disable: true}", "blocked: {disable: false}")
        .replace(', move: "OU=Departed,OU=Guests,DC=contoso,DC=test", delete_after: 30d', "")
        .replace("returned: {restore: true}", "returned: {restore: false}")
    ),
    "engine": policy(
        DEFAULT.replace('include: guest.userType == "Guest"', 'include: guest.mail.endsWith("adatum.com")')
        .replace("  givenName: guest.givenName", "  givenName: 'has(guest.givenName) ? guest.givenName.lowerAscii() : \"\"'")
        .replace("  displayName: guest.displayName", "  displayName: guest.displayName + guest.id.substring(0, 2)")
        .replace("  employeeType: guest.userType", "  otherMailbox: guest.otherMails")
    ),
}  # fmt: skip
"""By what is particular about each."""


def desired(of: Guest, by: Policy, rid: int) -> Account:
    """The account that the policy wants for a guest, where it can say so; else the default policy's."""
    from reconciler.planning.desired import UndecidableError, flows

    made = account(of, rid)
    try:
        wanted = {d.attribute: d.value for d in flows(of, by)}
    except UndecidableError:
        return made
    values = {**made.attributes, **wanted}
    name = wanted.get("cn") or of.id
    kept = {k: v for k, v in values.items() if v is not None and k != "cn"}
    return replace(made, attributes=kept, dn=DN(OU).child("CN", str(name)))


TOUCHED = ("displayName", "mail", "sAMAccountName", "userPrincipalName", "adminDescription", "otherMailbox")
NUMBERS = [1, 2, 3, 4, 0x7C900001, 0x7C900002]
TEXTS = st.sampled_from(
    ["Müller", "muller", "guest1@adatum.com", "guest2@adatum.com", "x" * 300, "\u202e", 'a"\\', "Guest"]
)


@st.composite
def guests(draw: st.DrawFn, numbers: Sequence[int]) -> Guest:
    removals: list[Removal | None] = [None, None, None, "changed", "deleted"]
    changed: dict[str, Value | None] = draw(
        st.dictionaries(
            st.sampled_from(["displayName", "givenName", "mail", "userPrincipalName", "userType"]),
            st.none() | TEXTS,
            max_size=2,
        )
        if draw(st.booleans())
        else st.just({})
    )
    if changed.get("userPrincipalName", "") is None:
        del changed["userPrincipalName"]
    if draw(st.integers(0, 5)) == 0:
        changed["accountEnabled"] = False
    if draw(st.integers(0, 5)) == 0:
        changed["otherMails"] = ("a@x", "b@x")
    return guest(draw(st.sampled_from(list(numbers))), draw(st.sampled_from(removals)), **changed)


@st.composite
def accounts(draw: st.DrawFn, some: Sequence[Guest], by: Policy, rid: int) -> Account:
    """An account in order, or off in a few ways."""
    of = draw(st.sampled_from(list(some))) if some else guest(9)
    made = desired(of, by, rid)
    if draw(st.integers(0, 2)) == 0:
        return made
    values: dict[str, Value | None] = dict(made.attributes)
    for name in draw(st.lists(st.sampled_from(TOUCHED), max_size=2)):
        values[name] = draw(
            st.none() | TEXTS | st.sampled_from([g.id[:20] for g in some] + [f"User_{g.id}" for g in some] or ["x"])
        )
    values["userAccountControl"] = draw(st.sampled_from([262656, 262656, 262658, 0x222, 514]))
    missing: list[Missing | None] = [None, None, None, None, "deleted", "expired", "invisible"]
    elsewhere = [
        DN(parent).child("CN", name)
        for parent, name in ((DEPARTED, of.id), (OUTSIDE, of.id), (OU, "Müller, A"), (OU, "#x"))
    ]
    dn = draw(st.sampled_from([made.dn] * 4 + elsewhere))
    return replace(
        made,
        attributes={k: v for k, v in values.items() if v is not None},
        dn=dn,
        guest=draw(st.sampled_from([made.guest, made.guest, made.guest, None])),
        departed=draw(st.sampled_from([None, None, "2026-01-01T00:00:00Z", "2026-01-30T06:00:00Z", "2026-02-20T00:00:00Z"])),
        suspended=draw(st.sampled_from([False, False, True])),
        adopted=draw(st.booleans()),
        missing=draw(st.sampled_from(missing)),
        protected=draw(st.sampled_from([(), (), (), ("adminCount",)])),
    )  # fmt: skip


@st.composite
def worlds(draw: st.DrawFn, by: Policy) -> State:
    """Guests, accounts and claims; most pairs are in order."""
    people = draw(st.lists(guests(NUMBERS), max_size=6, unique_by=lambda g: g.id))
    rids = draw(st.lists(st.sampled_from([1101, 1102, 1103, 1104, 1101 + 4096, 1102 + 4096]), max_size=6, unique=True))
    held = [draw(accounts(people, by, rid)) for rid in rids]
    texts = [str(v) for a in held for v in a.attributes.values()] or ["x"]
    owner = st.sampled_from([a.sid for a in held] + ["S-1-5-21-1-2-3-9999", "S-1-5-21-1-2-3-1101"])
    attribute = st.sampled_from(["sAMAccountName", "userPrincipalName", "distinguishedName"])
    names = st.sampled_from([*texts, *(g.id[:20] for g in people), *(f"CN={g.id},{OU}" for g in people)])
    claims = draw(st.lists(st.builds(Claim, attribute, names, owner), max_size=2))
    as_of = draw(st.sampled_from(["2026-03-01T06:00:00Z", "2026-02-01T06:00:00Z", "2026-04-01T06:00:00Z"]))
    return in_order(state_of(people, held, tuple(claims), as_of))


def in_order(made: State) -> State:
    """The state as it is read from files: shard by shard."""
    people = sorted(made.guests.values(), key=lambda g: (guest_path(g.id), g.id))
    held = sorted(made.accounts.values(), key=lambda a: (account_path(a.sid), int(a.sid.rpartition("-")[2])))
    assert made.manifest.graph is not None
    graph = replace(made.manifest.graph, attributes=(*made.manifest.graph.attributes, "otherMails"))
    assert made.manifest.directory is not None
    attributes = tuple({*made.manifest.directory.attributes, "otherMailbox"})
    manifest = replace(made.manifest, graph=graph, directory=replace(made.manifest.directory, attributes=attributes))
    return replace(made, manifest=manifest, guests={g.id: g for g in people}, accounts={a.sid: a for a in held})


def files(made: State) -> dict[str, bytes]:
    """The shards of a state."""
    found = {}
    for path, some in groupby(made.guests.values(), lambda g: guest_path(g.id)):
        found[path] = dump(guests_document(some))
    for path, held in groupby(made.accounts.values(), lambda a: account_path(a.sid)):
        found[path] = dump(accounts_document(held))
    return found


class Shards:
    """Summaries of a state's shards, made when they are asked for. A `Source`; `known` has those of other states by id."""

    def __init__(self, made: State, by: Policy, hasher: Hasher, known: dict[str, Summary] | None = None) -> None:
        self.files = files(made)
        self.guests, self.accounts = summings(by, (DN(OU),), hasher)
        self._known = {} if known is None else known

    def oids(self, side: str) -> dict[int, str]:
        return {shard_number(p): blob_id(data, "") for p, data in self.files.items() if p.startswith(side)}

    def all(self) -> Iterator[tuple[str, int, Summary]]:
        for side in (GUESTS, ACCOUNTS):
            for number, summary in self.of(side, self.oids(side)):
                yield side, number, summary

    def of(self, side: str, shards: Iterable[int]) -> Iterator[tuple[int, Summary]]:
        for number in sorted(shards):
            yield number, self._made(side, number, None)

    def before(self, side: str, oids: Mapping[int, str]) -> dict[int, Summary]:  # noqa: ARG002  the port's signature
        return {number: self._known[oid] for number, oid in oids.items()}

    def again(self, side: str, before: Mapping[int, Summary | None]) -> dict[int, Summary]:
        return {number: self._made(side, number, old) for number, old in before.items()}

    def opened(self, paths: Sequence[str]) -> Iterable[tuple[str, bytes]]:
        return [(path, self.files[path]) for path in paths]

    def _made(self, side: str, number: int, old: Summary | None) -> Summary:
        path = next(p for p in self.files if p.startswith(side) and shard_number(p) == number)
        data = self.files[path]
        oid = blob_id(data, "")
        if oid not in self._known:
            summing = self.guests.summary if side == GUESTS else self.accounts.summary
            self._known[oid] = summing(data, path, old)
        return self._known[oid]


def now_of(made: State) -> int:
    return int(datetime.fromisoformat(made.manifest.as_of).timestamp())


def reduced(
    made: State,
    by: Policy,
    batch: int = 5000,
    few: int = 2000,
    source: Shards | None = None,
    aligned: Alignment | None = None,
) -> Reduced:
    """The state's reduction, summed up from its files; all afresh, if nothing else is said."""
    source = source or Shards(made, by, HASHER)
    aligned = aligned or afresh(source, now_of(made), 0, HASHER)
    return Reduced(
        made.manifest,
        made.claims,
        aligned,
        source,
        source.opened,
        source.files,
        by,
        settings(batch=batch),
        HASHER,
        few,
    )
