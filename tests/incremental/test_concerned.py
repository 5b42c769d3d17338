"""An import that looks at those whom it concerns makes of the accounts what looking at all of them would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from reconciler.cli.joins import Anchors, Leavers
from reconciler.directory.port import Changes, Entry
from reconciler.incremental.alignment import afresh
from reconciler.incremental.concerned import Concerned
from reconciler.model.account import Account
from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.state.importer import import_accounts
from reconciler.state.model import State
from reconciler.state.paths import ACCOUNTS
from reconciler.state.shards import Changed
from reconciler.state.told import Seek, Told
from tests.planning.builder import DEPARTED, DISABLED, OU, account, guest
from tests.planning.builder import state as state_of

from .worlds import HASHER, POLICIES, Shards, in_order, now_of, worlds

NOW = "2026-03-02T06:00:00Z"
STAFF = DN("OU=Staff,DC=contoso,DC=test")


def concerned(made: State, name: str, *, by_hand: bool = False) -> Concerned:
    source = Shards(made, POLICIES[name], HASHER)
    if by_hand:
        source.files |= {p: b"# by hand\n" + data for p, data in source.files.items() if p.startswith(ACCOUNTS)}
    return Concerned(afresh(source, now_of(made), 0, HASHER), source, source.opened, source.files)


def imported(
    made: State, name: str, known: dict[str, Account], read: Changes, there: Sequence[Entry], enabled: set[str]
) -> dict[str, Account]:
    by = POLICIES[name]
    anchors, found = Anchors(by, made.guests), {entry.guid: entry for entry in there}

    def find(guids: Sequence[str]) -> dict[str, Entry]:
        return {guid: found[guid] for guid in guids if guid in found}

    seek = Seek(
        Told(frozenset(enabled)),
        find,
        frozenset(by.account_attributes),
        anchors.names,
        lambda *_: False,
        lambda _: None,
    )
    return import_accounts(
        known,
        read,
        find=find,
        anchor_names=anchors.names,
        gone_or_out=Leavers(by, made.guests).gone,
        blocked=lambda id_: int(id_[7], 16) % 2 == 0,
        ous=[DN(OU)],
        as_of=NOW,
        leavers_disabled=by.lifecycle.left_disable,
        seek=seek,
    )


@st.composite
def calm(draw: st.DrawFn) -> State:
    """A world in order, but for one thing with some of its guests and one with some of their accounts."""
    people, held = [], []
    for number in range(draw(st.integers(1, 5))):
        of = guest(number)
        mine = account(of, 1100 + number)
        departed = {"departed": "2026-02-20T00:00:00Z"}
        disabled = {"attributes": {**mine.attributes, "userAccountControl": DISABLED}}
        away = {"dn": DN(DEPARTED).child("CN", of.id)}
        another = {"missing": "deleted"}, {"guest": None}, {"suspended": True}, {"suspended": True, **disabled}
        some: tuple[dict[str, Any], ...] = (
            {},
            {},
            departed,
            disabled,
            {**departed, **disabled, **away},
            {**disabled, **away},
            *another,
        )
        mine = replace(mine, **draw(st.sampled_from(some)))
        gone = {"removed": "deleted", "removed_at": "2026-02-20T00:00:00Z"}
        blocked = {"attributes": {**of.attributes, "accountEnabled": False}}
        out = {"attributes": {**of.attributes, "userType": "Member"}}
        others: tuple[dict[str, Any], ...] = ({}, {}, gone, blocked, out)
        of = replace(of, **draw(st.sampled_from(others)))
        people.append(of)
        held += [mine] * draw(st.sampled_from([0, 1, 1, 1, 1, 1]))
        if draw(st.integers(0, 5)) == 0:
            held.append(replace(account(guest(number), 1200 + number), guid=f"9{mine.guid[1:]}"))
    return in_order(state_of(people, held))


@st.composite
def reads(draw: st.DrawFn, made: State) -> tuple[Changes, list[Entry]]:
    """What a controller says of some accounts, and what of all of them can still be found when it is asked."""
    entries, deleted, there = [], [], []
    for held in made.accounts.values():
        shown = Entry(held.guid, held.sid, held.dn, held.attributes, held.protected)
        how = draw(st.sampled_from(["", "", "", "changed", "moved", "deleted", "invisible"]))
        if how == "changed":
            shown = replace(
                shown, attributes={**held.attributes, "userAccountControl": draw(st.sampled_from([512, 514]))}
            )
        elif how == "moved":
            shown = replace(shown, dn=STAFF.child("CN", held.dn.name))
        elif how == "deleted":
            shown = replace(shown, deleted=True, recycled=draw(st.booleans()))
        if how in ("changed", "moved"):
            entries.append(shown)
        elif how == "deleted":
            deleted.append(shown)
        if how != "invisible":
            there.append(shown)
    return Changes(tuple(entries), tuple(deleted), containers=False), there


@pytest.mark.parametrize("name", POLICIES)
def test_it_is_the_same_as_looking_at_all(name: str) -> None:
    @profile(deadline=None, max_examples=80)
    @given(st.data(), worlds(POLICIES[name]) | calm() | calm(), st.sampled_from([False, False, False, True]))
    def law(data: st.DataObject, made: State, by_hand: bool) -> None:
        read, there = data.draw(reads(made))
        enabled = data.draw(st.sets(st.sampled_from(sorted(made.accounts)))) if made.accounts else set()
        said = {entry.sid for entry in (*read.entries, *read.deleted)}
        teller = concerned(made, name, by_hand=by_hand)
        known = teller.accounts(said | enabled, lambda a: a.missing is not None or a.sid in said, ())
        whole = imported(made, name, dict(made.accounts), read, there, enabled)
        some = imported(made, name, known, read, there, enabled)
        others = {sid: held for sid, held in made.accounts.items() if sid not in known}
        assert others | some == whole
        joined = {held.guest for held in whole.values()}
        forgotten = {i for i, g in made.guests.items() if g.removed is not None and i not in joined}
        changes = {sid: some.get(sid) for sid in known.keys() | some.keys()}
        assert set(teller.forgotten(Changed(made.accounts, changes))) == forgotten
        assert teller.guests(made.guests) == made.guests

    law()


def test_whoever_is_in_order_is_not_looked_at() -> None:
    people = [guest(n) for n in range(50)]
    held = [account(g, 1100 + i) for i, g in enumerate(people)]
    made = in_order(state_of(people, held))
    sid = held[7].sid
    assert list(concerned(made, "default").accounts([sid, "S-1-5-21-1-2-3-9"], lambda _: True, ())) == [sid]


def test_whoever_left_or_returned_is() -> None:
    people = [guest(n) for n in range(4)]
    held = [account(g, 1100 + i) for i, g in enumerate(people)]
    held[1] = replace(held[1], departed="2026-02-20T00:00:00Z")
    people[2] = replace(people[2], removed="deleted", removed_at="2026-02-20T00:00:00Z")
    made = in_order(state_of(people, held))
    assert set(concerned(made, "default").accounts((), lambda _: True, ())) == {held[1].sid, held[2].sid}


def left(number: int) -> tuple[Guest, Account]:
    """A guest who left, and an account in order for them."""
    of = replace(guest(number), removed="deleted", removed_at="2026-02-20T00:00:00Z")
    mine = account(of, 1100 + number)
    values = {**mine.attributes, "userAccountControl": DISABLED}
    dn = DN(DEPARTED).child("CN", of.id)
    return of, replace(mine, attributes=values, dn=dn, departed="2026-02-20T00:00:00Z")


def test_a_leaver_is_forgotten_with_the_account() -> None:
    pairs = [left(n) for n in range(3)]
    made = in_order(state_of([g for g, _ in pairs], [a for _, a in pairs]))
    teller = concerned(made, "default")
    gone = pairs[1][1]
    assert list(teller.accounts([gone.sid], lambda _: True, ())) == [gone.sid]
    assert teller.forgotten(Changed(made.accounts, {})) == []
    assert teller.forgotten(Changed(made.accounts, {gone.sid: None})) == [pairs[1][0].id]


def test_the_other_account_of_a_guest_whose_account_is_lost_is_looked_at() -> None:
    of = guest(1)
    missing, other = replace(account(of, 1101), missing="deleted"), account(of, 1102)
    made = in_order(state_of([of], [missing, other]))
    found = concerned(made, "default").accounts((), lambda a: a.missing is not None, ())
    assert set(found) == {missing.sid, other.sid}
