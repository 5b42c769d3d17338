"""Whom to try: one guest by any name, and a sample that is the same for the same seed."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.errors import UsageError
from reconciler.model.guest import Guest
from reconciler.model.identity import Identity
from reconciler.verify.identity import Asked, asked
from reconciler.verify.people import population, sample, subject
from reconciler.verify.prove import same_person
from tests.planning.builder import account, gid, guest, policy, state

from .parties import GUEST, UPN, person


@pytest.mark.parametrize(
    "called",
    [
        gid(1),
        gid(1).upper(),
        "guest1_adatum.com#ext#@contoso.onmicrosoft.com",
        "GUEST1@adatum.com",
        "Guest 1",
        "S-1-5-21-1-2-3-1001",
        gid(1)[:20],
    ],
)
def test_a_guest_is_found_by_every_name_they_have(called: str) -> None:
    found = subject(state([guest(1), guest(2)], [account(guest(1), 1001), account(guest(2), 1002)]), called)
    assert (found.guest.id, found.account and found.account.sid) == (gid(1), "S-1-5-21-1-2-3-1001")


def test_a_name_that_two_guests_have_is_refused_and_both_are_named() -> None:
    twins = state([guest(1, displayName="Twin"), guest(2, displayName="Twin")], [])
    with pytest.raises(UsageError, match="2 guests are called twin") as error:
        subject(twins, "twin")
    assert all(gid(n) in str(error.value) for n in (1, 2))


def test_whoever_is_unknown_is_refused_with_a_remedy() -> None:
    with pytest.raises(UsageError, match="reconcile snapshot"):
        subject(state([guest(1)], []), "nobody")


def test_only_those_who_should_be_able_to_sign_in_are_tried() -> None:
    blocked, gone, member = guest(2, accountEnabled=False), guest(3, removed="changed"), guest(4, userType="Member")
    accounts = [account(g, 1000 + n) for n, g in enumerate((guest(1), blocked, gone, member))]
    people, without = population(state([guest(1), blocked, gone, member, guest(5)], accounts), policy())
    assert ([p.guest.id for p in people], without) == ([gid(1)], 1)


def test_a_sample_does_not_change_when_others_come_and_go() -> None:
    everybody, _ = population(state([guest(n) for n in range(60)], [account(guest(n), n) for n in range(60)]), policy())
    chosen = sample(everybody, 10, "seed")
    assert sample(reversed(everybody), 10, "seed") == chosen
    assert sample([p for p in everybody if p in chosen or p.guest.id > gid(30)], 10, "seed") == chosen
    assert sample(everybody, 10, "other") != chosen
    assert len(sample(everybody, 100, "seed")) == 60


@pytest.mark.parametrize(
    ("identity", "known", "expected"),
    [
        (Identity.UPN, {}, Asked(UPN, by_upn=True)),
        (Identity.UPN_USER, {}, Asked(UPN.partition("@")[0], by_upn=False)),
        (
            Identity.ON_PREMISES_UPN,
            {"onPremisesUserPrincipalName": "a@contoso.test"},
            Asked("a@contoso.test", by_upn=True),
        ),
        (Identity.ON_PREMISES_UPN, {}, Asked(UPN, by_upn=True, assumed=True)),
        (Identity.ON_PREMISES_UPN_USER, {"onPremisesUserPrincipalName": "a@contoso.test"}, Asked("a", by_upn=False)),
        (Identity.ON_PREMISES_UPN_USER, {}, Asked(UPN.partition("@")[0], by_upn=False, assumed=True)),
        (Identity.SAM, {"onPremisesSamAccountName": "al"}, Asked("al", by_upn=False)),
        (Identity.SAM, {}, Asked("alice", by_upn=False, assumed=True)),
    ],
)
def test_each_identity_asks_by_its_own_name(identity: Identity, known: dict[str, Any], expected: Asked) -> None:
    assert asked(identity, Guest("id", {"userPrincipalName": UPN, **known}), GUEST) == expected


def test_where_there_is_no_name_nobody_is_asked_for() -> None:
    assert asked(Identity.SAM, Guest("id", {"userPrincipalName": UPN}), None) is None


SEEN = f"{UPN.replace('@', chr(92) + '@')}@CONTOSO.TEST"


@pytest.mark.parametrize("said", [SEEN, SEEN.upper(), UPN, "alice", "CONTOSO\\alice", "alice@CONTOSO.TEST", f" {UPN} "])
def test_the_ways_in_which_an_application_calls_the_guest(said: str) -> None:
    assert same_person(said, SEEN, person())


@pytest.mark.parametrize(
    "said",
    ["", "mallory", "CONTOSO\\mallory", "mallory@CONTOSO.TEST", "alice@EVIL.TEST", "alice2", "\\", "@", "alice\\bob"],
)
def test_everybody_else_is_somebody_else(said: str) -> None:
    assert not same_person(said, SEEN, person())
    assert not same_person(said, SEEN, person(party=None))
