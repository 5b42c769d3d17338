"""Given tickets that a KDC grants, when they are not for the guest's own account, then nobody was let in."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.guest import Guest
from reconciler.verify.causes import Cause
from reconciler.verify.identity import Asked
from reconciler.verify.people import Subject
from reconciler.verify.port import Page
from reconciler.verify.prove import Candidate, Prover
from reconciler.verify.report import Attempt

from .parties import GUEST, NOW, UPN, around, person

REALM = "CONTOSO.TEST"
SEEN = f"{UPN.replace('@', chr(92) + '@')}@{REALM}"
IMPORTED = "2026-03-01T06:00:00Z"


class Granting:
    """A KDC that grants everything, in the name of `seen`, and a page that shows the same."""

    principal = f"CONNECTOR$@{REALM}"

    def __init__(self, seen: str) -> None:
        self.seen = seen
        self.asked: list[tuple[str, bool, str]] = []

    def forwardable(self) -> bool:
        return True

    def impersonate(self, name: str, *, by_upn: bool, spn: str) -> str:
        self.asked.append((name, by_upn, spn))
        return self.seen

    def fetch(self, name: str, *, by_upn: bool, spn: str) -> Page:
        self.asked.append((name, by_upn, spn))
        return Page(200, proven=True, user=self.seen)


def tried(seen: str, *, page: bool = False, **changes: Any) -> Attempt:
    who = person(**changes)
    candidate = Candidate(Subject(Guest(who.guest, {}), None), Asked(who.name, who.by_upn), who)
    return Prover(Granting(seen), around(), lambda: NOW, page=page).attempt(candidate)


@pytest.mark.parametrize("seen", [SEEN, SEEN.upper(), f"alice@{REALM}"])
@pytest.mark.parametrize("page", [False, True])
def test_a_ticket_under_one_of_the_accounts_names_lets_the_guest_in(seen: str, page: bool) -> None:
    assert tried(seen, page=page).let_in


@pytest.mark.parametrize(
    ("seen", "changes"),
    [
        (f"mallory@{REALM}", {}),
        (f"mallory@{REALM}", {"holders": None}),
        (f"bob@{REALM}", {"by_upn": False, "name": "bob", "holders": None}),
        (SEEN, {"account": {"upn": "old@x", "imported": IMPORTED}, "holders": None}),
        (SEEN, {"account": {"upn": "old@x"}, "holders": ()}),
        (SEEN, {"party": None, "joined": None, "holders": None}),
        (SEEN, {"party": None, "holders": ()}),
        (SEEN, {"account": {"deleted": True}, "holders": None}),
    ],
)
@pytest.mark.parametrize("page", [False, True])
def test_a_ticket_that_is_not_shown_to_be_the_accounts_own_lets_nobody_in(
    seen: str, changes: dict[str, Any], page: bool
) -> None:
    assert [f.cause for f in tried(seen, page=page, **changes).findings] == [Cause.ANOTHER_ACCOUNT]


def test_an_account_that_answers_to_its_implicit_name_is_the_guests() -> None:
    implicit = f"{GUEST.sam}@{REALM.lower()}"
    assert tried(f"{GUEST.sam}@{REALM}", name=implicit, holders=()).let_in
