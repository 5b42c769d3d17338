"""Names that somebody has already: found when planning, shown with their owner, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.demo.people import generate
from reconciler.demo.samba import Controller
from reconciler.model.dn import DN
from tests.support.operations import Operations

from .expected import accounts, wanted

pytestmark = pytest.mark.samba


def test_names_taken_outside_and_inside_the_ous_are_conflicts_with_their_owners(
    operations: Callable[..., Operations], samba: Controller, samba_ou: DN
) -> None:
    people = generate(6, seed=31)
    people[4] = replace(people[4], id=people[3].id[:20] + people[4].id[20:])
    ops = operations(people)
    upn, sam, cn, twin, other, free = (ops.tenant.get(p.id) for p in people)
    with samba.administrator() as administrator:
        users = f"CN=Users,{samba.base}"
        taken = f"CN=Staff with a UPN {samba_ou.name},{users}"
        administrator.user(
            taken,
            {
                "sAMAccountName": f"s1{samba_ou.name[-8:]}",
                "userPrincipalName": str(upn.properties["userPrincipalName"]),
            },
        )
        short = f"CN=Staff with a sAMAccountName {samba_ou.name},{users}"
        administrator.user(short, {"sAMAccountName": sam.id[:20]})
        container = (
            f"OU=Fabrikam,{samba_ou}" if str(cn.properties.get("mail")).endswith("@fabrikam.com") else samba_ou.text
        )
        group = f"CN={cn.id},{container}"
        administrator.add(group, ["group"], {"sAMAccountName": f"g{samba_ou.name[-8:]}"})
        owners = {upn.id: administrator.sid(taken), sam.id: administrator.sid(short), cn.id: administrator.sid(group)}
    plan = ops.plan()
    found = {c["subject"]: c for c in plan["conflicts"]}
    assert {c["kind"] for c in found.values()} == {"name-taken"}
    assert set(found) == {upn.id, sam.id, cn.id, twin.id, other.id}
    assert all(sid in found[guest]["what"] for guest, sid in owners.items())
    assert twin.id in found[other.id]["what"]
    assert all(c["remedy"] for c in found.values())
    assert [c["guest"] for c in plan["changes"]] == [free.id]
    ops.loop()
    assert accounts(samba, samba_ou.text) == {free.id: wanted(ops)[free.id]}


def test_a_name_that_becomes_free_is_taken_by_the_next_plan(
    operations: Callable[..., Operations], samba: Controller, samba_ou: DN
) -> None:
    ops = operations(1)
    (guest,) = ops.tenant.guests()
    taken = f"CN=Staff {samba_ou.name},CN=Users,{samba.base}"
    with samba.administrator() as administrator:
        administrator.user(taken, {"sAMAccountName": guest.id[:20]})
    assert not ops.plan()["changes"]
    with samba.administrator() as administrator:
        administrator.delete(taken)
    assert ops.loop() == {"done": 1}


def test_a_guests_name_that_ad_cannot_hold_is_a_conflict_and_the_others_go_on(
    operations: Callable[..., Operations], samba: Controller, samba_ou: DN
) -> None:
    ops = operations(3)
    long, nul, fine = ops.tenant.guests()
    ops.tenant.update(long.id, surname="x" * 65)
    ops.tenant.update(nul.id, displayName="before\0after")
    plan = ops.plan()
    assert {c["subject"]: c["kind"] for c in plan["conflicts"]} == {long.id: "illegal-value", nul.id: "illegal-value"}
    assert ops.loop() == {"done": 1}
    assert set(accounts(samba, samba_ou.text)) == {fine.id}
