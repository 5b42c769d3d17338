"""The accounts are looked at under the name that the policy says single sign-on asks for, and under no other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import pytest

from reconciler.doctor.look_signin import WhoSignsIn
from reconciler.model.identity import Identity
from reconciler.verify import obstacles
from reconciler.verify.causes import Cause
from reconciler.verify.facts import Party
from reconciler.verify.port import DelegationFacts
from tests.planning.builder import account, guest, state

from .facts import NOW, party

UPN = "bob_fabrikam.com#EXT#@contoso.onmicrosoft.com"


class Directory:
    """One account, called `alias` and `alias@contoso.test`."""

    def __init__(self) -> None:
        self.account = party(sam="alias", upn="alias@contoso.test")

    def parties(self, guids: Iterable[str]) -> dict[str, Party]:
        return dict.fromkeys(guids, self.account)

    def named(self, names: Iterable[str], *, by_upn: bool) -> dict[str, tuple[Party, ...]]:
        own = self.account.upn if by_upn else self.account.sam
        return {n: (self.account,) for n in names if n == own}


@pytest.mark.parametrize(
    ("identity", "known", "causes"),
    [
        (None, {}, []),
        (Identity.UPN, {}, [Cause.UPN_DIFFERS]),
        (Identity.SAM, {}, []),
        (Identity.SAM, {"onPremisesSamAccountName": "alias"}, []),
        (Identity.SAM, {"onPremisesSamAccountName": "other"}, [Cause.IDENTITY_DIFFERS]),
        (Identity.ON_PREMISES_UPN, {"onPremisesUserPrincipalName": "alias@contoso.test"}, []),
    ],
)
def test_names_are_compared_as_the_policy_says(
    identity: Identity | None, known: dict[str, str], causes: list[Cause]
) -> None:
    who = guest(1, userPrincipalName=UPN, **known)
    imported = state([who], [account(who, 1105)])
    [person] = WhoSignsIn(cast("DelegationFacts", Directory())).people(imported, identity)
    assert [o.cause for o in obstacles.of_person(person, NOW)] == causes
