"""Whom an anchor names and who has left: what evaluating everybody would say, at the cost of those who are asked for."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace

import pytest

from reconciler.cli.joins import Anchors, Leavers
from reconciler.directory.port import Entry
from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.plan import Rule
from reconciler.model.values import Value
from reconciler.policy.model import Expression, Policy
from tests.planning.builder import policy

IDS = [str(uuid.UUID(int=n * 0x1234567890ABCDEF1234567890ABCDEF % 2**128, version=4)) for n in range(1, 41)]
GUESTS = {
    id_: Guest(
        id_,
        {"userPrincipalName": f"u{n}@x", "userType": "Member" if n % 5 == 0 else "Guest", "accountEnabled": n % 3 > 0},
        "changed" if n % 7 == 0 else None,
        "2026-05-01T12:00:00Z" if n % 7 == 0 else None,
    )
    for n, id_ in enumerate(IDS)
}
SHORT = "guest.id.substring(0, 23)"


@dataclass
class Counted:
    """An expression that remembers for whom it was evaluated."""

    inner: Expression
    asked: list[str] = field(default_factory=list)

    @property
    def rule(self) -> Rule:
        return self.inner.rule

    @property
    def source(self) -> str:
        return self.inner.source

    @property
    def reads(self) -> frozenset[str]:
        return self.inner.reads

    def value(self, guest: Guest) -> Value | None:
        self.asked.append(guest.id)
        return self.inner.value(guest)

    def test(self, guest: Guest) -> bool:
        self.asked.append(guest.id)
        return self.inner.test(guest)


def counted(given: Policy) -> tuple[Policy, Counted, Counted]:
    anchor, scope = Counted(given.anchor.expression), Counted(given.scope)
    joins = (replace(given.anchor, expression=anchor), *given.joins[1:])
    return replace(given, joins=joins, scope=scope), anchor, scope


def entry(anchor: str | None) -> Entry:
    held: dict[str, Value] = {} if anchor is None else {"adminDescription": anchor}
    return Entry("guid", "sid", DN("CN=x,DC=contoso,DC=test"), held)


@pytest.mark.parametrize("expression", ['"User_" + guest.id', f'"User_" + {SHORT}'])
def test_an_anchor_names_the_guest_it_would_among_all(expression: str) -> None:
    given = policy(**{'"User_" + guest.id': expression})
    anchors = Anchors(given, GUESTS)
    everybody = {str(given.anchor.expression.value(g)).casefold(): g.id for g in GUESTS.values()}
    nobody = ["User_00000000-0000-4000-8000-000000000000", "User_", "x", IDS[0]]
    for held in [*everybody, *(h.upper() for h in everybody), *nobody]:
        assert anchors.names(entry(held)) == everybody.get(held.casefold())
    assert anchors.names(entry(None)) is None


def test_whom_an_anchor_names_by_the_whole_id_is_evaluated_alone() -> None:
    given, anchor, _ = counted(policy())
    anchors = Anchors(given, GUESTS)
    assert anchors.names(entry(f"User_{IDS[3]}")) == IDS[3]
    assert anchors.names(entry(None)) is None
    assert anchors.shown([entry(None), entry("x"), entry(f"User_{IDS[3]}".upper())]) == {IDS[3]}
    assert anchor.asked == [IDS[3]]


def test_an_anchor_of_nobody_takes_everybody_once() -> None:
    given, anchor, _ = counted(policy())
    anchors = Anchors(given, GUESTS)
    for _ in range(3):
        assert anchors.names(entry("User_00000000-0000-4000-8000-000000000000")) is None
    assert sorted(anchor.asked) == sorted(IDS)


def test_who_has_left_is_who_would_have_by_the_scope() -> None:
    given, _, scope = counted(policy())
    leavers = Leavers(given, GUESTS)
    for guest in GUESTS.values():
        assert leavers.gone(guest.id) == (guest.removed is not None or not given.scope.test(guest))
    assert not leavers.gone("00000000-0000-4000-8000-000000000000")
    scope.asked.clear()
    again = Leavers(given, GUESTS)
    assert [again.gone(id_) for id_ in IDS] == [leavers.gone(id_) for id_ in IDS]
    assert len(scope.asked) == 2  # one Guest and one Member stand for all
